//! A program's output on its way to the target, and back: compressed, then encrypted, in bounded memory,
//! and never on this machine's disk.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::error::BackupError;
use super::keys::{Identity, Recipients};
use super::program::Running;
use super::progress::{BackupEvent, BackupProgress};
use super::store::Target;

/// What is read at once, in bytes.
const READ_BYTES: usize = 256 * 1024;
/// What is handed over at once, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;
/// How many pieces may wait between two ends.
const PIECES_MAX: usize = 4;

/// How files are written.
#[derive(Debug, Clone)]
pub(crate) struct Encoding {
    pub(crate) recipients: Recipients,
    /// zstd's level, 1 to 19.
    pub(crate) level: i32,
}

impl Encoding {
    /// What a file is called: stock tools take the endings off again.
    pub(crate) fn name(&self, plain: &str) -> String {
        if self.recipients.encrypts() { format!("{plain}.zst.age") } else { format!("{plain}.zst") }
    }
}

/// What became of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) plain_bytes: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Stores what a program writes to its standard output, under `name`. The object appears once the program
/// has ended well, and not otherwise.
pub(crate) async fn store_output(
    mut running: Running,
    target: &Target,
    name: &str,
    encoding: &Encoding,
    progress: BackupProgress<'_>,
) -> Result<Encoded, BackupError> {
    let stdout = running.child.stdout.take().and_then(|stdout| stdout.into_owned_fd().ok());
    let stdout = File::from(stdout.ok_or_else(|| BackupError::Internal("the program has no output".to_owned()))?);
    let (pieces, mut arriving) = mpsc::channel(PIECES_MAX);
    let (own, read) = (encoding.clone(), Arc::new(AtomicU64::new(0)));
    let counter = Arc::clone(&read);
    let encoder = tokio::task::spawn_blocking(move || encode(stdout, pieces, &own, &counter));
    let mut upload = target.upload(name).await?;
    let shown = name.rsplit('/').next().unwrap_or(name);
    while let Some(bytes) = arriving.recv().await {
        progress(BackupEvent::FileBytes { name: shown, bytes: read.load(Ordering::Relaxed) });
        if let Err(error) = upload.write(bytes).await {
            drop(arriving);
            running.kill().await;
            upload.abort().await;
            return Err(error);
        }
    }
    let encoded = encoder.await?.map_err(|error| BackupError::Internal(format!("{name}: {error}")));
    let ended = running.finish().await;
    match (encoded, ended) {
        (Ok(encoded), Ok(_)) => upload.finish().await.map(|()| encoded),
        (Err(error), Ok(_)) | (_, Err(error)) => {
            upload.abort().await;
            Err(error)
        }
    }
}

fn encode(mut input: File, pieces: mpsc::Sender<Bytes>, encoding: &Encoding, read: &AtomicU64) -> io::Result<Encoded> {
    let mut out = Pieces { pieces, gathered: BytesMut::new(), hash: Sha256::new(), bytes: 0 };
    if encoding.recipients.encrypts() {
        let encryptor = encoding.recipients.encryptor().map_err(io::Error::other)?;
        let mut sealed = encryptor.wrap_output(out)?;
        compress(&mut input, &mut sealed, encoding.level, read)?;
        out = sealed.finish()?;
    } else {
        compress(&mut input, &mut out, encoding.level, read)?;
    }
    out.flush()?;
    let plain_bytes = read.load(Ordering::Relaxed);
    Ok(Encoded { plain_bytes, bytes: out.bytes, sha256: hex::encode(out.hash.finalize()) })
}

fn compress(input: &mut impl Read, out: &mut impl Write, level: i32, so_far: &AtomicU64) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(out, level)?;
    encoder.include_checksum(true)?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = input.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        encoder.write_all(&buffer[..read])?;
        so_far.fetch_add(read as u64, Ordering::Relaxed);
    }
    encoder.finish().map(drop)
}

/// Hashes what is written and hands it over in pieces.
struct Pieces {
    pieces: mpsc::Sender<Bytes>,
    gathered: BytesMut,
    hash: Sha256,
    bytes: u64,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let piece = self.gathered.split().freeze();
        self.pieces.blocking_send(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Why a stored file does not read.
pub(crate) fn unreadable(error: &age::DecryptError) -> String {
    match error {
        age::DecryptError::NoMatchingKeys => {
            "none of the identities given opens it: it is encrypted to other recipients".to_owned()
        }
        other => format!("it cannot be decrypted: {other}"),
    }
}

/// A stored file, decrypted and decompressed as it is read.
pub(crate) fn reader(path: &std::path::Path, identity: Option<&Identity>) -> Result<Box<dyn Read + Send>, String> {
    let file = BufReader::with_capacity(READ_BYTES, File::open(path).map_err(|error| error.to_string())?);
    let encrypted = path.extension().is_some_and(|ending| ending == "age");
    let decompressed = |error: io::Error| error.to_string();
    if !encrypted {
        return Ok(Box::new(zstd::Decoder::with_buffer(file).map_err(decompressed)?));
    }
    let identity = identity.ok_or_else(|| "it is encrypted: give --identity FILE".to_owned())?;
    let opened = age::Decryptor::new_buffered(file).map_err(|error| unreadable(&error))?;
    let plain = opened.decrypt(identity.keys()).map_err(|error| unreadable(&error))?;
    let plain = BufReader::with_capacity(READ_BYTES, plain);
    Ok(Box::new(zstd::Decoder::with_buffer(plain).map_err(decompressed)?))
}

/// What kept a stream from a program.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The stored file.
    Input(String),
    /// The program stopped listening.
    Output,
}

/// Copies a stored file's contents into a program.
pub(crate) fn copy(mut from: impl Read, mut into: impl Write) -> Result<u64, Broken> {
    let mut buffer = vec![0; READ_BYTES];
    let mut bytes = 0;
    loop {
        let read = from
            .read(&mut buffer)
            .map_err(|error| Broken::Input(format!("it breaks off after {bytes} bytes: {error}")))?;
        if read == 0 {
            return into.flush().map(|()| bytes).map_err(|_| Broken::Output);
        }
        into.write_all(&buffer[..read]).map_err(|_| Broken::Output)?;
        bytes += read as u64;
    }
}
