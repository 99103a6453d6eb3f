//! The HTTP client that services call each other by. Where they prove themselves by certificates, its own is taken anew when
//! the files change.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, Identity};
use zeroize::Zeroizing;

use crate::certificates::{Stamp, TlsError, authorities, pair, stamp};

/// How long connecting to a neighbour may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// How long an unused connection is kept. Its other end may have fallen silent meanwhile, which only a call would find.
const IDLE_TIME_MAX: Duration = Duration::from_secs(2);
/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// By what a service proves itself, and who vouches for the others; files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its certificate, with those between it and the authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Who vouches for the services, and nobody else does.
    pub authority: PathBuf,
}

/// There is no client to call with.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The library refused.
    #[error("cannot make an HTTP client: {0}")]
    Refused(#[from] reqwest::Error),
    /// A file went away.
    #[error("cannot read {0}: {1}")]
    Unreadable(String, std::io::Error),
}

/// The client; cheap to clone.
#[derive(Debug, Clone)]
pub struct ServiceClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    call_time_max: Duration,
    proof: Option<Proof>,
    built: RwLock<Built>,
}

#[derive(Debug)]
struct Built {
    client: Client,
    /// The files as they were when they were last tried.
    tried: [Stamp; 3],
    looked_at: Instant,
}

impl ServiceClient {
    /// Calls take no longer than this. With a proof, HTTPS alone is spoken.
    ///
    /// # Errors
    /// When the files of the proof cannot be used.
    pub fn new(call_time_max: Duration, proof: Option<Proof>) -> Result<Self, ClientError> {
        let tried = proof.as_ref().map(Proof::stamps).unwrap_or_default();
        let client = build(call_time_max, proof.as_ref())?;
        let built = RwLock::new(Built { client, tried, looked_at: Instant::now() });
        Ok(Self(Arc::new(Inner { call_time_max, proof, built })))
    }

    /// The client with the certificate as it is now.
    #[must_use]
    pub fn now(&self) -> Client {
        let Inner { call_time_max, proof, built } = &*self.0;
        let Some(proof) = proof else { return read(built, |built| built.client.clone()) };
        if read(built, |built| built.looked_at.elapsed() < LOOK_EVERY) {
            return read(built, |built| built.client.clone());
        }
        let found = proof.stamps();
        let mut built = built.write().unwrap_or_else(PoisonError::into_inner);
        built.looked_at = Instant::now();
        if built.tried != found {
            built.tried = found;
            match build(*call_time_max, Some(proof)) {
                Ok(client) => {
                    built.client = client;
                    tracing::info!(certificate = %proof.certificate.display(), "our certificate was taken anew");
                }
                Err(error) => tracing::warn!("{error}; the one before it is shown still"),
            }
        }
        built.client.clone()
    }
}

fn read<T>(built: &RwLock<Built>, of: impl FnOnce(&Built) -> T) -> T {
    of(&built.read().unwrap_or_else(PoisonError::into_inner))
}

impl Proof {
    fn stamps(&self) -> [Stamp; 3] {
        [stamp(&self.certificate), stamp(&self.key), stamp(&self.authority)]
    }
}

fn build(call_time_max: Duration, proof: Option<&Proof>) -> Result<Client, ClientError> {
    let client = Client::builder()
        .timeout(call_time_max)
        .connect_timeout(CONNECT_TIME_MAX)
        .pool_idle_timeout(IDLE_TIME_MAX)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    let Some(proof) = proof else { return Ok(client.build()?) };
    // Told by file and mend, which the library does not.
    pair(&proof.certificate, &proof.key)?;
    authorities(&proof.authority)?;
    let bytes = |file: &PathBuf| {
        let read = std::fs::read(file).map(Zeroizing::new);
        read.map_err(|error| ClientError::Unreadable(file.display().to_string(), error))
    };
    let own = Zeroizing::new([bytes(&proof.key)?.as_slice(), b"\n", bytes(&proof.certificate)?.as_slice()].concat());
    let authorities = Certificate::from_pem_bundle(&bytes(&proof.authority)?)?;
    Ok(client.https_only(true).tls_certs_only(authorities).identity(Identity::from_pem(&own)?).build()?)
}
