//! The API is what its description says.

use std::path::Path;
use std::process::Command;

use estore_testkit::client::Client;
use estore_testkit::shop::Shop;

crate::in_one_and_three!(every_service_describes_its_routes, answers_are_as_described);

async fn every_service_describes_its_routes(shop: &Shop) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut paths = Vec::new();
    for base in [&shop.address.users, &shop.address.inventory, &shop.address.payments] {
        let api: serde_json::Value =
            http.get(format!("{base}/openapi.json")).send().await.unwrap().json().await.unwrap();
        assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
        paths.extend(api["paths"].as_object().unwrap().keys().cloned());
        let page = http.get(format!("{base}/docs/")).send().await.unwrap();
        assert!(page.status().is_success());
        let page = page.text().await.unwrap();
        assert!(!page.contains("https://") && !page.contains("src=\"//"), "the page loads from nowhere else: {page}");
    }
    for path in [
        "/v1/users",
        "/v1/users/verify",
        "/v1/users/verify/resend",
        "/v1/users/me",
        "/v1/users/me/export",
        "/v1/users/{id}",
        "/v1/tokens",
        "/v1/tokens/refresh",
        "/v1/password-resets",
        "/v1/password-resets/confirm",
        "/.well-known/jwks.json",
        "/v1/categories",
        "/v1/categories/{id}",
        "/v1/products",
        "/v1/products/{id}",
        "/v1/products/{id}/stock",
        "/v1/products/{id}/stock-movements",
        "/v1/products/low-stock",
        "/v1/products/import",
        "/v1/products/export",
        "/v1/payment-methods",
        "/v1/payment-methods/{id}",
        "/v1/checkouts",
        "/v1/orders",
        "/v1/orders/{id}",
        "/v1/orders/{id}/events",
        "/v1/orders/{id}/cancel",
        "/v1/orders/{id}/refunds",
        "/v1/orders/{id}/status",
        "/health/live",
        "/health/ready",
        "/metrics",
    ] {
        assert!(paths.iter().any(|known| known == path), "{path} is not described");
    }
}

/// Lets schemathesis look for server errors and answers that are not described, as an administrator.
async fn answers_are_as_described(shop: &Shop) {
    let Some(program) = std::env::var_os("ESTORE_TEST_SCHEMATHESIS") else {
        eprintln!("skipped: ESTORE_TEST_SCHEMATHESIS does not name schemathesis; script/test installs it.");
        return;
    };
    let admin = Client::admin(shop).await;
    let token = admin.token.unwrap();
    let mut bases = vec![&shop.address.users, &shop.address.inventory, &shop.address.payments];
    bases.dedup();
    for base in bases {
        let output = Command::new(&program)
            .args([
                "run",
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ])
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--seed", "1", "--workers", "2"])
            .args([
                "--exclude-path",
                "/v1/users/me",
                "--exclude-path",
                "/v1/users/{id}",
                "--exclude-path",
                "/v1/tokens",
            ])
            .args(["--suppress-health-check", "all"])
            .args(["-H", &format!("Authorization: Bearer {token}"), &format!("{base}/openapi.json")])
            .current_dir(Path::new(env!("CARGO_TARGET_TMPDIR")))
            .output()
            .expect("schemathesis starts");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
