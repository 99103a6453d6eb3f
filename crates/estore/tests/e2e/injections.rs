//! Words that mean something to a database, a shell, a header or a page: none of them does here.

use estore_testkit::client::Client;
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::{Value, json};

crate::in_one_and_three!(no_parameter_is_more_than_its_text, no_field_is_more_than_its_text);

const WORDS: [&str; 16] = [
    "'",
    "' OR '1'='1",
    "1 OR 1=1",
    "1; DROP TABLE users; --",
    "'; SELECT pg_sleep(30); --",
    "1) UNION SELECT hashed_password FROM users --",
    "$$ || pg_read_file('/etc/passwd') || $$",
    "\\'; COPY users TO PROGRAM 'id'; --",
    "%",
    "_%\\",
    "x\r\nset-cookie: a=b",
    "x\r\n\r\nHTTP/1.1 200 OK",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "{{7*7}}${7*7}$(id)`id`",
    "\u{202e}\u{0}\u{feff}",
];

/// A parameter of a route that only looks.
struct Parameter {
    base: String,
    path: String,
    name: String,
    is_in_path: bool,
}

async fn parameters(shop: &Shop) -> Vec<Parameter> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut found = Vec::new();
    let address = &shop.address;
    for base in std::collections::BTreeSet::from([&address.users, &address.inventory, &address.payments]) {
        let api: Value = http.get(format!("{base}/openapi.json")).send().await.unwrap().json().await.unwrap();
        for (path, item) in api["paths"].as_object().unwrap() {
            for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
                let (name, place) = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
                let (base, path, name) = (base.clone(), path.clone(), name.to_owned());
                found.push(Parameter { base, path, name, is_in_path: place == "path" });
            }
        }
    }
    found
}

fn assert_harmless(what: &str, status: u16, headers: &str, text: &str) {
    assert!(status < 500, "{what} is answered {status}: {text}");
    assert!(!headers.contains("set-cookie"), "{what} made a header: {headers}");
    // Our own words, which the other test may have stored, are no answer to them.
    let told = text.replace("pg_read_file", "").replace("pg_sleep", "");
    for secret in ["syntax error", "SQLSTATE", "pg_", "root:x:", "argon2"] {
        assert!(!told.contains(secret), "{what} is told {secret}: {text}");
    }
}

async fn no_parameter_is_more_than_its_text(shop: &Shop) {
    let token = Client::admin(shop).await.token.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let found = parameters(shop).await;
    assert!(found.len() > 20, "the description names few parameters: {}", found.len());
    for Parameter { base, path, name, is_in_path } in found {
        for word in WORDS {
            let mut url = reqwest::Url::parse(&base).unwrap();
            for piece in path.split('/').skip(1) {
                let is_it = is_in_path && piece == format!("{{{name}}}");
                let piece = if is_it {
                    word
                } else if piece.starts_with('{') {
                    "1"
                } else {
                    piece
                };
                url.path_segments_mut().unwrap().pop_if_empty().push(piece);
            }
            if !is_in_path {
                url.query_pairs_mut().append_pair(&name, word);
            }
            let what = format!("{name} of {path} as {word:?}");
            let answer = http.get(url).bearer_auth(&token).header("x-request-id", "a b").send().await.unwrap();
            let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
            assert_harmless(&what, status, &headers, &answer.text().await.unwrap());
        }
    }
}

/// What is taken is given back as it was; the rest is refused by rule. Nobody's rows are touched by either.
async fn no_field_is_more_than_its_text(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let before = admin.get(&format!("/v1/users/{}", buyer.get("/v1/users/me").await.id())).await.expect(200).text;
    for word in WORDS {
        let body = json!({ "name": word, "description": word, "price": 1, "quantity": 1, "metadata": { word: word } });
        let made = admin.post("/v1/products", &body).await;
        assert_harmless(word, made.status, &format!("{:?}", made.headers), "");
        if made.status == 201 {
            let shown = admin.get(&format!("/v1/products/{}", made.id())).await.expect(200);
            assert_eq!(shown.json["description"], word);
            let found = Client::anonymous(shop).get("/v1/products?limit=1").await.expect(200);
            assert_eq!(found.headers["content-type"], "application/json");
        }
        let key = [("idempotency-key", word), ("if-match", word)];
        if !word.contains(|c: char| c.is_control() || !c.is_ascii()) {
            let ordered = buyer.send(Method::POST, "/v1/orders", Some(&json!({ "product_id": word })), &key).await;
            assert_harmless(word, ordered.status, &format!("{:?}", ordered.headers), &ordered.text);
            let changed = admin.send(Method::PATCH, "/v1/products/1", Some(&json!({ "name": word })), &key).await;
            assert_harmless(word, changed.status, &format!("{:?}", changed.headers), "");
        }
        let logged_in = buyer.post("/v1/tokens", &json!({ "email": word, "password": word })).await;
        // Who goes on guessing is held off.
        assert!(matches!(logged_in.status, 401 | 422 | 429), "{word:?}: {}", logged_in.text);
    }
    let after = admin.get(&format!("/v1/users/{}", buyer.get("/v1/users/me").await.id())).await.expect(200).text;
    assert_eq!(before, after);
}
