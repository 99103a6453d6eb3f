//! What a load finds in the shop: products with plenty of stock, and buyers with a token and a card each.

use std::sync::Arc;

use argon2::{Argon2, PasswordHasher};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::accounts::{Accounts, Credentials, can_log_in};
use crate::api::Api;
use crate::customers::administrator;
use crate::export;
use crate::failure::Failure;
use crate::report::say;
use crate::shop::Shop;

/// Units of each product: more than any run sells.
pub(crate) const STOCK: i64 = 1_000_000_000;
/// Products share so many categories.
pub(crate) const CATEGORIES: usize = 50;
/// How many log in at once.
const LOG_INS: usize = 4;
const PASSWORD: &str = "many-hands-make-light-work";

/// A product to buy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ware {
    pub(crate) id: i64,
    /// In cents.
    pub(crate) price: i64,
}

/// A buyer.
#[derive(Debug, Clone)]
pub(crate) struct Buyer {
    pub(crate) token: Arc<str>,
    pub(crate) card: i64,
}

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) wares: Arc<[Ware]>,
    pub(crate) buyers: Arc<[Buyer]>,
}

/// The price of the product with this number, in cents.
fn price(number: usize) -> i64 {
    let spread = i64::try_from(number % 9_973).unwrap_or(0);
    100 + spread * 7
}

fn sku(number: usize) -> String {
    format!("LOAD-{number:07}")
}

/// Brings in what is missing; a shop that an earlier run has filled stays as it is.
pub(crate) async fn set(shop: &Shop, products: usize, buyers: usize) -> Result<Stage, Failure> {
    let api = Arc::new(Api::new(shop.url())?);
    let admin = administrator(shop, &api).await?;
    let token = Accounts::new(api.clone(), vec![admin]).token(0).await?;
    say(format!("bringing in {products} products and {buyers} buyers"));
    if !export::products(&api, &token).await?.contains_key(&sku(0)) {
        api.post_csv("/v1/products/import", &token, csv(products)?).await?;
    }
    let present = export::products(&api, &token).await?;
    let ware = |number| present.get(&sku(number)).map(|found| Ware { id: found.id, price: price(number) });
    let wares: Vec<Ware> = (0..products).map_while(ware).collect();
    if wares.len() < products {
        return Err(Failure::new(format!("of {products} products the shop has {}", wares.len())));
    }
    let buyers = log_in(shop, &api, buyers).await?;
    Ok(Stage { wares: wares.into(), buyers: buyers.into() })
}

async fn log_in(shop: &Shop, api: &Arc<Api>, wanted: usize) -> Result<Vec<Buyer>, Failure> {
    let credentials: Vec<Credentials> = (0..wanted)
        .map(|number| Credentials { email: format!("load-{number}@bench.example"), password: PASSWORD.to_owned() })
        .collect();
    if let Some(last) = credentials.last()
        && !can_log_in(api, last).await?
    {
        import(shop, &credentials).await?;
    }
    let accounts = &Accounts::new(api.clone(), credentials);
    let payers = stream::iter(0..wanted).map(|number| async move {
        let (token, card) = accounts.payer(number).await?;
        Ok::<_, Failure>(Buyer { token, card })
    });
    payers.buffered(LOG_INS).try_collect().await
}

async fn import(shop: &Shop, credentials: &[Credentials]) -> Result<(), Failure> {
    let hash = Argon2::default().hash_password(PASSWORD.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["email", "hashed_password", "is_verified", "is_active", "is_admin"])?;
    for Credentials { email, .. } in credentials {
        writer.write_record([email.as_str(), &hash.to_string(), "true", "true", "false"])?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::new(error.to_string()))?;
    let file = shop.write_file("buyers.csv", &bytes)?;
    shop.run(&["import", "customers", &*file.to_string_lossy()], None).await?;
    Ok(())
}

fn csv(products: usize) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["sku", "name", "description", "price", "quantity", "category", "is_active", "metadata"])?;
    for number in 0..products {
        let cents = price(number);
        let fields = [
            sku(number),
            format!("Lamp of glass and brass no. {number}"),
            format!("A lamp for the desk, blown and turned by hand, model {number}. Two years of warranty."),
            format!("{}.{:02}", cents / 100, cents % 100),
            STOCK.to_string(),
            format!("Aisle {:02}", number % CATEGORIES),
            "true".to_owned(),
            format!(r#"{{"model":{number},"colour":"brass"}}"#),
        ];
        writer.write_record(&fields)?;
    }
    writer.into_inner().map_err(|error| Failure::new(error.to_string()))
}
