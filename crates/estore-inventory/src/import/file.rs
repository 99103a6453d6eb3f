//! A product file, record by record; no database.

use tokio::io::AsyncRead;

use super::columns::{Columns, Layout};
use super::faults::Faults;
use super::records::{Record, RecordError, Records};
use super::row::{CategoryPaths, StagedRow};
use super::shopify::{Items, Reader};
use super::{ImportError, own};

/// A file whose header is one of ours.
#[derive(Debug)]
pub(crate) struct File<R> {
    records: Records<R>,
    rows: Rows,
}

#[derive(Debug)]
struct Rows {
    columns: Columns,
    categories: CategoryPaths,
    items: Items,
    faults: Faults,
}

impl<R: AsyncRead + Unpin> File<R> {
    /// Reads the header.
    pub(crate) async fn open(reader: R) -> Result<Self, ImportError> {
        let mut faults = Faults::default();
        let mut records = Records::new(reader);
        let columns = match records.next().await {
            Ok(Some(header)) => Columns::read(header, &mut faults),
            Ok(None) => return Err(ImportError::Empty),
            Err(error) => {
                note(error, &mut faults)?;
                None
            }
        };
        let Some(columns) = columns else {
            return Err(faults.finish().err().unwrap_or(ImportError::Empty));
        };
        let rows = Rows { columns, categories: CategoryPaths::default(), items: Items::default(), faults };
        Ok(Self { records, rows })
    }

    /// Reads a record and puts the products that it completes to `done`; false at the end of what can be read.
    pub(crate) async fn read(&mut self, done: &mut Vec<StagedRow>) -> Result<bool, ImportError> {
        match self.records.next().await {
            Ok(Some(record)) => self.rows.read(record, done),
            Ok(None) => return Ok(false),
            Err(error) => {
                note(error, &mut self.rows.faults)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether no fault was found so far.
    pub(crate) fn is_sound(&self) -> bool {
        self.rows.faults.is_empty()
    }

    /// Completes the last product; the file's columns and categories, or its faults.
    pub(crate) fn finish(self, done: &mut Vec<StagedRow>) -> Result<(Columns, CategoryPaths), ImportError> {
        let Rows { columns, categories, mut items, mut faults } = self.rows;
        items.finish(&columns, &mut faults, done);
        faults.finish()?;
        Ok((columns, categories))
    }
}

impl Rows {
    fn read(&mut self, record: Record<'_>, done: &mut Vec<StagedRow>) {
        let width = self.columns.width;
        if record.len() != width {
            let detail = format!("has {} fields where the header has {width}", record.len());
            self.faults.add(record.line, "", "wrong_width", detail);
            return;
        }
        if self.columns.layout == Layout::Shopify && record.holds_nul() {
            self.faults.add(record.line, "", "nul_character", "must not hold NUL characters; remove them");
            return;
        }
        match self.columns.layout {
            Layout::Own => done.extend(own::read(record, &self.columns, &mut self.categories, &mut self.faults)),
            Layout::Shopify => {
                let mut reader = Reader { categories: &mut self.categories, faults: &mut self.faults };
                self.items.read(record, &self.columns, &mut reader, done);
            }
        }
    }
}

/// Faults of the stream that are the file's are noted; others end the import at once.
fn note(error: RecordError, faults: &mut Faults) -> Result<(), ImportError> {
    match error {
        RecordError::Unreadable(error) => return Err(error.into()),
        RecordError::FileTooLarge => return Err(ImportError::TooLarge),
        RecordError::NotUtf8 { line } => {
            faults.add(line, "", "not_utf8", "the record is not UTF-8; save the file as UTF-8");
        }
        RecordError::RecordTooLarge { line } => {
            let detail = "the record has more than a megabyte or 512 columns; a quote may be missing";
            faults.add(line, "", "record_too_large", detail);
        }
    }
    Ok(())
}
