//! The shop from outside, as its users meet it: every test runs against one process and against three.

mod audit;
mod authorisation;
mod bad_input;
mod buying;
mod catalogue;
mod contract;
mod crash;
mod edge;
mod every_event;
mod https;
mod injections;
mod own_database;
mod own_database_tls;
mod permissions;
mod rate_limits;
mod replay;
mod rights;
mod sealed;
mod seals;
mod services_tls;
mod sessions;
mod shop_life;
mod statements;
mod stats;
mod tls;
mod webhooks;

use std::path::Path;

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

/// Makes each test twice: in one process and in three.
macro_rules! in_one_and_three {
    ($($name:ident),* $(,)?) => {
        mod one { $(#[tokio::test] async fn $name() { super::$name(&crate::shop(estore_testkit::shop::Processes::One).await).await; })* }
        mod three { $(#[tokio::test] async fn $name() { super::$name(&crate::shop(estore_testkit::shop::Processes::Three).await).await; })* }
    };
}
pub(crate) use in_one_and_three;
