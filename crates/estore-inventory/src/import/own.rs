//! Rows of our own layout: `id, sku, name, description, price, quantity, category, image_url, min_stock_level,
//! is_active, metadata`; `name` and `price` are needed, the others may be missing.

use serde_json::{Map, Value};

use super::columns::{Column, Columns};
use super::faults::Faults;
use super::fields::{self, Broken};
use super::records::Record;
use super::row::{CategoryPaths, StagedRow, key, known_by, plain};

/// The row, or `None` when a fault was noted.
pub(crate) fn read(
    record: Record<'_>,
    columns: &Columns,
    categories: &mut CategoryPaths,
    faults: &mut Faults,
) -> Option<StagedRow> {
    let mut reading = Reading { record, columns, faults, is_sound: true };
    let name = reading.needed(Column::Name, |text| fields::name(text).map(str::to_owned));
    let price = reading.needed(Column::Price, fields::price);
    let product_id = reading.optional(Column::Id, fields::count);
    let description = reading.description();
    let quantity = reading.optional(Column::Quantity, fields::count);
    let category = reading.optional(Column::Category, |path| categories.number(path));
    let image_url = reading.optional(Column::ImageUrl, |url| fields::image_url(url).map(str::to_owned));
    let min_stock_level = reading.optional(Column::MinStockLevel, fields::count);
    let is_active = reading.optional(Column::IsActive, fields::truth);
    let sku = reading.optional(Column::Sku, |sku| fields::name(sku).map(str::to_owned)).unwrap_or_default();
    let written = reading.optional(Column::Metadata, metadata).unwrap_or_default();
    let (metadata, known_by) = reading.identify(&sku, written, name.as_deref().unwrap_or_default(), product_id);
    reading.is_sound.then(|| StagedRow {
        line: record.line,
        product_id,
        key: known_by,
        name: name.unwrap_or_default(),
        description,
        price: price.unwrap_or_default(),
        quantity,
        category,
        image_url,
        min_stock_level,
        is_active,
        metadata,
    })
}

struct Reading<'a> {
    record: Record<'a>,
    columns: &'a Columns,
    faults: &'a mut Faults,
    is_sound: bool,
}

impl<'a> Reading<'a> {
    fn optional<T>(&mut self, column: Column, read: impl FnOnce(&'a str) -> Result<T, Broken>) -> Option<T> {
        let text = self.columns.field(&self.record, column);
        if text.is_empty() { None } else { self.take(column, read(text)) }
    }

    fn needed<T>(&mut self, column: Column, read: impl FnOnce(&'a str) -> Result<T, Broken>) -> Option<T> {
        let text = self.columns.raw(&self.record, column);
        let text = if column == Column::Name { text } else { text.trim() };
        self.take(
            column,
            if text.trim().is_empty() { Err(("missing", "must be given".to_owned())) } else { read(text) },
        )
    }

    /// Unlike the other fields, a description keeps its outer blanks.
    fn description(&mut self) -> Option<String> {
        let text = self.columns.raw(&self.record, Column::Description);
        if text.is_empty() {
            return None;
        }
        self.take(Column::Description, fields::description(text).map(str::to_owned))
    }

    fn take<T>(&mut self, column: Column, read: Result<T, Broken>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err((rule, detail)) => {
                self.is_sound = false;
                self.faults.add(self.record.line, self.columns.title(column), rule, detail);
                None
            }
        }
    }

    /// The metadata with the SKU in it, and what the product is known by; its id is enough where it is given.
    fn identify(
        &mut self,
        sku: &str,
        written: (String, Map<String, Value>),
        name: &str,
        product_id: Option<i32>,
    ) -> (String, Option<String>) {
        let (mut text, mut metadata) = written;
        let stored = metadata.get("sku").map(plain).unwrap_or_default();
        if !sku.is_empty() && stored != sku {
            metadata.insert("sku".to_owned(), Value::String(sku.to_owned()));
            text = Value::Object(metadata.clone()).to_string();
            // The SKU may be what is too much.
            let size = fields::metadata_size(&text);
            self.take(Column::Metadata, size);
        }
        if text.is_empty() {
            text = "{}".to_owned();
        }
        let known_by = match known_by(&metadata) {
            Some(known_by) => known_by,
            None if product_id.is_some() => return (text, None),
            None => key("", "", &[], name),
        };
        (text, self.take(Column::Name, known_by))
    }
}

/// A JSON object, as it was written and as it was read.
fn metadata(text: &str) -> Result<(String, Map<String, Value>), Broken> {
    let refuse = |detail: String| ("not_a_json_object", detail);
    fields::metadata_size(text)?;
    match serde_json::from_str(text) {
        Ok(value) if holds_nul(&value) => Err(refuse("must not hold NUL characters".to_owned())),
        Ok(Value::Object(map)) => Ok((text.to_owned(), map)),
        Ok(_) => Err(refuse("must be a JSON object such as {\"colour\":\"green\"}".to_owned())),
        Err(error) => Err(refuse(format!("is not JSON: {error}"))),
    }
}

/// PostgreSQL's JSONB stores every character but this one.
pub(crate) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(name, item)| name.contains('\0') || holds_nul(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
