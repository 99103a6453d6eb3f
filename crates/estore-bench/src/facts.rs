//! What must come out: the published figures, and a second, simpler count of the file that shares no code with
//! [`crate::retail`] but the reading of rows.

use std::collections::HashSet;
use std::path::Path;

use crate::failure::Failure;
#[cfg(test)]
use crate::retail::Year;
use crate::retail::{Row, rows};

/// The figures of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// Lines of the file that count.
    pub(crate) source_lines: u64,
    pub(crate) products: u64,
    pub(crate) checkouts: u64,
    /// Lines of checkouts.
    pub(crate) orders: u64,
    /// The sum over all orders, in pence.
    pub(crate) pence: u64,
    /// The units sold.
    pub(crate) units: u64,
}

/// The whole year's figures, as published with the data.
pub(crate) const PUBLISHED: Facts = Facts {
    source_lines: 530_099,
    products: 15_411,
    checkouts: 19_959,
    orders: 520_070,
    pence: 1_065_562_248,
    units: 5_588_371,
};

impl Facts {
    /// The figures of a year that has been read.
    #[cfg(test)]
    pub(crate) fn of(year: &Year) -> Self {
        let mut facts = Self { products: year.products.len() as u64, ..Self::default() };
        for invoice in &year.invoices {
            facts.checkouts += 1;
            facts.source_lines += invoice.source_lines;
            facts.orders += invoice.lines.len() as u64;
            for line in &invoice.lines {
                facts.pence += u64::try_from(line.quantity * year.products[line.product].price).unwrap_or(0);
                facts.units += u64::try_from(line.quantity).unwrap_or(0);
            }
        }
        facts
    }
}

/// Counts the file in one plain pass; of the invoices, the first `invoices_max` that have a line that counts.
pub(crate) fn count(path: &Path, invoices_max: Option<usize>) -> Result<Facts, Failure> {
    let limit = invoices_max.unwrap_or(usize::MAX);
    let (mut invoices, mut products, mut orders) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut facts = Facts::default();
    for row in rows(path)? {
        let row = row?;
        let Some((pence, units)) = worth(&row) else { continue };
        if !invoices.contains(&row.invoice) {
            if invoices.len() >= limit {
                continue;
            }
            invoices.insert(row.invoice.clone());
        }
        facts.source_lines += 1;
        facts.units += units;
        facts.pence += pence * units;
        products.insert((row.stock_code.clone(), pence));
        orders.insert((row.invoice, row.stock_code, pence));
    }
    facts.products = products.len() as u64;
    facts.checkouts = invoices.len() as u64;
    facts.orders = orders.len() as u64;
    Ok(facts)
}

/// Pence for a unit and units, if the line counts. Prices are read as thousandths: three decimals at most occur.
fn worth(row: &Row) -> Option<(u64, u64)> {
    let number: u64 = row.invoice.parse().ok()?;
    let units = u64::try_from(row.quantity).ok()?;
    let mut parts = row.unit_price.split('.');
    let whole: u64 = parts.next()?.parse().ok()?;
    let thousandths: u64 = format!("{:0<3}", parts.next().unwrap_or("0")).parse().ok()?;
    let price = whole * 1000 + thousandths;
    (number > 0 && units > 0 && price > 0 && price.is_multiple_of(10)).then_some((price / 10, units))
}
