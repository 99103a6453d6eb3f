use std::sync::Arc;
use std::time::Instant;

use serde_json::value::RawValue;

use super::{Catalogue, Entry, Page, PageKey, Rest, Seen};
use crate::limits::{IDLE_BEATS_MAX, STOCK_AGE_MAX, STOCK_REREAD_BEATS};
use crate::product::Product;
use crate::search::{ProductSearch, ProductsQuery};

fn product(id: i32) -> Product {
    Product {
        id,
        name: format!("Product {id}"),
        description: None,
        price: 1250,
        quantity: 3,
        stock_as_of: "2026-11-22T10:00:00Z".parse().unwrap(),
        category_id: None,
        image_url: None,
        min_stock_level: 0,
        is_active: true,
        created_at: "2026-11-22T09:00:00Z".parse().unwrap(),
        updated_at: None,
        metadata: RawValue::from_string("{}".to_owned()).unwrap(),
    }
}

fn keep(catalogue: &Catalogue, id: i32) {
    let reading = catalogue.begin();
    catalogue.keep_product(reading, &Arc::new(Entry::of(&product(id), reading.asked)));
}

fn key(category_id: i32) -> PageKey {
    let query = ProductsQuery { category_id: Some(category_id), ..ProductsQuery::default() };
    PageKey::of(&ProductSearch::read(query, false).unwrap()).unwrap()
}

fn keep_page(catalogue: &Catalogue, category_id: i32, ids: &[i32]) {
    let reading = catalogue.begin();
    catalogue.keep_page(reading, key(category_id), page(ids, reading.asked));
}

fn page(ids: &[i32], asked: Instant) -> Page {
    let entry = |id: &i32| Arc::new(Entry::of(&product(*id), asked));
    Page::of(ids.iter().map(entry).collect(), &Rest::default())
}

fn counted(catalogue: &Catalogue) -> usize {
    let mut shelf = catalogue.write();
    let (kept, _) = (shelf.bytes, shelf.count());
    assert_eq!(kept, shelf.bytes, "the running count is right");
    kept
}

/// Whether it is kept, however old its stock is by now.
fn has(catalogue: &Catalogue, id: i32) -> bool {
    catalogue.read().products.contains_key(&id)
}

fn has_page(catalogue: &Catalogue, category_id: i32) -> bool {
    catalogue.read().pages.contains_key(&key(category_id))
}

#[test]
fn what_was_read_before_an_edit_is_not_kept_after_it() {
    let edits = [|c: &Catalogue| c.forget_product(1), |c: &Catalogue| c.forget_lists(), |c: &Catalogue| c.forget_all()];
    for forget in edits {
        let catalogue = Catalogue::hearing(1 << 20);
        let reading = catalogue.begin();
        forget(&catalogue);
        catalogue.keep_product(reading, &Arc::new(Entry::of(&product(1), reading.asked)));
        catalogue.keep_page(reading, key(1), page(&[1], reading.asked));
        assert!(!has(&catalogue, 1) && !has_page(&catalogue, 1));
        keep_page(&catalogue, 1, &[1]);
        assert!(has(&catalogue, 1) && has_page(&catalogue, 1));
        forget(&catalogue);
        assert!(!has_page(&catalogue, 1));
    }
}

#[test]
fn nothing_is_kept_where_edits_are_not_heard_of() {
    let catalogue = Catalogue::new(1 << 20);
    keep(&catalogue, 1);
    keep_page(&catalogue, 1, &[1]);
    assert!(!has(&catalogue, 1) && !has_page(&catalogue, 1));
    catalogue.empty(true);
    keep(&catalogue, 1);
    assert!(has(&catalogue, 1));
    catalogue.empty(false);
    assert!(!has(&catalogue, 1));
}

#[test]
fn old_stock_is_not_shown() {
    let catalogue = Catalogue::hearing(1 << 20);
    let reading = catalogue.begin();
    let old = reading.asked.checked_sub(STOCK_AGE_MAX).unwrap();
    catalogue.keep_product(reading, &Arc::new(Entry::of(&product(1), old)));
    catalogue.keep_page(reading, key(1), page(&[1, 2], old));
    assert!(has(&catalogue, 1) && has_page(&catalogue, 1));
    assert!(catalogue.product(1).is_none() && catalogue.page(&key(1)).is_none());
}

#[test]
fn memory_is_bounded_and_counted() {
    let catalogue = Catalogue::hearing(20_000);
    for id in 0..200 {
        keep(&catalogue, id);
        keep(&catalogue, id);
        keep_page(&catalogue, id % 7, &[id, id + 1, id + 2]);
        let bytes = counted(&catalogue);
        assert!(bytes > 0 && bytes <= 20_000, "{bytes}");
    }
    assert!(has(&catalogue, 0) && !has(&catalogue, 199));
    catalogue.forget_product(0);
    counted(&catalogue);
    catalogue.forget_lists();
    counted(&catalogue);
    catalogue.forget_all();
    assert_eq!(counted(&catalogue), 0);
}

#[test]
fn what_nobody_asks_for_makes_room() {
    let catalogue = Catalogue::hearing(1 << 20);
    keep(&catalogue, 1);
    keep(&catalogue, 2);
    for _ in 0..=IDLE_BEATS_MAX {
        drop(catalogue.product(1));
        catalogue.in_use();
        assert!(has(&catalogue, 1) && has(&catalogue, 2));
        catalogue.next_beat();
    }
    keep_page(&catalogue, 1, &[3]);
    assert_eq!(catalogue.in_use().len(), 2);
    assert!(has(&catalogue, 1) && !has(&catalogue, 2) && has(&catalogue, 3) && has_page(&catalogue, 1));
    counted(&catalogue);
    for _ in 0..=IDLE_BEATS_MAX {
        catalogue.next_beat();
    }
    assert_eq!(catalogue.in_use().len(), 0);
    assert_eq!(counted(&catalogue), 0);
}

#[test]
fn two_pages_share_their_products() {
    let catalogue = Catalogue::hearing(1 << 20);
    keep(&catalogue, 1);
    keep_page(&catalogue, 1, &[1, 2]);
    keep_page(&catalogue, 2, &[2, 1]);
    let shelf = catalogue.read();
    for page in [key(1), key(2)].map(|key| Arc::clone(&shelf.pages[&key])) {
        assert!(page.entries.iter().all(|entry| Arc::ptr_eq(entry, &shelf.products[&entry.id])));
    }
    assert_eq!(shelf.products.len(), 2);
}

#[test]
fn a_read_of_stock_names_what_is_not_known_and_each_product_in_its_turn() {
    let catalogue = Catalogue::hearing(1 << 20);
    let before = Arc::new(Seen { asked: Instant::now() + STOCK_AGE_MAX, as_of: String::new() });
    for id in 0..100 {
        keep(&catalogue, id);
    }
    let in_use = catalogue.in_use();
    assert_eq!(catalogue.due(&in_use, &before).len(), 100);
    for entry in &in_use {
        entry.follow(Some(1), None, &before);
    }
    let mut named = Vec::new();
    for _ in 0..STOCK_REREAD_BEATS {
        named.extend(catalogue.due(&in_use, &before));
        catalogue.next_beat();
    }
    named.sort_unstable();
    assert_eq!(named, (0..100).collect::<Vec<_>>());
}
