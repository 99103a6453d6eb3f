//! Sealed fields within a text: the whole of it, or strings of its JSON.

use std::borrow::Cow;

use super::PREFIX;

/// What is replaced along with a sealed field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    Nothing,
    /// The quotes around it, so that any JSON may take its place.
    ItsQuotes,
}

/// Where sealed fields stand, without quotes.
fn places(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let of = |from: usize, back: usize| from.checked_sub(back).and_then(|at| bytes.get(at)).copied();
    text.match_indices(PREFIX).filter_map(move |(from, _)| {
        // Within other text of JSON a quote would be escaped.
        let begins = from == 0 || of(from, 1) == Some(b'"') && of(from, 2) != Some(b'\\');
        let length = text.get(from..)?.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"_-:".contains(b)).count();
        let to = from + length;
        let ends = to == bytes.len() || bytes.get(to) == Some(&b'"');
        (begins && ends).then_some((from, to))
    })
}

/// The sealed fields of a text.
pub(super) fn of(text: &str) -> impl Iterator<Item = &str> {
    places(text).filter_map(|(from, to)| text.get(from..to))
}

/// The text with some of its sealed fields replaced; borrowed where none was.
pub(super) fn replaced<'a, E>(
    text: &'a str,
    with: With,
    mut by: impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<Cow<'a, str>, E> {
    let mut written = String::new();
    let mut done = 0;
    for (from, to) in places(text) {
        let Some(new) = by(text.get(from..to).unwrap_or_default())? else { continue };
        let quotes = usize::from(with == With::ItsQuotes && from > 0);
        written.push_str(text.get(done..from - quotes).unwrap_or_default());
        written.push_str(&new);
        done = to + quotes;
    }
    if done == 0 {
        return Ok(Cow::Borrowed(text));
    }
    written.push_str(text.get(done..).unwrap_or_default());
    Ok(Cow::Owned(written))
}
