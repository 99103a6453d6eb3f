//! Services that prove themselves to each other by certificates.

use std::path::Path;
use std::time::{Duration, Instant};

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{INVENTORY, PAYMENTS, Processes, Shop, USERS};
use reqwest::{Certificate, Identity, StatusCode};
use uuid::Uuid;

use crate::https::openssl;
use crate::own_shop;

/// How long something may take on a busy machine.
const NEVER: Duration = Duration::from_secs(60);

/// An authority `name.pem`, and a certificate by it, `name-service.pem` with `name-service.key`.
fn authority(folder: &Path, name: &str) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"));
    certificate(folder, name, &format!("{name}-service"), "localhost");
}

/// A certificate for this host.
fn certificate(folder: &Path, authority: &str, name: &str, host: &str) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
    std::fs::write(folder.join("names"), format!("subjectAltName=DNS:{host}\n")).unwrap();
    let by = format!("-CA {authority}.pem -CAkey {authority}.key -CAcreateserial");
    openssl(folder, &format!("x509 -req -sha256 -in {name}.csr {by} -days 2 -extfile names -out {name}.pem"));
}

fn copy(folder: &Path, from: &str, to: &str) {
    for kind in ["key", "pem"] {
        std::fs::copy(folder.join(format!("{from}.{kind}")), folder.join(format!("{to}.{kind}"))).unwrap();
    }
}

/// Three services with certificates, on a shop that was without.
struct Guarded {
    shop: Shop,
    folder: tempfile::TempDir,
    /// The ports of the services' own doors.
    ports: [u16; 3],
}

impl Guarded {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        authority(folder.path(), "ours");
        authority(folder.path(), "theirs");
        let shop = own_shop(Processes::Three).await;
        let ports = [(); 3].map(|()| {
            let ports = std::iter::repeat_with(|| rand::random_range(10_000..32_000_u16));
            ports.take(1_000).find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
        });
        let mut guarded = Self { shop, folder, ports };
        for which in [USERS, INVENTORY, PAYMENTS] {
            copy(guarded.folder.path(), "ours-service", &format!("shown-{which}"));
        }
        for which in [USERS, INVENTORY, PAYMENTS] {
            guarded.restart(which);
        }
        guarded.shop.wait_until_ready().await;
        guarded
    }

    fn restart(&mut self, which: usize) {
        let at = |name: String| self.folder.path().join(name).to_str().unwrap().to_owned();
        let url = |which: usize| format!("https://localhost:{}", self.ports[which - USERS]);
        let variables = [
            ("ESTORE_SERVICES__LISTEN", format!("127.0.0.1:{}", self.ports[which - USERS])),
            ("ESTORE_SERVICES__CERTIFICATE", at(format!("shown-{which}.pem"))),
            ("ESTORE_SERVICES__KEY", at(format!("shown-{which}.key"))),
            ("ESTORE_SERVICES__CA_FILE", at("ours.pem".to_owned())),
            ("ESTORE_SERVICES__USERS_URL", url(USERS)),
            ("ESTORE_SERVICES__INVENTORY_URL", url(INVENTORY)),
            ("ESTORE_SERVICES__PAYMENTS_URL", url(PAYMENTS)),
        ];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.shop.kill(which);
        self.shop.launch(which, &variables);
    }

    /// What inventory's own door answers to a call of nobody's, by somebody with this certificate.
    async fn knock(&self, certificate: Option<&str>) -> Option<StatusCode> {
        let read = |name: String| std::fs::read(self.folder.path().join(name)).unwrap();
        let root = Certificate::from_pem(&read("ours.pem".to_owned())).unwrap();
        self.knock_by(reqwest::Client::builder().tls_certs_only([root]), certificate).await
    }

    /// The same, whatever certificate inventory shows.
    async fn knock_at_anything(&self) -> Option<StatusCode> {
        self.knock_by(reqwest::Client::builder().tls_danger_accept_invalid_certs(true), Some("ours-service")).await
    }

    async fn knock_by(&self, http: reqwest::ClientBuilder, certificate: Option<&str>) -> Option<StatusCode> {
        let read = |name: String| std::fs::read(self.folder.path().join(name)).unwrap();
        let mut http = http.no_proxy();
        if let Some(name) = certificate {
            let own = [read(format!("{name}.key")), read(format!("{name}.pem"))].concat();
            http = http.identity(Identity::from_pem(&own).unwrap());
        }
        let url = format!("https://localhost:{}/internal/v1/holds", self.ports[INVENTORY - USERS]);
        http.build().unwrap().post(url).body("[]").send().await.ok().map(|answer| answer.status())
    }
}

#[tokio::test]
async fn services_call_each_other_with_a_certificate_or_not_at_all() {
    let mut guarded = Guarded::start().await;
    let (admin, buyer) = tokio::join!(Client::admin(&guarded.shop), Client::customer(&guarded.shop));
    let (product, card) = (admin.product(500, 100).await, buyer.card(CARD_APPROVED).await);
    let _sold = buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.expect(201);

    assert_eq!(guarded.knock(Some("ours-service")).await, Some(StatusCode::UNAUTHORIZED), "the token is asked for too");
    assert_eq!(guarded.knock(None).await, None);
    assert_eq!(guarded.knock(Some("theirs-service")).await, None);
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    let public = format!("{}/internal/v1/holds", guarded.shop.address.inventory);
    assert_eq!(plain.post(public).body("[]").send().await.unwrap().status(), StatusCode::NOT_FOUND);

    // A service with a certificate of somebody else is none, and is one again once it has its own.
    let shown = format!("shown-{PAYMENTS}");
    copy(guarded.folder.path(), "theirs-service", &shown);
    let begun = Instant::now();
    while buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.status != 503 {
        assert!(begun.elapsed() < NEVER, "it is let in still");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    certificate(guarded.folder.path(), "ours", "renewed", "localhost");
    copy(guarded.folder.path(), "renewed", &shown);
    let begun = Instant::now();
    while buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.status != 201 {
        assert!(begun.elapsed() < NEVER, "the renewed certificate is not taken");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // Nor is one called that shows a certificate of somebody else, or for another host.
    certificate(guarded.folder.path(), "ours", "elsewhere", "elsewhere.example");
    let shown = format!("shown-{INVENTORY}");
    for other in ["theirs-service", "elsewhere"] {
        copy(guarded.folder.path(), other, &shown);
        guarded.restart(INVENTORY);
        let begun = Instant::now();
        while guarded.knock_at_anything().await != Some(StatusCode::UNAUTHORIZED) {
            assert!(begun.elapsed() < NEVER, "{other}: it does not start");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let _refused = buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.expect(503);
    }
    copy(guarded.folder.path(), "ours-service", &shown);
    let begun = Instant::now();
    while buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.status != 201 {
        assert!(begun.elapsed() < NEVER, "it is called no more");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // And they start with what they have.
    guarded.restart(PAYMENTS);
    guarded.shop.wait_until_ready().await;
    let _sold = buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.expect(201);
}
