//! TLS for clients: a certificate and its key from files, taken anew when the files change.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
}

/// What clients are shown, and where it comes from.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    /// The files as they were when they were taken.
    taken: Stamp,
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).field("key", &self.key).finish()
    }
}

#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// By which a change of the files is known.
type Stamp = [Option<(u64, u64, i64, i64)>; 2];

impl Tls {
    /// With a certificate and its key, both in PEM.
    ///
    /// # Errors
    /// The file at fault, why, and the mend.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let taken = stamp(certificate, key);
        let shown = Arc::new(Shown(RwLock::new(Arc::new(read(certificate, key)?))));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the built-in provider supports the default TLS versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), taken, shown, acceptor })
    }

    /// Takes the files anew whenever they change, until `stop`. As long as they cannot be used, the last ones that could
    /// be are shown, and the log says why. Connections that are open stay as they are.
    pub async fn watch(self, stop: CancellationToken) {
        let (mut taken, mut told) = (self.taken, String::new());
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let found = stamp(&self.certificate, &self.key);
            if found == taken {
                continue;
            }
            match read(&self.certificate, &self.key) {
                Ok(pair) => {
                    *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                    (taken, told) = (found, String::new());
                    tracing::info!(certificate = %self.certificate.display(), "the certificate was taken anew");
                }
                // One file may be written before the other, or half of it: it is looked at again.
                Err(error) => {
                    let text = error.to_string();
                    if text != told {
                        tracing::warn!("{text}; the one before it is shown still");
                    }
                    told = text;
                }
            }
        }
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|file| {
        let found = std::fs::metadata(file).ok()?;
        Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
    })
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let shown = |file: &Path| file.display().to_string();
    let wrong = |cause: String| TlsError::Certificate { file: shown(certificate), cause };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(|error| wrong(error.to_string()))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong("there is none in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| TlsError::Key { file: shown(key), cause: error.to_string() })?;
    let pair = |cause: rustls::Error| TlsError::Pair {
        certificate: shown(certificate),
        key: shown(key),
        cause: cause.to_string(),
    };
    CertifiedKey::from_der(chain, private, &rustls::crypto::aws_lc_rs::default_provider()).map_err(pair)
}
