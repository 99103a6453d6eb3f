//! The catalogue in memory: products on sale and the first pages of their lists, as the bytes of their answers.
//!
//! Edits are heard of on a connection that listens, and the stock of what shoppers look at is read on the same
//! connection several times a second: while it is lost, nothing here is fresh and PostgreSQL answers. So it does for what
//! finds no room, and for administrators always. Nothing here decides a sale.

mod entry;
mod following;
mod page;
mod printed;
mod watch;

use std::collections::HashMap;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

pub(crate) use self::entry::Entry;
use self::entry::Seen;
pub(crate) use self::following::Horizon;
pub(crate) use self::page::{Page, PageKey, Rest};
pub(crate) use self::printed::Printed;
pub(crate) use self::watch::watch;
use crate::limits::{IDLE_BEATS_MAX, IDLE_BEATS_SHORT_MAX, STOCK_REREAD_BEATS};

/// What is kept; shared by all requests of the process.
#[derive(Debug)]
pub(crate) struct Catalogue {
    bytes_max: usize,
    shelf: RwLock<Shelf>,
    /// Edits heard of so far; changed under the shelf's lock.
    edits: AtomicU64,
    /// Reads of stock so far.
    beat: AtomicU64,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Whether edits are heard of; nothing is kept otherwise.
    hears: bool,
    products: HashMap<i32, Arc<Entry>>,
    pages: HashMap<PageKey, Arc<Page>>,
    bytes: usize,
}

/// A read of the database under way: what it finds is kept unless an edit is heard of meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    edits: u64,
    /// When it began.
    pub(crate) asked: Instant,
}

