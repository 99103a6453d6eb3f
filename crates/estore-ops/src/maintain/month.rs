//! Months as partitions are named by them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A calendar month, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(Date);

impl Month {
    /// The month that a moment is in.
    pub(super) fn of(moment: Timestamp) -> Self {
        Self(moment.to_zoned(TimeZone::UTC).date().first_of_month())
    }

    /// So many months earlier; the calendar has an end.
    pub(super) fn before(self, months: u32) -> Option<Self> {
        self.0.checked_sub(i64::from(months).months()).ok().map(Self)
    }

    pub(super) fn next(self) -> Option<Self> {
        self.0.checked_add(1.month()).ok().map(Self)
    }

    /// `2026_11`.
    pub(super) fn suffix(self) -> String {
        format!("{:04}_{:02}", self.0.year(), self.0.month())
    }

    /// When it begins, as text that PostgreSQL reads.
    pub(super) fn start(self) -> String {
        format!("{} 00:00:00+00", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_utc() {
        let last = Month::of("2026-01-31T23:30:00-05:00".parse().unwrap());
        assert_eq!(last.suffix(), "2026_02");
        assert_eq!(last.start(), "2026-02-01 00:00:00+00");
        assert_eq!(last.before(2).unwrap().suffix(), "2025_12");
        assert_eq!(last.before(1).unwrap().next(), Some(last));
    }
}
