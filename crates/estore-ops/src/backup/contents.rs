//! What a database holds, as numbers that are the same in a restored copy.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tokio_postgres::{Client, Error};

use super::manifest::{Contents, TableContents};
use crate::connection::quote_literal;

const TABLES: &str = include_str!("../../queries/backup_tables.sql");
const SCHEMA: &str = include_str!("../../queries/schema_fingerprint.sql");
const LEDGER: &str = "SELECT version FROM public.estore_migrations WHERE state = 'applied' ORDER BY version";
/// Hexadecimal digits kept of an object's hash.
const DIGITS: usize = 32;

/// Counts and hashes every table, in the transaction that the client is in.
pub(crate) async fn take(client: &Client) -> Result<Contents, Error> {
    let mut contents = schema_of(client).await?;
    contents.tables = tables(client, |_| true).await?;
    Ok(contents)
}

/// One table's rows alone.
pub(crate) async fn of_table(client: &Client, name: &str) -> Result<Contents, Error> {
    Ok(Contents { tables: tables(client, |table| table == name).await?, ..Contents::default() })
}

async fn tables(client: &Client, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, TableContents>, Error> {
    let tables = client.query(TABLES, &[]).await?;
    let names = tables.iter().map(|row| row.get(0)).filter(|name: &String| wanted(name));
    let counts: Vec<String> = names.map(|name| rows_of(&name)).collect();
    if counts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = client.query(&counts.join(" UNION ALL "), &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), TableContents { rows: row.get(1), hash: row.get(2) })).collect())
}

/// The sum of the rows' hashes does not depend on their order. It guards against loss and accident; against
/// malice the files' own SHA-256 stands in the signed manifest.
fn rows_of(table: &str) -> String {
    format!(
        "SELECT {name}, count(*), coalesce(sum(hashtextextended(\"the row\"::text COLLATE \"C\", 0)), 0)::text \
         FROM ONLY {table} \"the row\"",
        name = quote_literal(table),
    )
}

/// The same without the rows.
pub(crate) async fn schema_of(client: &Client) -> Result<Contents, Error> {
    let mut contents = Contents { schema: schema(client).await?, ..Contents::default() };
    if has_ledger(client).await? {
        contents.migrations = client.query(LEDGER, &[]).await?.iter().map(|row| row.get(0)).collect();
    }
    Ok(contents)
}

async fn has_ledger(client: &Client) -> Result<bool, Error> {
    Ok(client.query_one("SELECT to_regclass('public.estore_migrations') IS NOT NULL", &[]).await?.get(0))
}

async fn schema(client: &Client) -> Result<BTreeMap<String, String>, Error> {
    let objects = client.query(SCHEMA, &[]).await?;
    let hashed = objects.iter().filter_map(|row| {
        let (object, definition): (String, Option<String>) = (row.get(0), row.get(1));
        let definition = definition.unwrap_or_default();
        // What a failed CREATE INDEX CONCURRENTLY left is not dumped.
        let left_over = object.starts_with("index ") && definition.ends_with(" INVALID");
        let mut hash = hex::encode(Sha256::digest(settled(&definition)));
        hash.truncate(DIGITS);
        (!left_over).then_some((object, hash))
    });
    Ok(hashed.collect())
}

/// A definition without what PostgreSQL writes differently once it has read its own text: a list of VARCHAR
/// values is cast as a whole the first time, and value by value ever after.
fn settled(definition: &str) -> String {
    let plain = definition.replace("::character varying", "").replace("::text", "").replace("[]", "");
    plain.replace(['(', ')'], "")
}

impl Contents {
    /// How the rows of `restored` differ from these, in words.
    pub(crate) fn differences_of_rows(&self, restored: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (table, backed_up) in &self.tables {
            match restored.tables.get(table) {
                None => found.push(format!("table {table} is missing; it had {} rows", backed_up.rows)),
                Some(now) if now.rows != backed_up.rows => {
                    found.push(format!("table {table} has {} rows and had {}", now.rows, backed_up.rows));
                }
                Some(now) if now.hash != backed_up.hash => {
                    found.push(format!("table {table} has its {} rows, but not with the same values", now.rows));
                }
                Some(_) => {}
            }
        }
        let added = restored.tables.keys().filter(|table| !self.tables.contains_key(*table));
        found.extend(added.map(|table| format!("table {table} was not there")));
        found
    }

    /// How the schema of `restored` differs from this one, in words.
    pub(crate) fn differences_of_schema(&self, restored: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (object, hash) in &self.schema {
            match restored.schema.get(object) {
                None => found.push(format!("{object} is missing")),
                Some(now) if now != hash => found.push(format!("{object} is defined otherwise")),
                Some(_) => {}
            }
        }
        let added = restored.schema.keys().filter(|object| !self.schema.contains_key(*object));
        found.extend(added.map(|object| format!("{object} was not there")));
        if self.migrations != restored.migrations {
            found.push("the ledger lists other migrations".to_owned());
        }
        found
    }
}
