//! WebAuthn without input and output (W3C, level 3): what a browser sends back is held against what it was asked.
//!
//! Attestation statements are not looked at: a shop that takes every maker's authenticator learns nothing from them.

pub(crate) mod authenticator;
pub(crate) mod public_key;
pub(crate) mod relying_party;
pub(crate) mod wire;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use self::authenticator::{AuthenticatorData, Flags, attested_credential};
use self::public_key::PublicKey;
use self::relying_party::RelyingParty;
use self::wire::{AssertionResponse, AttestationResponse};
use crate::secret::Secret;

/// Why what came back is not what was asked for, whoever it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("clientDataJSON is not what a browser makes of a ceremony")]
    ClientData,
    #[error("it was made for another ceremony: a registration where a log-in is asked for, or the other way")]
    Ceremony,
    #[error("the page's origin is not among users.passkeys.origins of this shop")]
    Origin,
    #[error("it was made in a page of another site that frames this one")]
    Framed,
    #[error("it was made for another relying party than users.passkeys.rp_id of this shop")]
    RelyingParty,
    #[error("nobody touched the authenticator")]
    NotPresent,
    #[error("the authenticator did not check who uses it (by PIN, finger or face), which is needed without a password")]
    NotVerified,
    #[error("the authenticator's data is malformed: {0}")]
    Malformed(&'static str),
    #[error("the key is of no kind that was offered (ES256, EdDSA with Ed25519, RS256 of 2,048 to 4,096 bits)")]
    Algorithm,
}

/// A credential that an authenticator made.
#[derive(Debug)]
pub(crate) struct NewCredential {
    /// The challenge that it answers, as it was sent.
    pub(crate) challenge: Secret,
    pub(crate) id: Vec<u8>,
    /// As COSE has it; it has been read once.
    pub(crate) public_key: Vec<u8>,
    pub(crate) sign_count: u32,
    pub(crate) flags: Flags,
}

/// What an authenticator signed; whether it did is still to be seen.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// The challenge that it answers, as it was sent.
    pub(crate) challenge: Secret,
    pub(crate) sign_count: u32,
    pub(crate) flags: Flags,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Assertion {
    /// Whether the signature is this key's.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verifies(&self.message, &self.signature)
    }
}

/// What the browser says of the page that asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

impl RelyingParty {
    /// Reads the answer to a registration.
    pub(crate) fn read_registration(&self, response: &AttestationResponse) -> Result<NewCredential, Fault> {
        let challenge = self.challenge_of(&response.client_data_json.0, "webauthn.create")?;
        let whole = authenticator::data_of(&response.attestation_object.0)?;
        let data = self.look_at(&whole)?;
        let (id, public_key) = attested_credential(&data)?;
        PublicKey::read(public_key)?;
        Ok(NewCredential {
            challenge,
            id: id.to_vec(),
            public_key: public_key.to_vec(),
            sign_count: data.sign_count,
            flags: data.flags,
        })
    }

    /// Reads the answer to a log-in.
    pub(crate) fn read_assertion(&self, response: &AssertionResponse) -> Result<Assertion, Fault> {
        let client_data = &response.client_data_json.0;
        let challenge = self.challenge_of(client_data, "webauthn.get")?;
        let whole = &response.authenticator_data.0;
        let data = self.look_at(whole)?;
        let message = [whole.as_slice(), digest(&SHA256, client_data).as_ref()].concat();
        let signature = response.signature.0.clone();
        Ok(Assertion { challenge, sign_count: data.sign_count, flags: data.flags, message, signature })
    }

    fn challenge_of(&self, json: &[u8], kind: &str) -> Result<Secret, Fault> {
        let data: ClientData = serde_json::from_slice(json).map_err(|_malformed| Fault::ClientData)?;
        if data.kind != kind {
            return Err(Fault::Ceremony);
        }
        if !self.has_origin(&data.origin) {
            return Err(Fault::Origin);
        }
        if data.cross_origin || data.top_origin.is_some() {
            return Err(Fault::Framed);
        }
        Ok(Secret::new(data.challenge))
    }

