//! Certificates and keys in files that change while the process runs.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Files that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates.
    #[error(
        "cannot take the certificate of {file}: {cause}. It must hold it in PEM, with those between it and the root"
    )]
    Certificate {
        /// The file.
        file: String,
        /// Why not.
        cause: String,
    },
    /// The key.
    #[error("cannot take the key of {file}: {cause}. It must hold one private key in PEM, without a password")]
    Key {
        /// The file.
        file: String,
        /// Why not.
        cause: String,
    },
    /// Each is good, and they do not belong together.
    #[error("the key of {key} is not that of the certificate of {certificate}: {cause}")]
    Pair {
        /// The file of the certificate.
        certificate: String,
        /// The file of the key.
        key: String,
        /// Why not.
        cause: String,
    },
    /// Whoever is to vouch for others.
    #[error("cannot take the authorities of {file}: {cause}. It must hold one or more certificates in PEM")]
    Authority {
        /// The file.
        file: String,
        /// Why not.
        cause: String,
    },
}

/// By which a change of a file is known.
pub(crate) type Stamp = Option<(u64, u64, i64, i64)>;

/// What a file is like now; nothing where it is not there.
pub(crate) fn stamp(file: &Path) -> Stamp {
    let found = std::fs::metadata(file).ok()?;
    Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}

/// When the certificate of a file ends, the first where it holds several.
///
/// # Errors
/// [`TlsError::Certificate`].
pub fn expires_at(certificate: &Path) -> Result<Timestamp, TlsError> {
    let chain = chain(certificate)?;
    let wrong = |cause: String| TlsError::Certificate { file: certificate.display().to_string(), cause };
    let read = Certificate::from_der(&chain[0]).map_err(|error| wrong(error.to_string()))?;
    let seconds = read.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    let moment = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    moment.ok_or_else(|| wrong("its end is no moment".to_owned()))
}

/// The certificates of a file, at least one.
fn chain(certificate: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |cause: String| TlsError::Certificate { file: certificate.display().to_string(), cause };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(|error| wrong(error.to_string()))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() { Err(wrong("there is none in it".to_owned())) } else { Ok(chain) }
}

/// A certificate with its key.
pub(crate) fn pair(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let shown = |file: &Path| file.display().to_string();
    let chain = chain(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| TlsError::Key { file: shown(key), cause: error.to_string() })?;
    let pair = |cause: rustls::Error| TlsError::Pair {
        certificate: shown(certificate),
        key: shown(key),
        cause: cause.to_string(),
    };
    CertifiedKey::from_der(chain, private, &rustls::crypto::aws_lc_rs::default_provider()).map_err(pair)
}

/// Those who vouch for others.
pub(crate) fn authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let wrong = |cause: String| TlsError::Authority { file: file.display().to_string(), cause };
    let read = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in read {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("there is none in it".to_owned())) } else { Ok(roots) }
}
