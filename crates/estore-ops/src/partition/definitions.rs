//! What belongs to the table of orders, read from the catalogs as the statements that make it anew.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::copy::SYNC_TRIGGERS;
use super::error::PartitionError;
use super::standing::partitions;
use crate::connection::quote_identifier;

const DEFINITIONS: &str = include_str!("../../queries/partition/definitions.sql");
const GRANTEES: &str = include_str!("../../queries/partition/grantees.sql");
/// The index whose uniqueness two triggers hold across partitions.
pub(crate) const ONE_PER_PRODUCT: &str = "orders_one_per_product";
/// Those triggers and their functions.
pub(crate) const OWN_TRIGGERS: [&str; 2] = [ONE_PER_PRODUCT, "orders_keep_product"];
pub(crate) const OWN_FUNCTIONS: &str =
    "DROP FUNCTION IF EXISTS refuse_second_order_of_product(), refuse_other_checkout()";

/// Everything that hangs on the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definitions {
    by_kind: BTreeMap<String, Vec<(String, String)>>,
    /// Unique indexes that each partition has for itself: the name on the whole table, and the template.
    pub(crate) own_indexes: Vec<(String, String)>,
    /// The first partition's indexes, with what they are called on the whole table.
    pub(crate) parts: Vec<(String, String)>,
    /// `SET (…)`, where the table has storage options.
    pub(crate) storage: Option<String>,
    /// Roles that might reach a new table by itself, past the whole table's policies.
    grantees: Option<String>,
}

impl Definitions {
    /// Reads them, in the transaction that the client is in.
    pub(crate) async fn read(client: &Client) -> Result<Self, PartitionError> {
        let mut definitions = Self::of(client, "orders").await?;
        if let Some(first) = partitions(client).await?.first() {
            // These are the partitions' own, and the same on all of them.
            let mut own = Self::of(client, &first.name).await?;
            definitions.parts = own.by_kind.remove("part of index").unwrap_or_default();
            for (index, template) in own.own_indexes {
                let suffix = index.strip_prefix(first.name.as_str()).map(|rest| format!("orders{rest}"));
                let whole = suffix.unwrap_or_else(|| index.clone());
                definitions.parts.push((index, whole.clone()));
                definitions.own_indexes.push((whole, template));
            }
            definitions.storage = own.storage;
        }
        Ok(definitions)
    }

    /// Reads those of a table that stands for the orders.
    pub(crate) async fn of(client: &Client, table: &str) -> Result<Self, PartitionError> {
        let failed = "read what belongs to the table";
        let mut by_kind: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in client.query(DEFINITIONS, &[&table]).await.map_err(PartitionError::at(failed))? {
            let kind: String = row.get(0);
            by_kind.entry(kind).or_default().push((row.get(1), row.get::<_, Option<_>>(2).unwrap_or_default()));
        }
        let own_indexes = by_kind.remove("own index").unwrap_or_default();
        let storage = by_kind.remove("storage").and_then(|mut found| found.pop()).map(|(_, sql)| sql);
        let grantees = client.query_one(GRANTEES, &[]).await.map_err(PartitionError::at(failed))?.get(0);
        Ok(Self { by_kind, own_indexes, parts: Vec::new(), storage, grantees })
    }

    /// The statements of a kind.
    pub(crate) fn statements(&self, kind: &str) -> Vec<String> {
        self.named(kind).iter().map(|(_, sql)| sql.clone()).collect()
    }

    /// The names of a kind.
    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        self.named(kind).iter().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn named(&self, kind: &str) -> &[(String, String)] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Triggers but those that stand for an index or fill a copy.
    pub(crate) fn triggers(&self) -> impl Iterator<Item = &(String, String)> {
        let ours = |name: &str| OWN_TRIGGERS.contains(&name) || SYNC_TRIGGERS.contains(&name);
        self.named("trigger").iter().filter(move |(name, _)| !ours(name))
    }

    /// Keys and indexes that span partitions: name and statement, keys first.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = &(String, String)> {
        self.named("key").iter().chain(self.named("index"))
    }

    /// The keys, indexes or references of a kind as they are made on a table, each under the name that `named` gives it.
    pub(crate) fn made_on<'a>(
        table: &str,
        templates: impl Iterator<Item = &'a (String, String)>,
        named: impl Fn(&str) -> String,
    ) -> Vec<String> {
        let filled = |(name, template): &(String, String)| {
            let name = quote_identifier(&named(name));
            template.replacen("{table}", table, 1).replacen("{name}", &name, 1)
        };
        templates.map(filled).collect()
    }

    /// Every table that a switch locks: those that orders refer to first, as writers come by them.
    pub(crate) fn tables(&self) -> Vec<String> {
        let mut tables = self.names("neighbour");
        tables.dedup();
        tables.push("orders".to_owned());
        tables
    }

    /// What gives a table called `orders` the rights and rules of the old one; it has none so far.
    pub(crate) fn rights(&self) -> Vec<String> {
        let mut statements: Vec<String> = self.close("orders").into_iter().collect();
        for kind in ["grant", "comment", "statistics", "security", "policy"] {
            statements.extend(self.statements(kind));
        }
        statements
    }

    /// What takes a new table from everybody but its owner.
    pub(crate) fn close(&self, table: &str) -> Option<String> {
        self.grantees.as_ref().map(|roles| format!("REVOKE ALL ON TABLE {table} FROM {roles}"))
    }

    /// What takes rights and rules off a table that was `orders` until now.
    pub(crate) fn strip(&self, table: &str) -> Vec<String> {
        let mut statements: Vec<String> = self.close(table).into_iter().collect();
        let policies = self.named("policy").iter();
        statements.extend(policies.map(|(name, _)| format!("DROP POLICY {} ON {table}", quote_identifier(name))));
        if !self.named("security").is_empty() {
            statements.push(format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"));
        }
        statements
    }

    /// What cannot be brought over, in words.
    pub(crate) fn strangers(&self) -> Vec<String> {
        let mut found = self.statements("stranger");
        let unique = self.own_indexes.iter().filter(|(name, _)| name != ONE_PER_PRODUCT);
        found.extend(
            unique.map(|(name, _)| format!("unique index {name}, which cannot span partitions without the id")),
        );
        found
    }
}
