//! Searches that nothing holds: misspelt lexemes give way to those that look alike.

use super::matching::matches;
use super::shelf::Shelf;
use super::text::Query;
use crate::limits::CORRECTIONS_MAX;

/// Lexemes of a search, each with those that stand in for it.
pub(crate) type Replaced = Vec<(Box<str>, Vec<Box<str>>)>;

/// What to look for in the place of `query`, which no product holds: first those lexemes are replaced that no product
/// holds, then all that others look like. Nothing where that finds nothing either.
pub(super) fn corrections(shelf: &Shelf, query: &Query) -> Option<Replaced> {
    let mut wanted = query.wanted();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.len() > CORRECTIONS_MAX {
        return None;
    }
    let unknown = |lexeme: &&str| shelf.vocabulary.number(lexeme).is_none_or(|number| shelf.holders(number) == 0);
    let misspelt: Vec<&str> = wanted.iter().copied().filter(unknown).collect();
    let first: Replaced = misspelt.iter().filter_map(|lexeme| alike(shelf, lexeme, false)).collect();
    let all = || wanted.iter().filter_map(|lexeme| alike(shelf, lexeme, !unknown(lexeme))).collect();
    let finds = |replaced: &Replaced| {
        let found = matches(shelf, &query.replaced(replaced));
        found.iter().any(|number| shelf.products[*number as usize].is_here)
    };
    [first].into_iter().chain(std::iter::once_with(all)).find(|replaced| !replaced.is_empty() && finds(replaced))
}

fn alike(shelf: &Shelf, lexeme: &str, keep: bool) -> Option<(Box<str>, Vec<Box<str>>)> {
    let found = shelf.vocabulary.alike(lexeme, |number| shelf.holders(number));
    let others = found.iter().map(|number| shelf.vocabulary.lexeme(*number).into());
    let all: Vec<Box<str>> = keep.then(|| lexeme.into()).into_iter().chain(others).collect();
    (!found.is_empty()).then(|| (lexeme.into(), all))
}
