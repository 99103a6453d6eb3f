//! Imports products from CSV, all or nothing: rows are checked while they stream into a staging table, and become
//! products by a fixed number of statements.

use std::collections::HashMap;
use std::pin::Pin;

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::Transaction;
use estore_kit::db::{Db, DbError, sign};
use futures_util::SinkExt;
use tokio::io::AsyncRead;
use tokio_postgres::CopyInSink;

use crate::import::faults::Faults;
use crate::import::file::File;
use crate::import::row::{COPY_HEADER, COPY_TRAILER, CategoryPaths, Given, StagedRow};
use crate::import::{ImportError, ImportReport};
use crate::limits::STOCK_UNITS_MAX;
use crate::store::imports;

/// Bytes of rows that are sent to the database at a time.
const COPY_BYTES: usize = 256 * 1024;
/// How often progress is told, in rows.
const PROGRESS_ROWS: u64 = 1_000;

/// Imports the file; every product of it is made or changed, or none is.
pub(crate) async fn import_products(
    db: &Db,
    reader: impl AsyncRead + Send + Unpin,
    mut progress: impl FnMut(u64) + Send,
) -> Result<ImportReport, ImportError> {
    let mut client = db.patient_client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    if !imports::begin(&transaction).await? {
        return Err(ImportError::Busy);
    }
    let staged = stage(&transaction, reader, &mut progress).await?;
    let matched = imports::match_products(&transaction).await?;
    refuse_faults(&transaction).await?;
    let (categories, categories_created) = make_categories(&transaction, &staged.categories.paths).await?;
    let updated = if staged.names_products || matched > 0 {
        imports::update_products(&transaction, &categories, staged.given).await?
    } else {
        0
    };
    let created = imports::insert_products(&transaction, &categories).await?;
    imports::clear(&transaction).await?;
    transaction.commit().await.map_err(DbError::from)?;
    let unchanged = staged.products.saturating_sub(created + updated);
    Ok(ImportReport { rows: staged.rows, products: staged.products, created, updated, unchanged, categories_created })
}

/// What a file held.
struct Staged {
    rows: u64,
    products: u64,
    /// Whether rows name products by their id.
    names_products: bool,
    given: Given,
    categories: CategoryPaths,
}

async fn stage(
    transaction: &Transaction<'_>,
    reader: impl AsyncRead + Send + Unpin,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<Staged, ImportError> {
    let mut file = File::open(reader).await?;
    let mut copy = Copy::begin(transaction).await?;
    let mut rows = 0;
    while file.read(&mut copy.waiting).await? {
        copy.send(file.is_sound()).await?;
        rows += 1;
        if rows % PROGRESS_ROWS == 0 {
            progress(rows);
        }
    }
    let (columns, categories) = file.finish(&mut copy.waiting)?;
    copy.finish().await?;
    progress(rows);
    let given = Given::of(&columns);
    Ok(Staged { rows, products: copy.products, names_products: copy.names_products, given, categories })
}

/// The stream of rows into the staging table.
struct Copy {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    buffer: BytesMut,
    waiting: Vec<StagedRow>,
    products: u64,
    names_products: bool,
}

impl Copy {
    async fn begin(transaction: &Transaction<'_>) -> Result<Self, DbError> {
        let sink = Box::pin(imports::copy(transaction).await?);
        let mut buffer = BytesMut::with_capacity(COPY_BYTES * 2);
        buffer.put_slice(COPY_HEADER);
        Ok(Self { sink, buffer, waiting: Vec::new(), products: 0, names_products: false })
    }

    /// Sends what waits, or drops it where the import is lost anyway.
    async fn send(&mut self, is_sound: bool) -> Result<(), DbError> {
        for row in self.waiting.drain(..).filter(|_| is_sound) {
            row.encode(&mut self.buffer);
            self.products += 1;
            self.names_products |= row.product_id.is_some();
        }
        if self.buffer.len() >= COPY_BYTES {
            self.sink.send(self.buffer.split().freeze()).await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), DbError> {
        self.send(true).await?;
        self.buffer.put_i16(COPY_TRAILER);
        self.sink.send(self.buffer.split().freeze()).await?;
        self.sink.as_mut().finish().await?;
        Ok(())
    }
}

async fn refuse_faults(transaction: &Transaction<'_>) -> Result<(), ImportError> {
    let mut faults = Faults::default();
    let found = imports::find_faults(transaction).await?;
    let total = found.first().map_or(0, |fault| fault.total);
    for fault in &found {
        let (column, rule, detail) = match fault.rule.as_str() {
            "unknown_id" => {
                ("id", "unknown_id", format!("there is no product {}; leave the id out to make one", fault.other))
            }
            "key_taken" => {
                ("sku", "duplicate", format!("product {} is known by the same SKU or handle and options", fault.other))
            }
            "too_many_units" => {
                ("quantity", "out_of_range", format!("must be from 0 to {STOCK_UNITS_MAX}, not {}", fault.other))
            }
            _ => ("", "duplicate", format!("line {} is about the same product", fault.other)),
        };
        faults.add(fault.line, column, rule, detail);
    }
    faults.add_unnamed(total.saturating_sub(u64::try_from(found.len()).unwrap_or(total)));
    faults.finish()
}

/// The id of each path, made level by level where it is missing, and how many were made.
async fn make_categories(transaction: &Transaction<'_>, paths: &[Vec<String>]) -> Result<(Vec<i32>, u64), DbError> {
    if paths.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let mut known: HashMap<(Option<i32>, String), i32> = HashMap::new();
    for (id, parent, name) in imports::lock_categories(transaction).await? {
        known.entry((parent, name.trim().to_owned())).or_insert(id);
    }
    let mut at: Vec<Option<i32>> = vec![None; paths.len()];
    let mut created = 0;
    let levels = paths.iter().map(Vec::len).max().unwrap_or(0);
    for level in 0..levels {
        let here: Vec<(usize, &String)> =
            paths.iter().enumerate().filter_map(|(number, path)| Some((number, path.get(level)?))).collect();
        let mut missing: Vec<(Option<i32>, &str)> = Vec::new();
        for (number, name) in &here {
            if !known.contains_key(&(at[*number], (*name).clone())) {
                missing.push((at[*number], name));
            }
        }
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let (parents, names): (Vec<Option<i32>>, Vec<&str>) = missing.into_iter().unzip();
            for (id, parent, name) in imports::insert_categories(transaction, &names, &parents).await? {
                known.insert((parent, name), id);
                created += 1;
            }
        }
        for (number, name) in here {
            at[number] = known.get(&(at[number], name.clone())).copied();
        }
    }
    let ids: Option<Vec<i32>> = at.into_iter().collect();
    let ids = ids.ok_or_else(|| DbError::Failed("a category that was made is not there".to_owned()))?;
    Ok((ids, created))
}
