//! Customers from a CSV file: all of them or none, streamed through COPY into staging.

use std::io::Read;

use bytes::Bytes;
use estore_kit::db::{DbError, execute, rows};
use futures_util::{SinkExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_postgres::CopyInSink;
use uuid::Uuid;

use crate::breached::BreachedPasswords;
use crate::customer_csv::{Customer, CustomerRows};
use crate::hashing::HashingError;
use crate::limits::{IMPORT_CHUNK_ROWS, IMPORT_FAULTS_MAX};
use crate::service::Service;

pub use crate::customer_csv::ImportFault;

/// Chunks that may wait between the file and the database.
const CHUNKS_WAITING_MAX: usize = 4;

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows of the file.
    pub rows: u64,
    /// Accounts made.
    pub made: u64,
    /// Those of them whose address nobody has proved.
    pub unverified: u64,
    /// Addresses that had an account, left as they were.
    pub already_there: u64,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Rows break rules; the first 100 faults, in the order of the file.
    #[error("{} faults, the first: {}; nothing was imported", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Faults(Vec<ImportFault>),
    /// The file cannot be read as CSV at all.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// The list of leaked passwords cannot be read any more: no password is taken unseen.
    #[error("the list of leaked passwords cannot be read: {0}")]
    Breached(String),
    /// Hashing did not work.
    #[error("{0}")]
    Hashing(String),
    /// The database did not work.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<HashingError> for ImportError {
    fn from(error: HashingError) -> Self {
        Self::Hashing(error.to_string())
    }
}

impl From<tokio_postgres::Error> for ImportError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Db(error.into())
    }
}

type Chunk = Result<Vec<Customer>, ImportError>;

/// Reads, checks and copies in one pass; makes the accounts in one statement.
pub(crate) async fn import_customers(
    service: &Service,
    reader: impl Read + Send + 'static,
    mut progress: impl FnMut(u64),
) -> Result<ImportReport, ImportError> {
    let (sender, mut chunks) = mpsc::channel::<Chunk>(CHUNKS_WAITING_MAX);
    let breached = service.breached.clone();
    let reading = tokio::task::spawn_blocking(move || read_chunks(reader, &breached, &sender));
    let import_id = Uuid::new_v4();
    let mut client = service.db.patient_client().await?;
    let transaction = client.transaction().await?;
    transaction.batch_execute(include_str!("../../queries/allow_long_import.sql")).await?;
    let sink = transaction.copy_in(include_str!("../../queries/copy_customers.sql")).await?;
    let mut sink = Box::pin(sink);
    let mut read = 0;
    while let Some(chunk) = chunks.recv().await {
        let customers = chunk?;
        read += customers.len() as u64;
        copy_chunk(service, &mut sink, import_id, customers).await?;
        progress(read);
    }
    sink.as_mut().finish().await?;
    reading.await.map_err(|panicked| ImportError::Unreadable(panicked.to_string()))?;

    let duplicates =
        rows(&transaction, include_str!("../../queries/find_import_duplicates.sql"), &[&import_id, &faults_max()])
            .await?;
    if !duplicates.is_empty() {
        let fault = |row: &tokio_postgres::Row| ImportFault::duplicate(row.get("line"), row.get("first_line"));
        return Err(ImportError::Faults(duplicates.iter().map(fault).collect()));
    }
    let counted =
        rows(&transaction, include_str!("../../queries/insert_imported_customers.sql"), &[&import_id]).await?;
    let count = |name| counted.first().map_or(0, |row| u64::try_from(row.get::<_, i64>(name)).unwrap_or_default());
    let (made, unverified) = (count("made"), count("unverified"));
    execute(&transaction, include_str!("../../queries/delete_import.sql"), &[&import_id]).await?;
    transaction.commit().await?;
    Ok(ImportReport { rows: read, made, unverified, already_there: read - made })
}

fn faults_max() -> i64 {
    i64::try_from(IMPORT_FAULTS_MAX).unwrap_or(i64::MAX)
}

/// Runs on a thread of its own. After the first fault no more rows are sent, but the rest is still checked.
fn read_chunks(reader: impl Read, breached: &BreachedPasswords, sender: &mpsc::Sender<Chunk>) {
    let mut faults = Vec::new();
    let mut chunk = Vec::with_capacity(IMPORT_CHUNK_ROWS);
    let rows = match CustomerRows::open(reader) {
        Ok(rows) => rows,
        Err(fault) => return drop(sender.blocking_send(Err(ImportError::Faults(vec![fault])))),
    };
    for row in rows {
        match row {
            Ok(customer) => match has_leaked(breached, &customer) {
                Ok(true) => faults.push(ImportFault::leaked(customer.line)),
                Ok(false) if faults.is_empty() => chunk.push(customer),
                Ok(false) => {}
                Err(error) => return drop(sender.blocking_send(Err(ImportError::Breached(error.to_string())))),
            },
            Err(mut found) => faults.append(&mut found),
        }
        if faults.len() >= IMPORT_FAULTS_MAX {
            faults.truncate(IMPORT_FAULTS_MAX);
            break;
        }
        if chunk.len() == IMPORT_CHUNK_ROWS && sender.blocking_send(Ok(std::mem::take(&mut chunk))).is_err() {
            return;
        }
    }
    let last = if faults.is_empty() { Ok(chunk) } else { Err(ImportError::Faults(faults)) };
    drop(sender.blocking_send(last));
}

/// Whether the row brings a password that is tried first. What a hash is of, nobody knows.
fn has_leaked(breached: &BreachedPasswords, customer: &Customer) -> std::io::Result<bool> {
    customer.password.as_ref().map_or(Ok(false), |password| breached.holds_now(password))
}

async fn copy_chunk(
    service: &Service,
    sink: &mut std::pin::Pin<Box<CopyInSink<Bytes>>>,
    import_id: Uuid,
    customers: Vec<Customer>,
) -> Result<(), ImportError> {
    let hashed = stream::iter(customers)
        .map(|customer| async move {
            let hash = match customer.password.as_ref() {
                Some(password) => service.hasher.hash(password).await?,
                None => customer.hashed_password.clone(),
            };
            Ok::<_, ImportError>(customer.copy_line(import_id, &hash))
        })
        .buffered(service.config.hashes_at_a_time.max(1));
    let mut hashed = std::pin::pin!(hashed);
    let mut lines = String::new();
    while let Some(line) = hashed.next().await {
        lines.push_str(&line?);
    }
    sink.send(Bytes::from(lines)).await?;
    Ok(())
}
