//! Letters about orders, each once, however often PaymentService tells of them.

use async_trait::async_trait;
use estore_api::neighbour::CallError;
use estore_api::users::{NoticeKind, OrderNotice, UsersApi};
use estore_kit::db::DbError;
use estore_kit::money::Cents;

use crate::service::{Service, Users};
use crate::store::mails::{OrderMail, insert_order_mails};

/// How many orders a letter names.
const ORDERS_NAMED_MAX: usize = 50;

#[async_trait]
impl UsersApi for Users {
    async fn notify(&self, notices: Vec<OrderNotice>) -> Result<(), CallError> {
        let failed = |error: DbError| CallError { service: "users", cause: error.to_string() };
        write_order_mails(&self.service, &notices).await.map_err(failed)
    }
}

/// Writes the letters; those without an account get none.
pub(crate) async fn write_order_mails(service: &Service, notices: &[OrderNotice]) -> Result<(), DbError> {
    let mails: Vec<OrderMail> = notices.iter().map(letter).collect();
    if insert_order_mails(&service.db.client().await?, &service.fields, &mails).await? > 0 {
        service.mail_bell.notify_one();
    }
    Ok(())
}

fn letter(notice: &OrderNotice) -> OrderMail {
    let (orders, amount) = (named(&notice.orders), format!("{} {}", Cents(notice.amount), notice.currency));
    let (kind, subject, body) = match notice.kind {
        NoticeKind::Paid => (
            "order_paid",
            format!("Thank you for your order {}", first(&notice.orders)),
            format!("Thank you for your order.\n\n{orders}\nPaid: {amount}\n\nWe write again when it is on its way.\n"),
        ),
        NoticeKind::Shipped => (
            "order_shipped",
            format!("Your order {} is on its way", first(&notice.orders)),
            format!("Your order is on its way.\n\n{orders}\n"),
        ),
        NoticeKind::Refunded => (
            "order_refunded",
            format!("Money of your order {} goes back to you", first(&notice.orders)),
            format!("We have given money back to you, the way you paid.\n\n{orders}\nAmount: {amount}\n"),
        ),
    };
    OrderMail { event_id: notice.event_id, user_id: notice.user_id, kind, subject, body }
}

fn first(orders: &[i32]) -> i32 {
    orders.first().copied().unwrap_or_default()
}

fn named(orders: &[i32]) -> String {
    let mut lines: String = orders.iter().take(ORDERS_NAMED_MAX).map(|order| format!("Order {order}\n")).collect();
    if let Some(more) = orders.len().checked_sub(ORDERS_NAMED_MAX).filter(|more| *more > 0) {
        lines.push_str(&format!("and {more} more\n"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use estore_api::users::{NoticeKind, OrderNotice};
    use uuid::Uuid;

    use super::letter;

    #[test]
    fn a_letter_names_orders_and_amount() {
        let notice = OrderNotice {
            event_id: Uuid::nil(),
            user_id: 7,
            kind: NoticeKind::Paid,
            orders: (1..=52).collect(),
            amount: 123_456,
            currency: "EUR".to_owned(),
        };
        let mail = letter(&notice);
        assert!(mail.body.contains("Order 50\nand 2 more\n") && mail.body.contains("1234.56 EUR"), "{}", mail.body);
        assert!(mail.body.is_ascii() && mail.subject.ends_with("order 1"));
    }
}
