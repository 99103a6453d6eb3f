//! Parts of a whole.

/// `part` in percent of `whole`, to two decimals; `None` of nothing.
#[must_use]
#[expect(clippy::float_arithmetic, reason = "shown to people and programs; no money, and nothing is decided by it")]
pub fn percent(part: i64, whole: i64) -> Option<f64> {
    if whole <= 0 {
        return None;
    }
    let hundredths = i128::from(part) * 10_000 / i128::from(whole);
    i32::try_from(hundredths).ok().map(|hundredths| f64::from(hundredths) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn parts_of_a_whole() {
        assert_eq!(percent(1, 3), Some(33.33));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(i64::MAX, i64::MAX), Some(100.0));
    }
}
