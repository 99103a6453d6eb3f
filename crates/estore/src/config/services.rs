//! The section `[services]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use estore_api::neighbour::CALL_SECONDS_MAX;
use estore_kit::edge::{Door, Tls, listen};
use estore_kit::secret::Secret;
use estore_kit::service_client::Proof;
use serde::Deserialize;

/// Neighbours by URL and the secret that the services share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// UserService, whose published keys verify access tokens.
    pub users_url: Option<String>,
    /// InventoryService, which PaymentService calls.
    pub inventory_url: Option<String>,
    /// PaymentService, which delivers the events of the others.
    pub payments_url: Option<String>,
    /// At least 32 bytes; from the data directory when left out.
    pub secret: Option<Secret>,
    /// How long one call to another service may take, in seconds, from 1.
    pub call_seconds_max: u64,
    /// Where the other services come in, by TLS and with a certificate by `ca_file`; at `listen`, with all clients, where
    /// it is left out.
    pub listen: Option<SocketAddr>,
    /// The certificate that this process shows to the other services, in PEM.
    pub certificate: Option<PathBuf>,
    /// Its key in PEM.
    pub key: Option<PathBuf>,
    /// Who vouches for the services, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl Default for Services {
    fn default() -> Self {
        let ([users_url, inventory_url, payments_url], secret) = Default::default();
        let (listen, [certificate, key, ca_file]) = Default::default();
        let call_seconds_max = CALL_SECONDS_MAX;
        Self { users_url, inventory_url, payments_url, secret, call_seconds_max, listen, certificate, key, ca_file }
    }
}

impl Services {
    /// # Errors
    /// Some of what belongs together without the rest, or a URL that is not HTTPS.
    pub fn check(&self) -> Result<(), String> {
        let files = [&self.certificate, &self.key, &self.ca_file];
        let named = files.iter().filter(|file| file.is_some()).count() + usize::from(self.listen.is_some());
        if named == 0 {
            return Ok(());
        }
        if named < 4 {
            return Err(
                "services.listen, certificate, key and ca_file belong together; name all of them, or none".into()
            );
        }
        let urls = [("users", &self.users_url), ("inventory", &self.inventory_url), ("payments", &self.payments_url)];
        let plain = urls.iter().find(|(_, url)| url.as_ref().is_some_and(|url| !url.starts_with("https://")));
        plain.map_or(Ok(()), |(name, _)| {
            Err(format!("services.{name}_url must begin with https:// where services.certificate is named"))
        })
    }

    /// By what this process proves itself to the other services, where it does by a certificate.
    pub fn proof(&self) -> Option<Proof> {
        let (certificate, key, authority) = (self.certificate.clone()?, self.key.clone()?, self.ca_file.clone()?);
        Some(Proof { certificate, key, authority })
    }

    /// Where the other services come in, where that is a door of their own.
    ///
    /// # Errors
    /// An address that is taken, or files that cannot be used.
    pub fn door(&self) -> Result<Option<Door>, Box<dyn std::error::Error>> {
        let (Some(address), Some(proof)) = (self.listen, self.proof()) else { return Ok(None) };
        let tls = Some(Tls::open_to(&proof.authority, &proof.certificate, &proof.key)?);
        let listener = listen(address).map_err(|error| {
            format!("cannot listen on {address} for the other services: {error}; see services.listen")
        })?;
        Ok(Some(Door { listener, tls }))
    }
}

#[cfg(test)]
mod tests {
    use super::Services;

    #[test]
    fn certificates_are_named_whole_and_with_https() {
        let read = |text: &str| toml::from_str::<Services>(text).unwrap().check();
        assert!(read("").is_ok() && read("users_url = 'http://u'").is_ok());
        let files = "certificate = 'c'\nkey = 'k'\nca_file = 'a'\n";
        assert!(read(files).unwrap_err().contains("services.listen"));
        let whole = format!("{files}listen = '127.0.0.1:1'\n");
        assert!(read(&whole).is_ok() && read(&format!("{whole}users_url = 'https://u'")).is_ok());
        assert!(read(&format!("{whole}payments_url = 'http://p'")).unwrap_err().contains("services.payments_url"));
    }
}