impl Catalogue {
    /// An empty one that takes at most so much memory, in bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, shelf: RwLock::default(), edits: AtomicU64::new(0), beat: AtomicU64::new(0) }
    }

    /// The same, as if edits were heard of.
    #[cfg(test)]
    pub(crate) fn hearing(bytes_max: usize) -> Self {
        let catalogue = Self::new(bytes_max);
        catalogue.empty(true);
        catalogue
    }

    /// The answer for a product on sale, if it is kept and its stock is fresh.
    pub(crate) fn product(&self, id: i32) -> Option<Arc<Printed>> {
        let entry = self.read().products.get(&id).cloned()?;
        entry.touch(self.beat());
        let stock = entry.stock();
        stock.seen.is_fresh(Instant::now()).then(|| entry.print_with(&stock))
    }

    /// Those of these products that are kept with fresh stock.
    pub(crate) fn entries(&self, ids: impl Iterator<Item = i32>) -> HashMap<i32, Arc<Entry>> {
        let shelf = self.read();
        let mut entries: HashMap<i32, Arc<Entry>> =
            ids.filter_map(|id| Some((id, Arc::clone(shelf.products.get(&id)?)))).collect();
        drop(shelf);
        let (now, beat) = (Instant::now(), self.beat());
        entries.retain(|_, entry| {
            entry.touch(beat);
            entry.stock().seen.is_fresh(now)
        });
        entries
    }

    /// The answer for a list's first page, if it is kept and its stock is fresh.
    pub(crate) fn page(&self, key: &PageKey) -> Option<Arc<Printed>> {
        let page = self.read().pages.get(key).cloned()?;
        page.fresh(Instant::now(), self.beat())
    }

    /// To be called before the database is read.
    pub(crate) fn begin(&self) -> Reading {
        Reading { edits: self.edits.load(Ordering::Acquire), asked: Instant::now() }
    }

    /// Keeps a product on sale.
    pub(crate) fn keep_product(&self, reading: Reading, entry: &Arc<Entry>) {
        let mut shelf = self.write();
        if self.takes(&shelf, reading, entry.bytes()) {
            shelf.keep(entry, self.beat());
        }
    }

    /// Keeps a page with its products.
    pub(crate) fn keep_page(&self, reading: Reading, key: PageKey, mut page: Page) {
        let bytes = page.bytes() + page.entries.iter().map(|entry| entry.bytes()).sum::<usize>();
        let mut shelf = self.write();
        if !self.takes(&shelf, reading, bytes) {
            return;
        }
        let beat = self.beat();
        // Where a product is kept already, the page shows that one: its stock is what is read anew.
        page.entries = page.entries.iter().map(|entry| shelf.keep(entry, beat)).collect();
        page.touch(beat);
        let page = Arc::new(page);
        shelf.bytes += page.bytes();
        if let Some(old) = shelf.pages.insert(key, page) {
            shelf.bytes = shelf.bytes.saturating_sub(old.bytes());
        }
    }

    /// A product was edited, or its stock by hand.
    pub(crate) fn forget_product(&self, id: i32) {
        let mut shelf = self.write();
        self.edits.fetch_add(1, Ordering::Release);
        if let Some(entry) = shelf.products.remove(&id) {
            shelf.bytes = shelf.bytes.saturating_sub(entry.bytes());
        }
        let pages = shelf.take_pages();
        drop(shelf);
        drop(pages);
    }

    /// The lists may hold other products than before.
    pub(crate) fn forget_lists(&self) {
        let mut shelf = self.write();
        self.edits.fetch_add(1, Ordering::Release);
        let pages = shelf.take_pages();
        drop(shelf);
        drop(pages);
    }

    /// Everything may have changed.
    pub(crate) fn forget_all(&self) {
        self.empty(self.hears());
    }

    fn empty(&self, hears: bool) {
        let mut shelf = self.write();
        self.edits.fetch_add(1, Ordering::Release);
        let old = take(&mut *shelf);
        shelf.hears = hears;
        drop(shelf);
        drop(old);
    }

    /// Whether edits are heard of.
    fn hears(&self) -> bool {
        self.read().hears
    }

    /// Lets go of what nobody asks for, and names the products whose stock is to be known.
    fn in_use(&self) -> Vec<Arc<Entry>> {
        let beat = self.beat();
        let shelf = self.read();
        let idle_max = if shelf.bytes > self.bytes_max / 8 * 7 { IDLE_BEATS_SHORT_MAX } else { IDLE_BEATS_MAX };
        let (kept, idle): (Vec<_>, Vec<_>) =
            shelf.products.values().cloned().partition(|entry| entry.is_in_use(beat, idle_max));
        let has_idle_pages = shelf.pages.values().any(|page| !page.is_in_use(beat, idle_max));
        drop(shelf);
        if !idle.is_empty() || has_idle_pages {
            let mut shelf = self.write();
            for entry in idle.iter().filter(|entry| !entry.is_in_use(beat, idle_max)) {
                shelf.let_go(entry);
            }
            shelf.pages.retain(|_, page| page.is_in_use(beat, idle_max));
            shelf.count();
        }
        kept
    }

    /// Those of these products that a read of stock must name: they are not known of the read before, or it is their turn.
    fn due(&self, in_use: &[Arc<Entry>], before: &Arc<Seen>) -> Vec<i32> {
        let turn = self.beat() % STOCK_REREAD_BEATS;
        let is_due = |entry: &&Arc<Entry>| {
            u64::from(entry.id.unsigned_abs()) % STOCK_REREAD_BEATS == turn || !entry.stock().is_of(before)
        };
        in_use.iter().filter(is_due).map(|entry| entry.id).collect()
    }

    /// The stock of all that is in use has been read.
    fn next_beat(&self) {
        self.beat.fetch_add(1, Ordering::Relaxed);
    }

    fn beat(&self) -> u64 {
        self.beat.load(Ordering::Relaxed)
    }

    fn takes(&self, shelf: &Shelf, reading: Reading, bytes: usize) -> bool {
        shelf.hears && reading.edits == self.edits.load(Ordering::Acquire) && shelf.bytes + bytes <= self.bytes_max
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelf> {
        self.shelf.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// The product as it is kept from now on.
    fn keep(&mut self, entry: &Arc<Entry>, beat: u64) -> Arc<Entry> {
        entry.touch(beat);
        if let Some(known) = self.products.get(&entry.id).filter(|known| known.edition == entry.edition) {
            known.restock(entry.stock());
            known.touch(beat);
            return Arc::clone(known);
        }
        self.bytes += entry.bytes();
        if let Some(old) = self.products.insert(entry.id, Arc::clone(entry)) {
            self.bytes = self.bytes.saturating_sub(old.bytes());
        }
        Arc::clone(entry)
    }

    fn let_go(&mut self, entry: &Arc<Entry>) {
        if self.products.get(&entry.id).is_some_and(|known| Arc::ptr_eq(known, entry)) {
            self.products.remove(&entry.id);
        }
    }

    fn take_pages(&mut self) -> HashMap<PageKey, Arc<Page>> {
        let pages = take(&mut self.pages);
        let bytes: usize = pages.values().map(|page| page.bytes()).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        pages
    }

    fn count(&mut self) {
        let products: usize = self.products.values().map(|entry| entry.bytes()).sum();
        self.bytes = products + self.pages.values().map(|page| page.bytes()).sum::<usize>();
    }
}

#[cfg(test)]
mod tests;
