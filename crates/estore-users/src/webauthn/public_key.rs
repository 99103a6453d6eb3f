//! Public keys of credentials, as COSE has them.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use coset::cbor::Value;
use coset::iana::{Algorithm, Ec2KeyParameter, EllipticCurve, EnumI64, OkpKeyParameter, RsaKeyParameter};
use coset::{CborSerializable, CoseKey, KeyType, Label, RegisteredLabelWithPrivate, iana};

use super::Fault;
use crate::limits::CREDENTIAL_KEY_BYTES_MAX;

/// What is offered, the best first: what phones and passkey providers make, what keys of today make, and what the TPMs of
/// older Windows machines make.
pub(crate) const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256];
const POINT_BYTES: usize = 65;
const UNCOMPRESSED: u8 = 4;
const ED25519_BYTES: usize = 32;
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A key that verifies signatures of its one algorithm.
#[derive(Debug)]
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Reads a key of one of [`ALGORITHMS`]; a point that is on no curve is none.
    pub(crate) fn read(cose: &[u8]) -> Result<Self, Fault> {
        if cose.len() > CREDENTIAL_KEY_BYTES_MAX {
            return Err(Fault::Algorithm);
        }
        let key = CoseKey::from_slice(cose).map_err(|_malformed| Fault::Malformed("its key is no COSE key"))?;
        let Some(RegisteredLabelWithPrivate::Assigned(algorithm)) = key.alg else { return Err(Fault::Algorithm) };
        let parsed = match (algorithm, &key.kty) {
            (Algorithm::ES256, KeyType::Assigned(iana::KeyType::EC2)) => es256(&key),
            (Algorithm::EdDSA, KeyType::Assigned(iana::KeyType::OKP)) => ed25519(&key),
            (Algorithm::RS256, KeyType::Assigned(iana::KeyType::RSA)) => rs256(&key),
            _ => None,
        };
        parsed.map(Self).ok_or(Fault::Algorithm)
    }

    /// Whether the signature over the message is this key's.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

fn es256(key: &CoseKey) -> Option<ParsedPublicKey> {
    is_on(key, Ec2KeyParameter::Crv.to_i64(), EllipticCurve::P_256)?;
    let point = key.to_sec1_octet_string().ok()?;
    let is_whole = point.len() == POINT_BYTES && point.first() == Some(&UNCOMPRESSED);
    is_whole.then(|| ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok())?
}

fn ed25519(key: &CoseKey) -> Option<ParsedPublicKey> {
    is_on(key, OkpKeyParameter::Crv.to_i64(), EllipticCurve::Ed25519)?;
    let x = parameter(key, OkpKeyParameter::X.to_i64())?.as_bytes()?;
    (x.len() == ED25519_BYTES).then(|| ParsedPublicKey::new(&ED25519, x).ok())?
}

fn rs256(key: &CoseKey) -> Option<ParsedPublicKey> {
    let n = parameter(key, RsaKeyParameter::N.to_i64())?.as_bytes()?;
    let e = parameter(key, RsaKeyParameter::E.to_i64())?.as_bytes()?;
    let components = RsaPublicKeyComponents { n, e };
    RSA_BYTES.contains(&n.len()).then(|| components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok())?
}

fn is_on(key: &CoseKey, label: i64, curve: EllipticCurve) -> Option<()> {
    let stated: i64 = parameter(key, label)?.as_integer()?.try_into().ok()?;
    (stated == curve.to_i64()).then_some(())
}

