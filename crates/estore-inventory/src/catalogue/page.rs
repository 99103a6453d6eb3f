//! A page of a product list, put together from the bytes of its products.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::HeaderValue;
use serde::Serialize;

use super::entry::{Entry, Stock};
use super::printed::Printed;
use crate::limits::{ENTRY_OVERHEAD_BYTES, STOCK_AGE_MAX};
use crate::search::{Facets, ProductSearch, ProductSort};

/// The lists whose first pages are kept: those whose members only an edit changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PageKey {
    category_id: Option<i32>,
    min_price: Option<i32>,
    max_price: Option<i32>,
    sort: ProductSort,
    limit: usize,
}

/// What an answer says behind its products.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rest {
    pub(crate) next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) facets: Option<Facets>,
}

impl PageKey {
    /// `None` for a list that PostgreSQL answers each time.
    pub(crate) fn of(search: &ProductSearch) -> Option<Self> {
        let is_kept = search.words.is_none()
            && search.metadata.is_none()
            && search.in_stock.is_none()
            && search.after.is_none()
            && search.is_active != Some(false)
            && !search.shows_inactive
            // Counted in an index that may be some milliseconds behind what is forgotten here.
            && !search.facets;
        is_kept.then_some(Self {
            category_id: search.category_id,
            min_price: search.min_price,
            max_price: search.max_price,
            sort: search.sort,
            limit: search.limit,
        })
    }
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(super) entries: Vec<Arc<Entry>>,
    /// What comes behind them, as the rest of a JSON object.
    rest: String,
    printed: Mutex<Option<Print>>,
    /// The beat at which it was last asked for.
    touched: AtomicU64,
}

#[derive(Debug)]
struct Print {
    beat: u64,
    good_until: Instant,
    printed: Arc<Printed>,
}

impl Page {
    /// The page of these products.
    pub(crate) fn of(entries: Vec<Arc<Entry>>, rest: &Rest) -> Self {
        let rest = serde_json::to_string(rest).unwrap_or_default();
        Self {
            entries,
            rest: rest.trim_start_matches('{').to_owned(),
            printed: Mutex::default(),
            touched: AtomicU64::new(0),
        }
    }

    /// Memory that it takes beside its products, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let entries = self.entries.iter().map(|entry| entry.answer_bytes() * 3 / 2).sum::<usize>();
        entries + self.rest.len() * 3 + ENTRY_OVERHEAD_BYTES
    }

    pub(crate) fn touch(&self, beat: u64) {
        self.touched.store(beat, Ordering::Relaxed);
    }

    pub(crate) fn is_in_use(&self, beat: u64, beats: u64) -> bool {
        beat.saturating_sub(self.touched.load(Ordering::Relaxed)) <= beats
    }

    /// The page for the present stock; `None` where the stock of some product is too old to be shown.
    pub(crate) fn fresh(&self, now: Instant, beat: u64) -> Option<Arc<Printed>> {
        self.touch(beat);
        let mut kept = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.beat == beat && now < kept.good_until) {
            return Some(Arc::clone(&kept.printed));
        }
        let stocks: Vec<Stock> = self.entries.iter().map(|entry| entry.stock()).collect();
        if !stocks.iter().all(|stock| stock.seen.is_fresh(now)) {
            return None;
        }
        for entry in &self.entries {
            entry.touch(beat);
        }
        let good_until = stocks.iter().map(|stock| stock.seen.good_until()).min();
        let printed = Arc::new(self.print(&stocks));
        // A page without products has no stock that could age; the next beat prints it anew.
        let good_until = good_until.unwrap_or(now + STOCK_AGE_MAX);
        *kept = Some(Print { beat, good_until, printed: Arc::clone(&printed) });
        Some(printed)
    }

    /// The page with the stock that was read with it.
    pub(crate) fn print_as_read(&self) -> Printed {
        self.print(&self.entries.iter().map(|entry| entry.stock()).collect::<Vec<_>>())
    }

    fn print(&self, stocks: &[Stock]) -> Printed {
        let bytes: usize = self.entries.iter().map(|entry| entry.answer_bytes()).sum();
        let mut body = Vec::with_capacity(bytes + self.rest.len() + 32);
        let mut hasher = DefaultHasher::new();
        body.extend_from_slice(b"{\"data\":[");
        for (n, (entry, stock)) in self.entries.iter().zip(stocks).enumerate() {
            if n > 0 {
                body.push(b',');
            }
            entry.write(stock, &mut body);
            (entry.id, entry.edition, stock.quantity).hash(&mut hasher);
        }
        body.extend_from_slice(b"],");
        body.extend_from_slice(self.rest.as_bytes());
        self.rest.hash(&mut hasher);
        let tag = HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()));
        Printed::new(tag.unwrap_or(HeaderValue::from_static("\"0\"")), body)
    }
}
