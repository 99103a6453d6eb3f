//! The pages behind mailed links.

use axum::http::Method;
use serde_json::json;

use crate::desk::{Desk, PASSWORD};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn opening_the_link_changes_nothing_and_the_button_verifies() {
    let desk = Desk::open().await;
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    let letter = desk.letter(ADA, "verification").await;
    let link = letter.lines().find_map(|line| line.strip_prefix("http://127.0.0.1:8080")).unwrap().to_owned();
    for _ in 0..2 {
        let page = desk.call(Method::GET, &link, None, None).await.expect(200);
        assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        assert!(page.text.contains("<form method=\"post\""));
    }
    assert_eq!(desk.number("SELECT count(*) FROM users WHERE is_verified").await, 0);
    let token = link.split_once("token=").unwrap().1;
    assert!(desk.form("/verify-email", format!("token={token}")).await.expect(200).text.contains("confirmed"));
    assert_eq!(desk.number("SELECT count(*) FROM users WHERE is_verified").await, 1);
    let again = desk.form("/verify-email", format!("token={token}")).await.expect(400);
    assert!(
        again.headers["content-type"].to_str().unwrap().starts_with("text/html") && again.text.contains("used before")
    );
}

#[tokio::test]
async fn a_person_resets_the_password_with_a_browser() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    desk.call(Method::GET, &format!("/reset-password?token={token}"), None, None).await.expect(200);
    let refused = desk.form("/reset-password", format!("token={token}&new_password=password1")).await.expect(422);
    assert!(refused.text.contains("<form") && refused.text.contains("tried first"));
    desk.form("/reset-password", format!("token={token}&new_password=lantern-marsh-5")).await.expect(200);
    desk.log_in(ADA, "lantern-marsh-5").await;
}

#[tokio::test]
async fn a_page_shows_what_it_is_given_as_text() {
    let desk = Desk::open().await;
    let page = desk.call(Method::GET, "/verify-email?token=%22%3E%3Cscript%3E", None, None).await.expect(200);
    assert!(!page.text.contains("<script>") && page.text.contains("&lt;script&gt;"));
    desk.call(Method::GET, "/verify-email", None, None).await.expect(400);
}