    fn look_at<'a>(&self, whole: &'a [u8]) -> Result<AuthenticatorData<'a>, Fault> {
        let data = AuthenticatorData::read(whole)?;
        if !self.is_named_by(data.rp_id_hash) {
            return Err(Fault::RelyingParty);
        }
        if !data.flags.is_user_present() {
            return Err(Fault::NotPresent);
        }
        if data.flags.is_backed_up() && !data.flags.is_backup_eligible() {
            return Err(Fault::Malformed("it is backed up and cannot be"));
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::public_key::PublicKey;
    use super::relying_party::RelyingParty;
    use super::wire::{AssertionResponse, AttestationResponse, Bytes};
    use super::{Fault, NewCredential};
    use crate::PasskeysConfig;

    /// Made by soft-webauthn 0.1.4 (Python), whose code shares nothing with ours.
    const CREATED: [&str; 2] = [
        "eyJ0eXBlIjogIndlYmF1dGhuLmNyZWF0ZSIsICJjaGFsbGVuZ2UiOiAiQUFFQ0F3UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOCIsICJvcmlnaW4iOiAiaHR0cHM6Ly9zaG9wLmV4YW1wbGUifQ",
        "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikD1lGPGBsWw5dPagfNuP3wXWsIwxg51whRM47dSJHYHxBAAAAAAAAAAAAAAAAAAAAAAAAAAAAIFK7CDqfXam-9xYfyhHv6gxaNms-PArwIBwSHcEtCJvapQECAyYgASFYIMUwZ_d4d3_NuBXnNyNq-eqFzsZ2D7WyPN2nGsLKyT0IIlgg09WxaH66_lFkiC_uO_jinBsivJ3UAONIa8euCuiSM1Q",
    ];
    const SIGNED: [&str; 3] = [
        "eyJ0eXBlIjogIndlYmF1dGhuLmdldCIsICJjaGFsbGVuZ2UiOiAiSHg0ZEhCc2FHUmdYRmhVVUV4SVJFQThPRFF3TENna0lCd1lGQkFNQ0FRQSIsICJvcmlnaW4iOiAiaHR0cHM6Ly9zaG9wLmV4YW1wbGUifQ",
        "D1lGPGBsWw5dPagfNuP3wXWsIwxg51whRM47dSJHYHwBAAAAAQ",
        "MEYCIQCydr3hpdCtVS4U50Q9ZiALFUgXt3akP8EcznqqwjOoBAIhANOkaxzxnxKMawzqRNL4sSoh8IFC-zjiyY7M-FOhTFQ7",
    ];

    fn bytes(text: &str) -> Bytes {
        Bytes(URL_SAFE_NO_PAD.decode(text).unwrap())
    }

    fn shop(rp_id: &str, origin: &str) -> RelyingParty {
        let config = PasskeysConfig { rp_id: rp_id.into(), origins: vec![origin.into()], ..PasskeysConfig::default() };
        RelyingParty::of(&config, "").unwrap().unwrap()
    }

    fn created() -> AttestationResponse {
        let [client, object] = CREATED.map(bytes);
        AttestationResponse { client_data_json: client, attestation_object: object, transports: Vec::new() }
    }

    fn signed() -> AssertionResponse {
        let [client, data, signature] = SIGNED.map(bytes);
        AssertionResponse { client_data_json: client, authenticator_data: data, signature, user_handle: None }
    }

    fn read() -> (RelyingParty, NewCredential) {
        let shop = shop("shop.example", "https://shop.example");
        let made = shop.read_registration(&created()).unwrap();
        (shop, made)
    }

    #[test]
    fn what_another_implementation_makes_is_read_and_verified() {
        let (shop, made) = read();
        assert_eq!(made.challenge.reveal(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        assert_eq!(made.id, bytes("UrsIOp9dqb73Fh_KEe_qDFo2az48CvAgHBIdwS0Im9o").0);
        assert!(!made.flags.is_user_verified() && !made.flags.is_backup_eligible());
        let key = PublicKey::read(&made.public_key).unwrap();
        let assertion = shop.read_assertion(&signed()).unwrap();
        assert!(assertion.is_signed_by(&key) && assertion.sign_count == 1);
    }

    #[test]
    fn no_bit_of_what_is_signed_can_be_changed() {
        let (shop, made) = read();
        let key = PublicKey::read(&made.public_key).unwrap();
        for at in 0..signed().signature.0.len() {
            let mut altered = signed();
            altered.signature.0[at] ^= 1;
            assert!(!shop.read_assertion(&altered).unwrap().is_signed_by(&key), "signature, byte {at}");
        }
        for at in 0..signed().authenticator_data.0.len() {
            let mut altered = signed();
            altered.authenticator_data.0[at] ^= 4;
            let read = shop.read_assertion(&altered);
            assert!(read.is_err() || !read.unwrap().is_signed_by(&key), "data, byte {at}");
        }
        for at in 0..signed().client_data_json.0.len() {
            let mut altered = signed();
            altered.client_data_json.0[at] ^= 1;
            let read = shop.read_assertion(&altered);
            assert!(read.is_err() || !read.unwrap().is_signed_by(&key), "client data, byte {at}");
        }
    }

    #[test]
    fn another_origin_relying_party_or_ceremony_is_named() {
        let faults = |rp_id, origin| {
            let shop = shop(rp_id, origin);
            (shop.read_registration(&created()).err(), shop.read_assertion(&signed()).err())
        };
        let both = |fault| (Some(fault), Some(fault));
        assert_eq!(faults("shop.example", "https://www.shop.example"), both(Fault::Origin));
        assert_eq!(faults("shop.example", "https://shop.example:8443"), both(Fault::Origin));
        let other = shop("other.example", "https://other.example");
        let mut moved = signed();
        let client = String::from_utf8(moved.client_data_json.0.clone()).unwrap();
        moved.client_data_json.0 = client.replace("https://shop", "https://other").into_bytes();
        assert_eq!(other.read_assertion(&moved).err(), Some(Fault::RelyingParty));
        let (shop, _) = read();
        let swapped = AssertionResponse { client_data_json: created().client_data_json, ..signed() };
        assert_eq!(shop.read_assertion(&swapped).err(), Some(Fault::Ceremony));
        let framed = client.replace('}', ", \"crossOrigin\": true}").into_bytes();
        let framed = AssertionResponse { client_data_json: Bytes(framed), ..signed() };
        assert_eq!(shop.read_assertion(&framed).err(), Some(Fault::Framed));
        let above = client.replace('}', ", \"topOrigin\": \"https://evil.example\"}").into_bytes();
        let above = AssertionResponse { client_data_json: Bytes(above), ..signed() };
        assert_eq!(shop.read_assertion(&above).err(), Some(Fault::Framed));
        let nonsense = AssertionResponse { client_data_json: Bytes(b"[]".to_vec()), ..signed() };
        assert_eq!(shop.read_assertion(&nonsense).err(), Some(Fault::ClientData));
    }

    #[test]
    fn no_cut_or_flipped_attestation_panics() {
        let (shop, _) = read();
        let whole = created().attestation_object.0;
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            for bytes in [whole[..at].to_vec(), flipped] {
                drop(shop.read_registration(&AttestationResponse { attestation_object: Bytes(bytes), ..created() }));
            }
        }
        let cut = AttestationResponse { attestation_object: Bytes(whole[..whole.len() - 1].to_vec()), ..created() };
        assert!(shop.read_registration(&cut).is_err());
        let longer = AttestationResponse { attestation_object: Bytes([whole, vec![0]].concat()), ..created() };
        assert!(shop.read_registration(&longer).is_err());
    }
}
