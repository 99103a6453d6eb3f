//! Product lists: filters, sorts and where a page begins.

use estore_kit::paging::{self, parameter};
use estore_kit::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::limits::{METADATA_FILTER_BYTES_MAX, SEARCH_CHARACTERS_MAX};
use crate::product::Product;

/// The order of a product list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum ProductSort {
    /// The best match first; needs `q`.
    #[serde(rename = "relevance")]
    Relevance,
    /// The cheapest first.
    #[serde(rename = "price")]
    Price,
    /// The dearest first.
    #[serde(rename = "-price")]
    PriceDown,
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// The newest first.
    #[serde(rename = "newest")]
    Newest,
}

/// Which products to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProductsQuery {
    /// Words to look for in names and descriptions; `"a phrase"`, `or` and `-not` are understood, and where nothing
    /// holds the words, names that look alike are found. Up to 200 characters.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// Only products of this category and those below it.
    pub category_id: Option<i32>,
    /// Only products at this price or more, in cents.
    #[param(minimum = 0)]
    pub min_price: Option<i32>,
    /// Only products at this price or less, in cents.
    #[param(minimum = 0)]
    pub max_price: Option<i32>,
    /// Only products with units left, or only those without.
    pub in_stock: Option<bool>,
    /// Only products that are for sale, or only those that are not; shoppers see the former alone.
    pub is_active: Option<bool>,
    /// Only products whose metadata contains this JSON object. Up to 2,048 bytes.
    #[param(example = r#"{"options":{"Color":"Green"}}"#)]
    pub metadata: Option<String>,
    /// The order: `relevance` with `q` and `newest` without, when left out.
    #[param(inline)]
    pub sort: Option<ProductSort>,
    /// How many to answer, 1 to 100 (20 when left out).
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Where a page begins: behind the row with this key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) sort: ProductSort,
    /// Whether the list is of names that look alike.
    pub(crate) alike: bool,
    /// Price or score; 0 where the sort has none.
    pub(crate) score: i32,
    /// Name, where the list is sorted by it.
    pub(crate) name: Option<String>,
    pub(crate) id: i32,
}

/// A checked [`ProductsQuery`].
#[derive(Debug)]
pub(crate) struct ProductSearch {
    pub(crate) words: Option<String>,
    pub(crate) category_id: Option<i32>,
    pub(crate) min_price: Option<i32>,
    pub(crate) max_price: Option<i32>,
    pub(crate) in_stock: Option<bool>,
    pub(crate) is_active: Option<bool>,
    pub(crate) metadata: Option<Value>,
    pub(crate) sort: ProductSort,
    pub(crate) after: Option<Position>,
    pub(crate) limit: usize,
    /// Whether products that are not for sale are shown.
    pub(crate) shows_inactive: bool,
}

/// A row of a list with the score it is sorted by.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) product: Product,
    pub(crate) score: i32,
}

impl ProductSearch {
    /// Checks every parameter and names the one that breaks a rule.
    pub(crate) fn read(query: ProductsQuery, shows_inactive: bool) -> Result<Self, Problem> {
        let words = query.q.map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
        if words.as_ref().is_some_and(|words| words.chars().count() > SEARCH_CHARACTERS_MAX) {
            return Err(parameter("q", "length", format!("must have at most {SEARCH_CHARACTERS_MAX} characters")));
        }
        for (name, price) in [("min_price", query.min_price), ("max_price", query.max_price)] {
            if price.is_some_and(|price| price < 0) {
                return Err(parameter(name, "out_of_range", "must be 0 or more".into()));
            }
        }
        let sort = match (query.sort, &words) {
            (None | Some(ProductSort::Relevance), None) => ProductSort::Newest,
            (None, Some(_)) => ProductSort::Relevance,
            (Some(sort), _) => sort,
        };
        let after: Option<Position> = paging::decode(query.cursor.as_deref())?;
        if after.as_ref().is_some_and(|after| after.sort != sort) {
            return Err(parameter("cursor", "invalid_cursor", "belongs to a list in another order".into()));
        }
        Ok(Self {
            words,
            category_id: query.category_id,
            min_price: query.min_price,
            max_price: query.max_price,
            in_stock: query.in_stock,
            is_active: query.is_active,
            metadata: query.metadata.as_deref().map(read_metadata).transpose()?,
            sort,
            after,
            limit: paging::limit(query.limit)?,
            shows_inactive,
        })
    }

    /// The key of a row, for the page behind it.
    pub(crate) fn position(&self, row: &Found, alike: bool) -> Position {
        let name = (self.sort == ProductSort::Name).then(|| row.product.name.clone());
        Position { sort: self.sort, alike, score: row.score, name, id: row.product.id }
    }
}

fn read_metadata(text: &str) -> Result<Value, Problem> {
    let refuse = |detail: &str| parameter("metadata", "invalid", detail.to_owned());
    if text.len() > METADATA_FILTER_BYTES_MAX {
        return Err(refuse("must be at most 2,048 bytes"));
    }
    if estore_kit::extract::has_escaped_nul(text.as_bytes()) {
        return Err(refuse("must not hold NUL characters"));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| refuse(&format!("is not JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(refuse("must be a JSON object")) }
}
