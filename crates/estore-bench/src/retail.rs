//! The "Online Retail" file as products and invoices: which lines count, and how they become checkouts.
//!
//! A line counts when its invoice is ordinary (digits only), its quantity is above zero and its price is a positive
//! number of whole pence. A product is a (StockCode, UnitPrice) pair; the same product twice on an invoice is one line.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::failure::Failure;

/// A line of the file, as it stands there.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    #[serde(rename = "InvoiceNo")]
    pub(crate) invoice: String,
    #[serde(rename = "StockCode")]
    pub(crate) stock_code: String,
    #[serde(rename = "Description")]
    pub(crate) description: String,
    #[serde(rename = "Quantity")]
    pub(crate) quantity: i64,
    #[serde(rename = "UnitPrice")]
    pub(crate) unit_price: String,
    #[serde(rename = "CustomerID")]
    pub(crate) customer: String,
}

/// Something that was sold at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// Ours: the stock code and the price, as in `85123A@255`.
    pub(crate) sku: String,
    pub(crate) stock_code: String,
    /// The first description seen, or the stock code where there is none.
    pub(crate) name: String,
    /// Pence.
    pub(crate) price: i64,
    /// Units on all invoices that are read.
    pub(crate) sold: i64,
}

/// One line of a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Index into [`Year::products`].
    pub(crate) product: usize,
    pub(crate) quantity: i64,
}

/// What becomes one checkout.
#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) number: String,
    /// Index into [`Year::customers`].
    pub(crate) customer: usize,
    /// How many lines of the file it is made of.
    pub(crate) source_lines: u64,
    pub(crate) lines: Vec<Line>,
}

/// Everything that is bought, in file order.
#[derive(Debug, Default)]
pub(crate) struct Year {
    pub(crate) products: Vec<Product>,
    pub(crate) invoices: Vec<Invoice>,
    /// Customer numbers in order of their first invoice; guests are the empty one.
    pub(crate) customers: Vec<String>,
}

/// The rows of the file, gzipped or plain.
pub(crate) fn rows(path: &Path) -> Result<impl Iterator<Item = Result<Row, csv::Error>>, Failure> {
    let file = File::open(path).map_err(|error| Failure::from(error).while_doing(path.display()))?;
    let zipped = path.extension().is_some_and(|extension| extension == "gz");
    let bytes: Box<dyn Read> =
        if zipped { Box::new(GzDecoder::new(BufReader::new(file))) } else { Box::new(BufReader::new(file)) };
    Ok(csv::Reader::from_reader(bytes).into_deserialize())
}

/// Reads the first `invoices_max` invoices with a line that counts (all of them without a limit).
pub(crate) fn read(path: &Path, invoices_max: Option<usize>) -> Result<Year, Failure> {
    let mut reading = Reading { limit: invoices_max.unwrap_or(usize::MAX), ..Reading::default() };
    for row in rows(path)? {
        reading.take(&row?);
    }
    Ok(reading.year)
}

/// Whether an invoice is an ordinary sale: neither a cancellation (`C…`) nor an adjustment (`A…`).
fn is_ordinary(invoice: &str) -> bool {
    !invoice.is_empty() && invoice.bytes().all(|byte| byte.is_ascii_digit())
}

