//! Figures: as a table for a person, as JSON lines for a program.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::failure::Failure;

/// One measured figure. With `at_least`, it is good when `ratio` reaches it; with only a baseline, when it is equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) value: Value,
    /// What it is compared with: a measured rate, a limit or a known figure.
    pub(crate) baseline: Option<Number>,
    /// How many times better than the baseline.
    pub(crate) ratio: Option<f64>,
    pub(crate) at_least: Option<f64>,
}

impl Figure {
    /// A figure that is only told.
    pub(crate) fn told(name: impl Into<String>, unit: &str, value: impl Into<Value>) -> Self {
        let (name, unit, value) = (name.into(), unit.to_owned(), value.into());
        Self { name, unit, value, baseline: None, ratio: None, at_least: None }
    }

    /// A count that must be exactly this.
    pub(crate) fn exact(name: impl Into<String>, unit: &str, value: u64, wanted: u64) -> Self {
        Self { baseline: Some(wanted.into()), ..Self::told(name, unit, value) }
    }

    /// A measure that must not be above `limit`.
    pub(crate) fn at_most(name: &str, unit: &str, value: u64, limit: u64) -> Self {
        let ratio = Some(ratio(limit, value));
        Self { ratio, at_least: Some(1.0), ..Self::exact(name, unit, value, limit) }
    }

    /// A time that must not be above `limit`, both in microseconds; told in milliseconds.
    pub(crate) fn time_at_most(name: &str, micros: u64, limit: u64) -> Self {
        Self {
            value: millis(micros).into(),
            baseline: Number::from_f64(millis(limit)),
            ..Self::at_most(name, "ms", micros, limit)
        }
    }

    /// A figure that could not be measured, which is never good.
    pub(crate) fn missing(name: &str, why: impl std::fmt::Display) -> Self {
        Self { ratio: Some(0.0), at_least: Some(1.0), ..Self::told(name, &format!("not measured: {why}"), Value::Null) }
    }

    /// A rate that must reach `at_least` of the baseline's.
    pub(crate) fn share(name: &str, unit: &str, value: u64, baseline: u64, at_least: f64) -> Self {
        let ratio = Some(ratio(value, baseline));
        Self { ratio, at_least: Some(at_least), ..Self::exact(name, unit, value, baseline) }
    }

    /// Whether it is as it must be.
    pub(crate) fn is_good(&self) -> bool {
        match (self.ratio, self.at_least, &self.baseline) {
            (Some(ratio), Some(at_least), _) => ratio >= at_least,
            (_, _, Some(baseline)) => self.value == Value::Number(baseline.clone()),
            _ => true,
        }
    }
}

/// `a / b`, to three decimals, rounded down.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a ratio of measurements is not money")]
fn ratio(a: u64, b: u64) -> f64 {
    (a as f64 / b.max(1) as f64 * 1000.0).floor() / 1000.0
}

/// Microseconds as milliseconds.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a time for a reader is not money")]
pub(crate) fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

/// Things per second, rounded down.
pub(crate) fn per_second(things: u64, took: std::time::Duration) -> u64 {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    things.saturating_mul(1000) / millis
}

/// Prints the figures on standard output and answers whether all are good.
pub(crate) fn print(figures: &[Figure], as_json: bool) -> Result<bool, Failure> {
    if as_json {
        for figure in figures {
            println!("{}", serde_json::to_string(figure)?);
        }
    } else {
        println!("{}", table(figures));
    }
    Ok(figures.iter().all(Figure::is_good))
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["figure", "value", "unit", "to compare", "ratio", "at least", ""]);
    for figure in figures {
        table.add_row(cells(figure));
    }
    for column in [1, 3, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A figure as the cells of a table's row.
pub(crate) fn cells(figure: &Figure) -> [String; 7] {
    let float = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let value = match &figure.value {
        Value::String(text) => text.clone(),
        Value::Number(number) => grouped(number),
        other => other.to_string(),
    };
    let baseline = figure.baseline.as_ref().map(grouped).unwrap_or_default();
    let verdict = match (figure.is_good(), &figure.baseline, figure.at_least) {
        (true, None, _) => "",
        (true, Some(_), _) => "ok",
        (false, _, None) => "WRONG",
        (false, _, Some(_)) => "MISSED",
    };
    let (ratio, at_least) = (float(figure.ratio), float(figure.at_least));
    [figure.name.clone(), value, figure.unit.clone(), baseline, ratio, at_least, verdict.to_owned()]
}

/// A number with a comma after every three digits.
fn grouped(number: &Number) -> String {
    let digits = number.to_string();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits;
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A progress bar on standard error; nothing where that is not a terminal.
pub(crate) fn progress(what: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("{msg:>10} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.with_message(what)
}

/// One line on standard error about what goes on.
pub(crate) fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Figure, cells, per_second};

    #[test]
    fn a_count_must_be_equal_and_a_share_must_be_reached() {
        assert!(Figure::exact("orders", "orders", 5, 5).is_good());
        assert!(!Figure::exact("orders", "orders", 6, 5).is_good());
        assert!(Figure::at_most("start", "ms", 4_999, 5_000).is_good());
        assert!(!Figure::at_most("start", "ms", 5_051, 5_000).is_good());
        assert!(Figure::share("import", "rows/s", 25, 100, 0.25).is_good());
        assert!(!Figure::share("import", "rows/s", 24, 100, 0.25).is_good());
    }

    #[test]
    fn figures_can_be_read_again_and_print_grouped() {
        let figure = Figure::share("import", "rows/s", 1_234_567, 2_000_000, 0.25);
        assert_eq!(serde_json::from_value::<Figure>(serde_json::to_value(&figure).unwrap()).unwrap(), figure);
        assert_eq!(cells(&figure)[1..5], ["1,234,567", "rows/s", "2,000,000", "0.617"]);
        assert_eq!(per_second(100, Duration::from_millis(500)), 200);
    }
}
