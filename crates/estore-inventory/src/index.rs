//! The search index in memory: what PostgreSQL's full text search would find and in which order, found faster, and what
//! was meant by misspelt words.
//!
//! PostgreSQL takes texts and searches apart; memory keeps the lexemes of the products on sale, hears of edits by the
//! catalogue's announcements and reads anew what was edited. While it is not whole, and for what it does not know (stock,
//! metadata), PostgreSQL answers: the same lists, so that a walk through one goes on in the other.

mod feed;
mod find;
mod matching;
mod rank;
mod shelf;
mod spelling;
mod text;
mod tree;
mod vocabulary;

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use tokio::sync::Notify;

pub(crate) use self::feed::feed;
pub(crate) use self::find::Hits;
pub(crate) use self::shelf::Item;
use self::shelf::Shelf;
pub(crate) use self::spelling::Replaced;
pub(crate) use self::text::{Document, Query};
pub(crate) use self::tree::CategoryRow;
use crate::limits::{EDITS_BEHIND_MAX, QUERIES_KEPT_MAX, QUERY_KEPT_BYTES_MAX};
use crate::product::Product;
use crate::search::ProductSearch;
use crate::store::products::Edited;

/// What is kept; shared by all requests of the process.
#[derive(Debug)]
pub(crate) struct Index {
    bytes_max: usize,
    state: RwLock<State>,
    news: Mutex<News>,
    /// Told whenever there are news.
    bell: Notify,
    /// What PostgreSQL made of the searches of late.
    queries: Mutex<HashMap<Box<str>, Arc<Query>>>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether products are put in.
    is_open: bool,
    /// Whether everything on sale is in it; nothing is answered otherwise.
    is_whole: bool,
    shelf: Shelf,
}

/// What was heard of and is not read yet.
#[derive(Debug, Default)]
struct News {
    /// Whether announcements are heard; what is not heard of cannot be known.
    hears: bool,
    /// Everything must be read.
    everything: bool,
    categories: bool,
    edited: HashSet<i32>,
    /// New products, from one id to another.
    added: Vec<(i32, i32)>,
}

impl News {
    fn is_empty(&self) -> bool {
        !self.everything && !self.categories && self.edited.is_empty() && self.added.is_empty()
    }

    /// Whether what is there misleads: too much is unread, or where categories stand.
    fn is_far_behind(&self) -> bool {
        let added = |(first, last): &(i32, i32)| usize::try_from(last.saturating_sub(*first)).unwrap_or(usize::MAX);
        let products = self.added.iter().map(added).fold(self.edited.len(), usize::saturating_add);
        self.everything || self.categories || products > EDITS_BEHIND_MAX
    }
}

impl Index {
    /// An empty one that takes at most so much memory, in bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            state: RwLock::default(),
            news: Mutex::default(),
            bell: Notify::new(),
            queries: Mutex::default(),
        }
    }

    /// Makes it whole of these.
    #[cfg(test)]
    pub(crate) fn fill(&self, items: impl IntoIterator<Item = Item>) {
        let mut state = self.write();
        (state.is_open, state.is_whole) = (true, true);
        items.into_iter().for_each(|item| assert!(state.shelf.put(&item)));
    }

    /// The page of a list, if it can be told here. `query` is what its words mean; where no product holds them, `query`
    /// and the hits are of what was probably meant, which is told beside them.
    pub(crate) fn find(&self, search: &ProductSearch, query: Option<&Query>) -> Option<(Hits, Option<Replaced>)> {
        let state = self.read();
        if !state.is_whole || !find::is_answerable(search) {
            return None;
        }
        let hits = find::find(&state.shelf, search, query);
        let may_correct = hits.rows.is_empty() && search.after.is_none();
        let replaced = query.filter(|_| may_correct).and_then(|query| {
            // Where the words are held outside of the filters, they are no mistake.
            let is_held = matching::matches(&state.shelf, query);
            let is_held = is_held.iter().any(|number| state.shelf.products[*number as usize].is_here);
            if is_held { None } else { spelling::corrections(&state.shelf, query) }
        });
        match (replaced, query) {
            (Some(replaced), Some(query)) => {
                let hits = find::find(&state.shelf, search, Some(&query.replaced(&replaced)));
                Some((hits, Some(replaced)))
            }
            _ => Some((hits, None)),
        }
    }

    /// Whether announcements are heard.
    pub(crate) fn hears(&self) -> bool {
        self.news().hears
    }

    /// Whether everything on sale is in it.
    pub(crate) fn is_whole(&self) -> bool {
        self.read().is_whole
    }

    /// What PostgreSQL made of these words, if it was asked of late.
    pub(crate) fn query(&self, words: &str) -> Option<Arc<Query>> {
        self.queries().get(words).cloned()
    }

    pub(crate) fn keep_query(&self, words: &str, query: Query) -> Arc<Query> {
        let query = Arc::new(query);
        let mut queries = self.queries();
        if queries.len() >= QUERIES_KEPT_MAX {
            queries.clear();
        }
        if words.len() <= QUERY_KEPT_BYTES_MAX {
            queries.insert(words.into(), Arc::clone(&query));
        }
        query
    }

    /// A product was made or edited here: it shows at once. The product alone.
    pub(crate) fn take_in(&self, Edited { product, document }: Edited) -> Product {
        let edition = product.updated_at.unwrap_or(product.created_at).as_microsecond();
        let (category_id, price) = (product.category_id, product.price);
        if !self.put(&Item { id: product.id, edition, category_id, price, document }, product.is_active) {
            self.hear(|news| {
                news.categories = true;
                news.edited.insert(product.id);
            });
        }
        product
    }

    /// False where its category is not known yet. Locked for each by itself, so that no search waits for many.
    fn put(&self, item: &Item, is_active: bool) -> bool {
        let mut state = self.write();
        if !state.is_open {
            return true;
        }
        if is_active {
            return state.shelf.put(item);
        }
        state.shelf.take_out(item.id, item.edition);
        true
    }

    /// A product was taken off sale in this edition: it is gone at once.
    pub(crate) fn take_out(&self, id: i32, edition: Timestamp) {
        let mut state = self.write();
        if state.is_open {
            state.shelf.take_out(id, edition.as_microsecond());
        }
    }

    /// Announcements are heard from now on, or not any more. Whatever was missed, all must be read anew.
    pub(crate) fn set_hearing(&self, hears: bool) {
        let mut news = self.news();
        *news = News { hears, everything: hears, ..News::default() };
        self.empty();
        drop(news);
        self.bell.notify_one();
    }

    pub(crate) fn heard_of_product(&self, id: i32) {
        self.hear(|news| _ = news.edited.insert(id));
    }

    /// Products with ids from `first` to `last` were made.
    pub(crate) fn heard_of_new(&self, first: i32, last: i32) {
        self.hear(|news| news.added.push((first, last)));
    }

    pub(crate) fn heard_of_categories(&self) {
        self.hear(|news| news.categories = true);
    }

    /// Anything may have changed.
    pub(crate) fn heard_of_everything(&self) {
        self.hear(|news| news.everything = true);
    }

    /// What is there misleads from the moment that it is heard of, not from when it is read.
    fn hear(&self, add: impl FnOnce(&mut News)) {
        let mut news = self.news();
        if !news.hears {
            return;
        }
        add(&mut news);
        if news.is_far_behind() {
            self.write().is_whole = false;
        }
        drop(news);
        self.bell.notify_one();
    }

    fn empty(&self) {
        let mut state = self.write();
        let old = take(&mut *state);
        drop(state);
        drop(old);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queries(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Query>>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
