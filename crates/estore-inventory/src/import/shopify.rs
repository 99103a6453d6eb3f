//! Rows of Shopify's layouts. An item is the rows that share a handle: its first row says what all have in common,
//! every row with options, a price or a SKU is a variant, and the others carry pictures.

use serde_json::{Map, Value, json};

use super::columns::{Column, Columns};
use super::faults::Faults;
use super::fields::{self, Broken};
use super::records::Record;
use super::row::{CategoryPaths, StagedRow, key};
use crate::limits::{IMPORT_ITEM_ROWS_MAX, METADATA_BYTES_MAX};

/// The item whose rows are being read.
#[derive(Debug, Default)]
pub(crate) struct Items {
    item: Option<Item>,
}

#[derive(Debug, Default)]
struct Item {
    line: u64,
    handle: String,
    title: String,
    description: Option<String>,
    category: Option<i32>,
    is_active: Option<bool>,
    /// Vendor, type and tags.
    common: Map<String, Value>,
    option_names: [String; 3],
    images: Vec<String>,
    variants: Vec<Variant>,
    rows: usize,
    is_sound: bool,
}

#[derive(Debug)]
struct Variant {
    row: StagedRow,
    metadata: Map<String, Value>,
}

impl Items {
    /// Reads a row; the products of the item before are put to `done` when another begins.
    pub(crate) fn read(
        &mut self,
        record: Record<'_>,
        columns: &Columns,
        reader: &mut Reader<'_>,
        done: &mut Vec<StagedRow>,
    ) {
        let handle = columns.field(&record, Column::Handle);
        let title = columns.field(&record, Column::Name);
        let goes_on = self.item.as_ref().is_some_and(|item| !handle.is_empty() && item.handle == handle);
        let mut row = Row { record, columns, faults: reader.faults, is_sound: true };
        if !goes_on {
            let item = row.item(handle, title, reader.categories);
            if let Some(before) = self.item.replace(item) {
                before.finish(columns, row.faults, done);
            }
        }
        if let Some(item) = &mut self.item {
            row.add_to(item, !goes_on);
        }
    }

    /// Ends the last item.
    pub(crate) fn finish(&mut self, columns: &Columns, faults: &mut Faults, done: &mut Vec<StagedRow>) {
        if let Some(item) = self.item.take() {
            item.finish(columns, faults, done);
        }
    }
}

/// What all rows of a file share.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) categories: &'a mut CategoryPaths,
    pub(crate) faults: &'a mut Faults,
}

struct Row<'a> {
    record: Record<'a>,
    columns: &'a Columns,
    faults: &'a mut Faults,
    is_sound: bool,
}

