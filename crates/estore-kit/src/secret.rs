//! Text that never prints, and is wiped from memory when nobody needs it any more.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A password, token or key, as it came in or goes out. How long a comparison takes tells nothing but the length.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.reveal().as_bytes().ct_eq(other.reveal().as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::from(text))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::{Zeroize, Zeroizing};

    use super::Secret;

    #[test]
    fn a_secret_is_told_where_it_is_asked_for_and_printed_nowhere() {
        let secret: Secret = serde_json::from_str("\"hush\"").unwrap();
        assert_eq!((secret.reveal(), secret.is_empty()), ("hush", false));
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)).matches("hush").count(), 0);
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"hush\"");
        assert!(secret == Secret::from("hush") && secret != Secret::from("hush!") && secret != Secret::from("rush"));
        let refused = serde_json::from_str::<Secret>("[\"hush\"]").unwrap_err().to_string();
        assert!(!refused.contains("hush"), "{refused}");
    }

    /// What is dropped is wiped by its type; the type is what can be seen from outside.
    #[test]
    fn the_text_is_of_the_kind_that_is_wiped() {
        let Secret(mut text) = Secret::from("hush");
        let is_wiped_when_dropped: &mut Zeroizing<String> = &mut text;
        is_wiped_when_dropped.zeroize();
        assert!(text.is_empty());
    }
}
