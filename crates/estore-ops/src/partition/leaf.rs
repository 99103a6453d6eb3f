//! One partition: its name and the statements that make it.

use super::definitions::Definitions;

/// The prefix that names of the orders' own indexes share; a partition's name stands in its place.
const PREFIX: &str = "orders_";

/// Where a partition begins and ends; none at the open ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) begin: Option<i64>,
    pub(crate) end: Option<i64>,
}

impl Bounds {
    pub(crate) fn name(self) -> String {
        format!("orders_from_{}", self.begin.unwrap_or(0))
    }

    pub(crate) fn values(self) -> String {
        let begin = self.begin.map_or("MINVALUE".to_owned(), |id| id.to_string());
        let end = self.end.map_or("MAXVALUE".to_owned(), |id| id.to_string());
        format!("FOR VALUES FROM ({begin}) TO ({end})")
    }

    /// The statements that make it, empty.
    pub(crate) fn create(self, definitions: &Definitions) -> Vec<String> {
        let name = self.name();
        let mut statements = vec![format!("CREATE TABLE {name} PARTITION OF orders {}", self.values())];
        let own = Definitions::made_on(&name, definitions.own_indexes.iter(), |index| index_name(&name, index));
        statements.extend(own);
        statements.extend(definitions.storage.as_ref().map(|storage| format!("ALTER TABLE {name} {storage}")));
        statements.extend(definitions.close(&name));
        statements
    }
}

/// What an index of the whole table is called on a partition.
pub(crate) fn index_name(partition: &str, index: &str) -> String {
    format!("{partition}_{}", index.strip_prefix(PREFIX).unwrap_or(index))
}
