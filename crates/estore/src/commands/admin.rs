//! `estore admin`.

use std::io::Read;

use estore_kit::db::Db;
use estore_ops::postgres::ClusterAccess;
use estore_ops::roles::Service;
use estore_users::{Role, Users};
use zeroize::Zeroizing;

use super::migrate;
use crate::cli::{Admin, Roles};
use crate::config::Config;
use crate::{Outcome, services};

/// How much of standard input is read for a password, in bytes.
const PASSWORD_BYTES_MAX: usize = 4_096;

/// Makes an administrator, or changes who may do what.
pub async fn run(config: Config, admin: Admin) -> Outcome {
    match admin {
        Admin::Create { email } => create(config, &email).await,
        Admin::Grant { roles: Roles { email, roles } } => change(config, &email, &roles, &[]).await,
        Admin::Revoke { roles: Roles { email, roles } } => change(config, &email, &[], &roles).await,
        Admin::ForgetSecondFactor { email } => forget_second_factor(config, &email).await,
    }
}

/// UserService, without its routes and jobs.
async fn open(config: &Config) -> Result<(Users, Option<ClusterAccess>), Box<dyn std::error::Error>> {
    let (databases, cluster) = migrate::open(config, &[Service::Users]).await?;
    let logins = databases.logins(Service::Users)?.named("estore-admin");
    let users = Users::start(Db::new(logins, 2)?, services::users_config(config)?).await?;
    Ok((users, cluster))
}

/// Makes an administrator; the password is the first line of standard input.
async fn create(config: Config, email: &str) -> Outcome {
    // With room for all of it: what grows leaves copies behind.
    let mut password = Zeroizing::new(String::with_capacity(PASSWORD_BYTES_MAX));
    std::io::stdin().take(PASSWORD_BYTES_MAX as u64).read_to_string(&mut password)?;
    let password = password.lines().next().unwrap_or_default();
    let (users, cluster) = open(&config).await?;
    let created = users.create_admin(email, password).await;
    migrate::close(cluster).await?;
    let id = created?;
    println!("Administrator {email} has the id {id}.");
    Ok(true)
}

/// Ends a second factor that is lost.
async fn forget_second_factor(config: Config, email: &str) -> Outcome {
    let (users, cluster) = open(&config).await?;
    let forgotten = users.forget_second_factor(email).await;
    migrate::close(cluster).await?;
    let told = if forgotten? { "logs in by the password alone now" } else { "had no second factor" };
    println!("{email} {told}.");
    Ok(true)
}

/// Gives roles and takes roles.
async fn change(config: Config, email: &str, granted: &[Role], revoked: &[Role]) -> Outcome {
    let (users, cluster) = open(&config).await?;
    let changed = users.grant_roles(email, granted, revoked).await;
    migrate::close(cluster).await?;
    let roles = changed?;
    println!("{email} has {}.", if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") });
    Ok(true)
}
