//! A real Prometheus scrapes a running shop, with the configuration, the rules and the way in that are shipped.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use serde_json::Value;

use crate::{eventually, own_shop, psql, shipped};

/// A Prometheus of this test's own.
struct Prometheus {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Prometheus {
    /// Starts it on the shipped configuration, changed in nothing but where the shop is and how often it is asked.
    async fn start(program: &Path, shop: &Shop, folder: &Path) -> Self {
        let configured = std::fs::read_to_string(shipped("prometheus/prometheus.yml")).unwrap();
        let token = shop.address.data_dir.join("secrets/metrics-token");
        let host = shop.address.users.strip_prefix("http://").unwrap();
        let changes = [
            ("/etc/prometheus/estore-token", token.to_str().unwrap()),
            ("127.0.0.1:8080", host),
            ("_interval: 15s", "_interval: 1s"),
            ("estore.rules.yml", shipped("prometheus/estore.rules.yml").to_str().unwrap()),
        ]
        .map(|(shipped, here)| (shipped, here.to_owned()));
        let config = changes.iter().fold(configured, |text, (shipped, here)| {
            assert!(text.contains(shipped), "{shipped}");
            text.replace(shipped, here)
        });
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let child = Command::new(program)
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, url: format!("http://{address}"), http }
    }

    async fn get(&self, path: &str, query: &str) -> Option<Value> {
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/{path}", self.url), [("query", query)]).unwrap();
        let asked = self.http.get(url).send().await.ok()?;
        asked.json::<Value>().await.ok().map(|mut answer| answer["data"].take())
    }

    /// The one value of an expression, where there is one.
    async fn value(&self, expression: &str) -> Option<f64> {
        let data = self.get("query", expression).await?;
        let found = data["result"].as_array()?;
        assert!(found.len() < 2, "{expression}: {found:?}");
        found.first()?["value"][1].as_str()?.parse().ok()
    }
}

#[tokio::test]
async fn prometheus_reads_the_shop_and_its_alerts_follow() {
    let Some(program) = std::env::var_os("ESTORE_TEST_PROMETHEUS") else {
        eprintln!("skipped: ESTORE_TEST_PROMETHEUS does not name prometheus; script/test installs it.");
        return;
    };
    let shop = own_shop(Processes::One).await;
    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::start(Path::new(&program), &shop, folder.path()).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 50).await;
    for number in 0..7 {
        let _bought = buyer.order(&number.to_string(), product, 1, method).await.expect(201);
    }
    let placed = "sum(estore_checkout_answers_total{outcome=\"placed\"})";
    eventually("seven orders", async || (prometheus.value(placed).await == Some(7.0)).then_some(())).await;
    for (expression, wanted) in [("up{job=\"estore\"}", "1"), ("pg_up", "1"), ("min(estore_database_up)", "1")] {
        assert_eq!(prometheus.value(expression).await, wanted.parse().ok(), "{expression}");
    }
    let orders = psql(&shop, "payments", "SELECT count(*) FROM orders");
    eventually("orders as psql counts them", async || {
        let inserted = prometheus.value("pg_stat_user_tables_n_tup_ins{relname=\"orders\"}").await;
        (inserted == orders[0][0].parse().ok()).then_some(())
    })
    .await;
    let most = psql(&shop, "payments", "SHOW max_connections");
    assert_eq!(prometheus.value("pg_settings_max_connections").await, most[0][0].parse().ok());
    let rules = prometheus.get("rules", "").await.unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let loaded: Vec<&Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(loaded.len() > 30, "{rules}");
    eventually("healthy rules", async || {
        let rules = prometheus.get("rules", "").await?;
        let groups = rules["groups"].as_array()?;
        let mut all = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        all.all(|rule| rule["health"] == "ok").then_some(())
    })
    .await;
    // A checkout of which the gateway does not tell: the alert needs no patience.
    let firing = "count(ALERTS{alertname=\"EStoreGatewaySilent\", alertstate=\"firing\"})";
    assert_eq!(prometheus.value(firing).await, None);
    psql(
        &shop,
        "payments",
        "ALTER TABLE checkouts DISABLE TRIGGER USER; \
        UPDATE checkouts SET status = 'pending', needs_attention_since = now(), next_attempt_at = 'infinity' \
        WHERE id = (SELECT min(id::text)::uuid FROM checkouts)",
    );
    eventually("an alert", async || (prometheus.value(firing).await == Some(1.0)).then_some(())).await;
}
