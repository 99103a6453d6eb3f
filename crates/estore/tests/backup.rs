//! Backups of a shop that sells meanwhile, as the manual has them: taken, proven, brought back beside and anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// The binary under test.
const ESTORE: &str = env!("CARGO_BIN_EXE_estore");
/// Buyers at once.
const BUYERS: usize = 6;

/// A shop with somewhere to keep its backups.
struct Kept {
    shop: Shop,
    folder: TempDir,
    recipient: String,
}

impl Kept {
    async fn start() -> Self {
        let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let out = shop.estore(&["backup", "keygen", &path(&folder, "identity")], "");
        let recipient = out.lines().find_map(|line| line.strip_prefix("Recipient: ")).unwrap().to_owned();
        Self { shop, folder, recipient }
    }

    /// `estore backup …` with the target.
    fn try_backup(&self, words: &[&str]) -> (bool, String, String) {
        let target = format!("file://{}", path(&self.folder, "target"));
        let (subcommand, rest) = words.split_first().unwrap();
        self.shop.try_estore(&[&["backup", subcommand, "--target", &target], rest].concat(), "")
    }

    fn backup(&self, words: &[&str]) -> String {
        let (ok, out, err) = self.try_backup(words);
        assert!(ok, "backup {words:?}:\n{out}\n{err}");
        out
    }

    fn create(&self) -> Value {
        serde_json::from_str(&self.backup(&["create", "--recipient", &self.recipient, "--json"])).unwrap()
    }

