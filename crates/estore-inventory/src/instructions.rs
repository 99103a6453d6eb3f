//! What reads of the catalogue pay where memory answers, counted by `script/instructions`.

use std::sync::Arc;

use estore_kit::paging;
use serde_json::value::RawValue;

use crate::catalogue::{Catalogue, Entry, Page, Printed, Rest};
use crate::index::{Document, Hits, Index, Item, Query};
use crate::product::Product;
use crate::search::{FacetKind, ProductSearch, ProductsQuery};

const PRODUCTS: i32 = 10_000;

fn product(id: i32) -> Product {
    Product {
        id,
        name: format!("Lamp of glass and brass no. {id}"),
        description: Some("A lamp for the desk, blown and turned by hand. Two years of warranty.".to_owned()),
        price: 1250,
        quantity: 3,
        stock_as_of: "2026-11-22T10:00:00Z".parse().unwrap(),
        category_id: Some(3),
        image_url: None,
        min_stock_level: 0,
        is_active: true,
        created_at: "2026-11-22T09:00:00Z".parse().unwrap(),
        updated_at: None,
        metadata: RawValue::from_string(r#"{"colour":"brass"}"#.to_owned()).unwrap(),
    }
}

#[inline(never)]
fn counted_product_from_memory(catalogue: &Catalogue, id: i32) -> Option<Arc<Printed>> {
    catalogue.product(id)
}

#[test]
fn product_from_memory() {
    let catalogue = Catalogue::hearing(1 << 20);
    for round in 0..200 {
        // Stock grows old; under valgrind the whole test takes longer than that.
        let reading = catalogue.begin();
        catalogue.keep_product(reading, &Arc::new(Entry::of(&product(round), reading.asked)));
        assert!(counted_product_from_memory(&catalogue, round).is_some());
    }
}

#[inline(never)]
fn counted_print_page(page: &Page) -> Printed {
    page.print_as_read()
}

#[test]
fn print_page() {
    let asked = Catalogue::hearing(0).begin().asked;
    let entries = (0..20).map(|id| Arc::new(Entry::of(&product(id), asked))).collect();
    let page = Page::of(entries, &Rest { next_cursor: Some(paging::encode(&(5, 7))), facets: None });
    for _ in 0..200 {
        assert!(counted_print_page(&page).body.len() > 5_000);
    }
}

/// Every product is a lamp, each tenth is red, and each thousandth of brass.
fn index() -> Index {
    let index = Index::new(1 << 26);
    let item = |id: i32| {
        let mut lexemes = vec!["lamp".to_owned(), format!("no{id}")];
        lexemes.extend((id % 10 == 0).then(|| "red".to_owned()));
        lexemes.extend((id % 1_000 == 0).then(|| "brass".to_owned()));
        lexemes.sort();
        let places = |(at, lexeme): (u16, String)| (lexeme.into(), vec![at]);
        let document = Document((1..).zip(lexemes).map(places).collect());
        Item { id, edition: 1, category_id: None, price: 100 + id, document }
    };
    index.fill((1..=PRODUCTS).map(item));
    index
}

fn both(one: &str, other: &str) -> Query {
    Query::And(Box::new(Query::Lexeme(one.into())), Box::new(Query::Lexeme(other.into())))
}

fn search() -> ProductSearch {
    let query =
        ProductsQuery { q: Some("words".into()), facets: Some(FacetKind::Category), ..ProductsQuery::default() };
    ProductSearch::read(query, false).unwrap()
}

#[inline(never)]
fn counted_search(index: &Index, search: &ProductSearch, query: &Query) -> Option<Hits> {
    index.find(search, Some(query)).map(|(hits, _)| hits)
}

#[test]
fn search_two_words() {
    let (index, search, query) = (index(), search(), both("lamp", "red"));
    for _ in 0..200 {
        assert_eq!(counted_search(&index, &search, &query).unwrap().rows.len(), 21);
    }
}

#[test]
fn search_misspelt() {
    let (index, search, query) = (index(), search(), both("lamp", "barss"));
    for _ in 0..200 {
        assert_eq!(counted_search(&index, &search, &query).unwrap().rows.len(), 10);
    }
}
