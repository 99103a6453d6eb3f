//! What is wrong with a configuration, told without what stands there: it may be a password.

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration {path} is not valid TOML: {cause}")]
    NotToml {
        /// The file.
        path: String,
        /// Where and why.
        cause: String,
    },
    /// A key is unknown or its value does not fit.
    #[error("the configuration cannot be used: {0}")]
    Wrong(String),
}

/// Which key, and what it should be; not what it is.
pub(super) fn without_the_value(error: &toml::de::Error) -> String {
    let shown = error.to_string();
    let (message, place) = shown.split_at_checked(error.message().len()).unwrap_or((&shown, ""));
    let message = match message.rsplit_once(", expected ") {
        Some((told, expected)) if told.starts_with("invalid ") => {
            let kind = told.split(['"', '`']).next().unwrap_or_default().trim_end();
            format!("{kind}, expected {expected}")
        }
        _ => message.to_owned(),
    };
    format!("{message}{place}").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where, and why.
pub(super) fn without_the_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {}", error.message())
}
