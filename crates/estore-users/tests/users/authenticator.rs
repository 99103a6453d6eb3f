//! A device that keeps one passkey, in software, and does as it is told: what it signs may be wrong in any one way.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coset::cbor::Value as Cbor;
use coset::iana::{Algorithm, EllipticCurve};
use coset::{CborSerializable, CoseKeyBuilder};
use serde_json::{Value, json};

pub(crate) const PRESENT: u8 = 0x01;
pub(crate) const VERIFIED: u8 = 0x04;
pub(crate) const MAY_BE_BACKED_UP: u8 = 0x08;
pub(crate) const IS_BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;

pub(crate) struct Authenticator {
    pub(crate) key: EcdsaKeyPair,
    pub(crate) id: [u8; 32],
    /// What it keeps for the account.
    pub(crate) user_handle: Vec<u8>,
    /// How often it has signed; it stays 0 for those that do not count.
    pub(crate) count: u32,
    pub(crate) counts: bool,
    pub(crate) flags: u8,
    pub(crate) origin: String,
    pub(crate) rp_id: String,
    /// `none` of a browser that hides the maker, or what an authenticator says of itself.
    pub(crate) format: &'static str,
}

impl Authenticator {
    /// One of a phone, for the shop of the tests: it checks who uses it.
    pub(crate) fn new() -> Self {
        let mut id = [0; 32];
        fill(&mut id).unwrap();
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id,
            user_handle: Vec::new(),
            count: 0,
            counts: true,
            flags: PRESENT | VERIFIED,
            origin: "http://localhost:8080".to_owned(),
            rp_id: "localhost".to_owned(),
            format: "none",
        }
    }

    /// Another one with the same secrets.
    pub(crate) fn copied(self) -> (Self, Self) {
        let pkcs8 = self.key.to_pkcs8v1().unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        let (user_handle, origin, rp_id) = (self.user_handle.clone(), self.origin.clone(), self.rp_id.clone());
        (Self { key, user_handle, origin, rp_id, ..self }, self)
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data =
            json!({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false});
        data.to_string().into_bytes()
    }

    fn data(&self, flags: u8, behind: &[u8]) -> Vec<u8> {
        let rp_id_hash = digest(&SHA256, self.rp_id.as_bytes());
        [rp_id_hash.as_ref(), &[flags], &self.count.to_be_bytes(), behind].concat()
    }

    /// What a browser answers to `navigator.credentials.create`.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.user_handle = URL_SAFE_NO_PAD.decode(options["user"]["id"].as_str().unwrap()).unwrap();
        let point = self.key.public_key().as_ref();
        let key = CoseKeyBuilder::new_ec2_pub_key(EllipticCurve::P_256, point[1..33].to_vec(), point[33..].to_vec());
        let key = key.algorithm(Algorithm::ES256).build().to_vec().unwrap();
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let credential = [&[0; 16], length.as_slice(), &self.id, &key].concat();
        let data = self.data(self.flags | HAS_CREDENTIAL, &credential);
        let object = Cbor::Map(vec![
            (Cbor::from("fmt"), Cbor::from(self.format)),
            (Cbor::from("attStmt"), Cbor::Map(Vec::new())),
            (Cbor::from("authData"), Cbor::Bytes(data)),
        ]);
        let mut attestation = Vec::new();
        coset::cbor::ser::into_writer(&object, &mut attestation).unwrap();
        let response = json!({
            "clientDataJSON": text(&self.client_data("webauthn.create", options)),
            "attestationObject": text(&attestation),
            "transports": ["internal", "hybrid"],
            "publicKeyAlgorithm": -7,
        });
        self.answer(&response)
    }

    /// What a browser answers to `navigator.credentials.get`.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.count += u32::from(self.counts);
        let client = self.client_data("webauthn.get", options);
        let data = self.data(self.flags, &[]);
        let message = [data.as_slice(), digest(&SHA256, &client).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        let response = json!({
            "clientDataJSON": text(&client),
            "authenticatorData": text(&data),
            "signature": text(signature.as_ref()),
            "userHandle": text(&self.user_handle),
        });
        self.answer(&response)
    }

    fn answer(&self, response: &Value) -> Value {
        let id = text(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "response": response,
            "clientExtensionResults": {}, "authenticatorAttachment": "platform",
        })
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
