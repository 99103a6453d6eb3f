use std::collections::HashMap;

use super::shelf::{Item, Shelf};
use super::text::{Document, Query};
use super::{Index, News, find, spelling};
use crate::search::{ProductSearch, ProductsQuery};

const LEXEMES: [&str; 6] = ["lamp", "kettl", "spade", "red", "green", "blue"];

fn item(id: i32, edition: i64, lexemes: &[&str]) -> Item {
    let places = |(at, lexeme): (usize, &&str)| ((*lexeme).into(), vec![u16::try_from(at + 1).unwrap()]);
    let mut document: Vec<(Box<str>, Vec<u16>)> = lexemes.iter().enumerate().map(places).collect();
    document.sort();
    Item { id, edition, category_id: None, price: id, document: Document(document) }
}

fn lexeme(lexeme: &str) -> Query {
    Query::Lexeme(lexeme.into())
}

fn search(query: &ProductsQuery) -> ProductSearch {
    ProductSearch::read(query.clone(), false).unwrap()
}

fn found(shelf: &Shelf, query: &Query) -> Vec<i32> {
    let all = search(&ProductsQuery { q: Some("words".into()), limit: Some(100), ..ProductsQuery::default() });
    let mut ids: Vec<i32> = find::find(shelf, &all, Some(query)).rows.iter().map(|hit| hit.id).collect();
    ids.sort_unstable();
    ids
}

/// A posting holds a few places itself and has others elsewhere: both stay while products come and go.
#[test]
fn a_lexeme_keeps_its_places_however_many() {
    let places = |id: i32| (1..=u16::try_from(id).unwrap()).map(|place| place * 3).collect::<Vec<_>>();
    let item = |id, edition| {
        let document = Document(vec![("lamp".into(), places(id))]);
        Item { id, edition, category_id: None, price: 1, document }
    };
    let mut shelf = Shelf::default();
    // The first is edited so often that those that stay are put together anew.
    for (id, edition) in (0..=9).rev().map(|id| (id, 0)).chain((1..=1_500).map(|edition| (9, edition))) {
        assert!(shelf.put(&item(id, edition)));
    }
    assert!(shelf.products.len() < 1_000);
    let here = shelf.postings("lamp").iter().map(|posting| (&shelf.products[posting.product as usize], posting));
    let mut kept: Vec<_> = here
        .filter(|(product, _)| product.is_here)
        .map(|(product, posting)| (product.id, shelf.places(posting).to_vec()))
        .collect();
    kept.sort();
    assert_eq!(kept, (0..=9).map(|id| (id, places(id))).collect::<Vec<_>>());
}

/// Edits in an order that any process may hear of them in; what is found is what the latest edition says.
#[test]
fn however_often_products_come_and_go_the_latest_edition_is_found() {
    let (mut shelf, mut latest): (Shelf, HashMap<i32, (i64, Vec<&str>)>) = (Shelf::default(), HashMap::new());
    let mut seed = 7_u64;
    let mut dice = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for step in 0..12_000_i64 {
        let (id, edition) = (i32::try_from(dice(60)).unwrap(), step - i64::try_from(dice(30)).unwrap());
        let lexemes: Vec<&str> = LEXEMES.iter().copied().filter(|_| dice(3) == 0).collect();
        let is_later = latest.get(&id).is_none_or(|(known, _)| *known <= edition);
        if dice(4) == 0 {
            shelf.take_out(id, edition);
            if is_later {
                latest.insert(id, (edition, Vec::new()));
            }
        } else {
            assert!(shelf.put(&item(id, edition, &lexemes)));
            if is_later {
                latest.insert(id, (edition, lexemes));
            }
        }
    }
    for wanted in LEXEMES {
        let mut held: Vec<i32> =
            latest.iter().filter(|(_, (_, has))| has.contains(&wanted)).map(|(id, _)| *id).collect();
        held.sort_unstable();
        assert!(!held.is_empty());
        assert_eq!(found(&shelf, &lexeme(wanted)), held, "{wanted}");
        assert_eq!(shelf.holders(shelf.vocabulary.number(wanted).unwrap()), held.len());
    }
    // What was let go of takes no memory: 12,000 editions are a few thousand numbers at most.
    assert!(shelf.products.len() < 2_500, "{}", shelf.products.len());
    assert!(shelf.bytes() < 400_000, "{}", shelf.bytes());
}

