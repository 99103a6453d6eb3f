//! A product on sale as the bytes of its answer, with room for its stock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::printed::Printed;
use crate::edition::stocked;
use crate::limits::{ENTRY_OVERHEAD_BYTES, GZIP_BYTES_MIN, STOCK_AGE_MAX};
use crate::product::Product;

const QUANTITY: &[u8] = b",\"quantity\":";
const AS_OF: &[u8] = b",\"stock_as_of\":";
const BEHIND: &[u8] = b",\"category_id\":";
/// Bytes of a quantity and its moment, about.
const STOCK_BYTES: usize = 64;

/// The moment of a read of stock.
#[derive(Debug)]
pub(crate) struct Seen {
    /// When it was asked for: the stock is no older.
    pub(crate) asked: Instant,
    /// The database's time of it, as JSON.
    pub(crate) as_of: String,
}

/// A quantity and the moment that it is of.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    pub(crate) quantity: i32,
    pub(crate) seen: Arc<Seen>,
}

/// A product as it is answered: everything but its stock is bytes already.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: i32,
    /// The edition, in microseconds since 1970.
    pub(crate) edition: i64,
    /// Up to the quantity, and what comes behind the stock.
    text: Box<[u8]>,
    split: usize,
    stock: Mutex<Stock>,
    /// The answer for the present stock, where it is long enough to be kept.
    printed: Mutex<Option<(Arc<Seen>, Arc<Printed>)>>,
    /// The beat at which it was last asked for.
    touched: AtomicU64,
}

impl Seen {
    /// Whether stock of this moment may be shown.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.asked) < STOCK_AGE_MAX
    }

    /// Until when it may be shown.
    pub(crate) fn good_until(&self) -> Instant {
        self.asked.checked_add(STOCK_AGE_MAX).unwrap_or(self.asked)
    }
}

impl Stock {
    /// Whether it is of this very read.
    pub(crate) fn is_of(&self, read: &Arc<Seen>) -> bool {
        Arc::ptr_eq(&self.seen, read)
    }
}

impl Entry {
    /// The bytes of a product that was asked for at this moment.
    pub(crate) fn of(product: &Product, asked: Instant) -> Self {
        let json = serde_json::to_vec(product).unwrap_or_default();
        // In JSON, no text holds these bytes: its quotes are escaped. Metadata comes behind.
        let start = (position(&json, QUANTITY, 0) + QUANTITY.len()).min(json.len());
        let end = position(&json, BEHIND, start);
        let text = [&json[..start], &json[end..]].concat().into_boxed_slice();
        let as_of = serde_json::to_string(&product.stock_as_of).unwrap_or_default();
        Self {
            id: product.id,
            edition: product.updated_at.unwrap_or(product.created_at).as_microsecond(),
            text,
            split: start,
            stock: Mutex::new(Stock { quantity: product.quantity, seen: Arc::new(Seen { asked, as_of }) }),
            printed: Mutex::default(),
            touched: AtomicU64::new(0),
        }
    }

    /// Memory that it takes, in bytes, with the answers that are kept of it.
    pub(crate) fn bytes(&self) -> usize {
        let kept = if self.text.len() + STOCK_BYTES < GZIP_BYTES_MIN { 0 } else { self.text.len() * 2 };
        self.text.len() + kept + ENTRY_OVERHEAD_BYTES
    }

    /// Bytes of its answer, about.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.text.len() + STOCK_BYTES
    }

    pub(crate) fn stock(&self) -> Stock {
        self.present_stock().clone()
    }

    /// Takes stock that was asked for later than the one it has.
    pub(crate) fn restock(&self, stock: Stock) {
        let mut present = self.present_stock();
        if stock.seen.asked > present.seen.asked {
            *present = stock;
        }
    }

    /// Takes what a read of stock found: a quantity, or none, since the product did not move after the read `before`.
    /// Of one whose stock is not of that read, none says nothing.
    pub(crate) fn follow(&self, quantity: Option<i32>, before: Option<&Arc<Seen>>, seen: &Arc<Seen>) {
        let mut present = self.present_stock();
        let known = before.filter(|before| present.is_of(before)).map(|_| present.quantity);
        if let Some(quantity) = quantity.or(known).filter(|_| seen.asked > present.seen.asked) {
            *present = Stock { quantity, seen: Arc::clone(seen) };
        }
    }

    fn present_stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn touch(&self, beat: u64) {
        self.touched.store(beat, Ordering::Relaxed);
    }

    /// Whether it was asked for within so many beats.
    pub(crate) fn is_in_use(&self, beat: u64, beats: u64) -> bool {
        beat.saturating_sub(self.touched.load(Ordering::Relaxed)) <= beats
    }

    /// The answer for its present stock.
    pub(crate) fn print(&self) -> Arc<Printed> {
        self.print_with(&self.stock())
    }

    /// The answer for this stock.
    pub(crate) fn print_with(&self, stock: &Stock) -> Arc<Printed> {
        let printed = || {
            let mut body = Vec::with_capacity(self.answer_bytes());
            self.write(stock, &mut body);
            Arc::new(Printed::new(stocked(self.edition, stock.quantity), body))
        };
        if self.answer_bytes() < GZIP_BYTES_MIN {
            return printed();
        }
        let mut kept = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some((seen, printed)) if stock.is_of(seen) => Arc::clone(printed),
            _ => {
                let printed = printed();
                *kept = Some((Arc::clone(&stock.seen), Arc::clone(&printed)));
                printed
            }
        }
    }

    /// Its JSON with this stock.
    pub(crate) fn write(&self, stock: &Stock, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.text[..self.split]);
        body.extend_from_slice(stock.quantity.to_string().as_bytes());
        body.extend_from_slice(AS_OF);
        body.extend_from_slice(stock.seen.as_of.as_bytes());
        body.extend_from_slice(&self.text[self.split..]);
    }
}

