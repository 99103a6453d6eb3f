//! Letters of the outbox leave, at least once each.

use estore_kit::db::DbError;
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::limits::{MAIL_ATTEMPTS_MAX, MAIL_PAUSE, MAILS_A_ROUND_MAX};
use crate::post::DeliveryError;
use crate::service::Service;
use crate::store::mails::{DueMail, Outcomes, claim_mails, settle_mails, text_of};

/// The longest error that is kept, in characters.
const ERROR_CHARACTERS_MAX: usize = 500;

/// Delivers whenever a letter is due, until `shutdown`; a round that runs is finished.
pub(crate) async fn run(service: &Service, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        let more = match deliver_due(service).await {
            Ok(delivered) => delivered == MAILS_A_ROUND_MAX,
            Err(error) => {
                tracing::warn!(%error, "cannot look after the mail outbox");
                false
            }
        };
        if more {
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = service.mail_bell.notified() => {}
            () = tokio::time::sleep(MAIL_PAUSE) => {}
        }
    }
}

/// One round; answers how many letters were tried.
async fn deliver_due(service: &Service) -> Result<usize, DbError> {
    let due = claim_mails(&service.db.client().await?, MAILS_A_ROUND_MAX).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let tried = due.len();
    let ended: Vec<_> = stream::iter(due)
        .map(|mut mail| async move {
            let delivered = match service.fields.open_text(std::mem::take(&mut mail.body), text_of(mail.sealed_for)) {
                Ok(text) => {
                    mail.body = text;
                    service.post.deliver(&mail).await
                }
                Err(error) => Err(DeliveryError::Again(error.to_string())),
            };
            (mail, delivered)
        })
        .buffer_unordered(MAILS_A_ROUND_MAX)
        .collect()
        .await;
    let mut outcomes = Outcomes::default();
    for (mail, delivered) in ended {
        note(&mut outcomes, &mail, delivered);
    }
    settle_mails(&service.db.client().await?, &outcomes).await?;
    Ok(tried)
}

fn note(outcomes: &mut Outcomes, mail: &DueMail, delivered: Result<(), DeliveryError>) {
    let (outcome, error) = match delivered {
        Ok(()) => ("sent", None),
        Err(DeliveryError::Again(error)) if mail.attempts < MAIL_ATTEMPTS_MAX => ("again", Some(error)),
        Err(DeliveryError::Again(error) | DeliveryError::Never(error)) => ("given_up", Some(error)),
    };
    if let Some(error) = &error {
        tracing::warn!(
            mail = mail.id,
            kind = mail.kind,
            attempts = mail.attempts,
            outcome,
            error,
            "a letter did not leave"
        );
    }
    outcomes.ids.push(mail.id);
    outcomes.outcomes.push(outcome);
    outcomes.errors.push(error.map(|error| error.chars().filter(|c| *c != '\0').take(ERROR_CHARACTERS_MAX).collect()));
}