#[test]
fn a_product_of_an_unknown_category_waits_for_it() {
    let mut shelf = Shelf::default();
    let lamp = Item { category_id: Some(5), ..item(1, 1, &["lamp"]) };
    assert!(!shelf.put(&lamp));
    shelf.tree.set(vec![super::CategoryRow { id: 5, parent_id: None, name: "Light".into() }]);
    assert!(shelf.put(&lamp));
    assert_eq!(found(&shelf, &lexeme("lamp")), [1]);
}

#[test]
fn misspelt_lexemes_are_replaced_before_those_that_are_held() {
    let mut shelf = Shelf::default();
    shelf.put(&item(1, 1, &["kettl", "red"]));
    shelf.put(&item(2, 1, &["kettl", "ret"]));
    shelf.put(&item(3, 1, &["lamp"]));
    let both = |one, other| Query::And(Box::new(lexeme(one)), Box::new(lexeme(other)));
    let corrected = |query: &Query| {
        let replaced = spelling::corrections(&shelf, query)?;
        Some(found(&shelf, &query.replaced(&replaced)))
    };
    assert_eq!(corrected(&lexeme("ketl")), Some(vec![1, 2]));
    assert_eq!(corrected(&both("ketl", "red")), Some(vec![1]));
    // Each is held, but not together: one of them may be the wrong word.
    assert_eq!(corrected(&both("lamp", "kettl")), None);
    assert_eq!(corrected(&lexeme("zzzzzz")), None);
    assert_eq!(corrected(&Query::Not(Box::new(lexeme("ketl")))), None);
    assert_eq!(corrected(&Query::Nothing), None);
}

#[test]
fn nothing_is_answered_while_it_is_not_whole_or_not_known_here() {
    let index = Index::new(1 << 20);
    let list = search(&ProductsQuery { facets: Some(crate::FacetKind::Category), ..ProductsQuery::default() });
    assert!(index.find(&list, None).is_none());
    index.write().is_whole = true;
    assert!(index.find(&list, None).is_some());
    let unknown = [
        ProductsQuery { in_stock: Some(true), ..ProductsQuery::default() },
        ProductsQuery { is_active: Some(false), ..ProductsQuery::default() },
        ProductsQuery { metadata: Some("{}".into()), ..ProductsQuery::default() },
        ProductsQuery { sort: Some(crate::ProductSort::Name), ..ProductsQuery::default() },
    ];
    for query in unknown {
        assert!(index.find(&search(&query), None).is_none(), "{query:?}");
    }
    assert!(index.find(&ProductSearch::read(ProductsQuery::default(), true).unwrap(), None).is_none());
}

#[test]
fn what_is_heard_of_too_much_at_once_misleads_nobody() {
    let index = Index::new(1 << 20);
    index.heard_of_everything();
    assert!(index.news().is_empty(), "nothing is heard of before the connection hears");
    type Hear = fn(&Index);
    let hear: [(Hear, bool); 5] = [
        (|index| index.heard_of_product(1), true),
        (|index| index.heard_of_new(1, 500), true),
        (|index| index.heard_of_new(1, 5_000), false),
        (|index| index.heard_of_categories(), false),
        (|index| index.heard_of_everything(), false),
    ];
    for (hear, stays) in hear {
        *index.news() = News { hears: true, ..News::default() };
        index.write().is_whole = true;
        hear(&index);
        assert_eq!(index.is_whole(), stays);
        assert!(!index.news().is_empty());
    }
    index.set_hearing(false);
    assert!(!index.is_whole());
}

#[test]
fn the_meanings_of_so_many_searches_are_kept() {
    let index = Index::new(1 << 20);
    for n in 0..10_000 {
        index.keep_query(&format!("lamp {n}"), lexeme("lamp"));
        assert!(index.query(&format!("lamp {n}")).is_some());
    }
    index.keep_query(&"lamp ".repeat(30), lexeme("lamp"));
    assert!(index.query(&"lamp ".repeat(30)).is_none());
    assert!(index.queries().len() <= crate::limits::QUERIES_KEPT_MAX);
}
