//! Which indexes a statement goes by, as PostgreSQL plans it: for the values at hand, and for any.

use std::collections::BTreeSet;

use tokio_postgres::{Client, SimpleQueryMessage};

/// How many orders the shop of a test of plans has: `ESTORE_TEST_PLAN_ROWS` (`script/soak` sets a million), or 10,000.
#[must_use]
pub fn rows() -> u64 {
    std::env::var("ESTORE_TEST_PLAN_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// Runs a file that fills a database (`estore-bench/queries/fill_*.sql`) with so many orders.
///
/// # Panics
/// With the statement that does not work.
pub async fn fill(client: &Client, file: &str, orders: u64) {
    let numbers = [("$orders", orders), ("$products", 10_000), ("$users", orders)];
    let sql = numbers.iter().fold(file.to_owned(), |sql, (name, number)| sql.replace(name, &number.to_string()));
    for statement in sql.split_inclusive(";\n") {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}\n{error:?}"));
    }
}

/// The indexes that a statement reads by, and `all of <table>` for each table that it reads through; as planned with
/// these arguments (SQL), and as planned once for all.
///
/// # Panics
/// When the statement cannot be planned.
pub async fn paths(client: &Client, sql: &str, arguments: &str) -> [(BTreeSet<String>, String); 2] {
    let mut paths = Vec::new();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let explain = format!(
            "SET plan_cache_mode = {mode}; PREPARE hot AS {sql}; EXPLAIN (COSTS OFF) EXECUTE hot ({arguments}); \
             DEALLOCATE hot"
        );
        let messages = client.simple_query(&explain).await.unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
        let lines = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        // Without the values, of which there are hundreds.
        let plan = lines.filter(|line| !line.contains("Index Cond")).collect::<Vec<_>>().join("\n");
        paths.push((plan.lines().filter_map(path).flatten().collect(), plan));
    }
    paths.try_into().unwrap_or_else(|_| unreachable!("two modes, two plans"))
}

fn path(line: &str) -> Option<Vec<String>> {
    let word = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    let after = |mark: &str| line.split_once(mark).map(|(_, rest)| rest);
    if let Some(arbiters) = after("Conflict Arbiter Indexes: ") {
        return Some(arbiters.split(", ").map(str::to_owned).collect());
    }
    let index = [
        "Index Scan using ",
        "Index Only Scan using ",
        "Index Scan Backward using ",
        "Index Only Scan Backward using ",
    ]
    .iter()
    .find_map(|mark| after(mark));
    if let Some(index) = index.or_else(|| after("Bitmap Index Scan on ")) {
        return Some(vec![word(index)]);
    }
    after("Seq Scan on ").map(|table| vec![format!("all of {}", word(table))])
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_line_of_a_plan_says_what_it_reads() {
        for (line, wanted) in [
            ("  ->  Index Scan using orders_pkey on orders o", Some("orders_pkey")),
            ("  ->  Index Only Scan using holds_pkey on holds", Some("holds_pkey")),
            ("  ->  Index Scan Backward using orders_pkey on orders", Some("orders_pkey")),
            ("        ->  Bitmap Index Scan on checkouts_pending", Some("checkouts_pending")),
            ("  ->  Seq Scan on outbox b", Some("all of outbox")),
            ("Insert on idempotency_keys", None),
            ("  Conflict Arbiter Indexes: idempotency_keys_pkey", Some("idempotency_keys_pkey")),
        ] {
            assert_eq!(path(line).map(|found| found.join(" ")), wanted.map(str::to_owned), "{line}");
        }
    }
}