fn position(text: &[u8], wanted: &[u8], from: usize) -> usize {
    let found = text[from..].windows(wanted.len()).position(|window| window == wanted);
    found.map_or(text.len(), |at| from + at)
}

// What is shown is at most a second old, its way to the reader included.
const _: () = assert!(STOCK_AGE_MAX.as_millis() < Duration::from_secs(1).as_millis());

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use serde_json::value::RawValue;

    use super::{Entry, Seen, Stock};
    use crate::product::Product;

    fn product(description: &str, metadata: &str) -> Product {
        Product {
            id: 7,
            name: r#"A ,"quantity":9 \",\"quantity\":"#.to_owned(),
            description: Some(description.to_owned()),
            price: 1250,
            quantity: 3,
            stock_as_of: "2026-11-22T10:00:00.25Z".parse().unwrap(),
            category_id: None,
            image_url: None,
            min_stock_level: 0,
            is_active: true,
            created_at: "2026-11-22T09:00:00Z".parse().unwrap(),
            updated_at: None,
            metadata: RawValue::from_string(metadata.to_owned()).unwrap(),
        }
    }

    #[test]
    fn it_prints_what_the_product_is() {
        for description in ["", "\u{1F600} \"x\",\"category_id\":1", &"long ".repeat(2_000)] {
            let product = product(description, r#"{"quantity":8,"category_id":2}"#);
            let entry = Entry::of(&product, Instant::now());
            assert_eq!(entry.print().body, serde_json::to_vec(&product).unwrap());
            assert_eq!(entry.print().tag, "\"1795338000000000-3\"");
        }
    }

    #[test]
    fn it_prints_its_later_stock_and_takes_no_earlier_one() {
        let mut product = product(&"x".repeat(2_000), "{}");
        let now = Instant::now();
        let entry = Entry::of(&product, now);
        let before = entry.print();
        let at = |asked, as_of: &str| Arc::new(Seen { asked, as_of: as_of.to_owned() });
        entry.restock(Stock { quantity: 9, seen: at(now - Duration::from_millis(1), "\"\"") });
        assert!(Arc::ptr_eq(&entry.print(), &before));
        let later = at(now + Duration::from_millis(1), "\"2026-11-22T10:00:01Z\"");
        entry.restock(Stock { quantity: 12_345, seen: later });
        product.quantity = 12_345;
        product.stock_as_of = "2026-11-22T10:00:01Z".parse().unwrap();
        assert_eq!(entry.print().body, serde_json::to_vec(&product).unwrap());
    }

    #[test]
    fn it_follows_only_from_the_read_before() {
        let now = Instant::now();
        let at = |ms| Arc::new(Seen { asked: now + Duration::from_millis(ms), as_of: String::new() });
        let [first, second, third, fourth] = [1, 3, 5, 7].map(at);
        let entry = Entry::of(&product("", "{}"), now);
        let shown = || (entry.stock().quantity, entry.stock().seen.asked);
        // It was never read: that it did not move says nothing.
        entry.follow(None, Some(&first), &second);
        assert_eq!(shown(), (3, now));
        entry.follow(Some(5), None, &first);
        entry.follow(None, Some(&first), &second);
        assert_eq!(shown(), (5, second.asked));
        // It was not in use when the third was read.
        entry.follow(None, Some(&third), &fourth);
        assert_eq!(shown(), (5, second.asked));
        // A page was read meanwhile, whose stock may be older than the read before or younger.
        entry.restock(Stock { quantity: 4, seen: at(4) });
        entry.follow(None, Some(&second), &third);
        assert_eq!(shown(), (4, at(4).asked));
        entry.follow(Some(9), Some(&second), &second);
        assert_eq!(shown(), (4, at(4).asked));
        entry.follow(Some(9), Some(&second), &third);
        assert_eq!(shown(), (9, third.asked));
    }
}
