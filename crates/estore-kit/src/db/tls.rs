//! TLS to a database: certificates and names are always checked, and a remote server must prove at the log-in that it
//! is the one that the certificate is for.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Who vouches for this process's databases; the system's authorities where nothing is said.
static AUTHORITY: OnceLock<Authority> = OnceLock::new();

#[derive(Debug)]
struct Authority {
    file: PathBuf,
    certificates: Vec<CertificateDer<'static>>,
}

/// A file of authorities that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot take the certificates of {file}: {cause}. It must hold one or more certificates in PEM")]
pub struct AuthorityError {
    file: String,
    cause: String,
}

/// Has databases vouched for by the certificates of a PEM file alone, for this whole process; to be called once, first.
///
/// # Errors
/// When the file cannot be read, holds no certificate, or another one was named before.
pub fn trust(file: &Path) -> Result<(), AuthorityError> {
    let failed = |cause: String| AuthorityError { file: file.display().to_string(), cause };
    let read = CertificateDer::pem_file_iter(file).map_err(|error| failed(error.to_string()))?;
    let certificates: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed("there is none in it".to_owned()));
    }
    let authority = Authority { file: file.to_owned(), certificates };
    AUTHORITY.set(authority).map_err(|_| failed("another file was named before".to_owned()))
}

/// The file given to [`trust`], for programs that connect by themselves.
#[must_use]
pub fn authority_file() -> Option<&'static Path> {
    AUTHORITY.get().map(|authority| authority.file.as_path())
}

/// A connector that checks the server's certificate and name.
#[must_use]
pub fn tls() -> MakeRustlsConnect {
    let mut roots = RootCertStore::empty();
    match AUTHORITY.get() {
        Some(authority) => roots.add_parsable_certificates(authority.certificates.iter().cloned()),
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the built-in provider supports the default TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

/// Whether connections go without TLS: over unix sockets, or where the URL says so.
#[must_use]
pub fn is_plain(config: &Config) -> bool {
    let local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
    local || config.get_ssl_mode() == SslMode::Disable
}

/// Whether a connection may leave this machine: to anything but a unix socket or a loopback address. A name counts as
/// remote whatever it stands for, but for `localhost`.
#[must_use]
pub fn is_remote(config: &Config) -> bool {
    let stays = |name: &str| name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let by_name = config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if !stays(name)));
    by_name || config.get_hostaddrs().iter().any(|address| !address.is_loopback())
}

/// The same login, where nobody can listen in or stand in between: TLS, and channel binding at the log-in. Local ones
/// stay as they are. `None` for one that says `sslmode=disable` and leaves this machine.
#[must_use]
pub fn secured(mut config: Config) -> Option<Config> {
    if is_remote(&config) {
        if config.get_ssl_mode() == SslMode::Disable {
            return None;
        }
        config.ssl_mode(SslMode::Require).channel_binding(ChannelBinding::Require);
    }
    Some(config)
}

/// What to do about a connection that was refused because it is not safe; `None` for any other error.
#[must_use]
pub fn mend(error: &tokio_postgres::Error) -> Option<&'static str> {
    let cause = std::error::Error::source(error);
    let io = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
    if let Some(tls) = io.and_then(|io| io.get_ref()).and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Some(mend_of(tls));
    }
    let said = cause.map(ToString::to_string).unwrap_or_default();
    if said.contains("does not support TLS") {
        return Some(
            "Switch TLS on at the server (ssl = on, ssl_cert_file, ssl_key_file). Where the way to it is protected \
             otherwise, databases.allow_insecure = true does without",
        );
    }
    said.contains("channel binding").then_some(
        "Have the role log in by scram-sha-256 over hostssl (pg_hba.conf), with a certificate that is signed with \
         SHA-256 or better. Where the way to the server is protected otherwise, databases.allow_insecure = true does \
         without",
    )
}

fn mend_of(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "The server's certificate is for another name: use that name in the URL, or make a certificate for this one"
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "Nobody that is trusted vouches for the server's certificate: name the file of its authority in \
             databases.ca_file"
        }
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "The server's certificate has expired: renew it, and look at both machines' clocks"
        }
        _ => "Look at the server's certificate and the TLS versions that it speaks",
    }
}
