//! Products: their shape and the rules of their fields.

use estore_kit::problem::FieldError;
use estore_kit::validate::Rules;
use jiff::Timestamp;
use postgres_types::Json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio_postgres::Row;
use utoipa::ToSchema;

use crate::category::{given, yes};
use crate::import::row::known_by;
use crate::limits::{
    DESCRIPTION_CHARACTERS_MAX, IMAGE_URL_CHARACTERS_MAX, METADATA_BYTES_MAX, NAME_CHARACTERS_MAX, STOCK_UNITS_MAX,
};

/// A product; a variant is a product of its own that shares `metadata.handle` with its siblings.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Its id.
    pub id: i32,
    /// Its name.
    #[schema(example = "Watering can, 5 l")]
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Price of one unit, in cents.
    #[schema(example = 1250)]
    pub price: i32,
    /// Units that can still be sold.
    pub quantity: i32,
    /// The moment that `quantity` is of, at most a second ago; a checkout is decided by the stock of its own moment.
    #[schema(value_type = String, format = DateTime)]
    pub stock_as_of: Timestamp,
    /// The category it is in.
    pub category_id: Option<i32>,
    /// Where its picture is.
    pub image_url: Option<String>,
    /// At this many units or fewer it is listed as low on stock.
    pub min_stock_level: i32,
    /// Whether it is for sale.
    pub is_active: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited; sales are no edits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
    /// Anything else, as an object.
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
}

impl From<&Row> for Product {
    fn from(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            name: row.get("name"),
            description: row.get("description"),
            price: row.get("price"),
            quantity: row.get("quantity"),
            stock_as_of: row.get("stock_as_of"),
            category_id: row.get("category_id"),
            image_url: row.get("image_url"),
            min_stock_level: row.get("min_stock_level"),
            is_active: row.get("is_active"),
            created_at: row.get("created_at"),
            updated_at: row.get("updated_at"),
            metadata: row.get::<_, Json<Box<RawValue>>>("metadata").0,
        }
    }
}

/// A product to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, example = "Watering can, 5 l")]
    pub name: String,
    /// Up to 65,535 characters.
    #[serde(default)]
    #[schema(max_length = 65535)]
    pub description: Option<String>,
    /// Price of one unit in cents, from 0.
    #[schema(minimum = 0, example = 1250)]
    pub price: i32,
    /// Units on the shelf, up to a billion.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000, default = 0)]
    pub quantity: i32,
    /// The category it is in.
    #[serde(default)]
    pub category_id: Option<i32>,
    /// An http or https address of up to 255 characters.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub image_url: Option<String>,
    /// At this many units or fewer it is listed as low on stock.
    #[serde(default)]
    #[schema(minimum = 0, default = 0)]
    pub min_stock_level: i32,
    /// Whether it is for sale.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub is_active: bool,
    /// Any object of up to 16 KiB. Imports know the product again by its `sku`, else by its `handle` and `options`,
    /// which no other product may have. Numbers are whole ones of 64 bits or doubles (IEEE 754): what a double cannot hold is
    /// rounded to the nearest one.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

/// Changes of a product; what is left out stays, `null` takes away. Stock changes have a route of their own.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProductChange {
    /// 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// Up to 65,535 characters.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 65535)]
    pub description: Option<Option<String>>,
    /// Price of one unit in cents, from 0.
    #[schema(minimum = 0)]
    pub price: Option<i32>,
    /// The category it is in.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<i32>)]
    pub category_id: Option<Option<i32>>,
    /// An http or https address of up to 255 characters.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 255)]
    pub image_url: Option<Option<String>>,
    /// At this many units or fewer it is listed as low on stock.
    #[schema(minimum = 0)]
    pub min_stock_level: Option<i32>,
    /// Whether it is for sale.
    pub is_active: Option<bool>,
    /// Any object of up to 16 KiB; it takes the old one's place, as do its `sku`, or `handle` and `options`. Numbers are kept
    /// as for a new product.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

impl NewProduct {
    pub(crate) fn broken_rules(&self) -> Vec<FieldError> {
        let mut rules = Rules::new();
        rules.text("/name", &self.name, 1..=NAME_CHARACTERS_MAX);
        check_description(&mut rules, self.description.as_deref());
        rules.range("/price", self.price, 0..=i32::MAX);
        rules.range("/quantity", self.quantity, 0..=STOCK_UNITS_MAX);
        check_image_url(&mut rules, self.image_url.as_deref());
        rules.range("/min_stock_level", self.min_stock_level, 0..=i32::MAX);
        check_metadata(&mut rules, &self.metadata);
        rules.into_errors()
    }
}

impl ProductChange {
    pub(crate) fn broken_rules(&self) -> Vec<FieldError> {
        let mut rules = Rules::new();
        if let Some(name) = &self.name {
            rules.text("/name", name, 1..=NAME_CHARACTERS_MAX);
        }
        check_description(&mut rules, self.description.as_ref().and_then(Option::as_deref));
        rules.range("/price", self.price.unwrap_or(0), 0..=i32::MAX);
        check_image_url(&mut rules, self.image_url.as_ref().and_then(Option::as_deref));
        rules.range("/min_stock_level", self.min_stock_level.unwrap_or(0), 0..=i32::MAX);
        if let Some(metadata) = &self.metadata {
            check_metadata(&mut rules, metadata);
        }
        rules.into_errors()
    }
}

fn check_description(rules: &mut Rules, description: Option<&str>) {
    if let Some(description) = description {
        rules.text("/description", description, 0..=DESCRIPTION_CHARACTERS_MAX);
    }
}

fn check_image_url(rules: &mut Rules, url: Option<&str>) {
    if let Some(url) = url {
        rules.text("/image_url", url, 1..=IMAGE_URL_CHARACTERS_MAX);
        rules.require(is_web_address(url), "/image_url", "not_a_web_address", "must begin with http:// or https://");
    }
}

fn check_metadata(rules: &mut Rules, metadata: &Map<String, Value>) {
    let bytes = serde_json::to_string(metadata).map_or(usize::MAX, |text| text.len());
    rules.require(
        bytes <= METADATA_BYTES_MAX,
        "/metadata",
        "too_large",
        format!("must be at most {METADATA_BYTES_MAX} bytes as JSON, not {bytes}"),
    );
    if let Some(Err((code, detail))) = known_by(metadata) {
        rules.broken("/metadata", code, detail);
    }
}

/// What imports know a product with these metadata by, if by them at all.
pub(crate) fn import_key(metadata: &Map<String, Value>) -> Option<String> {
    known_by(metadata)?.ok()
}

/// Whether a browser would fetch it: http or https, a host, and no blanks.
pub(crate) fn is_web_address(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !url.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::{ProductChange, is_web_address};

    #[test]
    fn web_addresses_have_a_host_and_no_blanks() {
        assert!(is_web_address("https://example.org/a.jpg?x=1"));
        for bad in ["", "javascript:alert(1)", "http://", "https:///a", "https://a b", "//example.org/a"] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }

    #[test]
    fn null_is_told_from_left_out() {
        let change: ProductChange = serde_json::from_str(r#"{"description":null}"#).unwrap();
        assert_eq!((change.description, change.image_url), (Some(None), None));
    }
}
