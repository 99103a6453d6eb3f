//! Moments with a name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use super::archiver::Archiver;
use super::error::PitrError;
use super::moment::Lsn;

/// PostgreSQL's own bound is 63.
const NAME_BYTES_MAX: usize = 63;
const CREATE: &str = include_str!("../../queries/pitr_create_mark.sql");

/// A moment that was given a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// Its place in the log.
    pub lsn: Lsn,
}

/// Gives this moment a name, and sees it arrive in the archive, so that it can be gone back to at once.
///
/// # Errors
/// [`PitrError::Name`] for a name that is taken or breaks the rules; [`PitrError::Archiver`] when it does not arrive.
pub async fn mark(archiver: &dyn Archiver, server: &Client, name: &str) -> Result<Mark, PitrError> {
    check_name(name)?;
    if archiver.marks()?.iter().any(|mark| mark.name == name) {
        return Err(PitrError::Name { name: name.to_owned(), rule: "there is one of that name; choose another" });
    }
    let failed = || PitrError::database("make a restore point");
    let row = server.query_one(CREATE, &[&name]).await.map_err(failed())?;
    let (lsn, at): (String, Timestamp) = (row.get(0), row.get(1));
    let mark = Mark { name: name.to_owned(), at, lsn: lsn.parse()? };
    archiver.remember(&mark)?;
    archiver.check().await?;
    Ok(mark)
}

/// A name begins with a letter, so that it is neither a time nor a place in the log.
pub(crate) fn check_name(name: &str) -> Result<(), PitrError> {
    let refuse = |rule| Err(PitrError::Name { name: name.to_owned(), rule });
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return refuse("it must begin with a letter");
    }
    if name.len() > NAME_BYTES_MAX {
        return refuse("it may be 63 letters long");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return refuse("letters, digits, `-`, `_` and `.` are allowed");
    }
    if name == "latest" {
        return refuse("`latest` means the end of the archive");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_are_plain_words() {
        for name in ["before-sale", "a", "v2.1_of_today"] {
            check_name(name).unwrap();
        }
        for name in ["", "1st", "latest", "a b", "a/b", "a'b", "ü", &"x".repeat(64)] {
            check_name(name).unwrap_err();
        }
    }
}
