//! Indexes of partitioned tables, partition by partition: PostgreSQL builds and drops them concurrently in no other way.

use std::time::Duration;

use tokio_postgres::Client;

use super::script::ConcurrentIndex;
use crate::connection::quote_identifier;
use crate::partition::index_name;

/// A partition, the name of an index on it, and whether that is part of the whole table's by now.
struct Part {
    table: String,
    index: String,
    is_attached: bool,
}

/// Whether a table or index is partitioned; not where there is none.
async fn is_partitioned(client: &Client, name: &str) -> Result<bool, tokio_postgres::Error> {
    let sql = "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1::text) AND relkind IN ('p', 'I'))";
    Ok(client.query_one(sql, &[&name]).await?.get(0))
}

/// Builds an index of a partitioned table while it is written to; whether the table is one.
pub(crate) async fn build(
    client: &Client,
    index: &ConcurrentIndex<'_>,
    wait: Duration,
) -> Result<bool, tokio_postgres::Error> {
    if !is_partitioned(client, index.table).await? {
        return Ok(false);
    }
    let unique = if index.is_unique { "UNIQUE " } else { "" };
    let (whole, rest) = (quote_identifier(&index.name), index.rest);
    let create = format!("CREATE {unique}INDEX {whole} ON ONLY {} {rest}", index.table);
    hurried(client, &create, wait).await?;
    for part in parts(client, index).await? {
        let (table, name) = (&part.table, quote_identifier(&part.index));
        client.batch_execute(&format!("CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {rest}")).await?;
        hurried(client, &format!("ALTER INDEX {whole} ATTACH PARTITION {name}"), wait).await?;
    }
    Ok(true)
}

/// Removes what a cut run of [`build`] left; whether the table is partitioned.
pub(crate) async fn clear(
    client: &Client,
    index: &ConcurrentIndex<'_>,
    wait: Duration,
) -> Result<bool, tokio_postgres::Error> {
    if !is_partitioned(client, index.table).await? {
        return Ok(false);
    }
    for part in parts(client, index).await?.iter().filter(|part| !part.is_attached) {
        let name = quote_identifier(&part.index);
        client.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS public.{name}")).await?;
    }
    let whole = quote_identifier(&index.name);
    hurried(client, &format!("DROP INDEX IF EXISTS public.{whole}"), wait).await?;
    Ok(true)
}

/// Drops an index of a partitioned table, with its parts; whether it is one.
pub(crate) async fn remove(client: &Client, index: &str, wait: Duration) -> Result<bool, tokio_postgres::Error> {
    if !is_partitioned(client, index).await? {
        return Ok(false);
    }
    hurried(client, &format!("DROP INDEX {index}"), wait).await?;
    Ok(true)
}

async fn parts(client: &Client, index: &ConcurrentIndex<'_>) -> Result<Vec<Part>, tokio_postgres::Error> {
    let sql = "SELECT relid::regclass::text FROM pg_partition_tree($1::text::regclass) WHERE isleaf ORDER BY 1";
    let attached = "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1::text))";
    let mut found = Vec::new();
    for row in client.query(sql, &[&index.table]).await? {
        let table: String = row.get(0);
        let name = index_name(&table, &index.name);
        let is_attached = client.query_one(attached, &[&quote_identifier(&name)]).await?.get(0);
        found.push(Part { table, index: name, is_attached });
    }
    Ok(found)
}

/// A statement whose lock others queue behind: it waits no longer than a migration's in a transaction.
async fn hurried(client: &Client, sql: &str, wait: Duration) -> Result<(), tokio_postgres::Error> {
    let wait = wait.as_millis();
    client.batch_execute(&format!("BEGIN; SET LOCAL lock_timeout = {wait}")).await?;
    if let Err(error) = client.batch_execute(sql).await {
        client.batch_execute("ROLLBACK").await?;
        return Err(error);
    }
    client.batch_execute("COMMIT").await
}
