//! What is thrown at the reader of the configuration: by chance (`fuzz/`), and from the corpus by the tests.

use std::path::Path;

use estore_ops::roles::Service;

use crate::config::{Config, SECRETS};
use crate::databases::Databases;

/// What a secret holds that is looked for; others may be words of our own sentences by chance.
const TELLING: &str = "hush-hush";

/// A configuration: the text of the file, and behind a line `--` the variables, one `NAME=value` a line.
///
/// # Panics
/// When what is said of it, or what it prints as, holds a secret.
pub fn configurations(bytes: &[u8]) {
    let Ok(input) = std::str::from_utf8(bytes) else { return };
    let (text, variables) = input.split_once("\n--\n").unwrap_or((input, ""));
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<(String, String)> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut secrets = Vec::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        collect(&toml::Value::Table(table), false, &mut secrets);
    }
    let is_secret = |name: &str| SECRETS.iter().any(|secret| name.ends_with(&format!("__{}", secret.to_uppercase())));
    secrets.extend(variables.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone()));
    // What stands elsewhere too is no secret.
    secrets.retain(|secret| secret.contains(TELLING) && input.matches(secret.as_str()).count() == 1);
    let told = match Config::parse(Path::new("shop.toml"), text, variables.into_iter()) {
        Ok(config) => format!("{config:?} {}", told_of(&config)),
        Err(error) => error.to_string(),
    };
    for secret in secrets {
        assert!(!told.contains(&secret), "{told}");
    }
}

/// What is said of the databases' addresses.
fn told_of(config: &Config) -> String {
    let databases = Databases::of(config);
    let mut told = String::new();
    for service in Service::ALL {
        told += &databases.logins(service).err().map(|error| error.to_string()).unwrap_or_default();
        told += &databases.administrator(service).err().map(|error| error.to_string()).unwrap_or_default();
        told += &databases.monitor(service).err().map(|error| error.to_string()).unwrap_or_default();
        told += &databases.backup(service).err().map(|error| error.to_string()).unwrap_or_default();
    }
    told
}

fn collect(value: &toml::Value, is_secret: bool, secrets: &mut Vec<String>) {
    match value {
        toml::Value::String(text) if is_secret => secrets.push(text.clone()),
        toml::Value::Table(table) => {
            for (name, value) in table {
                collect(value, SECRETS.contains(&name.as_str()), secrets);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use estore_testkit::corpus::replay;

    #[test]
    fn configurations_of_the_corpus_are_read() {
        replay("configurations", super::configurations);
    }
}
