//! A page of figures as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};

use estore_testkit::shop::Shop;

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Everything that was told at one moment.
#[derive(Debug, Clone)]
pub struct Page(pub Vec<Sample>);

/// The token of a shop's figures.
pub fn token(shop: &Shop) -> String {
    let path = shop.address.data_dir.join("secrets/metrics-token");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

/// Asks the process at `base`.
pub async fn scrape(shop: &Shop, base: &str) -> Page {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{base}/metrics")).bearer_auth(token(shop)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    Page::read(&answer.text().await.unwrap())
}

impl Page {
    /// Panics where a line is not in the format, a family stands in two places or a sample comes twice.
    pub fn read(text: &str) -> Self {
        let (mut samples, mut families, mut seen) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split(' ').next().unwrap().to_owned();
                assert!(families.insert(family.clone()), "{family} stands in two places");
            } else if !line.starts_with('#') {
                let (id, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                assert!(seen.insert(id.to_owned()), "{id} comes twice");
                let (name, labels) =
                    id.split_once('{').map_or((id, ""), |(name, rest)| (name, &rest[..rest.len() - 1]));
                assert!(name.starts_with(&family), "{name} stands under {family}");
                let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                samples.push(Sample { name: name.to_owned(), labels: read_labels(labels), value });
            }
        }
        Self(samples)
    }

    /// The value under these labels and perhaps others; panics unless there is exactly one.
    pub fn one(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.all(name, labels);
        assert_eq!(found.len(), 1, "{name}{labels:?}: {found:?}");
        found[0].value
    }

    /// Every sample of a name with these labels.
    pub fn all(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let fits = |sample: &&Sample| {
            sample.name == name
                && labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|own| own == value))
        };
        self.0.iter().filter(fits).collect()
    }

    /// Every name that is told, with those of histograms' parts.
    pub fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|sample| sample.name.as_str()).collect()
    }
}

fn read_labels(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let end = after.find('"').unwrap();
        labels.insert(name.trim_start_matches(',').to_owned(), after[..end].to_owned());
        rest = &after[end + 1..];
    }
    labels
}
