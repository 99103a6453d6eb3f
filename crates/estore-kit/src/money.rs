//! Money as integer cents with checked arithmetic.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount in cents (the hundredth part of the shop's currency unit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that an order line's INTEGER column holds.
    pub const LINE_MAX: Self = Self(i32::MAX as i64);

    /// `self × quantity`, or `None` when the result leaves the range of 64 bits.
    #[must_use]
    pub fn times(self, quantity: i32) -> Option<Self> {
        self.0.checked_mul(i64::from(quantity)).map(Self)
    }

    /// `self + other`, or `None` on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The amount as the INTEGER column of an order line, or `None` when it does not fit.
    #[must_use]
    pub fn line(self) -> Option<i32> {
        i32::try_from(self.0).ok()
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::Cents;

    #[test]
    fn amounts_print_with_two_decimals() {
        assert_eq!(Cents(-5).to_string(), "-0.05");
        assert_eq!(Cents(123_456).to_string(), "1234.56");
    }

    #[test]
    fn a_line_that_leaves_the_column_is_seen() {
        assert_eq!(Cents(i64::MAX).times(2), None);
        assert_eq!(Cents(2_000_000_000).times(2).and_then(Cents::line), None);
        assert_eq!(Cents(250).times(4).and_then(Cents::line), Some(1000));
    }
}
