//! CSV records out of a stream of bytes, each with the line it begins on, in bounded memory.

use std::io;
use std::time::Duration;

use csv_core::ReadRecordResult;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{IMPORT_BYTES_MAX, IMPORT_COLUMNS_MAX, IMPORT_RECORD_BYTES_MAX, IMPORT_WAIT_SECONDS_MAX};

/// Bytes read at a time.
const INPUT_BYTES: usize = 64 * 1024;

/// Why a stream gives no further record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    #[error("the file is too large")]
    FileTooLarge,
    #[error("a record is too large")]
    RecordTooLarge { line: u64 },
    #[error("a record is not UTF-8")]
    NotUtf8 { line: u64 },
}

/// Reads records from a stream.
#[derive(Debug)]
pub(crate) struct Records<R> {
    reader: R,
    csv: csv_core::Reader,
    input: Vec<u8>,
    unread: std::ops::Range<usize>,
    is_at_end: bool,
    bytes_read: u64,
    line: u64,
    fields: Vec<u8>,
    ends: Vec<usize>,
}

/// A record: its fields are text without quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) line: u64,
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether a field holds the one character that PostgreSQL's text cannot store.
    pub(crate) fn holds_nul(&self) -> bool {
        self.text.contains('\0')
    }

    /// The field of this number; empty beyond the last.
    pub(crate) fn field(&self, number: usize) -> &'a str {
        let Some(end) = self.ends.get(number) else { return "" };
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..*end).unwrap_or("")
    }
}

impl<R: AsyncRead + Unpin> Records<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            csv: csv_core::Reader::new(),
            input: vec![0; INPUT_BYTES],
            unread: 0..0,
            is_at_end: false,
            bytes_read: 0,
            line: 1,
            fields: vec![0; INPUT_BYTES],
            ends: vec![0; IMPORT_COLUMNS_MAX],
        }
    }

    /// The next record, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Record<'_>>, RecordError> {
        if !self.skip_line_ends().await? {
            return Ok(None);
        }
        let (line, mut bytes, mut columns) = (self.line, 0, 0);
        loop {
            let (result, taken, written, ended) = self.csv.read_record(
                &self.input[self.unread.clone()],
                &mut self.fields[bytes..],
                &mut self.ends[columns..],
            );
            self.take(taken);
            bytes += written;
            columns += ended;
            match result {
                ReadRecordResult::InputEmpty => self.fill().await?,
                ReadRecordResult::OutputFull if self.fields.len() < IMPORT_RECORD_BYTES_MAX => {
                    self.fields.resize(self.fields.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(RecordError::RecordTooLarge { line });
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let ends = &self.ends[..columns];
        let text = std::str::from_utf8(&self.fields[..bytes]).map_err(|_bad| RecordError::NotUtf8 { line })?;
        if ends.iter().any(|end| !text.is_char_boundary(*end)) {
            return Err(RecordError::NotUtf8 { line });
        }
        Ok(Some(Record { line, text, ends }))
    }

    /// Skips empty lines, so that a record's line is the one its first byte is on. False at the end.
    async fn skip_line_ends(&mut self) -> Result<bool, RecordError> {
        loop {
            if self.unread.is_empty() {
                self.fill().await?;
                if self.unread.is_empty() {
                    return Ok(false);
                }
            }
            match self.input[self.unread.start] {
                b'\n' | b'\r' => self.take(1),
                _ => return Ok(true),
            }
        }
    }

    fn take(&mut self, bytes: usize) {
        let taken = &self.input[self.unread.start..self.unread.start + bytes];
        let lines = taken.iter().filter(|byte| **byte == b'\n').count();
        self.line += u64::try_from(lines).unwrap_or(0);
        self.unread.start += bytes;
    }

    async fn fill(&mut self) -> Result<(), RecordError> {
        if self.is_at_end {
            return Ok(());
        }
        let wait = Duration::from_secs(IMPORT_WAIT_SECONDS_MAX);
        let read = tokio::time::timeout(wait, self.reader.read(&mut self.input)).await;
        let count = read.unwrap_or_else(|_late| Err(io::Error::from(io::ErrorKind::TimedOut)))?;
        self.unread = 0..count;
        self.is_at_end = count == 0;
        self.bytes_read += u64::try_from(count).unwrap_or(u64::MAX);
        if self.bytes_read > IMPORT_BYTES_MAX { Err(RecordError::FileTooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordError, Records};

    async fn read(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, RecordError> {
        let mut records = Records::new(bytes);
        let mut all = Vec::new();
        while let Some(record) = records.next().await? {
            all.push((record.line, (0..record.len()).map(|n| record.field(n).to_owned()).collect()));
        }
        Ok(all)
    }

    #[tokio::test]
    async fn records_know_the_line_they_begin_on() {
        let file = "\u{feff}a,b\r\n\r\n1,\"two\r\nlines\"\r\n\n3,\"say \"\"hi\"\", x\"";
        let records = read(file.as_bytes()).await.unwrap();
        assert_eq!(records[0], (1, vec!["a".into(), "b".into()]));
        assert_eq!(records[1], (3, vec!["1".into(), "two\r\nlines".into()]));
        assert_eq!(records[2], (6, vec!["3".into(), "say \"hi\", x".into()]));
        assert_eq!(records.len(), 3);
    }

    #[tokio::test]
    async fn other_encodings_are_refused_with_the_line() {
        for bytes in [&b"a,b\nx,caf\xe9\n"[..], b"a,b\n\xc3,\xa9\n"] {
            assert!(matches!(read(bytes).await, Err(RecordError::NotUtf8 { line: 2 })));
        }
        assert!(matches!(read(b"\xff\xfea\0,\0").await, Err(RecordError::NotUtf8 { line: 1 })));
    }

    #[tokio::test]
    async fn a_quote_that_never_ends_is_bounded() {
        let file = format!("a,b\n1,\"{}", "x\n".repeat(1024 * 1024));
        assert!(matches!(read(file.as_bytes()).await, Err(RecordError::RecordTooLarge { line: 2 })));
    }

    #[tokio::test]
    async fn long_records_cross_the_input_s_edges() {
        let long = "é".repeat(200_000);
        let records = read(format!("{long},b\nc,{long}\n").as_bytes()).await.unwrap();
        assert_eq!(records[1].1, ["c".to_owned(), long]);
    }
}
