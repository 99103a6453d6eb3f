//! TLS for clients: a certificate and its key from files, taken anew when the files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::certificates::{Stamp, TlsError, authorities, pair, stamp};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What clients are shown, and what they have to show.
#[derive(Clone)]
pub struct Tls {
    files: Files,
    /// The files as they were when they were taken.
    taken: [Stamp; 3],
    acceptor: Arc<RwLock<TlsAcceptor>>,
}

#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// Who vouches for clients; anybody is let in where there is none.
    authority: Option<PathBuf>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// With a certificate and its key, both in PEM.
    ///
    /// # Errors
    /// The file at fault, why, and the mend.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Self::of(Files { certificate: certificate.to_owned(), key: key.to_owned(), authority: None })
    }

    /// The same, for clients alone that show a certificate by an authority of this PEM file.
    ///
    /// # Errors
    /// The file at fault, why, and the mend.
    pub fn open_to(authority: &Path, certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let authority = Some(authority.to_owned());
        Self::of(Files { certificate: certificate.to_owned(), key: key.to_owned(), authority })
    }

    fn of(files: Files) -> Result<Self, TlsError> {
        let taken = files.stamps();
        let acceptor = Arc::new(RwLock::new(files.acceptor()?));
        Ok(Self { files, taken, acceptor })
    }

    /// Takes the files anew whenever they change, until `stop`. As long as they cannot be used, the last ones that could
    /// be are shown, and the log says why. Connections that are open stay as they are.
    pub async fn watch(self, stop: CancellationToken) {
        let (mut taken, mut told) = (self.taken, String::new());
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let found = self.files.stamps();
            if found == taken {
                continue;
            }
            match self.files.acceptor() {
                Ok(acceptor) => {
                    *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
                    (taken, told) = (found, String::new());
                    tracing::info!(certificate = %self.files.certificate.display(), "the certificate was taken anew");
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

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Files {
    fn stamps(&self) -> [Stamp; 3] {
        [stamp(&self.certificate), stamp(&self.key), self.authority.as_deref().and_then(stamp)]
    }

    fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let shown = pair(&self.certificate, &self.key)?;
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the built-in provider supports the default TLS versions");
        let config = match &self.authority {
            None => config.with_no_client_auth(),
            Some(file) => {
                let roots = Arc::new(authorities(file)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                let wrong = |cause: String| TlsError::Authority { file: file.display().to_string(), cause };
                config.with_client_cert_verifier(verifier.map_err(|error| wrong(error.to_string()))?)
            }
        };
        let mut config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
