//! What is thrown at the readers of cursors and service tokens: by chance (`fuzz/`), and from the corpora by the tests.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::paging;
use crate::service_auth::ServiceSecret;

/// A cursor as it comes back, of any list whose key is a plain one.
///
/// # Panics
/// When a cursor that is taken says something else once it is written anew.
pub fn cursors(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    cursor::<i32>(text);
    cursor::<i64>(text);
    cursor::<(i32,)>(text);
    cursor::<Uuid>(text);
}

/// A cursor of a list with this key.
///
/// # Panics
/// When a cursor that is taken says something else once it is written anew.
pub fn cursor<K: Serialize + DeserializeOwned>(text: &str) {
    let Ok(Some(key)) = paging::decode::<K>(Some(text)) else { return };
    let written = paging::encode(&key);
    let again = paging::decode::<K>(Some(&written)).expect("what we write is taken").expect("it is a cursor");
    assert_eq!(paging::encode(&again), written);
}

/// A service token as it is shown; what begins with `{` is signed by our secret first, so that its claims are reached.
///
/// # Panics
/// When one is taken that is not signed by us, not from whom it must be, or not for whom.
pub fn service_tokens(bytes: &[u8]) {
    static SECRET: LazyLock<ServiceSecret> = LazyLock::new(|| ServiceSecret::new(&[7; 32]).expect("it is long enough"));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if !text.starts_with('{') {
        assert_eq!(SECRET.verify(text, "inventory", &["payments"]), None, "nobody but us can sign");
        return;
    }
    let Ok(mut claims) = serde_json::from_str::<Value>(text) else { return };
    count_from_now(&mut claims);
    let Ok(token) = SECRET.sign(&claims) else { return };
    if SECRET.verify(&token, "inventory", &["payments"]).is_some() {
        assert!(claims["iss"] == "payments" && claims["aud"] == "inventory", "{claims}");
        let (iat, exp) = (claims["iat"].as_u64().expect("seconds"), claims["exp"].as_u64().expect("seconds"));
        assert!(exp - iat <= 60, "{claims}");
    }
}

/// Takes the times of claims for seconds from now: a corpus cannot know when it is read.
fn count_from_now(claims: &mut Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    for time in ["iat", "exp"] {
        if let Some(value) = claims.get_mut(time)
            && let Some(seconds) = value.as_i64()
            && let Some(moment) = now.checked_add_signed(seconds)
        {
            *value = moment.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use estore_testkit::corpus::replay;

    #[test]
    fn cursors_of_the_corpus_are_read() {
        replay("cursors", super::cursors);
    }

    #[test]
    fn service_tokens_of_the_corpus_are_read() {
        replay("service_tokens", super::service_tokens);
    }
}
