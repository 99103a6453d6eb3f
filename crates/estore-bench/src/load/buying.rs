//! Paid orders and checkouts as a load: every one under a key of its own, every answer compared.

use std::io::Write;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use super::client::Answer;
use super::run::{Asking, Verdict};
use super::stage::{Buyer, Stage, Ware};
use crate::failure::Failure;

/// What is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Basket {
    /// All the same product, instead of any.
    pub(crate) hot: bool,
    /// One: `POST /v1/orders`; more: `POST /v1/checkouts` of so many lines.
    pub(crate) lines: usize,
    /// Whether the shop may turn orders away.
    pub(crate) may_refuse: bool,
}

/// One connection's buyer.
#[derive(Debug)]
pub(crate) struct Buying {
    wares: Arc<[Ware]>,
    basket: Basket,
    card: i64,
    /// Request line and headers up to the value of the key.
    head: Vec<u8>,
    body: Vec<u8>,
    /// The first half of every key of this connection; the second counts.
    key: Uuid,
    count: u64,
    dice: Dice,
    wanted_total: i64,
}

/// What an order and a checkout have in common.
#[derive(Debug, Deserialize)]
struct Bought<'a> {
    status: &'a str,
    total_amount: i64,
}

/// A buyer for each connection; buyers take turns where there are fewer of them.
pub(crate) fn buyers(stage: &Stage, basket: Basket, connections: usize) -> Vec<Buying> {
    let buyers = stage.buyers.iter().cycle().take(connections);
    buyers.enumerate().map(|(number, buyer)| Buying::new(stage, basket, buyer, number as u64)).collect()
}

impl Buying {
    fn new(stage: &Stage, basket: Basket, buyer: &Buyer, number: u64) -> Self {
        let path = if basket.lines == 1 { "/v1/orders" } else { "/v1/checkouts" };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {}\r\nIdempotency-Key: ",
            buyer.token
        );
        Self {
            wares: stage.wares.clone(),
            basket,
            card: buyer.card,
            head: head.into_bytes(),
            body: Vec::new(),
            key: Uuid::new_v4(),
            count: 0,
            dice: Dice(number),
            wanted_total: 0,
        }
    }

    /// The same buyer with other keys.
    pub(crate) fn afresh(&self) -> Self {
        let (head, body, key) = (self.head.clone(), Vec::new(), Uuid::new_v4());
        Self { wares: self.wares.clone(), head, body, key, count: 0, dice: self.dice.clone(), ..*self }
    }

    /// The next product, not one of the `line` before it in the same checkout.
    fn ware(&mut self, line: usize) -> Ware {
        if self.basket.hot {
            return self.wares[0];
        }
        // Each line has a stretch of the catalogue of its own.
        let stretch = self.wares.len() / self.basket.lines;
        self.wares[line * stretch + self.dice.below(stretch)]
    }

    fn write_body(&mut self) {
        self.body.clear();
        self.wanted_total = 0;
        let card = self.card;
        if self.basket.lines == 1 {
            let Ware { id, price } = self.ware(0);
            self.wanted_total = price;
            put(&mut self.body, format_args!(r#"{{"product_id":{id},"quantity":1,"payment_method_id":{card}}}"#));
            return;
        }
        put(&mut self.body, format_args!(r#"{{"payment_method_id":{card},"lines":["#));
        for line in 0..self.basket.lines {
            let Ware { id, price } = self.ware(line);
            self.wanted_total += price;
            let comma = if line == 0 { "" } else { "," };
            put(&mut self.body, format_args!(r#"{comma}{{"product_id":{id},"quantity":1}}"#));
        }
        put(&mut self.body, format_args!("]}}"));
    }
}

impl Asking for Buying {
    fn write(&mut self, request: &mut Vec<u8>) {
        self.write_body();
        self.count += 1;
        request.extend_from_slice(&self.head);
        let (key, count, length) = (self.key.simple(), self.count, self.body.len());
        put(request, format_args!("{key}-{count}\r\nContent-Length: {length}\r\n\r\n"));
        request.extend_from_slice(&self.body);
    }

    fn check(&mut self, answer: Answer<'_>) -> Result<Verdict, Failure> {
        if self.basket.may_refuse && answer.status == 503 {
            return Ok(Verdict::Refused);
        }
        let bought = (answer.status == 201).then(|| serde_json::from_slice::<Bought>(answer.body).ok()).flatten();
        match bought {
            Some(bought) if bought.status == "paid" && bought.total_amount == self.wanted_total => Ok(Verdict::Right),
            _ => Err(Failure::new(format!(
                "an order of {} cents was answered {}: {}",
                self.wanted_total,
                answer.status,
                String::from_utf8_lossy(answer.body)
            ))),
        }
    }
}

/// Writing into memory cannot fail.
fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _written = out.write_fmt(text);
}

/// Numbers that look random and are the same in every run (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end.max(1) as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer<'_> {
        Answer { status, head: &[], body: body.as_bytes() }
    }

    fn one_buyer(lines: usize) -> Buying {
        let wares: Vec<_> = (1..=20).map(|id| Ware { id, price: id * 10 }).collect();
        let buyer = Buyer { token: "t".into(), card: 7 };
        let stage = Stage { wares: wares.into(), buyers: vec![buyer].into() };
        buyers(&stage, Basket { hot: false, lines, may_refuse: false }, 1).remove(0)
    }

    #[test]
    fn every_order_has_a_key_of_its_own_and_every_answer_is_compared() {
        let mut buying = one_buyer(1);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        buying.write(&mut first);
        buying.write(&mut second);
        let key = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.lines().find_map(|line| line.strip_prefix("Idempotency-Key: ").map(str::to_owned)).unwrap()
        };
        assert_ne!(key(&first), key(&second));
        let right = format!(r#"{{"status":"paid","total_amount":{}}}"#, buying.wanted_total);
        assert_eq!(buying.check(answer(201, &right)).unwrap(), Verdict::Right);
        assert!(buying.check(answer(201, r#"{"status":"paid","total_amount":1}"#)).is_err());
        assert!(buying.check(answer(503, "{}")).is_err());
    }

    #[test]
    fn a_checkout_has_no_product_twice() {
        let mut buying = one_buyer(10);
        for _ in 0..100 {
            buying.write_body();
            let body: serde_json::Value = serde_json::from_slice(&buying.body).unwrap();
            let lines = body["lines"].as_array().unwrap();
            let mut ids: Vec<_> = lines.iter().map(|line| line["product_id"].as_i64().unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), 10);
        }
    }
}
