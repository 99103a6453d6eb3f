//! What authenticators say, as bytes (WebAuthn, "Authenticator Data" and "Attestation Object").

use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use coset::cbor::Value;
use coset::cbor::de::from_reader_with_recursion_limit;

use super::Fault;
use crate::limits::{CREDENTIAL_ID_BYTES_MAX, CREDENTIAL_ID_BYTES_MIN};

/// The kind of authenticator, which is not looked at.
const AAGUID_BYTES: usize = 16;
/// Nothing that authenticators send is deeper.
const DEPTH_MAX: usize = 16;

/// What the authenticator says of its user and of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    /// Somebody touched it.
    pub(crate) fn is_user_present(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// It checked who uses it.
    pub(crate) fn is_user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// The credential may be on several devices; it stays so for its life.
    pub(crate) fn is_backup_eligible(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// It is, by now.
    pub(crate) fn is_backed_up(self) -> bool {
        self.0 & 0x10 != 0
    }

    fn has_credential(self) -> bool {
        self.0 & 0x40 != 0
    }

    fn has_extensions(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// Authenticator data, its parts where they lie.
#[derive(Debug)]
pub(crate) struct AuthenticatorData<'a> {
    pub(crate) rp_id_hash: &'a [u8; SHA256_OUTPUT_LEN],
    pub(crate) flags: Flags,
    pub(crate) sign_count: u32,
    /// A credential, extensions, both or nothing, as the flags say.
    rest: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    /// Reads the head.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let short = Fault::Malformed("it is too short");
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or(short)?;
        let (flags, rest) = rest.split_first().ok_or(short)?;
        let (sign_count, rest) = rest.split_first_chunk().ok_or(short)?;
        Ok(Self { rp_id_hash, flags: Flags(*flags), sign_count: u32::from_be_bytes(*sign_count), rest })
    }
}

/// The authenticator data of an attestation object, whose statement is not looked at.
pub(crate) fn data_of(attestation_object: &[u8]) -> Result<Vec<u8>, Fault> {
    let no_map = Fault::Malformed("the attestation object is no CBOR map with authData");
    let mut rest = attestation_object;
    let object = next_value(&mut rest)?.into_map().map_err(|_other| no_map)?;
    if !rest.is_empty() {
        return Err(Fault::Malformed("something stands behind the attestation object"));
    }
    let data = object.into_iter().find(|(name, _)| name.as_text() == Some("authData"));
    data.and_then(|(_, data)| data.into_bytes().ok()).ok_or(no_map)
}

/// The id and the COSE key of the credential that the data brings.
pub(crate) fn attested_credential<'a>(data: &AuthenticatorData<'a>) -> Result<(&'a [u8], &'a [u8]), Fault> {
    let short = Fault::Malformed("the credential is cut off");
    if !data.flags.has_credential() {
        return Err(Fault::Malformed("it brings no credential"));
    }
    let rest = data.rest.get(AAGUID_BYTES..).ok_or(short)?;
    let (length, rest) = rest.split_first_chunk().ok_or(short)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if !(CREDENTIAL_ID_BYTES_MIN..=CREDENTIAL_ID_BYTES_MAX).contains(&length) {
        return Err(Fault::Malformed("a credential's id has 16 to 1,023 bytes"));
    }
    let (id, behind) = rest.split_at_checked(length).ok_or(short)?;
    let mut rest = behind;
    next_value(&mut rest)?;
    let key = behind.get(..behind.len() - rest.len()).ok_or(short)?;
    if data.flags.has_extensions() {
        next_value(&mut rest)?;
    }
    if rest.is_empty() { Ok((id, key)) } else { Err(Fault::Malformed("something stands behind it")) }
}

/// Takes one value off the front.
fn next_value(rest: &mut &[u8]) -> Result<Value, Fault> {
    from_reader_with_recursion_limit(rest, DEPTH_MAX).map_err(|_malformed| Fault::Malformed("it is no CBOR"))
}

#[cfg(test)]
mod tests {
    use super::{AuthenticatorData, attested_credential};
    use crate::webauthn::Fault;

    /// Data with a credential whose key is one small value of CBOR, and this behind it.
    fn data(flags: u8, behind: &[u8]) -> Vec<u8> {
        let head = [[7; 32].as_slice(), &[flags], &[0; 4], &[0; 16], &16_u16.to_be_bytes()].concat();
        [head.as_slice(), &[9; 16], &[0xa0], behind].concat()
    }

    #[test]
    fn nothing_stands_behind_a_credential_that_its_flags_do_not_tell_of() {
        let read = |bytes: &[u8]| {
            let data = AuthenticatorData::read(bytes)?;
            attested_credential(&data).map(|(id, key)| (id.to_vec(), key.to_vec()))
        };
        let good = (vec![9; 16], vec![0xa0]);
        assert_eq!(read(&data(0x41, &[])), Ok(good.clone()));
        assert_eq!(read(&data(0xc1, &[0xa0])), Ok(good), "extensions");
        for (flags, behind) in [(0x41, &[0xa0][..]), (0xc1, &[]), (0xc1, &[0xa0, 0xa0]), (0x01, &[])] {
            assert!(matches!(read(&data(flags, behind)), Err(Fault::Malformed(_))), "{flags:x} {behind:?}");
        }
        let whole = data(0x41, &[]);
        for length in 0..whole.len() {
            assert!(matches!(read(&whole[..length]), Err(Fault::Malformed(_))), "{length}");
        }
    }
}
