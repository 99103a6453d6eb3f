//! What is thrown at the readers of product files, metadata filters and list positions: by chance (`fuzz/`), and from the
//! corpora by the tests.

use std::sync::LazyLock;

use axum::extract::FromRequestParts;
use axum::http::Request;
use bytes::{Buf, BytesMut};
use estore_kit::extract::Query;
use estore_kit::paging;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::import::file::File;
use crate::import::own::holds_nul;
use crate::import::row::{CategoryPaths, StagedRow};
use crate::limits::{IMPORT_KEY_BYTES_MAX, METADATA_BYTES_MAX, NAME_CHARACTERS_MAX};
use crate::search::{Position, ProductSearch, ProductsQuery, read_metadata};

/// Reads a file as an import does, without a database; `None` where faults were found.
pub(crate) fn read(file: &[u8]) -> Option<(Vec<StagedRow>, CategoryPaths)> {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
    RUNTIME.block_on(async {
        let mut rows = Vec::new();
        let mut file = File::open(file).await.ok()?;
        while file.read(&mut rows).await.ok()? {}
        let (_, categories) = file.finish(&mut rows).ok()?;
        Some((rows, categories))
    })
}

/// A file of products.
///
/// # Panics
/// When a row that is taken breaks a rule of its table, would not be one row for `COPY`, or says something else once it is
/// written anew in our own layout.
pub fn product_files(bytes: &[u8]) {
    let Some((rows, categories)) = read(bytes) else { return };
    for row in rows {
        is_sound(&row, &categories);
        let file = written(&row, &categories);
        let (again, their_categories) = read(file.as_bytes()).unwrap_or_else(|| panic!("is taken no more: {file}"));
        let [again] = again.try_into().unwrap_or_else(|rows| panic!("one row became {rows:?}"));
        let path = |row: &StagedRow, paths: &CategoryPaths| path_of(row, paths).map(<[String]>::to_vec);
        assert_eq!(path(&again, &their_categories), path(&row, &categories), "{file}");
        assert_eq!(
            StagedRow { line: 0, category: None, ..again },
            StagedRow { line: 0, category: None, ..row },
            "{file}"
        );
    }
}

fn path_of<'a>(row: &StagedRow, categories: &'a CategoryPaths) -> Option<&'a [String]> {
    let number = usize::try_from(row.category?).expect("counted from 1");
    Some(&categories.paths[number - 1])
}

fn is_sound(row: &StagedRow, categories: &CategoryPaths) {
    let texts = [Some(&row.name), row.key.as_ref(), row.description.as_ref(), row.image_url.as_ref()];
    assert!(texts.iter().flatten().all(|text| !text.contains('\0')), "{row:?}");
    assert!(!row.name.trim().is_empty() && row.name.chars().count() <= NAME_CHARACTERS_MAX, "{row:?}");
    let numbers = [Some(row.price), row.quantity, row.min_stock_level, row.product_id];
    assert!(numbers.iter().flatten().all(|number| *number >= 0), "{row:?}");
    assert!(row.key.as_ref().is_none_or(|key| key.len() <= IMPORT_KEY_BYTES_MAX), "{row:?}");
    assert!(row.key.is_some() || row.product_id.is_some(), "{row:?}");
    let metadata: Value = serde_json::from_str(&row.metadata).expect("JSON");
    assert!(metadata.is_object() && !holds_nul(&metadata), "{row:?}");
    assert!(row.metadata.len() <= METADATA_BYTES_MAX, "{row:?}");
    assert!(path_of(row, categories).is_none_or(|path| path.iter().all(|name| !name.trim().is_empty())));
    let mut copied = BytesMut::new();
    row.encode(&mut copied);
    for _ in 0..copied.get_i16() {
        let length = copied.get_i32();
        copied.advance(usize::try_from(length).unwrap_or(0));
    }
    assert!(copied.is_empty(), "{row:?}");
}

fn written(row: &StagedRow, categories: &CategoryPaths) -> String {
    let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
    let escaped = |name: &String| name.replace('\\', r"\\").replace('>', r"\>");
    let category = path_of(row, categories).map(|path| path.iter().map(escaped).collect::<Vec<_>>().join(" > "));
    let fields = [
        number(row.product_id),
        row.name.clone(),
        row.description.clone().unwrap_or_default(),
        format!("{}.{:02}", row.price / 100, row.price % 100),
        number(row.quantity),
        category.unwrap_or_default(),
        row.image_url.clone().unwrap_or_default(),
        number(row.min_stock_level),
        row.is_active.map(|is_active| is_active.to_string()).unwrap_or_default(),
        row.metadata.clone(),
    ];
    let quoted = fields.map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
    let header = "id,name,description,price,quantity,category,image_url,min_stock_level,is_active,metadata";
    format!("{header}\n{}\n", quoted.join(","))
}

/// A metadata filter, and the whole query of a product list.
///
/// # Panics
/// When a filter that is taken is no object that the database takes, or where a page begins says something else once it is
/// written anew.
pub fn metadata_filters(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(filter) = read_metadata(text) {
        is_filter(&filter);
    }
    let Ok(request) = Request::get(format!("/v1/products?{text}")).body(()) else { return };
    let mut parts = request.into_parts().0;
    let query =
        Query::<ProductsQuery>::from_request_parts(&mut parts, &()).now_or_never().expect("nothing is waited for");
    let Ok(search) = query.and_then(|Query(query)| ProductSearch::read(query, false)) else { return };
    assert!((1..=100).contains(&search.limit), "{search:?}");
    search.metadata.iter().for_each(is_filter);
    if let Some(after) = &search.after {
        let written = paging::encode(after);
        let again: Position = paging::decode(Some(&written)).expect("what we write is taken").expect("it is a cursor");
        assert_eq!(paging::encode(&again), written);
    }
}

fn is_filter(filter: &Value) {
    assert!(filter.is_object() && !holds_nul(filter), "{filter}");
    let written = filter.to_string();
    // Numbers of more digits than are kept may come back with another last one.
    let again: Value = serde_json::from_str(&written).expect("JSON");
    let names = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names(&again), names(filter), "{written}");
}

#[cfg(test)]
mod tests {
    use estore_testkit::corpus::replay;

    #[test]
    fn product_files_of_the_corpus_are_read() {
        replay("product_files", super::product_files);
    }

    #[test]
    fn metadata_filters_of_the_corpus_are_read() {
        replay("metadata_filters", super::metadata_filters);
    }
}
