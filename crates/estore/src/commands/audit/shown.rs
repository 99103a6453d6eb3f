//! Changes as people read them.

use std::collections::BTreeSet;

use estore_ops::audit::Change;
use serde_json::{Map, Value};

/// The longest value that is shown, in characters; `--json` gives all of it.
const VALUE_CHARACTERS_MAX: usize = 60;

/// Prints each change: who, when and what in one line, and below it what became of each column.
pub(super) fn print(changes: &[Change]) {
    if changes.is_empty() {
        println!("No such change was written down.");
    }
    for change in changes {
        println!("{}", heading(change));
        for line in columns(change) {
            println!("    {line}");
        }
    }
}

fn heading(change: &Change) -> String {
    let Change { at, operation, database, table, key, service, database_role, .. } = change;
    let user = change.user_id.map_or_else(|| "nobody".to_owned(), |id| format!("user {id}"));
    let request = change.request_id.as_ref().map(|id| format!(", request {id}")).unwrap_or_default();
    format!("{at}  {operation} {database}.{table} {key}  by {user} ({service} as {database_role}{request})")
}

fn columns(change: &Change) -> Vec<String> {
    let none = Map::new();
    let of = |value: &Option<Value>| value.as_ref().and_then(Value::as_object).cloned().unwrap_or_else(|| none.clone());
    let (before, after) = (of(&change.before), of(&change.after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().map(|name| became(name, before.get(name), after.get(name))).collect()
}

fn became(name: &str, before: Option<&Value>, after: Option<&Value>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("{name}: {} -> {}", short(before), short(after)),
        (Some(value), None) => format!("{name}: {} -> (gone)", short(value)),
        (None, Some(value)) => format!("{name}: {}", short(value)),
        (None, None) => name.to_owned(),
    }
}

/// Controls, which could draw over the terminal, are JSON's escapes.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= VALUE_CHARACTERS_MAX {
        return text;
    }
    text.chars().take(VALUE_CHARACTERS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_reads_as_before_and_after() {
        assert_eq!(became("price", Some(&json!(5)), Some(&json!(7))), "price: 5 -> 7");
        assert_eq!(became("role", Some(&json!("staff")), None), "role: \"staff\" -> (gone)");
        assert_eq!(became("name", None, Some(&json!("\u{1b}[2J"))), "name: \"\\u001b[2J\"");
        assert_eq!(short(&json!("x".repeat(100))).chars().count(), VALUE_CHARACTERS_MAX + 1);
    }
}
