//! The baseline of orders: pgbench runs the SQL of an order one order at a time, on copies of the shop's databases with
//! the same rows, indexes and checks, on the same server with the same settings. A transaction of EStore's path is a
//! script of `pgbench/`; they do less than EStore does, which also writes charges, movements, events and answers.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::str::FromStr;

use tokio_postgres::config::Host;
use tokio_postgres::{Client, NoTls};

use crate::database::numbers;
use crate::failure::Failure;
use crate::report::say;
use crate::shop::Shop;

/// One order at a time, by so many clients.
const CLIENTS: u64 = 64;
/// The copies, which are dropped afterwards.
const INVENTORY: &str = "estore_bench_inventory";
const PAYMENTS: &str = "estore_bench_payments";

/// Transactions a second, one order at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Baseline {
    pub(crate) hold: u64,
    /// All on one row.
    pub(crate) hold_hot: u64,
    pub(crate) order: u64,
    pub(crate) settle: u64,
}

impl Baseline {
    /// Orders a second, the three transactions in turn.
    pub(crate) fn uniform(&self) -> u64 {
        in_turn(self.hold, self.order, self.settle)
    }

    /// The same, all on one product.
    pub(crate) fn hot(&self) -> u64 {
        in_turn(self.hold_hot, self.order, self.settle)
    }
}

/// The rate of things that go through three steps of these rates, one after the other.
fn in_turn(a: u64, b: u64, c: u64) -> u64 {
    let [a, b, c] = [a, b, c].map(u128::from);
    u64::try_from(a * b * c / (a * b + b * c + c * a).max(1)).unwrap_or(u64::MAX)
}

/// Measures each script for so many seconds. Only the databases may run.
pub(crate) async fn measure(shop: &Shop, seconds: u64) -> Result<Baseline, Failure> {
    let server = Server::of(shop).await?;
    let admin = server.connect("postgres").await?;
    for (copy, original) in [(INVENTORY, "estore_inventory"), (PAYMENTS, "estore_payments")] {
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {copy}")).await?;
        admin.batch_execute(&format!("CREATE DATABASE {copy} TEMPLATE {original}")).await?;
    }
    let measured = scripts(&server, seconds).await;
    for copy in [INVENTORY, PAYMENTS] {
        admin.batch_execute(&format!("DROP DATABASE {copy} WITH (FORCE)")).await?;
    }
    measured
}

async fn scripts(server: &Server<'_>, seconds: u64) -> Result<Baseline, Failure> {
    let inventory = server.connect(INVENTORY).await?;
    let [first, last, count] =
        numbers(&inventory, "SELECT min(id)::bigint, max(id)::bigint, count(*) FROM products").await?;
    if last - first + 1 != count {
        return Err(Failure::new("the products' ids have gaps, which the scripts do not expect"));
    }
    let payments = server.connect(PAYMENTS).await?;
    let [method, first_buyer, last_buyer, first_order] = numbers(
        &payments,
        "SELECT min(id)::bigint, min(user_id::bigint), max(user_id::bigint),
                (SELECT coalesce(max(id), 0) + 1 FROM orders)::bigint
         FROM payment_methods",
    )
    .await?;
    let of_time = || vec!["-T".to_owned(), seconds.to_string()];
    let products = |last: i64| vec![("first_product", first), ("last_product", last)];
    say("pgbench: holds, one order at a time");
    let hold = server.script(INVENTORY, include_str!("../../pgbench/hold.sql"), &products(last), of_time()).await?;
    say("pgbench: holds of one product");
    let hold_hot =
        server.script(INVENTORY, include_str!("../../pgbench/hold.sql"), &products(first), of_time()).await?;
    say("pgbench: keys, checkouts and orders");
    let mut variables = products(last);
    variables.extend([("first_buyer", first_buyer), ("last_buyer", last_buyer), ("method", method)]);
    let order = server.script(PAYMENTS, include_str!("../../pgbench/order.sql"), &variables, of_time()).await?;
    let [made] = numbers(&payments, "SELECT count(*) FROM orders WHERE status = 'pending'").await?;
    say("pgbench: status, event and ledger");
    let each = (made.unsigned_abs() / CLIENTS).max(1);
    let variables = [("first_order", first_order), ("n", 0), ("clients", CLIENTS.cast_signed())];
    let of_all = vec!["-t".to_owned(), each.to_string()];
    let settle = server.script(PAYMENTS, include_str!("../../pgbench/settle.sql"), &variables, of_all).await?;
    Ok(Baseline { hold, hold_hot, order, settle })
}

/// The server, as pgbench reaches it.
struct Server<'a> {
    shop: &'a Shop,
    config: tokio_postgres::Config,
    pgbench: PathBuf,
}

impl<'a> Server<'a> {
    async fn of(shop: &'a Shop) -> Result<Self, Failure> {
        let url = shop.run(&["db", "url", "users"], None).await?;
        let config = tokio_postgres::Config::from_str(url.trim())?;
        let pid = shop.postgres_pid().ok_or_else(|| Failure::new("the baseline needs the private PostgreSQL"))?;
        let pgbench = fs::read_link(format!("/proc/{pid}/exe"))?.with_file_name("pgbench");
        if !pgbench.is_file() {
            return Err(Failure::new(format!("{} is not there; it comes with PostgreSQL", pgbench.display())));
        }
        Ok(Self { shop, config, pgbench })
    }

    async fn connect(&self, database: &str) -> Result<Client, Failure> {
        let (client, connection) = self.config.clone().dbname(database).connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Transactions a second of a script; every one must succeed.
    async fn script(
        &self,
        database: &str,
        script: &str,
        variables: &[(&str, i64)],
        amount: Vec<String>,
    ) -> Result<u64, Failure> {
        let file = self.shop.write_file("script.sql", script.as_bytes())?;
        let mut command = tokio::process::Command::new(&self.pgbench);
        command.args(["-n", "-M", "prepared", "-j", "2", "-c", &CLIENTS.to_string()]).args(amount).arg("-f").arg(&file);
        for (name, value) in variables {
            command.arg("-D").arg(format!("{name}={value}"));
        }
        if let Some(Host::Unix(socket)) = self.config.get_hosts().first() {
            command.arg("-h").arg(socket);
        }
        if let Some(port) = self.config.get_ports().first() {
            command.arg("-p").arg(port.to_string());
        }
        command.arg("-U").arg(self.config.get_user().unwrap_or("postgres")).arg(database);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split('.').next()?.parse().ok());
        match rate {
            Some(rate) if output.status.success() && said.contains("number of failed transactions: 0 ") => Ok(rate),
            _ => Err(Failure::new(format!("pgbench failed\n{said}{}", String::from_utf8_lossy(&output.stderr)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_turn;

    #[test]
    fn steps_in_turn_add_their_times() {
        assert_eq!(in_turn(17_200, 15_600, 15_400), 5_342);
        assert_eq!(in_turn(3, 3, 3), 1);
    }
}
