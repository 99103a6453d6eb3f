//! A file's header: which of the known layouts it is, and where each column stands.

use super::faults::Faults;
use super::records::Record;

/// What a column means, whatever its name in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Id,
    Sku,
    Name,
    Description,
    Price,
    Quantity,
    Category,
    ImageUrl,
    MinStockLevel,
    IsActive,
    Metadata,
    Handle,
    Vendor,
    GoogleCategory,
    Type,
    Tags,
    Published,
    Status,
    OptionName(u8),
    OptionValue(u8),
    ComparePrice,
    Barcode,
    VariantImage,
}

/// The layouts that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Own,
    Shopify,
}

/// Where the columns of a file stand.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) layout: Layout,
    pub(crate) width: usize,
    known: Vec<(Column, usize, String)>,
}

impl Columns {
    /// Reads the header; `None` when a fault was noted.
    pub(crate) fn read(header: Record<'_>, faults: &mut Faults) -> Option<Self> {
        let titles: Vec<&str> = (0..header.len()).map(|n| header.field(n).trim()).collect();
        let has = |title: &str| titles.iter().any(|have| have.eq_ignore_ascii_case(title));
        let layout = if has("name") {
            Layout::Own
        } else if has("title") {
            Layout::Shopify
        } else {
            let detail = "neither a column `name` (our own layout) nor `Title` (Shopify's) is in the first line; \
                          columns are separated by commas";
            faults.add(1, "", "unknown_header", detail);
            return None;
        };
        let mut columns = Self { layout, width: titles.len(), known: Vec::new() };
        for (number, title) in titles.iter().enumerate() {
            columns.note(number, title, faults);
        }
        let needed = if layout == Layout::Own { "price" } else { "Variant Price` or `Price" };
        if columns.number(Column::Price).is_none() {
            faults.add(1, "", "missing_column", format!("there is no column `{needed}`"));
        }
        faults.is_empty().then_some(columns)
    }

    fn note(&mut self, number: usize, title: &str, faults: &mut Faults) {
        let lower = title.to_ascii_lowercase();
        let column = if self.layout == Layout::Own { own(&lower) } else { shopify(&lower) };
        match column {
            Some(column) if self.number(column).is_some() => {
                faults.add(1, title, "duplicate_column", "another column means the same");
            }
            Some(column) => self.known.push((column, number, title.to_owned())),
            // Shops have columns of their own among Shopify's; in our layout an unknown one is a slip.
            None if self.layout == Layout::Own => {
                faults.add(1, title, "unknown_column", "is none of the columns of this layout");
            }
            None => {}
        }
    }

    fn number(&self, column: Column) -> Option<usize> {
        self.known.iter().find(|(known, ..)| *known == column).map(|(_, number, _)| *number)
    }

    /// Whether the file has the column.
    pub(crate) fn has(&self, column: Column) -> bool {
        self.number(column).is_some()
    }

    /// The column's name in the file, for faults.
    pub(crate) fn title(&self, column: Column) -> &str {
        self.known.iter().find(|(known, ..)| *known == column).map_or("", |(_, _, title)| title)
    }

    /// A record's field without outer blanks; empty where the file lacks the column.
    pub(crate) fn field<'a>(&self, record: &Record<'a>, column: Column) -> &'a str {
        self.number(column).map_or("", |number| record.field(number).trim())
    }

    /// A record's field as it stands.
    pub(crate) fn raw<'a>(&self, record: &Record<'a>, column: Column) -> &'a str {
        self.number(column).map_or("", |number| record.field(number))
    }
}

fn own(title: &str) -> Option<Column> {
    Some(match title {
        "id" => Column::Id,
        "sku" => Column::Sku,
        "name" => Column::Name,
        "description" => Column::Description,
        "price" => Column::Price,
        "quantity" => Column::Quantity,
        "category" => Column::Category,
        "image_url" => Column::ImageUrl,
        "min_stock_level" => Column::MinStockLevel,
        "is_active" => Column::IsActive,
        "metadata" => Column::Metadata,
        _ => return None,
    })
}

/// Shopify's names of 2019 to 2025; the older ones say `Variant …` and `Body (HTML)`.
fn shopify(title: &str) -> Option<Column> {
    Some(match title {
        "handle" | "url handle" => Column::Handle,
        "title" => Column::Name,
        "body (html)" | "description" => Column::Description,
        "vendor" => Column::Vendor,
        "product category" => Column::Category,
        "google shopping / google product category" => Column::GoogleCategory,
        "type" => Column::Type,
        "tags" => Column::Tags,
        "published" | "published on online store" => Column::Published,
        "status" => Column::Status,
        "option1 name" => Column::OptionName(1),
        "option2 name" => Column::OptionName(2),
        "option3 name" => Column::OptionName(3),
        "option1 value" => Column::OptionValue(1),
        "option2 value" => Column::OptionValue(2),
        "option3 value" => Column::OptionValue(3),
        "variant sku" | "sku" => Column::Sku,
        "variant inventory qty" | "inventory quantity" => Column::Quantity,
        "variant price" | "price" => Column::Price,
        "variant compare at price" | "compare-at price" => Column::ComparePrice,
        "variant barcode" | "barcode" => Column::Barcode,
        "image src" | "product image url" => Column::ImageUrl,
        "variant image" | "variant image url" => Column::VariantImage,
        _ => return None,
    })
}
