//! Logs: one line an event, on standard error; JSON where a program reads them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `filter` is in the syntax of `RUST_LOG` (`info`, `estore_payments=debug`, …).
pub fn start(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_malformed| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        drop(lines.json().try_init());
    } else {
        drop(lines.with_ansi(std::io::stderr().is_terminal()).try_init());
    }
}
