//! The products on sale as a search sees them: which of them hold a lexeme, and where.

use std::collections::HashMap;

use super::text::Document;
use super::tree::Tree;
use super::vocabulary::Vocabulary;

/// The slot of products without a category.
const NO_CATEGORY: u32 = u32::MAX;
/// Memory of a product beside its lexemes, in bytes, about.
const PRODUCT_BYTES: usize = 72;
/// Products taken out before those that stay are put together anew, at least.
const GONE_MIN: usize = 1_000;

/// A product as it is put in.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: i32,
    /// In microseconds since 1970.
    pub(crate) edition: i64,
    pub(crate) category_id: Option<i32>,
    /// In cents.
    pub(crate) price: i32,
    pub(crate) document: Document,
}

/// A product, by its number here: one that is edited gets a new number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    pub(super) id: i32,
    pub(super) price: i32,
    /// The category's slot.
    pub(super) category: u32,
    /// Places of all its lexemes.
    pub(super) places: u16,
    pub(super) is_here: bool,
}

/// That a product holds a lexeme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    pub(super) product: u32,
    /// Where its places begin in the list of all, if it has more than a few.
    at: u32,
    /// How many places it has.
    count: u16,
    /// They themselves, where they are so few, as they mostly are: each look elsewhere is a miss of the processor's cache.
    few: [u16; FEW],
}

/// Places that a posting holds itself.
const FEW: usize = 3;

#[derive(Debug, Clone, Copy)]
struct Known {
    /// None once it is taken off sale.
    number: Option<u32>,
    edition: i64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) tree: Tree,
    pub(super) vocabulary: Vocabulary,
    pub(super) products: Vec<Product>,
    known: HashMap<i32, Known>,
    /// By the lexeme's number, in the order of the products' numbers.
    postings: Vec<Vec<Posting>>,
    places: Vec<u16>,
    postings_count: usize,
    gone: usize,
}

impl Shelf {
    /// Puts a product in, or in the place of its edition before. False where its category is not known here.
    pub(super) fn put(&mut self, item: &Item) -> bool {
        let category = match item.category_id.map(|id| self.tree.slot(id)) {
            None => NO_CATEGORY,
            Some(Some(slot)) => slot,
            Some(None) => return false,
        };
        if !self.take_out(item.id, item.edition) {
            return true;
        }
        let number = u32::try_from(self.products.len()).unwrap_or(u32::MAX);
        let mut places = 0_usize;
        for (lexeme, at) in &item.document.0 {
            places += at.len().max(1);
            let lexeme = self.vocabulary.learn(lexeme) as usize;
            if lexeme >= self.postings.len() {
                self.postings.resize_with(lexeme + 1, Vec::new);
            }
            let mut few = [0; FEW];
            few.iter_mut().zip(at).for_each(|(here, place)| *here = *place);
            let count = u16::try_from(at.len()).unwrap_or(u16::MAX);
            self.postings[lexeme].push(Posting { product: number, at: keep(&mut self.places, at), count, few });
        }
        self.postings_count += item.document.0.len();
        let places = u16::try_from(places).unwrap_or(u16::MAX);
        self.products.push(Product { id: item.id, price: item.price, category, places, is_here: true });
        self.known.insert(item.id, Known { number: Some(number), edition: item.edition });
        true
    }

    /// Takes a product out, unless a later edition of it is known already; whether it was not.
    pub(super) fn take_out(&mut self, id: i32, edition: i64) -> bool {
        if self.known.get(&id).is_some_and(|known| known.edition > edition) {
            return false;
        }
        let before = self.known.insert(id, Known { number: None, edition });
        if let Some(number) = before.and_then(|known| known.number) {
            self.products[number as usize].is_here = false;
            self.gone += 1;
            if self.gone >= GONE_MIN.max(self.products.len() / 4) {
                self.put_together();
            }
        }
        true
    }

    /// Lets go of what belongs to products that are gone. The lexemes stay, until all is read anew.
    fn put_together(&mut self) {
        let mut numbers = Vec::with_capacity(self.products.len());
        let mut kept = Vec::with_capacity(self.products.len() - self.gone);
        for product in &self.products {
            numbers.push(product.is_here.then(|| u32::try_from(kept.len()).unwrap_or(u32::MAX)));
            if product.is_here {
                kept.push(*product);
            }
        }
        let mut places = Vec::new();
        self.postings_count = 0;
        for postings in &mut self.postings {
            postings.retain_mut(|posting| {
                let Some(number) = numbers[posting.product as usize] else { return false };
                posting.at = keep(&mut places, places_of(&self.places, posting));
                posting.product = number;
                true
            });
            postings.shrink_to_fit();
            self.postings_count += postings.len();
        }
        for known in self.known.values_mut() {
            known.number = known.number.and_then(|number| numbers[number as usize]);
        }
        (self.products, self.places, self.gone) = (kept, places, 0);
    }

    /// Who holds a lexeme, those that are gone included.
    pub(super) fn postings(&self, lexeme: &str) -> &[Posting] {
        self.vocabulary.number(lexeme).map_or(&[], |number| self.numbered(number))
    }

    fn numbered(&self, number: u32) -> &[Posting] {
        self.postings.get(number as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn places<'a>(&'a self, posting: &'a Posting) -> &'a [u16] {
        places_of(&self.places, posting)
    }

    /// How many products here hold a lexeme.
    pub(super) fn holders(&self, number: u32) -> usize {
        self.numbered(number).iter().filter(|posting| self.products[posting.product as usize].is_here).count()
    }

    /// Memory that it takes, in bytes, about: vectors that grow have room to spare.
    pub(super) fn bytes(&self) -> usize {
        let postings = self.postings_count * size_of::<Posting>() * 3 / 2;
        let places = self.places.capacity() * size_of::<u16>();
        postings + places + self.products.len() * PRODUCT_BYTES + self.vocabulary.bytes + self.tree.bytes()
    }
}

/// Keeps places in the list of all, unless they are few; answers where they begin.
fn keep(all: &mut Vec<u16>, places: &[u16]) -> u32 {
    let at = u32::try_from(all.len()).unwrap_or(u32::MAX);
    if places.len() > FEW {
        all.extend_from_slice(places);
    }
    at
}

fn places_of<'a>(all: &'a [u16], posting: &'a Posting) -> &'a [u16] {
    let count = usize::from(posting.count);
    posting.few.get(..count).unwrap_or_else(|| &all[posting.at as usize..][..count])
}
