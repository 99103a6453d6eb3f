//! `estore audit …`.

use std::str::FromStr;

use clap::{Args, Subcommand};
use jiff::{Timestamp, ToSpan};

use super::{DatabaseName, duration};

/// `estore audit …`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show who changed what: the newest changes of accounts, roles, catalogue, payment methods, receivers and rules.
    Show(AuditShow),
    /// Look whether anything that was written down, sold, moved or booked was altered, dropped, added or reordered since,
    /// by the signed seals over it. Exits with 1 when something does not fit, and names the range.
    Verify(AuditVerify),
    /// Let a new key sign the seals from now on. The present one signs which key follows it, so that `verify` follows the
    /// chain over both, whichever of the two you trust. Running services take the new key by themselves.
    RotateKey(AuditRotateKey),
}

/// Which key is left behind.
#[derive(Debug, Args)]
pub struct AuditRotateKey {
    /// The public half, ed25519:…, of the key that sealed until now, where it is lost: the key of the data directory goes on
    /// without its word, and only who trusts that one can follow the chain.
    #[arg(long, value_name = "KEY")]
    pub lost_key: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// How the seals are looked at.
#[derive(Debug, Args)]
pub struct AuditVerify {
    /// One database only.
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<DatabaseName>,
    /// Who must have signed the seals: ed25519:…, or a file with the key [default: the key of the data directory].
    #[arg(long, value_name = "KEY")]
    pub signer: Option<String>,
    /// A seal that you noted earlier, as this command prints it: DATABASE:NUMBER:HEAD. It has to be there still. May be
    /// given more than once.
    #[arg(long, value_name = "SEAL", value_parser = noted)]
    pub head: Vec<NotedSeal>,
    /// Do not ask the backups of backup.target which seals there were. After the shop was brought back to an earlier
    /// moment, those that were taken since know of seals that are gone.
    #[arg(long)]
    pub without_backups: bool,
    /// Look at so many of the newest seals only.
    #[arg(long, value_name = "SEALS", value_parser = clap::value_parser!(u32).range(1..))]
    pub newest: Option<u32>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A seal of a database: its number and its head in hex.
#[derive(Debug, Clone)]
pub struct NotedSeal {
    /// The database's name.
    pub database: String,
    /// The seal's number.
    pub number: i64,
    /// Its head.
    pub head: String,
}

/// `payments:120:9f86d0…`.
fn noted(text: &str) -> Result<NotedSeal, String> {
    let refusal = || format!("{text:?} is no seal; write DATABASE:NUMBER:HEAD, as `estore audit verify` prints it");
    let (database, rest) = text.split_once(':').ok_or_else(refusal)?;
    let (number, head) = rest.split_once(':').ok_or_else(refusal)?;
    let number: i64 = number.parse().map_err(|_| refusal())?;
    let is_head = head.len() == 64 && head.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_known = ["users", "inventory", "payments"].contains(&database);
    if !is_head || !is_known || number < 1 {
        return Err(refusal());
    }
    Ok(NotedSeal { database: database.to_owned(), number, head: head.to_ascii_lowercase() })
}

/// Which changes are shown.
#[derive(Debug, Args)]
pub struct AuditShow {
    /// One database only.
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<DatabaseName>,
    /// Made by the account of this number.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i32).range(1..))]
    pub user: Option<i32>,
    /// Of this table, such as products.
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// Of the row with this key, such as 7; parts of a key are joined by a slash.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Made by the request with this id, as answers and the log tell it.
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// insert, update, delete, truncate, resolve (staff saw to it) or rules (policies, rights and triggers changed).
    #[arg(long, value_name = "WORD")]
    pub operation: Option<String>,
    /// From this moment on: a time with its zone (2026-11-25T14:30:00Z), or an age such as 2h or 7d.
    #[arg(long, value_name = "TIME|AGE", value_parser = moment)]
    pub since: Option<Timestamp>,
    /// Before this moment, given as for --since.
    #[arg(long, value_name = "TIME|AGE", value_parser = moment)]
    pub until: Option<Timestamp>,
    /// How many are shown, the newest; 1 to 10000.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `2026-11-25T14:30:00Z`, or `2h` for what was two hours ago.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = Timestamp::from_str(text) {
        return Ok(moment);
    }
    let refusal =
        || format!("{text:?} is neither a time with its zone, as 2026-11-25T14:30:00Z, nor an age, as 2h or 7d");
    let age = duration(text).map_err(|_| refusal())?;
    let seconds = i64::try_from(age.as_secs()).map_err(|_| refusal())?;
    Timestamp::now().checked_sub(seconds.seconds()).map_err(|_| refusal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_are_named_by_database_number_and_head() {
        let head = "AB".repeat(32);
        assert_eq!(noted(&format!("users:7:{head}")).unwrap().head, "ab".repeat(32));
        for bad in ["", "users", "users:7", "users:7:ab", &format!("shop:7:{head}"), &format!("users:0:{head}")] {
            assert!(noted(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_are_times_or_ages() {
        assert_eq!(moment("2026-11-25T14:30:00Z").unwrap().as_second(), 1_795_617_000);
        assert!(moment("2h").unwrap() < Timestamp::now());
        for bad in ["", "yesterday", "2026-11-25", "7"] {
            assert!(moment(bad).unwrap_err().contains("2026-11-25T14:30:00Z"), "{bad}");
        }
    }
}
