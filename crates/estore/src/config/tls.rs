//! The section `[tls]`: how clients know that it is us.

use std::path::PathBuf;

use estore_kit::edge::Tls;
use serde::Deserialize;

/// The section `[tls]`: both files, or plain HTTP.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// The certificate in PEM, with those between it and the root.
    pub certificate: Option<PathBuf>,
    /// Its key in PEM.
    pub key: Option<PathBuf>,
}

impl TlsConfig {
    /// Whether clients come by TLS.
    pub fn is_on(&self) -> bool {
        self.certificate.is_some()
    }

    /// # Errors
    /// One file without the other.
    pub fn check(&self) -> Result<(), String> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => Err("tls.certificate is named and tls.key is not; name both, or none".to_owned()),
            (None, Some(_)) => Err("tls.key is named and tls.certificate is not; name both, or none".to_owned()),
            _ => Ok(()),
        }
    }

    /// Opens the files, where they are named.
    ///
    /// # Errors
    /// The file at fault, why, and the mend.
    pub fn open(&self) -> Result<Option<Tls>, Box<dyn std::error::Error>> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else { return Ok(None) };
        Ok(Some(Tls::open(certificate, key)?))
    }
}

#[cfg(test)]
mod tests {
    use super::TlsConfig;

    #[test]
    fn both_files_are_named_or_none() {
        let (certificate, key) = (Some("c.pem".into()), Some("k.pem".into()));
        assert!(TlsConfig::default().check().is_ok());
        assert!(TlsConfig { certificate: certificate.clone(), key: key.clone() }.check().is_ok());
        let wrong = TlsConfig { certificate, key: None }.check().unwrap_err();
        assert!(wrong.contains("tls.key is not"), "{wrong}");
        assert!(TlsConfig { certificate: None, key }.check().is_err());
    }
}