/// A decimal price as whole pence; `None` when it has parts of a penny or is no plain decimal.
fn pence(price: &str) -> Option<i64> {
    let (pounds, fraction) = price.split_once('.').unwrap_or((price, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if pounds.is_empty() || !digits(pounds) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let hundredths = match fraction.len() {
        0 => 0,
        1 => fraction.parse::<i64>().ok()?.checked_mul(10)?,
        2 => fraction.parse::<i64>().ok()?,
        _ => return None,
    };
    pounds.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)
}

#[derive(Default)]
struct Reading {
    limit: usize,
    year: Year,
    products: HashMap<(String, i64), usize>,
    invoices: HashMap<String, usize>,
    customers: HashMap<String, usize>,
}

impl Reading {
    fn take(&mut self, row: &Row) {
        let counts = is_ordinary(&row.invoice) && row.quantity > 0;
        let Some(price) = pence(&row.unit_price).filter(|price| counts && *price > 0) else { return };
        let Some(invoice) = self.invoice(row) else { return };
        let product = self.product(row, price);
        let invoice = &mut self.year.invoices[invoice];
        invoice.source_lines += 1;
        self.year.products[product].sold += row.quantity;
        match invoice.lines.iter_mut().find(|line| line.product == product) {
            Some(line) => line.quantity += row.quantity,
            None => invoice.lines.push(Line { product, quantity: row.quantity }),
        }
    }

    /// The row's invoice, or `None` when it is one more than wanted.
    fn invoice(&mut self, row: &Row) -> Option<usize> {
        if let Some(known) = self.invoices.get(&row.invoice) {
            return Some(*known);
        }
        let index = self.year.invoices.len();
        if index >= self.limit {
            return None;
        }
        let customer = *self.customers.entry(row.customer.clone()).or_insert_with(|| {
            self.year.customers.push(row.customer.clone());
            self.year.customers.len() - 1
        });
        let number = row.invoice.clone();
        self.invoices.insert(number.clone(), index);
        self.year.invoices.push(Invoice { number, customer, source_lines: 0, lines: Vec::new() });
        Some(index)
    }

    fn product(&mut self, row: &Row, price: i64) -> usize {
        let products = &mut self.year.products;
        *self.products.entry((row.stock_code.clone(), price)).or_insert_with(|| {
            let described = row.description.trim();
            let name = if described.is_empty() { row.stock_code.trim() } else { described }.to_owned();
            let sku = format!("{}@{price}", row.stock_code);
            products.push(Product { sku, stock_code: row.stock_code.clone(), name, price, sold: 0 });
            products.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Line, is_ordinary, pence, read};
    use crate::facts::{Facts, PUBLISHED, count};

    #[test]
    fn prices_are_read_to_the_penny() {
        assert_eq!(pence("2.55"), Some(255));
        assert_eq!(pence("2.1"), Some(210));
        assert_eq!(pence("38970.0"), Some(3_897_000));
        assert_eq!(pence("7"), Some(700));
        assert_eq!(pence("0.010"), Some(1));
        for bad in ["0.001", "-1.00", "", ".", "1e3", "1.2.3", " 1", "+1"] {
            assert_eq!(pence(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_digits_make_an_ordinary_invoice() {
        assert!(is_ordinary("536365"));
        assert!(!is_ordinary("C536365") && !is_ordinary("A563185") && !is_ordinary(""));
    }

    #[test]
    fn lines_merge_and_what_does_not_count_is_left_out() {
        let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        file.write_all(
            b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
              1,A, LAMP ,2,2010-12-01 08:26:00,2.5,17,UK\n\
              C2,A,LAMP,-2,2010-12-01 08:26:00,2.5,17,UK\n\
              1,A,LAMP,3,2010-12-01 08:26:00,2.50,17,UK\n\
              1,A,LAMP,1,2010-12-01 08:26:00,3,17,UK\n\
              3,B,,1,2010-12-01 08:26:00,0.001,,UK\n\
              4,B,,1,2010-12-01 08:26:00,1,,UK\n\
              1,B,,9,2010-12-01 08:26:00,1,17,UK\n",
        )
        .unwrap();
        let year = read(file.path(), None).unwrap();
        assert_eq!(year.customers, ["17", ""]);
        assert_eq!(year.products.iter().map(|p| p.sku.as_str()).collect::<Vec<_>>(), ["A@250", "A@300", "B@100"]);
        assert_eq!(year.products.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["LAMP", "LAMP", "B"]);
        assert_eq!(year.invoices.iter().map(|i| i.number.as_str()).collect::<Vec<_>>(), ["1", "4"]);
        let lines = [(0, 5), (1, 1), (2, 9)].map(|(product, quantity)| Line { product, quantity });
        assert_eq!(year.invoices[0].lines, lines);
        assert_eq!(year.invoices[0].source_lines, 4);
        let first = Facts { source_lines: 4, products: 3, checkouts: 1, orders: 3, pence: 2450, units: 15 };
        assert_eq!(count(file.path(), Some(1)).unwrap(), first);
        assert_eq!(Facts::of(&read(file.path(), Some(1)).unwrap()), first);
    }

    #[test]
    fn the_real_year_has_the_published_figures() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/online-retail/online_retail.csv.gz");
        if !path.exists() {
            eprintln!("NOT TESTED: {} is not there, so the year's figures were not compared", path.display());
            return;
        }
        let year = read(&path, None).unwrap();
        assert_eq!(Facts::of(&year), PUBLISHED);
        assert_eq!(count(&path, None).unwrap(), PUBLISHED);
        assert_eq!(year.customers.len(), 4_339, "4,338 customers and the guests");
        assert_eq!(Facts::of(&read(&path, Some(200)).unwrap()), count(&path, Some(200)).unwrap());
    }
}
