//! For whom passkeys are made, and on whose pages they are used: fixed by the configuration.

use std::net::{IpAddr, Ipv4Addr};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use axum::http::Uri;
use estore_kit::edge::Origins;

use crate::config::PasskeysConfig;

const LOCALHOST: &str = "localhost";
/// A native application of Android names itself by its certificate.
const ANDROID: &str = "android:apk-key-hash:";
const ORIGINS_MAX: usize = 50;
const NAME_CHARACTERS_MAX: usize = 64;

/// The shop, as authenticators know it.
#[derive(Debug)]
pub(crate) struct RelyingParty {
    pub(crate) id: String,
    pub(crate) name: String,
    id_hash: [u8; SHA256_OUTPUT_LEN],
    origins: Vec<String>,
}

impl RelyingParty {
    /// What the configuration says, and where it says nothing, the public URL; nothing where that has no name to use.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub(crate) fn of(config: &PasskeysConfig, public_url: &str) -> Result<Option<Self>, String> {
        let PasskeysConfig { rp_id, rp_name, origins } = config;
        if !(1..=NAME_CHARACTERS_MAX).contains(&rp_name.trim().chars().count()) {
            return Err(format!("users.passkeys.rp_name must have 1 to {NAME_CHARACTERS_MAX} characters"));
        }
        let public = public_origin(public_url);
        let (rp_id, origins) = match (rp_id.is_empty(), origins.is_empty(), public) {
            (true, true, Some((host, origin))) => (host, vec![origin]),
            (true, true, None) => return Ok(None),
            (true, false, _) => return Err("users.passkeys.rp_id is needed beside users.passkeys.origins".to_owned()),
            (false, false, _) => (rp_id.clone(), origins.clone()),
            (false, true, Some((_, origin))) => (rp_id.clone(), vec![origin]),
            (false, true, None) => {
                let mend = "users.passkeys.origins is needed beside users.passkeys.rp_id, for public_url is no https:// \
                            address with a name; write [\"https://shop.example.com\"]";
                return Err(mend.to_owned());
            }
        };
        check_id(&rp_id)?;
        check_origins(&rp_id, &origins)?;
        let mut id_hash = [0; SHA256_OUTPUT_LEN];
        id_hash.copy_from_slice(digest(&SHA256, rp_id.as_bytes()).as_ref());
        Ok(Some(Self { id: rp_id, name: rp_name.trim().to_owned(), id_hash, origins }))
    }

    pub(super) fn has_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }

    pub(super) fn is_named_by(&self, id_hash: &[u8; SHA256_OUTPUT_LEN]) -> bool {
        self.id_hash == *id_hash
    }
}

/// The host and the origin of the shop's own pages, where browsers do WebAuthn there. This machine is reached by its name.
fn public_origin(public_url: &str) -> Option<(String, String)> {
    let uri: Uri = public_url.parse().ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?.to_ascii_lowercase());
    let host = if is_loopback(&host) { LOCALHOST.to_owned() } else { host };
    let is_safe = scheme == "https" || host == LOCALHOST;
    if !is_safe || check_id(&host).is_err() {
        return None;
    }
    let origin = match (scheme, uri.port_u16()) {
        (_, None) | ("https", Some(443)) | ("http", Some(80)) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    };
    Some((host, origin))
}

fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    address.is_some_and(|address| address.is_loopback() || address == IpAddr::from(Ipv4Addr::UNSPECIFIED))
}

