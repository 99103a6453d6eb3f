//! Which products a search is held by, as PostgreSQL's `@@` decides it.

use super::rank::position;
use super::shelf::{Posting, Shelf};
use super::text::Query;

/// The numbers of the products, those that are gone included, in order.
pub(super) fn matches(shelf: &Shelf, query: &Query) -> Vec<u32> {
    match query {
        Query::Nothing => Vec::new(),
        Query::Lexeme(lexeme) => numbers(shelf.postings(lexeme)),
        Query::And(one, other) => match (one.as_ref(), other.as_ref()) {
            (Query::Not(unwanted), wanted) | (wanted, Query::Not(unwanted)) => {
                without(matches(shelf, wanted), &matches(shelf, unwanted))
            }
            (one, other) => both(&matches(shelf, one), &matches(shelf, other)),
        },
        Query::Or(one, other) => either(&matches(shelf, one), &matches(shelf, other)),
        Query::Not(unwanted) => {
            let all = (0..).zip(&shelf.products).map(|(number, _)| number).collect();
            without(all, &matches(shelf, unwanted))
        }
        Query::Phrase(..) => phrase(shelf, query),
    }
}

fn numbers(postings: &[Posting]) -> Vec<u32> {
    postings.iter().map(|posting| posting.product).collect()
}

fn both(one: &[u32], other: &[u32]) -> Vec<u32> {
    let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let mut rest = many;
    let mut found = Vec::with_capacity(few.len());
    for number in few {
        rest = behind(rest, |other| other < number);
        if rest.first() == Some(number) {
            found.push(*number);
        }
    }
    found
}

/// What is behind those at the beginning of a sorted list that come before. They are few in most lists and many in those of
/// common words: steps double until the last of them is passed, and only the last step is searched.
pub(super) fn behind<T>(list: &[T], comes_before: impl Fn(&T) -> bool) -> &[T] {
    let mut step = 1;
    while list.get(step - 1).is_some_and(&comes_before) {
        step *= 2;
    }
    let (low, high) = (step / 2, (step - 1).min(list.len()));
    &list[low + list[low..high].partition_point(comes_before)..]
}

fn without(mut all: Vec<u32>, unwanted: &[u32]) -> Vec<u32> {
    let mut rest = unwanted.iter().copied().peekable();
    all.retain(|number| {
        while rest.next_if(|other| other < number).is_some() {}
        rest.peek() != Some(number)
    });
    all
}

fn either(one: &[u32], other: &[u32]) -> Vec<u32> {
    let mut all = [one, other].concat();
    // Two sorted runs, which a merge sort joins in one pass.
    all.sort();
    all.dedup();
    all
}

/// Those that hold every side of the phrase, and hold them in its order.
fn phrase(shelf: &Shelf, query: &Query) -> Vec<u32> {
    let mut may_hold = sides(shelf, query);
    may_hold.retain(|number| !ends(shelf, query, *number).0.is_empty());
    may_hold
}

fn sides(shelf: &Shelf, query: &Query) -> Vec<u32> {
    match query {
        Query::Phrase(one, other, _) => both(&sides(shelf, one), &sides(shelf, other)),
        query => matches(shelf, query),
    }
}

/// Where a side of a phrase ends in a product, in order, and how many words before that it begins.
fn ends(shelf: &Shelf, query: &Query, number: u32) -> (Vec<u16>, u16) {
    match query {
        Query::Lexeme(lexeme) => {
            let postings = shelf.postings(lexeme);
            let at = postings.binary_search_by_key(&number, |posting| posting.product);
            let places = at.map_or(&[][..], |at| shelf.places(&postings[at]));
            (places.iter().map(|place| position(*place)).collect(), 0)
        }
        Query::Or(one, other) => {
            let (mut all, width) = ends(shelf, one, number);
            let (others, other_width) = ends(shelf, other, number);
            all.extend(others);
            all.sort_unstable();
            all.dedup();
            (all, width.max(other_width))
        }
        Query::Phrase(left, right, distance) => {
            let (lefts, left_width) = ends(shelf, left, number);
            let (mut rights, right_width) = ends(shelf, right, number);
            let behind = distance + right_width;
            rights.retain(|end| end.checked_sub(behind).is_some_and(|left| lefts.binary_search(&left).is_ok()));
            (rights, behind + left_width)
        }
        // Searches put no other operators into a phrase.
        Query::Nothing | Query::Not(_) | Query::And(..) => (Vec::new(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn steps_that_double_pass_nothing_over() {
        for length in 0..40_u32 {
            let list: Vec<u32> = (0..length).map(|n| n * 2).collect();
            for wanted in 0..=length * 2 {
                let one_by_one: Vec<u32> = list.iter().copied().skip_while(|n| *n < wanted).collect();
                assert_eq!(behind(&list, |n| *n < wanted), one_by_one, "{wanted} of {length}");
            }
        }
    }
}