impl<'a> Row<'a> {
    fn field(&self, column: Column) -> &'a str {
        self.columns.field(&self.record, column)
    }

    fn optional<T>(&mut self, column: Column, read: impl FnOnce(&'a str) -> Result<T, Broken>) -> Option<T> {
        let text = self.field(column);
        if text.is_empty() { None } else { self.take(column, read(text)) }
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

    /// What the first row of an item says of all its variants.
    fn item(&mut self, handle: &str, title: &str, categories: &mut CategoryPaths) -> Item {
        let title = if title.is_empty() {
            let detail = "must be given in an item's first row; the rows of an item stand one after the other";
            self.take(Column::Name, Err::<String, _>(("missing", detail.to_owned())))
        } else {
            self.take(Column::Name, fields::name(title).map(str::to_owned))
        };
        let title = title.unwrap_or_default();
        let handle = if handle.is_empty() { slug(&title) } else { handle.to_owned() };
        let mut common = Map::new();
        common.insert("handle".to_owned(), Value::String(handle.clone()));
        for (name, column) in [("vendor", Column::Vendor), ("type", Column::Type)] {
            let text = self.optional(column, |text| fields::description(text).map(str::to_owned));
            common.extend(text.map(|text| (name.to_owned(), Value::String(text))));
        }
        let tags = self.optional(Column::Tags, |text| fields::description(text).map(tag_list));
        common.extend(tags.filter(|tags| !tags.is_empty()).map(|tags| ("tags".to_owned(), json!(tags))));
        Item {
            line: self.record.line,
            handle,
            title,
            description: self.optional(Column::Description, |text| fields::description(text).map(str::to_owned)),
            category: self.category(categories),
            is_active: self.is_active(),
            common,
            option_names: [1, 2, 3].map(|number| self.field(Column::OptionName(number)).to_owned()),
            is_sound: self.is_sound,
            ..Item::default()
        }
    }

    /// Shopify's own category, else Google's where it is a path and not a number, else the type.
    fn category(&mut self, categories: &mut CategoryPaths) -> Option<i32> {
        let google = self.field(Column::GoogleCategory);
        let is_number = google.bytes().all(|byte| byte.is_ascii_digit());
        let column = if !self.field(Column::Category).is_empty() {
            Column::Category
        } else if !is_number {
            Column::GoogleCategory
        } else {
            Column::Type
        };
        self.optional(column, |path| categories.number(path))
    }

    /// For sale where it is neither a draft nor archived nor unpublished; unsaid where the file has no such column.
    fn is_active(&mut self) -> Option<bool> {
        let published = self.optional(Column::Published, fields::truth);
        let status = self.optional(Column::Status, |status| match status.to_ascii_lowercase().as_str() {
            "active" => Ok(true),
            "draft" | "archived" | "unlisted" => Ok(false),
            _ => Err(("unknown_status", "must be active, draft or archived".to_owned())),
        });
        match (published, status) {
            (None, None) => None,
            (published, status) => Some(published.unwrap_or(true) && status.unwrap_or(true)),
        }
    }

    fn add_to(&mut self, item: &mut Item, is_first: bool) {
        item.rows += 1;
        if item.rows == IMPORT_ITEM_ROWS_MAX + 1 {
            let detail = format!("an item has at most {IMPORT_ITEM_ROWS_MAX} rows");
            self.faults.add(self.record.line, self.columns.title(Column::Handle), "too_many_rows", detail);
        }
        if item.rows > IMPORT_ITEM_ROWS_MAX {
            item.is_sound = false;
            return;
        }
        let image = self.optional(Column::ImageUrl, |url| fields::image_url(url).map(str::to_owned));
        item.images.extend(image.clone());
        let says_variant = [Column::OptionValue(1), Column::Price, Column::Sku];
        if is_first || says_variant.iter().any(|column| !self.field(*column).is_empty()) {
            self.variant(item, image);
        } else if image.is_none() && self.is_sound {
            let detail = "the row has neither a variant nor a picture";
            self.faults.add(self.record.line, "", "says_nothing", detail);
            self.is_sound = false;
        }
        item.is_sound &= self.is_sound;
    }

    fn variant(&mut self, item: &mut Item, image: Option<String>) {
        let price = match self.field(Column::Price) {
            "" => self.take(Column::Price, Err(("missing", "must be given for every variant".to_owned()))),
            text => self.take(Column::Price, fields::price(text)),
        };
        let quantity = self.optional(Column::Quantity, fields::count);
        let own_image = self.optional(Column::VariantImage, |url| fields::image_url(url).map(str::to_owned));
        let options = self.options(item);
        let mut metadata = item.common.clone();
        let sku = self.field(Column::Sku);
        let texts = [
            ("sku", sku),
            ("barcode", self.field(Column::Barcode)),
            ("compare_at_price", self.field(Column::ComparePrice)),
        ];
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            metadata.insert(name.to_owned(), Value::String(text.to_owned()));
        }
        if !options.is_empty() {
            metadata.insert(
                "options".to_owned(),
                Value::Object(options.iter().map(|(n, v)| (n.clone(), json!(v))).collect()),
            );
        }
        let known_by = self.take(Column::Sku, key(sku, &item.handle, &options, &item.title));
        let row = StagedRow {
            line: self.record.line,
            key: known_by,
            name: item.title.clone(),
            description: item.description.clone(),
            price: price.unwrap_or_default(),
            quantity,
            category: item.category,
            image_url: own_image.or(image),
            is_active: item.is_active,
            ..StagedRow::default()
        };
        item.variants.push(Variant { row, metadata });
    }

    /// `Title: Default Title` is how Shopify writes that there are none.
    fn options(&mut self, item: &Item) -> Vec<(String, String)> {
        let mut options = Vec::new();
        for (number, name) in (1_u8..).zip(&item.option_names) {
            let value = self.field(Column::OptionValue(number));
            if value.is_empty() || (name == "Title" && value == "Default Title") {
                continue;
            }
            let name = if name.is_empty() { format!("Option {number}") } else { name.clone() };
            if let Some(value) = self.take(Column::OptionValue(number), fields::name(value)) {
                options.push((name, value.to_owned()));
            }
        }
        options
    }
}

impl Item {
    /// Variants without a picture get the item's first; all of an item's pictures are told with its first variant.
    fn finish(mut self, columns: &Columns, faults: &mut Faults, done: &mut Vec<StagedRow>) {
        if !self.is_sound {
            return;
        }
        if self.images.len() > 1
            && let Some(first) = self.variants.first_mut()
        {
            first.metadata.insert("images".to_owned(), json!(self.images));
        }
        for Variant { mut row, metadata } in self.variants {
            row.image_url = row.image_url.or_else(|| self.images.first().cloned());
            row.metadata = Value::Object(metadata).to_string();
            if row.metadata.len() > METADATA_BYTES_MAX {
                let detail =
                    format!("tags, pictures and options must have at most {METADATA_BYTES_MAX} bytes together");
                faults.add(self.line, columns.title(Column::Tags), "too_large", detail);
                continue;
            }
            done.push(row);
        }
    }
}

fn tag_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// `Example T-Shirt` as `example-t-shirt`.
fn slug(title: &str) -> String {
    let lower = title.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}
