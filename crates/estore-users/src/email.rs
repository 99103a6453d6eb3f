//! Addresses: one normal form each, and only such as mail can be delivered to.

use std::fmt;

use estore_kit::validate::Rules;

use crate::limits::{EMAIL_CHARACTERS_MAX, EMAIL_LOCAL_CHARACTERS_MAX};

const LABEL_CHARACTERS_MAX: usize = 63;
const DOMAIN_CHARACTERS_MAX: usize = 253;
/// Nothing is ever delivered there; erased accounts use the first.
const DEAD_TOP_LEVELS: [&str; 2] = ["invalid", "onion"];

/// An address in lower case that has passed the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    /// Reads an address as a person types it.
    pub(crate) fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim_matches(' ');
        if text.chars().count() > EMAIL_CHARACTERS_MAX {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::NoAt)?;
        check_local(local)?;
        check_domain(domain)?;
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Reads an address and notes a broken rule at the pointer.
    pub(crate) fn check(text: &str, pointer: &str, rules: &mut Rules) -> Option<Self> {
        Self::parse(text).map_err(|error| rules.broken(pointer, error.code(), error.to_string())).ok()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub(crate) fn local(&self) -> &str {
        self.0.split_once('@').map_or(&self.0, |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no address that mail can be delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EmailError {
    /// More than the column holds.
    #[error("must have at most {EMAIL_CHARACTERS_MAX} characters")]
    TooLong,
    /// No `@`.
    #[error("must be an e-mail address: a name, @ and a domain")]
    NoAt,
    /// The part before the `@`.
    #[error(
        "the part before the @ must be 1 to {EMAIL_LOCAL_CHARACTERS_MAX} letters, digits or !#$%&'*+-/=?^_`{{|}}~, with single dots inside"
    )]
    Local,
    /// The part behind the `@`.
    #[error(
        "the part behind the @ must be a domain with a dot, such as example.com; write an international one in its xn-- form"
    )]
    Domain,
}

impl EmailError {
    pub(crate) fn code(self) -> &'static str {
        if self == Self::TooLong { "length" } else { "invalid_email" }
    }
}

fn check_local(local: &str) -> Result<(), EmailError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let fits = local.len() <= EMAIL_LOCAL_CHARACTERS_MAX;
    let atoms = local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(plain));
    if fits && atoms { Ok(()) } else { Err(EmailError::Local) }
}

fn check_domain(domain: &str) -> Result<(), EmailError> {
    let labels: Vec<&str> = domain.split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    let named = labels.len() > 1 && domain.len() <= DOMAIN_CHARACTERS_MAX && labels.iter().all(|label| is_label(label));
    let alive = !DEAD_TOP_LEVELS.iter().any(|dead| top.eq_ignore_ascii_case(dead));
    // A number at the end is an IPv4 address, not a domain.
    let lettered = top.bytes().any(|b| b.is_ascii_alphabetic());
    if named && alive && lettered { Ok(()) } else { Err(EmailError::Domain) }
}

fn is_label(label: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=LABEL_CHARACTERS_MAX).contains(&label.len())
        && label.bytes().all(inside)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::{Email, EmailError};

    #[test]
    fn one_person_is_one_address() {
        assert_eq!(Email::parse(" Ada.Lovelace+Shop@Example.COM ").unwrap().as_str(), "ada.lovelace+shop@example.com");
    }

    #[test]
    fn deliverable_addresses_are_taken() {
        let longest = format!("{}@{}.com", "a".repeat(64), "b".repeat(63));
        for text in [
            "a@b.co",
            "test@iana.123.example",
            "a!#$%&'*+-/=?^_`{|}~@x-y.org",
            "me@xn--hxajbheg2az3al.xn--jxalpdlp",
            &longest,
        ] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn undeliverable_ones_are_refused_with_the_part_at_fault() {
        use EmailError::{Domain, Local, NoAt, TooLong};
        let cases = [
            ("", NoAt),
            ("test", NoAt),
            ("@", Local),
            ("@example.com", Local),
            ("test@", Domain),
            (".a@b.co", Local),
            ("a.@b.co", Local),
            ("a..b@b.co", Local),
            ("a b@b.co", Local),
            ("a@b@c.co", Local),
            ("\"a\"@b.co", Local),
            ("a(c)@b.co", Local),
            ("a@-b.co", Domain),
            ("a@b-.co", Domain),
            ("a@.b.co", Domain),
            ("a@b.co.", Domain),
            ("a@b..co", Domain),
            ("a@localhost", Domain),
            ("a@[1.2.3.4]", Domain),
            ("a@1.2.3.4", Domain),
            ("erased-1@x.invalid", Domain),
            ("é@b.co", Local),
            ("a@bücher.de", Domain),
            ("a\0@b.co", Local),
            ("a@b.co\r\nBcc: x@y.z", Local),
            ("a,b@c.de", Local),
            ("<a@c.de>", Local),
            ("a@b.co\n", Domain),
            ("\r\na@b.co", Local),
        ];
        for (text, fault) in cases {
            assert_eq!(Email::parse(text), Err(fault), "{text:?}");
        }
        assert_eq!(Email::parse(&format!("{}@b.co", "a".repeat(65))), Err(Local));
        assert_eq!(Email::parse(&format!("a@{}.co", "b".repeat(64))), Err(Domain));
        assert_eq!(Email::parse(&format!("a@{}.co", "b.".repeat(150))), Err(TooLong));
    }
}