/// A domain as browsers compare it; no address, which they refuse.
fn check_id(id: &str) -> Result<(), String> {
    let wrong = |why: &str| {
        Err(format!("users.passkeys.rp_id: {id:?} {why}; write the domain alone, such as shop.example.com"))
    };
    let is_label = |label: &str| {
        let inside = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    if id.len() > 253 || !id.split('.').all(is_label) {
        return wrong("is no domain in lower case (an international one in its xn-- form)");
    }
    if id.parse::<IpAddr>().is_ok() {
        return wrong("is an address, for which browsers make no passkeys");
    }
    if id != LOCALHOST && !id.contains('.') {
        return wrong("is a top-level domain");
    }
    Ok(())
}

/// Browsers let pages of the domain and of those below it use its passkeys; each that may is on the list.
fn check_origins(rp_id: &str, origins: &[String]) -> Result<(), String> {
    if origins.len() > ORIGINS_MAX {
        return Err(format!("users.passkeys.origins must have at most {ORIGINS_MAX} entries"));
    }
    for origin in origins.iter().filter(|origin| !origin.starts_with(ANDROID)) {
        Origins::read(std::slice::from_ref(origin)).map_err(|error| format!("users.passkeys.origins: {error}"))?;
        let uri: Uri = origin.parse().map_err(|_read_before| format!("users.passkeys.origins: {origin:?}"))?;
        let host = uri.host().unwrap_or_default();
        if uri.scheme_str() != Some("https") && host != LOCALHOST {
            return Err(format!("users.passkeys.origins: browsers do no WebAuthn at {origin:?}; it must be https://"));
        }
        let is_below = host.strip_suffix(rp_id).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if !is_below {
            return Err(format!(
                "users.passkeys.origins: {origin:?} is not of users.passkeys.rp_id, {rp_id:?}; its host must be that \
                 domain, or end in .{rp_id}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::RelyingParty;
    use crate::PasskeysConfig;

    fn of(rp_id: &str, origins: &[&str], public_url: &str) -> Result<Option<RelyingParty>, String> {
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        RelyingParty::of(&PasskeysConfig { rp_id: rp_id.into(), origins, ..PasskeysConfig::default() }, public_url)
    }

    #[test]
    fn a_shop_with_a_name_needs_no_setting() {
        let read = |url: &str| of("", &[], url).unwrap().map(|party| (party.id, party.origins.join(" ")));
        let is = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
        assert_eq!(read("https://Shop.Example/x/"), is("shop.example", "https://shop.example"));
        assert_eq!(read("https://shop.example:443"), is("shop.example", "https://shop.example"));
        assert_eq!(read("https://shop.example:8443"), is("shop.example", "https://shop.example:8443"));
        assert_eq!(read("http://127.0.0.1:8080"), is("localhost", "http://localhost:8080"));
        assert_eq!(read("http://[::1]:80"), is("localhost", "http://localhost"));
        for none in ["http://shop.example", "https://192.0.2.7", "https://[2001:db8::1]", "https://intranet", "x"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn what_browsers_would_refuse_is_refused_at_the_start() {
        let error = |rp_id, origins: &[&str], url| of(rp_id, origins, url).unwrap_err();
        for id in ["https://shop.example", "Shop.example", "shop.example:443", "192.0.2.7", "example", "-a.example", ""]
        {
            assert!(error(id, &["https://shop.example"], "").starts_with("users.passkeys.rp_id"), "{id}");
        }
        for origin in [
            "https://other.example",
            "https://eshop.example",
            "https://shop.example.evil.example",
            "http://shop.example",
            "https://shop.example/",
            "*",
        ] {
            assert!(error("shop.example", &[origin], "").starts_with("users.passkeys.origins: "), "{origin}");
        }
        assert!(error("shop.example", &[], "http://127.0.0.1:1").contains("not of users.passkeys.rp_id"));
        assert!(error("shop.example", &[], "").starts_with("users.passkeys.origins is needed"));
        let nameless = PasskeysConfig { rp_name: " ".into(), ..PasskeysConfig::default() };
        assert!(RelyingParty::of(&nameless, "").unwrap_err().starts_with("users.passkeys.rp_name"));
        let fine = ["https://shop.example", "https://m.shop.example:444", "android:apk-key-hash:x"];
        assert!(of("shop.example", &fine, "").unwrap().is_some_and(|party| party.has_origin("android:apk-key-hash:x")));
    }
}
