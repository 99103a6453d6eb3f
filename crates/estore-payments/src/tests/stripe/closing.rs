//! What is closed is not charged, and what is charged is not closed.

use super::peer::Fault;
use super::{GOOD, StripeShop};
use crate::gateway::{ClosedSale, Sale, SaleOutcome};

fn sale(key: u128, token: &str) -> Sale {
    Sale { key: uuid::Uuid::from_u128(key), token: token.to_owned(), amount: 700, currency: "USD".to_owned() }
}

async fn token(shop: &StripeShop) -> String {
    let id = i32::try_from(shop.card(GOOD).await).unwrap();
    let row = shop.bench.db.row("SELECT gateway_token FROM payment_methods WHERE id = $1", &[&id]).await.unwrap();
    row.unwrap().get(0)
}

#[tokio::test]
async fn what_is_closed_is_never_charged_and_what_is_charged_is_never_closed() {
    let Some(shop) = StripeShop::start().await else { return };
    let (gateway, token) = (shop.gateway(), token(&shop).await);
    let one = sale(1, &token);
    assert_eq!(gateway.close(vec![one.key]).await, [ClosedSale::NotMade]);
    assert_eq!(gateway.sale(vec![one.clone()]).await, [SaleOutcome::Closed], "closed before it came");
    assert_eq!(gateway.close(vec![one.key]).await, [ClosedSale::NotMade]);
    let two = sale(2, &token);
    let made = gateway.sale(vec![two.clone(), sale(3, &token)]).await;
    let SaleOutcome::Captured { reference } = &made[0] else { panic!("{made:?}") };
    assert_eq!(gateway.close(vec![two.key]).await, [ClosedSale::Captured { reference: reference.clone() }]);
    // The intent is noted and its confirmation lost: closed, and a late confirmation comes to nothing.
    shop.line.fail("/confirm", Fault::LoseRequest, 1);
    let four = sale(4, &token);
    assert!(matches!(gateway.sale(vec![four.clone()]).await[0], SaleOutcome::Unknown { .. }));
    assert_eq!(gateway.close(vec![four.key]).await, [ClosedSale::NotMade]);
    assert_eq!(shop.peer.balance().await, 1_400);
    assert_eq!(gateway.sale(vec![four]).await, [SaleOutcome::Closed], "the noted intent, and no other, is tried");
    assert_eq!(shop.peer.balance().await, 1_400);
}

#[tokio::test]
async fn closing_and_charging_at_once_agree() {
    let Some(shop) = StripeShop::start().await else { return };
    let (gateway, token) = (shop.gateway(), token(&shop).await);
    let mut taken = 0;
    for n in 100..130_u128 {
        let one = sale(n, &token);
        let key = one.key;
        let (sold, closed) = tokio::join!(gateway.sale(vec![one]), async {
            tokio::time::sleep(std::time::Duration::from_millis(u64::try_from(n - 100).unwrap())).await;
            gateway.close(vec![key]).await
        });
        match (&sold[0], &closed[0]) {
            (SaleOutcome::Captured { reference }, ClosedSale::Captured { reference: found }) => {
                assert_eq!(reference, found);
                taken += 700;
            }
            (SaleOutcome::Closed | SaleOutcome::Unknown { .. }, ClosedSale::NotMade) => {}
            // Nobody knows yet; asked again, it is known.
            (_, ClosedSale::Silent { .. }) => match &gateway.close(vec![key]).await[0] {
                ClosedSale::Captured { .. } => taken += 700,
                other => assert_eq!(other, &ClosedSale::NotMade),
            },
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(shop.peer.balance().await, taken);
}
