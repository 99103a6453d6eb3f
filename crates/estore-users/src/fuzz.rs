//! What is thrown at the readers of access tokens and of customer files: by chance (`fuzz/`), and from the corpora by the
//! tests.

use std::sync::LazyLock;

use estore_kit::auth::{ISSUER, Verifier};
use futures_util::FutureExt;
use serde_json::Value;
use uuid::Uuid;

use crate::access_token::Signer;
use crate::customer_csv::{Customer, CustomerRows};

/// An access token as it is shown; what begins with `{` is signed by our key first, so that its claims are reached.
///
/// # Panics
/// When one is taken that is not signed by us, not for us, over, or not of whom it says.
pub fn access_tokens(bytes: &[u8]) {
    static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::passing().expect("a key is made"));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let verifier = Verifier::given(SIGNER.key_set());
    let verify = |token: &str| verifier.verify(token).now_or_never().expect("nobody is asked");
    if !text.starts_with('{') {
        assert!(verify(text).is_err(), "nobody but us can sign");
        return;
    }
    let Ok(claims) = serde_json::from_str::<Value>(text) else { return };
    let Some(token) = SIGNER.sign_anything(&claims) else { return };
    let Ok(caller) = verify(&token) else { return };
    assert!(claims["iss"] == ISSUER && claims["aud"] == ISSUER, "{claims}");
    assert_eq!(claims["sub"].as_str().and_then(|sub| sub.parse().ok()), Some(caller.user_id), "{claims}");
    assert!(!caller.is_key);
    let again = verify(&token).expect("it is remembered");
    assert_eq!(
        (again.user_id, again.is_admin, again.permissions),
        (caller.user_id, caller.is_admin, caller.permissions)
    );
}

/// A file of customers.
///
/// # Panics
/// When a row that is taken would not be one row for `COPY`, or says something else once it is written anew.
pub fn customer_files(bytes: &[u8]) {
    let Ok(rows) = CustomerRows::open(bytes) else { return };
    for row in rows {
        match row {
            Ok(customer) => is_one_row(&customer),
            Err(faults) => assert!(faults.iter().all(|fault| fault.line > 0) && !faults.is_empty()),
        }
    }
}

fn is_one_row(customer: &Customer) {
    let hash = if customer.password.is_some() { "hash" } else { customer.hashed_password.as_str() };
    let line = customer.copy_line(Uuid::nil(), hash);
    let inner = line.strip_suffix('\n').expect("a line ends");
    assert!(!inner.contains(['\n', '\r', '\\', '\0']), "{inner:?}");
    let fields: Vec<&str> = inner.split('\t').collect();
    let [_, _, email, _, is_verified, is_active, is_admin] = fields[..] else { panic!("{inner:?}") };
    let hash = if customer.password.is_some() { "" } else { hash };
    let password = customer.password.as_ref().map_or("", |password| password.reveal()).replace('"', "\"\"");
    let file = format!(
        "email,hashed_password,password,is_verified,is_active,is_admin\n\
         {email},\"{hash}\",\"{password}\",{is_verified},{is_active},{is_admin}\n"
    );
    let mut again = CustomerRows::open(file.as_bytes()).expect("a header").flatten();
    let again = again.next().expect("the same customer is taken again");
    assert_eq!(again.hashed_password, customer.hashed_password);
    assert!(again.password == customer.password);
    let line_of = |customer: &Customer| customer.copy_line(Uuid::nil(), "").split('\t').skip(2).collect::<String>();
    assert_eq!(line_of(&again), line_of(customer));
}

#[cfg(test)]
mod tests {
    use estore_testkit::corpus::replay;

    #[test]
    fn access_tokens_of_the_corpus_are_read() {
        replay("access_tokens", super::access_tokens);
    }

    #[test]
    fn customer_files_of_the_corpus_are_read() {
        replay("customer_files", super::customer_files);
    }
}
