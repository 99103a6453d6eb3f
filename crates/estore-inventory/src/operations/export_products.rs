//! Exports all products as CSV, streamed from the database; importing it back changes nothing.

use std::time::Duration;

use bytes::Bytes;
use estore_kit::db::{Db, DbError};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::store::exports;

/// How long an export may take, slow readers included.
const EXPORT_TIME_MAX: Duration = Duration::from_secs(30 * 60);
/// Pieces that wait for a slow reader.
const PIECES_WAITING_MAX: usize = 16;

/// A piece of the file, or why it ends here.
pub(crate) type Piece = Result<Bytes, DbError>;

/// Begins an export; its pieces come through the channel, and a reader that goes away ends it.
pub(crate) async fn export_products(db: &Db) -> Result<mpsc::Receiver<Piece>, DbError> {
    let (pieces, reader) = mpsc::channel(PIECES_WAITING_MAX);
    let mut client = db.patient_client().await?;
    tokio::spawn(async move {
        let sending = async {
            let transaction = client.transaction().await?;
            let mut rows = Box::pin(exports::copy(&transaction).await?);
            while let Some(piece) = rows.next().await {
                if pieces.send(Ok(piece?)).await.is_err() {
                    return Ok(());
                }
            }
            Ok(transaction.commit().await?)
        };
        let ended = tokio::time::timeout(EXPORT_TIME_MAX, sending).await;
        let ended = ended.unwrap_or_else(|_late| Err(DbError::Unavailable("the export took too long".to_owned())));
        if let Err(error) = ended {
            tracing::warn!(%error, "an export ended early");
            drop(pieces.send(Err(error)).await);
        }
    });
    Ok(reader)
}
