//! The text that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use tokio_postgres::Row;

use super::Histogram;

/// Microseconds of a second.
const MICROS: u64 = 1_000_000;

/// What kind of figures a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution of durations: recorded in microseconds, shown in seconds.
    Times,
    /// A distribution of whole numbers.
    Sizes,
}

/// Figures of one name.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// As Prometheus knows it.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// One sentence for a person.
    pub help: &'static str,
}

impl Family {
    /// Figures that only grow.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, help }
    }

    /// Figures that go up and down.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, help }
    }

    /// A distribution of durations.
    #[must_use]
    pub const fn times(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Times, help }
    }

    /// A distribution of sizes.
    #[must_use]
    pub const fn sizes(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Sizes, help }
    }

    fn type_word(&self) -> &'static str {
        match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Times | Kind::Sizes => "histogram",
        }
    }
}

/// Samples by family; shown, each family stands in one place, whoever added to it.
#[derive(Debug, Clone, Default)]
pub struct Page {
    families: BTreeMap<&'static str, (&'static str, &'static str, String)>,
}

impl Page {
    /// One figure under its labels.
    pub fn sample(&mut self, family: &Family, labels: &[(&str, &str)], value: impl Display) {
        let samples = self.samples(family);
        write_sample(samples, family.name, labels, None, value);
    }

    /// The columns of a row that are figures: `float8`, and none where they are null.
    pub fn row(&mut self, figures: &[(&str, Family)], labels: &[(&str, &str)], row: &Row) {
        for (column, family) in figures {
            if let Some(value) = row.get::<_, Option<f64>>(column) {
                self.sample(family, labels, value);
            }
        }
    }

    /// A distribution under its labels.
    pub fn histogram(&mut self, family: &Family, labels: &[(&str, &str)], histogram: &Histogram) {
        let shown = |value: u64| if family.kind == Kind::Times { seconds(value) } else { value.to_string() };
        let (bucket, sum, count) =
            (format!("{}_bucket", family.name), format!("{}_sum", family.name), format!("{}_count", family.name));
        let total = histogram.sum();
        let samples = self.samples(family);
        let mut all = 0;
        for (bound, number) in histogram.up_to() {
            let bound = bound.map_or_else(|| "+Inf".to_owned(), shown);
            write_sample(samples, &bucket, labels, Some(&bound), number);
            all = number;
        }
        write_sample(samples, &sum, labels, None, shown(total));
        write_sample(samples, &count, labels, None, all);
    }

    /// Adds everything of another page.
    pub fn merge(&mut self, other: &Self) {
        for (name, (kind, help, samples)) in &other.families {
            self.families.entry(name).or_insert_with(|| (kind, help, String::new())).2.push_str(samples);
        }
    }

    fn samples(&mut self, family: &Family) -> &mut String {
        &mut self.families.entry(family.name).or_insert_with(|| (family.type_word(), family.help, String::new())).2
    }
}

impl Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, (kind, help, samples)) in &self.families {
            write!(f, "# HELP {name} {help}\n# TYPE {name} {kind}\n{samples}")?;
        }
        Ok(())
    }
}

fn write_sample(text: &mut String, name: &str, labels: &[(&str, &str)], bound: Option<&str>, value: impl Display) {
    text.push_str(name);
    let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
    let mut before = '{';
    for (label, shown) in all {
        text.push(before);
        before = ',';
        text.push_str(label);
        text.push_str("=\"");
        for letter in shown.chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if before == ',' {
        text.push('}');
    }
    text.push_str(&format!(" {value}\n"));
}

/// Microseconds as seconds, without needless zeros.
fn seconds(micros: u64) -> String {
    let (whole, part) = (micros / MICROS, micros % MICROS);
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:06}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Family, Page};

    const UP: Family = Family::gauge("up", "Whether.");
    const AGE: Family = Family::gauge("age", "How old.");

    #[test]
    fn a_family_stands_in_one_place_and_labels_are_escaped() {
        let (mut page, mut other) = (Page::default(), Page::default());
        page.sample(&UP, &[("db", "a\"b\\c\nd")], 1);
        page.sample(&AGE, &[], 0.5);
        other.sample(&UP, &[("db", "y")], 0);
        page.merge(&other);
        let wanted = "# HELP age How old.\n# TYPE age gauge\nage 0.5\n# HELP up Whether.\n# TYPE up gauge\n\
                      up{db=\"a\\\"b\\\\c\\nd\"} 1\nup{db=\"y\"} 0\n";
        assert_eq!(page.to_string(), wanted);
    }
}
