//! Product lists: filters, sorts and where a page begins.

use estore_kit::paging::{self, parameter};
use estore_kit::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::index::Replaced;
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

/// What is counted beside a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FacetKind {
    /// The products of each category.
    Category,
}

/// A page of products.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProductList {
    /// The page's products.
    pub data: Vec<Product>,
    /// Where the next page starts; `null` on the last one.
    pub next_cursor: Option<String>,
    /// Counts over the whole list; there when they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
}

/// Counts over a whole list, not the page alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facets {
    /// The categories that hold any of the list's products, themselves or below them; the fullest first, up to 100.
    pub categories: Vec<CategoryCount>,
}

/// How many products of a list a category holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryCount {
    /// The category; as `category_id`, it narrows the list to these products.
    pub category_id: i32,
    /// Its name.
    pub name: String,
    /// The list's products in it and in those below it.
    #[schema(minimum = 1)]
    pub count: i64,
}

/// Which products to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProductsQuery {
    /// Words to look for in names and descriptions; `"a phrase"`, `or` and `-not` are understood, and where nothing
    /// holds the words, those that look alike are taken for misspelt. Up to 200 characters.
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
    /// What to count beside the list: `category`, the products of each category.
    #[param(inline)]
    pub facets: Option<FacetKind>,
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
    /// The lexemes that were taken for misspelt, with those that are looked for instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replaced: Replaced,
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
    pub(crate) facets: bool,
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
            facets: query.facets.is_some(),
            after,
            limit: paging::limit(query.limit)?,
            shows_inactive,
        })
    }

    /// The key of a row, for the page behind it.
    pub(crate) fn position(&self, row: &Found, alike: bool) -> Position {
        let name = (self.sort == ProductSort::Name).then(|| row.product.name.clone());
        let replaced = self.replaced().to_vec();
        Position { sort: self.sort, alike, replaced, score: row.score, name, id: row.product.id }
    }

    /// What the page before took for misspelt.
    pub(crate) fn replaced(&self) -> &[(Box<str>, Vec<Box<str>>)] {
        self.after.as_ref().map_or(&[], |after| &after.replaced)
    }
}

/// The JSON object that products' metadata must contain.
pub(crate) fn read_metadata(text: &str) -> Result<Value, Problem> {
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
