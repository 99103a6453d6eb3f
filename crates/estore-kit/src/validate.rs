//! Collects every broken rule of an input, so that a caller hears of all of them at once.

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::problem::{FieldError, Problem};

/// The broken rules found so far.
#[derive(Debug, Default)]
pub struct Rules {
    errors: Vec<FieldError>,
}

impl Rules {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a broken rule at a JSON pointer.
    pub fn broken(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.errors.push(FieldError { pointer: pointer.into(), code: code.into(), detail: detail.into() });
    }

    /// The text has a length in the range, counted in characters, and no control character but line breaks and tabs.
    pub fn text(&mut self, pointer: &str, text: &str, characters: RangeInclusive<usize>) {
        let count = text.chars().count();
        if !characters.contains(&count) {
            let (low, high) = (characters.start(), characters.end());
            self.broken(pointer, "length", format!("must have {low} to {high} characters, not {count}"));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.broken(pointer, "control_character", "must not hold control characters; remove them");
        }
        if *characters.start() > 0 && count > 0 && text.trim().is_empty() {
            self.broken(pointer, "blank", "must not be blank");
        }
    }

    /// The number is in the range.
    pub fn range<N: PartialOrd + Display>(&mut self, pointer: &str, number: N, range: RangeInclusive<N>) {
        if !range.contains(&number) {
            let (low, high) = (range.start(), range.end());
            self.broken(pointer, "out_of_range", format!("must be from {low} to {high}, not {number}"));
        }
    }

    /// A rule of any kind.
    pub fn require(&mut self, holds: bool, pointer: &str, code: &'static str, detail: impl Into<String>) {
        if !holds {
            self.broken(pointer, code, detail);
        }
    }

    /// Whether no rule is broken so far.
    #[must_use]
    pub fn all_kept(&self) -> bool {
        self.errors.is_empty()
    }

    /// The broken rules, for inputs that are not HTTP (imports).
    #[must_use]
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// Fine, or 422 naming each field.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn every_broken_rule_is_named() {
        let mut rules = Rules::new();
        rules.text("/name", "", 1..=255);
        rules.text("/note", "a\u{0}b", 0..=10);
        rules.range("/price", -1, 0..=100);
        let problem = rules.finish().unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/note", "/price"]);
    }

    #[test]
    fn emoji_and_right_to_left_text_are_welcome() {
        let mut rules = Rules::new();
        rules.text("/name", "👩‍👩‍👧‍👦 قميص", 1..=255);
        assert!(rules.all_kept());
    }
}
