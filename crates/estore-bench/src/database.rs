//! The databases, as anybody reaches them: by the URL that `estore db url` prints.

use tokio_postgres::{Client, NoTls};

use crate::failure::Failure;
use crate::shop::Shop;

/// A connection to the database of `service` as the cluster's administrator.
pub(crate) async fn connect(shop: &Shop, service: &str) -> Result<Client, Failure> {
    let url = shop.run(&["db", "url", service], None).await?;
    let (client, connection) = tokio_postgres::connect(url.trim(), NoTls)
        .await
        .map_err(|error| Failure::from(error).while_doing(format!("connecting to the database of {service}")))?;
    tokio::spawn(connection);
    Ok(client)
}

/// One row of whole numbers.
pub(crate) async fn numbers<const N: usize>(client: &Client, sql: &str) -> Result<[i64; N], Failure> {
    let row = client.query_one(sql, &[]).await?;
    let mut found = [0; N];
    for (column, number) in found.iter_mut().enumerate() {
        *number = row.try_get(column)?;
    }
    Ok(found)
}
