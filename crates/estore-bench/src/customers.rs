//! The year's customers, brought in by `estore import customers`: verified, with one known password.

use argon2::{Argon2, PasswordHasher};

use crate::accounts::{Credentials, can_log_in};
use crate::api::Api;
use crate::failure::Failure;
use crate::shop::Shop;

/// What every customer of the replay logs in with.
const PASSWORD: &str = "twelve-months-of-gift-ware";
/// The administrator that the replay makes.
pub(crate) const ADMIN_EMAIL: &str = "admin@replay.example";

/// The account of a customer number; invoices without one are the guests'.
pub(crate) fn credentials(customer: &str) -> Credentials {
    let name = if customer.is_empty() { "guests" } else { customer };
    Credentials { email: format!("customer-{name}@replay.example"), password: PASSWORD.to_owned() }
}

/// The administrator, made unless an earlier run has done so.
pub(crate) async fn administrator(shop: &Shop, api: &Api) -> Result<Credentials, Failure> {
    let admin = Credentials { email: ADMIN_EMAIL.to_owned(), password: PASSWORD.to_owned() };
    if !can_log_in(api, &admin).await? {
        let input = format!("{PASSWORD}\n");
        shop.run(&["admin", "create", "--email", ADMIN_EMAIL], Some(&input)).await?;
    }
    Ok(admin)
}

/// Imports all customers, unless an earlier run has done so.
pub(crate) async fn import(shop: &Shop, api: &Api, customers: &[String]) -> Result<(), Failure> {
    let Some(last) = customers.last() else { return Ok(()) };
    if can_log_in(api, &credentials(last)).await? {
        return Ok(());
    }
    let hash = Argon2::default().hash_password(PASSWORD.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["email", "hashed_password", "is_verified", "is_active", "is_admin"])?;
    for customer in customers {
        let email = credentials(customer).email;
        writer.write_record([email.as_str(), &hash.to_string(), "true", "true", "false"])?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::new(error.to_string()))?;
    let file = shop.write_file("customers.csv", &bytes)?;
    let file = file.to_string_lossy();
    shop.run(&["import", "customers", &*file], None).await?;
    Ok(())
}
