//! The shop under attack: kills, races, repeats and broken networks. Afterwards its books must close.
//!
//! What each attack proves, and how its long form is run, is told in `docs/correctness.md`.

mod books;
mod buyers;
mod crash_loop;
mod crash_points;
mod gateways;
mod hearing;
mod model;
mod network;
mod protections;
mod races;
mod reported_bugs;
mod silence;
mod twins;

use std::path::Path;
use std::str::FromStr;

use estore_testkit::shop::{Processes, Shop};

/// The binary under test.
const ESTORE: &str = env!("CARGO_BIN_EXE_estore");

/// The standing shop of this kind, or one for this test.
async fn shop(processes: Processes) -> Shop {
    Shop::running(Path::new(ESTORE), processes).await
}

/// A shop for this test alone.
async fn own_shop(processes: Processes) -> Shop {
    Shop::start(Path::new(ESTORE), processes).await
}

/// How much of an attack to run: the variable's number (`script/soak` sets it), or the short form's.
fn amount<T: FromStr>(variable: &str, short: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

/// Makes each test twice: in one process and in three.
macro_rules! in_one_and_three {
    ($($name:ident),* $(,)?) => {
        mod one { $(#[tokio::test] async fn $name() { super::$name(&crate::shop(estore_testkit::shop::Processes::One).await).await; })* }
        mod three { $(#[tokio::test] async fn $name() { super::$name(&crate::shop(estore_testkit::shop::Processes::Three).await).await; })* }
    };
}
pub(crate) use in_one_and_three;
