//! An administrator who edits products, one after the other.

use std::sync::Arc;

use super::buying::Dice;
use super::client::Answer;
use super::run::{Asking, Verdict};
use crate::failure::Failure;

/// One connection's editor: each edit is another price.
#[derive(Debug)]
pub(crate) struct Editing {
    token: Arc<str>,
    products: Arc<[i64]>,
    dice: Dice,
    price: usize,
}

impl Editing {
    pub(crate) fn new(token: Arc<str>, products: Arc<[i64]>) -> Self {
        Self { token, products, dice: Dice(3), price: 0 }
    }
}

impl Asking for Editing {
    fn write(&mut self, request: &mut Vec<u8>) {
        let id = self.products[self.dice.below(self.products.len())];
        self.price = 100 + self.dice.below(10_000);
        let body = format!(r#"{{"price":{}}}"#, self.price);
        let (token, length) = (&self.token, body.len());
        request.extend_from_slice(
            format!(
                "PATCH /v1/products/{id} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n\
                 Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        );
    }

    fn check(&mut self, answer: Answer<'_>) -> Result<Verdict, Failure> {
        let wanted = format!("\"price\":{},", self.price);
        let body = String::from_utf8_lossy(answer.body);
        if answer.status == 200 && body.contains(&wanted) {
            return Ok(Verdict::Right);
        }
        Err(Failure::new(format!("an edit was answered {}: {body}", answer.status)))
    }
}
