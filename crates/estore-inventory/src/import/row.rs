//! A row of the staging table, and its bytes in PostgreSQL's binary COPY format.

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use serde_json::{Map, Value};

use super::category_path;
use super::columns::{Column, Columns, Layout};
use super::fields::Broken;
use crate::limits::{IMPORT_CATEGORIES_MAX, IMPORT_KEY_BYTES_MAX};

/// How a binary COPY begins: its signature, no flags, no extension.
pub(crate) const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// How it ends.
pub(crate) const COPY_TRAILER: i16 = -1;
/// Columns of the staging table.
const COLUMNS: i16 = 12;
/// The version byte in front of binary JSONB.
const JSONB_VERSION: u8 = 1;

/// What a file says of one product; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StagedRow {
    pub(crate) line: u64,
    pub(crate) product_id: Option<i32>,
    pub(crate) key: Option<String>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) price: i32,
    pub(crate) quantity: Option<i32>,
    /// A number of [`CategoryPaths`].
    pub(crate) category: Option<i32>,
    pub(crate) image_url: Option<String>,
    pub(crate) min_stock_level: Option<i32>,
    pub(crate) is_active: Option<bool>,
    pub(crate) metadata: String,
}

/// Which columns of known products an import writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) description: bool,
    pub(crate) category: bool,
    pub(crate) image_url: bool,
    pub(crate) min_stock_level: bool,
    /// Whether metadata takes the old one's place; otherwise it is laid over it.
    pub(crate) metadata: bool,
}

impl Given {
    pub(crate) fn of(columns: &Columns) -> Self {
        let category = [Column::Category, Column::GoogleCategory, Column::Type];
        Self {
            description: columns.has(Column::Description),
            category: category.iter().any(|column| columns.has(*column)),
            image_url: columns.has(Column::ImageUrl) || columns.has(Column::VariantImage),
            min_stock_level: columns.has(Column::MinStockLevel),
            metadata: columns.layout == Layout::Own && columns.has(Column::Metadata),
        }
    }
}

impl StagedRow {
    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_i16(COLUMNS);
        put_number(out, Some(i32::try_from(self.line).unwrap_or(i32::MAX)));
        put_number(out, self.product_id);
        put_text(out, self.key.as_deref());
        put_text(out, Some(&self.name));
        put_text(out, self.description.as_deref());
        put_number(out, Some(self.price));
        put_number(out, self.quantity);
        put_number(out, self.category);
        put_text(out, self.image_url.as_deref());
        put_number(out, self.min_stock_level);
        match self.is_active {
            None => out.put_i32(-1),
            Some(is_active) => {
                out.put_i32(1);
                out.put_u8(u8::from(is_active));
            }
        }
        put_length(out, self.metadata.len() + 1);
        out.put_u8(JSONB_VERSION);
        out.put_slice(self.metadata.as_bytes());
    }
}

fn put_number(out: &mut BytesMut, number: Option<i32>) {
    match number {
        None => out.put_i32(-1),
        Some(number) => {
            out.put_i32(4);
            out.put_i32(number);
        }
    }
}

fn put_text(out: &mut BytesMut, text: Option<&str>) {
    match text {
        None => out.put_i32(-1),
        Some(text) => {
            put_length(out, text.len());
            out.put_slice(text.as_bytes());
        }
    }
}

/// Every field is far under 2 GiB: a record is at most a megabyte.
fn put_length(out: &mut BytesMut, bytes: usize) {
    out.put_i32(i32::try_from(bytes).unwrap_or(i32::MAX));
}

/// The category paths of a file, numbered from 1.
#[derive(Debug, Default)]
pub(crate) struct CategoryPaths {
    numbers: HashMap<String, i32>,
    pub(crate) paths: Vec<Vec<String>>,
}

impl CategoryPaths {
    /// The number of a path, or the rule it breaks.
    pub(crate) fn number(&mut self, path: &str) -> Result<i32, Broken> {
        if let Some(number) = self.numbers.get(path) {
            return Ok(*number);
        }
        let names = category_path::parse(path).map_err(|detail| ("not_a_category_path", detail))?;
        if self.paths.len() >= IMPORT_CATEGORIES_MAX {
            let detail = format!("is one of more than {IMPORT_CATEGORIES_MAX} categories; import the file in parts");
            return Err(("too_many_categories", detail));
        }
        self.paths.push(names);
        let number = i32::try_from(self.paths.len()).unwrap_or(i32::MAX);
        self.numbers.insert(path.to_owned(), number);
        Ok(number)
    }
}

/// What a product's metadata make it known by: its SKU, else its handle and options; `None` where they name neither.
pub(crate) fn known_by(metadata: &Map<String, Value>) -> Option<Result<String, Broken>> {
    let text = |name: &str| metadata.get(name).map(plain).unwrap_or_default();
    let (sku, handle) = (text("sku"), text("handle"));
    if sku.is_empty() && handle.is_empty() {
        return None;
    }
    let options = metadata.get("options").and_then(Value::as_object);
    let options: Vec<(String, String)> =
        options.into_iter().flatten().map(|(name, value)| (name.clone(), plain(value))).collect();
    Some(key(&sku, &handle, &options, ""))
}

/// A value as a file would write it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a product is known by: its SKU; else its handle and options; else its name.
pub(crate) fn key(sku: &str, handle: &str, options: &[(String, String)], name: &str) -> Result<String, Broken> {
    let key = if !sku.is_empty() {
        format!("sku:{sku}")
    } else if !handle.is_empty() {
        let mut options: Vec<String> = options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        options.sort();
        format!("handle:{handle}|{}", options.join("|"))
    } else {
        format!("name:{name}")
    };
    if key.len() <= IMPORT_KEY_BYTES_MAX {
        return Ok(key);
    }
    Err((
        "key_too_long",
        format!("SKU, or handle and options, must have at most {IMPORT_KEY_BYTES_MAX} bytes together"),
    ))
}
