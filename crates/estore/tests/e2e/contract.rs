//! The API is what its description says.

use std::process::Command;

use estore_testkit::client::Client;
use estore_testkit::shop::{Address, Processes, Shop};
use serde_json::Value;

/// The paths of UserService.
const ACCOUNTS: &str = "^/v1/(users|tokens|password-resets|api-keys)";

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
        "/v1/users/me/totp",
        "/v1/users/me/totp/confirm",
        "/v1/users/me/totp/recovery-codes",
        "/v1/users/me/passkeys/begin",
        "/v1/users/me/passkeys",
        "/v1/users/me/passkeys/{id}",
        "/v1/tokens/passkey/begin",
        "/v1/tokens/passkey",
        "/v1/tokens/step-up",
        "/v1/tokens/step-up/begin",
        "/v1/users/me/sessions",
        "/v1/users/me/sessions/{id}",
        "/v1/users/{id}",
        "/v1/api-keys",
        "/v1/api-keys/{id}",
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

/// Lets schemathesis look for server errors and answers that are not described, as an administrator, and as a customer
/// of its own where a request ends whoever sends it.
async fn answers_are_as_described(shop: &Shop) {
    let Some(program) = std::env::var_os("ESTORE_TEST_SCHEMATHESIS") else {
        eprintln!("skipped: ESTORE_TEST_SCHEMATHESIS does not name schemathesis; script/test installs it.");
        return;
    };
    let token = Client::admin(shop).await.token.unwrap();
    let Address { users, inventory, payments, .. } = &shop.address;
    let runs: Vec<(&str, &str, &str)> = match shop.processes {
        Processes::One => vec![(users, "--include-path-regex", ACCOUNTS), (users, "--exclude-path-regex", ACCOUNTS)],
        Processes::Three => {
            [users, inventory, payments].map(|base| (base.as_str(), "--include-path-regex", ".")).into()
        }
    };
    let mut started = Vec::new();
    for (base, choice, paths) in runs {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(&program);
        command
            .args([
                "run",
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ])
            // One worker: Python 3.11 cannot parse in two threads at once, which ends a run now and then.
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--seed", "1", "--workers", "1"])
            .args(["--suppress-health-check", "all", choice, paths, &format!("{base}/openapi.json")])
            .env("SCHEMATHESIS_HOOKS", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/schemathesis_hooks.py"))
            .env("ESTORE_TEST_USERS", users)
            .env("ESTORE_TEST_MAIL", shop.address.data_dir.join("mail"))
            .env("ESTORE_TEST_ADMIN_TOKEN", &token)
            .env("ESTORE_TEST_SEEN", folder.path().join("seen.json"))
            .current_dir(folder.path());
        started.push((folder, tokio::task::spawn_blocking(move || command.output().expect("schemathesis starts"))));
    }
    for (number, (folder, run)) in started.into_iter().enumerate() {
        let output = run.await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        if number == 0 {
            let seen = std::fs::read_to_string(folder.path().join("seen.json")).unwrap();
            assert_came_through(&serde_json::from_str(&seen).unwrap());
        }
    }
    // On a connection of its own: an old one has been closed by now.
    let mut admin = Client::anonymous(shop);
    admin.token = Some(token);
    let _still_logged_in = admin.get("/v1/users").await.expect(200);
}

/// Where most input is refused at the door, the run says little: each of these worked at least once.
fn assert_came_through(seen: &Value) {
    for (operation, status) in [
        ("GET /v1/users/me", "200"),
        ("GET /v1/users/me/export", "200"),
        ("PATCH /v1/users/me", "200"),
        ("GET /v1/users/me/sessions", "200"),
        ("DELETE /v1/users/me/sessions", "200"),
        ("DELETE /v1/users/me/sessions/{id}", "404"),
        ("DELETE /v1/users/me", "204"),
        ("GET /v1/users/{id}", "200"),
        ("PATCH /v1/users/{id}", "200"),
        ("POST /v1/tokens", "200"),
        ("DELETE /v1/tokens", "204"),
        ("POST /v1/tokens/refresh", "200"),
    ] {
        assert!(seen[operation][status].is_u64(), "{operation} never answered {status}: {}", seen[operation]);
    }
}
