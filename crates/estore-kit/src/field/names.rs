//! Which leaves of JSON are personal, by the words of their names.

/// The words that make a name personal.
pub const DEFAULT_NAMES: &[&str] = &[
    "address",
    "addressee",
    "birth",
    "birthdate",
    "birthday",
    "city",
    "comment",
    "contact",
    "dob",
    "email",
    "fax",
    "firstname",
    "forename",
    "fullname",
    "iban",
    "instruction",
    "lastname",
    "mail",
    "message",
    "mobile",
    "name",
    "nickname",
    "note",
    "passport",
    "phone",
    "postal",
    "postalcode",
    "postcode",
    "recipient",
    "remark",
    "ssn",
    "street",
    "surname",
    "telephone",
    "town",
    "username",
    "vat",
    "zip",
    "zipcode",
];

/// Words that always do: EStore itself names so what it stores sealed.
const OWN_NAMES: [&str; 2] = ["billing", "holder"];

/// Words; a name with one of them is personal, such as `shippingAddress`, `address_2` or `Contact-Phones`.
#[derive(Debug, Clone)]
pub struct Names(Vec<String>);

impl Default for Names {
    fn default() -> Self {
        Self(DEFAULT_NAMES.iter().chain(&OWN_NAMES).map(|&word| word.to_owned()).collect())
    }
}

impl Names {
    /// Words of one's own, in small letters.
    ///
    /// # Errors
    /// The word that is none, and the rule.
    pub fn of(words: &[String]) -> Result<Self, String> {
        match words.iter().find(|word| word.is_empty() || !word.chars().all(|c| c.is_alphabetic() && !c.is_uppercase()))
        {
            Some(word) => Err(format!("{word:?} is no word: a word has small letters only, such as \"phone\"")),
            None => Ok(Self(words.iter().cloned().chain(OWN_NAMES.map(str::to_owned)).collect())),
        }
    }

    /// Whether a leaf of this name is personal.
    #[must_use]
    pub fn cover(&self, name: &str) -> bool {
        words(name).any(|word| self.0.iter().any(|known| is_of(word, known)))
    }
}

/// Whether it is the word or its plural, in letters of any size.
fn is_of(word: &str, known: &str) -> bool {
    let Some(rest) = word.len().checked_sub(known.len()).filter(|rest| *rest <= 2) else { return false };
    let (Some(stem), Some(plural)) = (word.get(..known.len()), word.get(known.len()..)) else { return false };
    let is_stem = if known.is_ascii() { stem.eq_ignore_ascii_case(known) } else { stem.to_lowercase() == known };
    is_stem && (rest == 0 || plural.eq_ignore_ascii_case("s") || plural.eq_ignore_ascii_case("es"))
}

/// The words of a name: they end where letters do, and before a large letter that follows a small one.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphabetic());
        let mut was_small = false;
        let end = rest.find(|c: char| {
            let begins_next = was_small && c.is_uppercase();
            was_small = c.is_lowercase();
            begins_next || !c.is_alphabetic()
        });
        let (word, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_are_personal_by_their_words() {
        let names = Names::default();
        for name in [
            "name",
            "Name",
            "EMAIL",
            "e-mail",
            "shippingAddress",
            "shipping_address_1",
            "phones",
            "addresses",
            "gift message",
            "customer.email",
            "zip",
            "firstName",
            "recipientName",
            "Postcode",
            "notes",
        ] {
            assert!(names.cover(name), "{name}");
        }
        for name in ["", "_", "gift", "color", "size", "tenant", "namespace", "source", "campaign", "renamed", "42"] {
            assert!(!names.cover(name), "{name}");
        }
        let own = Names::of(&["straße".to_owned()]).unwrap();
        assert!(own.cover("lieferStraße") && own.cover("billing_address") && !own.cover("name"));
        assert!(Names::of(&["Phone number".to_owned()]).is_err());
    }
}
