//! A moment to go back to.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::PitrError;
use super::mark::check_name;

/// A place in the write-ahead log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lsn(u64);

impl FromStr for Lsn {
    type Err = PitrError;

    fn from_str(text: &str) -> Result<Self, PitrError> {
        let half = |half: &str| {
            let well = (1..=8).contains(&half.len()) && half.bytes().all(|byte| byte.is_ascii_hexdigit());
            well.then(|| u64::from_str_radix(half, 16).ok()).flatten()
        };
        let read = text.split_once('/').and_then(|(high, low)| Some((half(high)? << 32) | half(low)?));
        read.map(Self).ok_or_else(|| PitrError::Malformed { text: text.to_owned() })
    }
}

impl TryFrom<String> for Lsn {
    type Error = PitrError;

    fn try_from(text: String) -> Result<Self, PitrError> {
        text.parse()
    }
}

impl From<Lsn> for String {
    fn from(lsn: Lsn) -> Self {
        lsn.to_string()
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// Where to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// As far as the archive reaches.
    Latest,
    /// Everything that was committed up to a time, and nothing that came later.
    Time(Timestamp),
    /// A place in the log.
    Lsn(Lsn),
    /// A moment that was given a name.
    Mark(String),
}

impl FromStr for Moment {
    type Err = PitrError;

    fn from_str(text: &str) -> Result<Self, PitrError> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::Time(time));
        }
        if let Ok(lsn) = text.parse() {
            return Ok(Self::Lsn(lsn));
        }
        match check_name(text) {
            Ok(()) => Ok(Self::Mark(text.to_owned())),
            Err(_) => Err(PitrError::Malformed { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => formatter.write_str("latest"),
            Self::Time(time) => time.fmt(formatter),
            Self::Lsn(lsn) => lsn.fmt(formatter),
            Self::Mark(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_meant() {
        let read = |text: &str| text.parse::<Moment>().unwrap();
        assert_eq!(read("latest"), Moment::Latest);
        assert_eq!(read("2026-11-25T14:30:00Z"), Moment::Time("2026-11-25T14:30:00Z".parse().unwrap()));
        assert_eq!(read("2026-11-25 15:30:00.25+01:00"), Moment::Time("2026-11-25T14:30:00.25Z".parse().unwrap()));
        assert_eq!(read("1/4018f18"), Moment::Lsn(Lsn(0x1_0401_8F18)));
        assert_eq!(read("1/4018f18").to_string(), "1/4018F18");
        assert_eq!(read("before-sale"), Moment::Mark("before-sale".to_owned()));
    }

    #[test]
    fn a_time_without_its_zone_is_no_moment() {
        for text in ["2026-11-25T14:30:00", "2026-11-25", "14:30", "0/", "0/123456789", "x y", ""] {
            let error = text.parse::<Moment>().unwrap_err();
            assert!(error.to_string().contains("with its zone"), "{text}: {error}");
        }
    }
}