fn parameter(key: &CoseKey, label: i64) -> Option<&Value> {
    key.params.iter().find(|(name, _)| *name == Label::Int(label)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    };
    use coset::cbor::Value;
    use coset::iana::{Algorithm, EllipticCurve, EnumI64, KeyType, OkpKeyParameter, RsaKeyParameter};
    use coset::{CborSerializable, CoseKey, CoseKeyBuilder, RegisteredLabelWithPrivate};

    use super::PublicKey;
    use crate::webauthn::Fault;

    fn okp(x: Vec<u8>, curve: EllipticCurve) -> Vec<u8> {
        let key = CoseKeyBuilder::new_okp_key()
            .algorithm(Algorithm::EdDSA)
            .param(OkpKeyParameter::Crv.to_i64(), Value::from(curve.to_i64()))
            .param(OkpKeyParameter::X.to_i64(), Value::Bytes(x));
        key.build().to_vec().unwrap()
    }

    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Vec<u8> {
        let key = CoseKeyBuilder::new_okp_key()
            .key_type(KeyType::RSA)
            .algorithm(Algorithm::RS256)
            .param(RsaKeyParameter::N.to_i64(), Value::Bytes(n))
            .param(RsaKeyParameter::E.to_i64(), Value::Bytes(e));
        key.build().to_vec().unwrap()
    }

    fn ec2(x: Vec<u8>, y: Vec<u8>, algorithm: Algorithm) -> Vec<u8> {
        CoseKeyBuilder::new_ec2_pub_key(EllipticCurve::P_256, x, y).algorithm(algorithm).build().to_vec().unwrap()
    }

    #[test]
    fn ed25519_and_rsa_keys_verify_their_own_signatures_alone() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = PublicKey::read(&okp(pair.public_key().as_ref().to_vec(), EllipticCurve::Ed25519)).unwrap();
        assert!(key.verifies(b"m", pair.sign(b"m").as_ref()) && !key.verifies(b"n", pair.sign(b"m").as_ref()));

        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"m", &mut signature).unwrap();
        let PublicKeyComponents { n, e }: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
        let key = PublicKey::read(&rsa(n, e)).unwrap();
        assert!(key.verifies(b"m", &signature) && !key.verifies(b"n", &signature));
    }

    /// The same key, which says that it is of another algorithm.
    fn stated(cose: &[u8], algorithm: Algorithm) -> Vec<u8> {
        let key = CoseKey::from_slice(cose).unwrap();
        CoseKey { alg: Some(RegisteredLabelWithPrivate::Assigned(algorithm)), ..key }.to_vec().unwrap()
    }

    #[test]
    fn a_key_is_taken_for_the_algorithm_and_curve_that_are_its_own_alone() {
        let refused = |cose: &[u8]| assert_eq!(PublicKey::read(cose).unwrap_err(), Fault::Algorithm);
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (x.to_vec(), y.to_vec());
        let curved = ec2(x.clone(), y.clone(), Algorithm::ES256);
        let short = Ed25519KeyPair::generate().unwrap().public_key().as_ref().to_vec();
        let edwards = okp(short.clone(), EllipticCurve::Ed25519);
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let PublicKeyComponents { n, e }: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
        for (key, own) in [(&curved, Algorithm::ES256), (&edwards, Algorithm::EdDSA), (&rsa(n, e), Algorithm::RS256)] {
            PublicKey::read(&stated(key, own)).unwrap();
            let all = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256, Algorithm::ES384, Algorithm::PS256];
            all.into_iter().filter(|other| *other != own).for_each(|other| refused(&stated(key, other)));
        }
        refused(&okp(short, EllipticCurve::X25519));
        let other = CoseKeyBuilder::new_ec2_pub_key(EllipticCurve::P_384, x, y).algorithm(Algorithm::ES256);
        refused(&other.build().to_vec().unwrap());
    }

    #[test]
    fn keys_that_were_not_offered_are_none() {
        let refused = |cose: &[u8]| PublicKey::read(cose).unwrap_err();
        assert_eq!(refused(&okp(vec![1; 57], EllipticCurve::Ed448)), Fault::Algorithm);
        assert_eq!(refused(&okp(vec![1; 31], EllipticCurve::Ed25519)), Fault::Algorithm);
        assert_eq!(refused(&rsa(vec![0xc1; 128], vec![1, 0, 1])), Fault::Algorithm);
        assert_eq!(refused(&ec2(vec![7; 32], vec![7; 32], Algorithm::ES256)), Fault::Algorithm);
        assert_eq!(refused(&ec2(vec![7; 32], vec![7; 32], Algorithm::ES384)), Fault::Algorithm);
        assert_eq!(refused(&vec![0; 4_096]), Fault::Algorithm);
        assert!(matches!(refused(&[0xa0]), Fault::Malformed(_) | Fault::Algorithm));
        assert!(matches!(refused(b""), Fault::Malformed(_)));
    }
}
