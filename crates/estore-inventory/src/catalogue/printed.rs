//! Answers as bytes, with the tag that names them and a compressed form made when it is first wanted.

use std::io::Write;
use std::sync::OnceLock;

use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::limits::{GZIP_BYTES_MAX, GZIP_BYTES_MIN};

/// A body and its tag.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) tag: HeaderValue,
    pub(crate) body: Bytes,
    gzip: OnceLock<Option<Bytes>>,
}

impl Printed {
    pub(crate) fn new(tag: HeaderValue, body: Vec<u8>) -> Self {
        Self { tag, body: body.into(), gzip: OnceLock::new() }
    }

    /// Whether compression is worth its while.
    pub(crate) fn is_compressible(&self) -> bool {
        (GZIP_BYTES_MIN..=GZIP_BYTES_MAX).contains(&self.body.len())
    }

    /// The compressed body, where it pays.
    pub(crate) fn gzip(&self) -> Option<Bytes> {
        self.gzip.get_or_init(|| self.is_compressible().then(|| compressed(&self.body)).flatten()).clone()
    }
}

fn compressed(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
