//! The lexemes that products hold, by number, and those that look like another one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits::ALIKE_MAX;

/// Memory of a lexeme beside its letters, in bytes, about: in the map, in the lists, its postings' head.
const LEXEME_BYTES: usize = 120;

/// Lexemes have numbers from 0.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<Arc<str>, u32>,
    lexemes: Vec<Arc<str>>,
    /// Those that a misspelt one may stand for, by how many characters they have. Article numbers are taken as they are, and
    /// not among them.
    words: Vec<Vec<Word>>,
    pub(super) bytes: usize,
}

/// A lexeme without digits.
#[derive(Debug, Clone, Copy)]
struct Word {
    /// A bit for each letter that it holds.
    letters: u32,
    number: u32,
}

/// Whether article numbers and the like are made of it.
fn has_digits(lexeme: &str) -> bool {
    lexeme.bytes().any(|byte| byte.is_ascii_digit())
}

fn letters(lexeme: &str) -> u32 {
    lexeme.chars().fold(0, |all, letter| all | 1 << (u32::from(letter) % 32))
}

impl Vocabulary {
    pub(super) fn number(&self, lexeme: &str) -> Option<u32> {
        self.numbers.get(lexeme).copied()
    }

    pub(super) fn lexeme(&self, number: u32) -> &str {
        self.lexemes.get(number as usize).map_or("", AsRef::as_ref)
    }

    /// The number of a lexeme, a new one if need be.
    pub(super) fn learn(&mut self, lexeme: &str) -> u32 {
        if let Some(number) = self.number(lexeme) {
            return number;
        }
        let number = u32::try_from(self.lexemes.len()).unwrap_or(u32::MAX);
        let lexeme: Arc<str> = lexeme.into();
        self.bytes += lexeme.len() + LEXEME_BYTES;
        if !has_digits(&lexeme) {
            let characters = lexeme.chars().count();
            if characters >= self.words.len() {
                self.words.resize_with(characters + 1, Vec::new);
            }
            self.words[characters].push(Word { letters: letters(&lexeme), number });
        }
        self.lexemes.push(Arc::clone(&lexeme));
        self.numbers.insert(lexeme, number);
        number
    }

    /// The lexemes that are the fewest errors away from this one, which is none of them: those that most products hold
    /// first. One error is forgiven from three letters on, two from six; article numbers are taken as they are.
    pub(super) fn alike(&self, lexeme: &str, holders: impl Fn(u32) -> usize) -> Vec<u32> {
        let wanted: Vec<char> = lexeme.chars().collect();
        let errors_max = match wanted.len() {
            _ if has_digits(lexeme) => return Vec::new(),
            0..=2 => return Vec::new(),
            3..=5 => 1,
            _ => 2,
        };
        let (wanted_letters, most) = (letters(lexeme), usize::from(errors_max));
        let mut rows = Rows::default();
        let mut found: Vec<(u8, usize, u32)> = Vec::new();
        // An error changes the length by one at most, and two letters.
        let lengths = self.words.iter().skip(wanted.len() - most).take(2 * most + 1);
        for Word { letters, number } in lengths.flatten().copied() {
            if (wanted_letters ^ letters).count_ones() > 2 * u32::from(errors_max) {
                continue;
            }
            let errors = errors_between(&wanted, self.lexeme(number), errors_max, &mut rows);
            if let Some(errors) = errors.filter(|errors| *errors > 0) {
                let holders = holders(number);
                if holders > 0 {
                    found.push((errors, usize::MAX - holders, number));
                }
            }
        }
        found.sort_unstable();
        let fewest = found.first().map_or(0, |(errors, ..)| *errors);
        found.into_iter().take_while(|(errors, ..)| *errors == fewest).take(ALIKE_MAX).map(|found| found.2).collect()
    }
}

/// Three rows of the table of errors, kept from one lexeme to the next.
#[derive(Debug, Default)]
struct Rows {
    before: Vec<u8>,
    above: Vec<u8>,
    here: Vec<u8>,
}

/// How many letters are wrong, missing, too many or swapped with their neighbour, if they are at most so many.
fn errors_between(wanted: &[char], lexeme: &str, errors_max: u8, rows: &mut Rows) -> Option<u8> {
    let columns = wanted.len() + 1;
    let Rows { before, above, here } = rows;
    above.clear();
    above.extend((0..columns).map(|column| u8::try_from(column).unwrap_or(u8::MAX)));
    let mut previous = None;
    for (row, letter) in (1_u8..).zip(lexeme.chars()) {
        here.clear();
        here.resize(columns, row);
        for column in 1..columns {
            let is_wrong = u8::from(wanted[column - 1] != letter);
            let mut errors = (above[column - 1].saturating_add(is_wrong))
                .min(above[column].saturating_add(1))
                .min(here[column - 1].saturating_add(1));
            if row > 1 && column > 1 && Some(wanted[column - 1]) == previous && wanted[column - 2] == letter {
                errors = errors.min(before[column - 2].saturating_add(1));
            }
            here[column] = errors;
        }
        if here.iter().all(|errors| *errors > errors_max) {
            return None;
        }
        // What was above is before now, and what is here above.
        std::mem::swap(before, above);
        std::mem::swap(above, here);
        previous = Some(letter);
    }
    above.last().copied().filter(|errors| *errors <= errors_max)
}

#[cfg(test)]
mod tests {
    use super::{Rows, Vocabulary, errors_between};

    #[test]
    fn errors_are_counted() {
        let errors = |a: &str, b: &str| errors_between(&a.chars().collect::<Vec<_>>(), b, 2, &mut Rows::default());
        for (a, b, wanted) in [
            ("shirt", "shirt", Some(0)),
            ("shrit", "shirt", Some(1)),
            ("headphno", "headphon", Some(1)),
            ("watter", "water", Some(1)),
            ("wter", "water", Some(1)),
            ("hsirt", "shirts", Some(2)),
            ("née", "nee", Some(1)),
            ("lamp", "spade", None),
            ("", "ab", Some(2)),
        ] {
            assert_eq!(errors(a, b), wanted, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_that_products_hold_are_found() {
        let mut vocabulary = Vocabulary::default();
        for lexeme in ["kettl", "kett", "settle", "85123a", "an", "lamp", "damp"] {
            vocabulary.learn(lexeme);
        }
        let alike = |lexeme: &str, holders: &dyn Fn(u32) -> usize| {
            let found = vocabulary.alike(lexeme, holders).into_iter();
            found.map(|number| vocabulary.lexeme(number).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(alike("ketl", &|_| 1), ["kettl", "kett"]);
        assert_eq!(alike("ketl", &|number| usize::from(number == 1)), ["kett"]);
        assert_eq!(alike("camp", &|number| number as usize), ["damp", "lamp"]);
        assert!(alike("85123b", &|_| 1).is_empty() && alike("am", &|_| 1).is_empty());
        assert!(alike("lamp", &|_| 1) == ["damp"]);
    }
}
