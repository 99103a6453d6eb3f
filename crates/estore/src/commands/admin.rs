//! `estore admin create`.

use std::io::Read;

use estore_kit::db::Db;
use estore_ops::roles::Service;
use estore_users::Users;

use super::migrate;
use crate::config::Config;
use crate::{Outcome, services};

/// Makes an administrator; the password is the first line of standard input.
pub async fn create(config: Config, email: &str) -> Outcome {
    let mut password = String::new();
    std::io::stdin().take(4_096).read_to_string(&mut password)?;
    let password = password.lines().next().unwrap_or_default();
    let (databases, cluster) = migrate::open(&config, &[Service::Users]).await?;
    let logins = databases.logins(Service::Users)?.named("estore-admin");
    let users = Users::start(Db::new(logins, 2)?, services::users_config(&config)?).await?;
    let created = users.create_admin(email, password).await;
    migrate::close(cluster).await?;
    let id = created?;
    println!("Administrator {email} has the id {id}.");
    Ok(true)
}
