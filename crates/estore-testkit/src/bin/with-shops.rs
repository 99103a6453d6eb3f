//! `with-shops ESTORE COMMAND…`: starts a shop in one process and one in three, runs the command with both named
//! in its environment, stops them, and ends as the command ended.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use estore_testkit::shop::{Processes, Shop};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(estore), Some(program)) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        eprintln!("usage: with-shops ESTORE COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    };
    let (mut one, mut three) =
        tokio::join!(Shop::start(&estore, Processes::One), Shop::start(&estore, Processes::Three));
    let mut command = Command::new(program);
    command.args(arguments);
    for shop in [&one, &three] {
        let address = serde_json::to_string(&shop.address).expect("an address is JSON");
        command.env(shop.processes.variable(), address);
    }
    let status = command.status();
    let stopped = one.stop() & three.stop();
    if !stopped {
        eprintln!("error: a shop did not stop in good order");
    }
    match status {
        Ok(status) if status.success() && stopped => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: the command cannot be run: {error}");
            ExitCode::FAILURE
        }
    }
}