    fn identity(&self) -> String {
        path(&self.folder, "identity")
    }
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// Customers who order until told to stop; answers how many orders each placed.
async fn buyers(shop: &Shop, stop: &Arc<AtomicBool>) -> JoinSet<usize> {
    let admin = Client::admin(shop).await;
    let mut set = JoinSet::new();
    for _ in 0..BUYERS {
        let product = admin.product(500, 100_000).await;
        let buyer = Client::customer(shop).await;
        let (card, stop) = (buyer.card(CARD_APPROVED).await, Arc::clone(stop));
        set.spawn(async move {
            let mut orders = 0;
            while !stop.load(Ordering::Relaxed) {
                let key = format!("{}-{orders}", buyer.email);
                let answer = buyer.order(&key, product, 1, card).await;
                assert_eq!(answer.status, 201, "{}", answer.text);
                orders += 1;
            }
            orders
        });
    }
    set
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_while_orders_flow_proven_and_brought_back() {
    let kept = Kept::start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let buying = buyers(&kept.shop, &stop).await;
    // Something sealed is in it.
    let (admin, ada) = (Client::admin(&kept.shop).await, Client::customer(&kept.shop).await);
    let (product, card) = (admin.product(500, 10).await, ada.card(CARD_APPROVED).await);
    let named = json!({ "product_id": product, "quantity": 1, "payment_method_id": card, "metadata": {"name": "Ada"} });
    let _sold = ada.send(Method::POST, "/v1/orders", Some(&named), &[("idempotency-key", "named")]).await.expect(201);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let mut created = Value::Null;
    for _ in 0..3 {
        created = kept.create();
        println!("fence {} µs, try {}", created["fence"]["micros"], created["fence"]["tries"]);
        assert_eq!(created["fence"]["held"], true);
    }
    stop.store(true, Ordering::Relaxed);
    println!("{} orders meanwhile", buying.join_all().await.iter().sum::<usize>());

    // The last level sells a product on the restored databases.
    let report: Value =
        serde_json::from_str(&kept.backup(&["verify", "--identity", &kept.identity(), "--json"])).unwrap();
    assert_eq!(report["passed"], true, "{report:#}");
    assert_eq!(report["id"], created["id"]);
    assert_eq!(report["levels"].as_array().unwrap().last().unwrap()["name"], "order");
    let listed: Value = serde_json::from_str(&kept.backup(&["list", "--json"])).unwrap();
    let backups = listed["backups"].as_array().unwrap();
    assert_eq!(backups.iter().map(|set| set["verified"].as_bool().unwrap()).collect::<Vec<_>>(), [false, false, true]);

    // Anew, in another data directory, which does not know the signer.
    let (new, signer) = (path(&kept.folder, "new"), created["signer"].as_str().unwrap().to_owned());
    let target = format!("file://{}", path(&kept.folder, "target"));
    let estore = |words: &[&str]| {
        let output = std::process::Command::new(ESTORE).args(words).args(["--data-dir", &new]).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let identity = kept.identity();
    let restore = ["backup", "restore", "--target", &target, "--identity", &identity];
    let (ok, said) = estore(&restore);
    assert!(!ok && said.contains("--signer"), "{said}");
    let restore = [&restore[..], &["--signer", &signer]].concat();
    let (ok, said) = estore(&restore);
    assert!(ok, "{said}");
    let (ok, said) = estore(&["verify"]);
    assert!(!ok && said.contains("is sealed under the key"), "the keys of sealed fields are not in the backup: {said}");
    let secrets = Path::new(&new).join("secrets");
    assert!(!secrets.join("field-keys").exists(), "who looks makes none");
    std::fs::create_dir_all(&secrets).unwrap();
    std::fs::copy(kept.shop.address.data_dir.join("secrets/field-keys"), secrets.join("field-keys")).unwrap();
    let (ok, said) = estore(&["verify"]);
    assert!(ok, "every promise is kept across the three: {said}");
    let (ok, said) = estore(&restore);
    assert!(!ok && said.contains("nothing was changed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_beside_the_live_one_then_in_its_place() {
    let kept = Kept::start().await;
    let (admin, buyer) = (Client::admin(&kept.shop).await, Client::customer(&kept.shop).await);
    let (product, card) = (admin.product(700, 50).await, buyer.card(CARD_APPROVED).await);
    assert_eq!(buyer.order("first", product, 1, card).await.status, 201);
    kept.create();
    let second = buyer.order("second", product, 1, card).await.expect(201);
    let orders = async || buyer.get("/v1/orders").await.json["data"].as_array().map_or(0, Vec::len);
    assert_eq!(orders().await, 2);

    kept.backup(&["restore", "--identity", &kept.identity(), "--beside", "--database", "payments"]);
    assert_eq!(orders().await, 2, "the live one is as it was");
    let (ok, _, said) =
        kept.try_backup(&["restore", "--identity", &kept.identity(), "--beside", "--database", "payments"]);
    assert!(!ok && said.contains("nothing was changed"), "{said}");
    let replaced: Value =
        serde_json::from_str(&kept.backup(&["restore", "--switch", "--database", "payments", "--json"])).unwrap();
    assert!(replaced["replaced"][0].as_str().unwrap().starts_with("estore_payments_replaced_"));

    kept.shop.wait_until_ready().await;
    assert_eq!(orders().await, 1, "the second order came after the backup");
    // Inventory still knows what payments has forgotten, which is a difference once it is too old to be under way.
    let inventory = kept.shop.database(Service::Inventory).await;
    let aged =
        "UPDATE holds SET created_at = created_at - interval '1 hour', updated_at = updated_at - interval '1 hour'";
    inventory.batch_execute(aged).await.unwrap();
    let (ok, said, _) = kept.shop.try_estore(&["verify", "--json"], "");
    assert!(!ok, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let broken: Vec<&Value> =
        said["checks"].as_array().unwrap().iter().filter(|check| check["broken"].as_u64() > Some(0)).collect();
    let lists = |check: &&Value| check["rows"].to_string().contains(second.json["checkout_id"].as_str().unwrap());
    assert!(broken.iter().any(|check| check["database"] == "books" && lists(check)), "{broken:#?}");
}

/// Each minute, as cron has it; the schedule prunes too, and never the only set.
#[tokio::test(flavor = "multi_thread")]
async fn by_the_clock() {
    let mut kept = Kept::start().await;
    let target = format!("file://{}", path(&kept.folder, "target"));
    let configuration = path(&kept.folder, "estore.toml");
    let text = format!(
        "[backup]\ntarget = \"{target}\"\nrecipients = [\"{}\"]\nschedule = \"* * * * *\"\nkeep_days = 0\nkeep_sets = 1\n",
        kept.recipient
    );
    std::fs::write(&configuration, text).unwrap();
    let old = kept.create()["id"].clone();
    kept.shop.restart(0, &[("ESTORE_CONFIG", &configuration)]).await;
    let begun = std::time::Instant::now();
    loop {
        let listed: Value = serde_json::from_str(&kept.backup(&["list", "--json"])).unwrap();
        let sets: Vec<&Value> =
            listed["backups"].as_array().unwrap().iter().filter(|set| set["is_backup"] == true).collect();
        if sets.len() == 1 && sets[0]["id"] != old {
            break;
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(180), "no backup was taken by the clock: {listed:#}");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_notes_the_seals_so_that_a_tail_that_is_cut_is_found() {
    let kept = Kept::start().await;
    let _product = Client::admin(&kept.shop).await.product(500, 10).await;
    let config = path(&kept.folder, "estore.toml");
    std::fs::write(&config, format!("[backup]\ntarget = \"file://{}\"\n", path(&kept.folder, "target"))).unwrap();
    let audit = || {
        let words = ["--config", &config, "audit", "verify", "--database", "inventory", "--json"];
        let (ok, out, err) = kept.shop.try_estore(&words, "");
        (ok, serde_json::from_str::<Value>(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
    };
    let begun = std::time::Instant::now();
    while audit().1["databases"][0]["rows"].as_u64().unwrap() < 2 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "nothing is sealed");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    kept.create();
    let (ok, found) = audit();
    assert!(ok && found["noted_seals"] == 1, "{found:#}");
    // Whoever seals on begins a chain of their own, which is not the one that was noted.
    let cut = "SET session_replication_role = replica; TRUNCATE audit_seals; DELETE FROM audit_log WHERE table_name = 'products'";
    kept.shop.database(Service::Inventory).await.batch_execute(cut).await.unwrap();
    let (ok, found) = audit();
    let faults = found["databases"][0]["faults"].as_array().unwrap();
    assert!(!ok && faults.iter().any(|fault| fault["kind"] == "anchor"), "{found:#}");
    assert!(faults[0]["what"].as_str().unwrap().contains("the backup 2"), "{found:#}");
    let words = ["--config", &config, "audit", "verify", "--database", "inventory", "--without-backups"];
    assert!(kept.shop.try_estore(&words, "").0, "nothing within the database tells");
}
