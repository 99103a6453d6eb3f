//! What a database is made of, so that two moments can be compared object by object.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::error::MigrateError;
use crate::connection::quote_literal;

const SCHEMA: &str = include_str!("../../queries/schema_fingerprint.sql");
const TABLES: &str = "SELECT class.oid::regclass::text FROM pg_class class
    JOIN pg_namespace space ON space.oid = class.relnamespace
    WHERE class.relkind = 'r' AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
      AND class.relname <> 'estore_migrations'";

/// Objects and their definitions, and the rows of each table as a count and a hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint {
    schema: BTreeMap<String, String>,
    rows: BTreeMap<String, String>,
}

impl Fingerprint {
    /// Takes it; the connection must see every row and have `public` as its search path.
    pub(crate) async fn take(client: &Client) -> Result<Self, MigrateError> {
        let failed = "take the fingerprint of the database";
        let found = client.query(SCHEMA, &[]).await.map_err(MigrateError::at(failed))?;
        let schema =
            found.iter().map(|row| (row.get(0), row.get::<_, Option<String>>(1).unwrap_or_default())).collect();
        let tables = client.query(TABLES, &[]).await.map_err(MigrateError::at(failed))?;
        let counts: Vec<String> = tables.iter().map(|row| rows_of(row.get(0))).collect();
        let mut rows = BTreeMap::new();
        if !counts.is_empty() {
            // JSON objects sort their keys, so a column that was added again last reads the same.
            let hashed = client.query(&counts.join(" UNION ALL "), &[]).await.map_err(MigrateError::at(failed))?;
            rows = hashed.iter().map(|row| (row.get(0), row.get(1))).collect();
        }
        Ok(Self { schema, rows })
    }

    /// How this one differs from `before`, in words.
    pub(crate) fn differences(&self, before: &Self, with_rows: bool) -> Vec<String> {
        let mut found = compare(&before.schema, &self.schema);
        if with_rows {
            found.extend(compare(&before.rows, &self.rows));
        }
        found
    }

    /// What `wanted` has among these kinds of objects and this one has not, or has otherwise. An index of a partitioned
    /// table is the one that its partitions have.
    pub(crate) fn lacking(&self, wanted: &Self, kinds: &[&str]) -> Vec<String> {
        let of_kind = |object: &str| kinds.iter().any(|kind| object.starts_with(kind));
        let wanted = wanted.schema.iter().filter(|(object, _)| of_kind(object));
        let wanted: BTreeMap<String, String> = wanted.map(|(object, text)| (object.clone(), text.clone())).collect();
        let actual = self.schema.iter().filter(|(object, _)| wanted.contains_key(*object));
        let whole = |text: &String| text.replacen(" ON ONLY ", " ON ", 1);
        let actual = actual.map(|(object, text)| (object.clone(), whole(text))).collect();
        compare(&wanted, &actual)
    }
}

fn rows_of(table: &str) -> String {
    format!(
        "SELECT {name}, count(*) || ' rows, hash ' || coalesce(md5(string_agg(hash, '' ORDER BY hash COLLATE \"C\")), '-') \
         FROM (SELECT md5(to_jsonb(t)::text) AS hash FROM ONLY {table} t) hashes",
        name = quote_literal(&format!("rows of {table}")),
    )
}

fn compare(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (object, old) in before {
        match after.get(object) {
            None => found.push(format!("{object} is missing (was: {old})")),
            Some(new) if new != old => found.push(format!("{object} was: {old}; is: {new}")),
            Some(_) => {}
        }
    }
    let added = after.iter().filter(|(object, _)| !before.contains_key(*object));
    found.extend(added.map(|(object, new)| format!("{object} is left over ({new})")));
    found
}
