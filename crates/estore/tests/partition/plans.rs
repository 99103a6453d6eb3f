//! The statements that read and change orders go by the same indexes on partitions as on one table.

use std::collections::{BTreeMap, BTreeSet};

use estore_ops::partition::{PartitionOptions, partition, partitions_ahead};
use estore_testkit::plans::paths;

use crate::table::{Table, silent};

macro_rules! query {
    ($name:literal) => {
        include_str!(concat!("../../../estore-payments/queries/", $name, ".sql"))
    };
}

const IDS: &str = "'{01900000-0000-7000-8000-000000000005,01900000-0000-7000-8000-00000000002f}'::uuid[]";

fn statements() -> Vec<(&'static str, String)> {
    let none = "'{}'::text[]";
    vec![
        (
            query!("settle_checkouts"),
            format!(
                "{IDS}, '{{paid,paid}}'::text[], {none}, '{{captured,captured}}'::text[], {none}, '{{}}'::smallint[], \
                 '{{}}'::bytea[], '{{}}'::timestamptz[], '{{paid,paid}}'::text[], '{{}}'::integer[], {none}"
            ),
        ),
        (query!("read_orders_of_checkouts"), IDS.to_owned()),
        (query!("read_order"), "7".to_owned()),
        (query!("lock_order"), "7".to_owned()),
        (query!("list_orders"), "2000000000, NULL, 20".to_owned()),
        (query!("list_orders_of_user"), "7, 2000000000, NULL, 20".to_owned()),
        (query!("reserve_refund"), "7, 1, now()".to_owned()),
        (query!("cancel_order"), "7, now(), 1".to_owned()),
        (query!("change_order_status"), "7, 'shipped', now(), 1, NULL".to_owned()),
    ]
}

/// What each statement goes by: for the values at hand, and for any.
async fn all(table: &Table) -> BTreeMap<&'static str, [BTreeSet<String>; 2]> {
    let parts = table
        .rows(
            "SELECT child.relname::text, coalesce(parent.relname::text, 'orders_one_per_product') FROM pg_index i
             JOIN pg_class child ON child.oid = i.indexrelid
             JOIN pg_inherits h ON h.inhrelid = i.indrelid AND h.inhparent = 'orders'::regclass
             LEFT JOIN pg_inherits ih ON ih.inhrelid = child.oid LEFT JOIN pg_class parent ON parent.oid = ih.inhparent",
        )
        .await;
    let whole: BTreeMap<String, String> = parts.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut found = BTreeMap::new();
    for (sql, arguments) in statements() {
        let told = sql.lines().next().unwrap_or_default();
        let by = paths(&table.admin, sql, &arguments)
            .await
            .map(|(path, _)| path.into_iter().map(|index| of_the_whole(&whole, index)).collect::<BTreeSet<_>>());
        found.insert(told, by);
    }
    found
}

/// An index of a partition, or a partition that is read through, as it is called where there are none.
fn of_the_whole(whole: &BTreeMap<String, String>, index: String) -> String {
    if index.starts_with("all of orders_from_") {
        return "all of orders".to_owned();
    }
    whole.get(&index).cloned().unwrap_or(index)
}

#[tokio::test]
async fn the_plans_are_those_of_one_table() {
    let table = Table::of(10_000).await;
    let options = PartitionOptions { rows: Some(10_000), ..PartitionOptions::default() };
    table.run("ANALYZE").await;
    let before = all(&table).await;
    partition(&table.database.migrated(), &options, &mut silent).await.unwrap();
    assert_eq!(all(&table).await, before, "on one full partition and empty ones");
    // The end is counted as empty, and orders come in before anybody counts again.
    table.run("VACUUM ANALYZE").await;
    partitions_ahead(&table.database.migrated(), &options, &mut silent).await.unwrap();
    table.next_id(15_000).await;
    table.add(10_000).await;
    assert_eq!(all(&table).await, before, "on two partitions");
}
