//! A page of a search, out of memory.

use super::matching::{behind, matches};
use super::rank::Rank;
use super::shelf::{Posting, Product, Shelf};
use super::text::Query;
use crate::limits::FACETS_MAX;
use crate::search::{CategoryCount, ProductSearch, ProductSort};

/// A product of a page, by the key that the page is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) id: i32,
    /// Price or score; 0 where the sort has none.
    pub(crate) score: i32,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    /// One more than the page has, if there are so many.
    pub(crate) rows: Vec<Hit>,
    /// Where they were asked for.
    pub(crate) facets: Option<Vec<CategoryCount>>,
}

/// Whether memory can answer this: it knows neither stock nor metadata, nor how the database sorts names.
pub(super) fn is_answerable(search: &ProductSearch) -> bool {
    !search.shows_inactive
        && search.is_active != Some(false)
        && search.in_stock.is_none()
        && search.metadata.is_none()
        && search.sort != ProductSort::Name
}

/// The page of `search` among the products that `query` is held by; all of them where there is none.
pub(super) fn find(shelf: &Shelf, search: &ProductSearch, query: Option<&Query>) -> Hits {
    let mut numbers = match query {
        Some(query) => matches(shelf, query),
        None => (0..).zip(&shelf.products).map(|(number, _)| number).collect(),
    };
    let below = search.category_id.map(|id| shelf.tree.below(id));
    let prices = search.min_price.unwrap_or(0)..=search.max_price.unwrap_or(i32::MAX);
    let is_wanted = |product: &Product| {
        let is_below = |below: &Vec<bool>| below.get(product.category as usize).copied().unwrap_or(false);
        product.is_here && prices.contains(&product.price) && below.as_ref().is_none_or(is_below)
    };
    numbers.retain(|number| is_wanted(&shelf.products[*number as usize]));
    let facets = search.facets.then(|| count(shelf, &numbers));
    let rows = match (search.sort, query) {
        (ProductSort::Relevance, Some(query)) => score(shelf, query, &numbers),
        _ => numbers.iter().map(|number| hit(shelf, search.sort, *number)).collect(),
    };
    Hits { rows: page(rows, search), facets }
}

fn hit(shelf: &Shelf, sort: ProductSort, number: u32) -> Hit {
    let product = &shelf.products[number as usize];
    let score = if matches!(sort, ProductSort::Price | ProductSort::PriceDown) { product.price } else { 0 };
    Hit { id: product.id, score }
}

fn count(shelf: &Shelf, numbers: &[u32]) -> Vec<CategoryCount> {
    let mut by_slot = vec![0_u32; shelf.tree.len()];
    for number in numbers {
        if let Some(count) = by_slot.get_mut(shelf.products[*number as usize].category as usize) {
            *count += 1;
        }
    }
    shelf.tree.counts(&by_slot, FACETS_MAX)
}

/// Each of these products with its score.
fn score(shelf: &Shelf, query: &Query, numbers: &[u32]) -> Vec<Hit> {
    let mut lexemes = query.lexemes();
    lexemes.sort_unstable();
    lexemes.dedup();
    let rank = Rank::new(matches!(query, Query::And(..) | Query::Phrase(..)));
    let mut postings: Vec<&[Posting]> = lexemes.iter().map(|lexeme| shelf.postings(lexeme)).collect();
    let mut places = vec![None; postings.len()];
    let mut scored = Vec::with_capacity(numbers.len());
    for number in numbers {
        for (rest, places) in postings.iter_mut().zip(&mut places) {
            *rest = behind(rest, |posting| posting.product < *number);
            let here = rest.first().filter(|posting| posting.product == *number);
            *places = here.map(|posting| shelf.places(posting));
        }
        let product = &shelf.products[*number as usize];
        scored.push(Hit { id: product.id, score: rank.score(&places, product.places) });
    }
    scored
}

/// One more than the page has, behind where it begins, in its order.
fn page(mut rows: Vec<Hit>, search: &ProductSearch) -> Vec<Hit> {
    // The smaller key comes first.
    let key = |score: i32, id: i32| match search.sort {
        ProductSort::Price => (i64::from(score), i64::from(id)),
        _ => (-i64::from(score), -i64::from(id)),
    };
    if let Some(after) = &search.after {
        let after = key(after.score, after.id);
        rows.retain(|row| key(row.score, row.id) > after);
    }
    let most = search.limit + 1;
    if rows.len() > most {
        rows.select_nth_unstable_by_key(most, |row| key(row.score, row.id));
        rows.truncate(most);
    }
    rows.sort_unstable_by_key(|row| key(row.score, row.id));
    rows
}
