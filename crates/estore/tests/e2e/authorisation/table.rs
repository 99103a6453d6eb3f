//! The table, and how it is read.

/// The answer to everybody, by route, in the order of [`CALLERS`]. `forged` stands for every token that somebody made or
/// changed, and for those of services, which are for each other; `owner` is the customer whose order, card and account are
/// asked for, `other` another one. 422, 400, 409 and 415 say that somebody is let in, and that what was sent is not taken.
pub(super) const ROUTES: &str = r#"
route                                              nob for unv oth cat ord ref use ope sta adm key kca kop own  with
GET    /health/live                                200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    /health/ready                               200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    /metrics                                    401 401 401 401 401 401 401 401 401 401 401 401 401 401 401
GET    /.well-known/jwks.json                      200 200 200 200 200 200 200 200 200 200 200 200 200 200 200

POST   /v1/users                                   422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
POST   /v1/users/verify                            422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
POST   /v1/users/verify/resend                     422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
POST   /v1/password-resets                         422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
POST   /v1/password-resets/confirm                 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
POST   /v1/tokens                                  422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
POST   /v1/tokens/refresh                          422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
GET    /v1/users/me                                401 401 200 200 200 200 200 200 200 200 200 403 403 403 200
GET    /v1/users/me/export                         401 401 200 200 200 200 200 200 200 200 200 403 403 403 200
PATCH  /v1/users/me                                401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {"x":1}
DELETE /v1/users/me                                401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {}
GET    /v1/users                                   401 401 403 403 403 403 403 200 403 403 200 200 403 403 403
GET    /v1/users/{id}                              401 401 403 403 403 403 403 200 403 403 200 200 403 403 403  {user}
PATCH  /v1/users/{id}                              401 401 403 403 403 403 403 422 403 403 422 422 403 403 403  {user} {"x":1}

GET    /v1/users/me/sessions                       401 401 200 200 200 200 200 200 200 200 200 403 403 403 200
DELETE /v1/users/me/sessions                       401 401 200 200 200 200 200 200 200 200 200 403 403 403 200
DELETE /v1/users/me/sessions/{id}                  401 401 404 404 404 404 404 404 404 404 404 403 403 403 404  {nothing}
GET    /v1/users/me/totp                           401 401 200 200 200 200 200 200 200 200 200 403 403 403 200
POST   /v1/users/me/totp                           401 401 403 422 422 422 422 422 422 422 422 403 403 403 422  {}
POST   /v1/users/me/totp/confirm                   401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {}
DELETE /v1/users/me/totp                           401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {}
POST   /v1/users/me/totp/recovery-codes            401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {}
POST   /v1/tokens/step-up                          401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {}
POST   /v1/tokens/step-up/begin                    401 401 409 409 409 409 409 409 409 409 409 403 403 403 409
POST   /v1/tokens/passkey/begin                    200 200 200 200 200 200 200 200 200 200 200 200 200 200 200  {}
POST   /v1/tokens/passkey                          422 422 422 422 422 422 422 422 422 422 422 422 422 422 422  {}
POST   /v1/users/me/passkeys/begin                 401 401 403 200 200 200 200 200 200 200 200 403 403 403 200
POST   /v1/users/me/passkeys                       401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {}
GET    /v1/users/me/passkeys                       401 401 200 200 200 200 200 200 200 200 200 403 403 403 200
PATCH  /v1/users/me/passkeys/{id}                  401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {nothing} {"x":1}
DELETE /v1/users/me/passkeys/{id}                  401 401 404 404 404 404 404 404 404 404 404 403 403 403 404  {nothing}
GET    /v1/api-keys                                401 401 403 403 403 403 403 403 403 403 200 403 403 403 403
POST   /v1/api-keys                                401 401 403 403 403 403 403 403 403 403 422 403 403 403 403  {}
DELETE /v1/api-keys/{id}                           401 401 403 403 403 403 403 403 403 403 404 403 403 403 403  {nothing}

GET    /v1/categories                              200 401 200 200 200 200 200 200 200 200 200 200 200 200 200
POST   /v1/categories                              401 401 403 403 422 403 403 403 403 403 422 422 422 403 403  {}
PATCH  /v1/categories/{id}                         401 401 403 403 422 403 403 403 403 403 422 422 422 403 403  {category} {"x":1}
DELETE /v1/categories/{id}                         401 401 403 403 204 403 403 403 403 403 204 204 204 403 403  {spare_category}
GET    /v1/products                                200 401 200 200 200 200 200 200 200 200 200 200 200 200 200
POST   /v1/products                                401 401 403 403 422 403 403 403 403 403 422 422 422 403 403  {}
POST   /v1/products/import                         401 401 403 403 415 403 403 403 403 403 415 415 415 403 403  {}
GET    /v1/products/export                         401 401 403 403 200 403 403 403 403 403 200 200 200 403 403
GET    /v1/products/low-stock                      401 401 403 403 200 403 403 403 403 403 200 200 200 403 403
GET    /v1/products/{id}                           200 401 200 200 200 200 200 200 200 200 200 200 200 200 200  {product}
PATCH  /v1/products/{id}                           401 401 403 403 422 403 403 403 403 403 422 422 422 403 403  {product} {"x":1}
POST   /v1/products/{id}/stock                     401 401 403 403 422 403 403 403 403 403 422 422 422 403 403  {product} {"x":1}
GET    /v1/products/{id}/stock-movements           401 401 403 403 200 403 403 403 403 403 200 200 200 403 403  {product}

GET    /v1/payment-methods                         401 401 200 200 200 200 200 200 200 200 200 403 403 403 200
POST   /v1/payment-methods                         401 401 422 422 422 422 422 422 422 422 422 403 403 403 422  {}
GET    /v1/payment-methods/{id}                    401 401 404 404 404 404 404 404 404 404 404 403 403 403 200  {card}
POST   /v1/orders                                  401 401 403 422 422 422 422 422 422 422 422 403 403 403 201  {"product_id":{product},"quantity":1,"payment_method_id":{card}}
POST   /v1/checkouts                               401 401 403 422 422 422 422 422 422 422 422 403 403 403 201  {"lines":[{"product_id":{product},"quantity":1}],"payment_method_id":{card}}
DELETE /v1/products/{id}                           401 401 403 403 204 403 403 403 403 403 204 204 204 403 403  {spare_product}
DELETE /v1/payment-methods/{id}                    401 401 404 404 404 404 404 404 404 404 404 403 403 403 204  {card}
GET    /v1/checkouts/needing-attention             401 401 403 403 403 200 403 403 403 200 200 200 403 403 403
GET    /v1/checkouts/{id}                          401 401 404 404 404 200 200 404 404 200 200 200 403 403 200  {checkout}
POST   /v1/checkouts/{id}/resolve                  401 401 403 403 403 404 403 403 403 404 404 404 403 403 403  {nothing}
GET    /v1/refunds/needing-attention               401 401 403 403 403 403 200 403 403 200 200 200 403 403 403
POST   /v1/refunds/{id}/resolve                    401 401 403 403 403 403 404 403 403 404 404 404 403 403 403  {nothing}
GET    /v1/disputes                                401 401 403 403 403 403 200 403 403 200 200 200 403 403 403
GET    /v1/orders                                  401 401 200 200 200 200 200 200 200 200 200 200 403 403 200
GET    /v1/orders/{id}                             401 401 404 404 404 200 200 404 404 200 200 200 403 403 200  {order}
GET    /v1/orders/{id}/events                      401 401 404 404 404 200 200 404 404 200 200 200 403 403 200  {order}
PUT    /v1/orders/{id}/status                      401 401 403 403 403 422 403 403 403 422 422 422 403 403 403  {order} {}
POST   /v1/orders/{id}/refunds                     401 401 403 403 403 403 422 403 403 422 422 422 403 403 403  {order} {}
POST   /v1/orders/{id}/cancel                      401 401 404 404 404 200 404 404 404 200 200 200 403 403 200  {order}

GET    /v1/webhook-endpoints                       401 401 403 403 403 403 403 403 200 403 200 200 403 200 403
POST   /v1/webhook-endpoints                       401 401 403 403 403 403 403 403 422 403 422 422 403 422 403  {}
GET    /v1/webhook-endpoints/{id}                  401 401 403 403 403 403 403 403 404 403 404 404 403 404 403  {nothing}
PATCH  /v1/webhook-endpoints/{id}                  401 401 403 403 403 403 403 403 422 403 422 422 403 422 403  {nothing} {"x":1}
DELETE /v1/webhook-endpoints/{id}                  401 401 403 403 403 403 403 403 404 403 404 404 403 404 403  {nothing}
POST   /v1/webhook-endpoints/{id}/rotate-secret    401 401 403 403 403 403 403 403 404 403 404 404 403 404 403  {nothing}
GET    /v1/webhook-endpoints/{id}/deliveries       401 401 403 403 403 403 403 403 404 403 404 404 403 404 403  {nothing}
POST   /v1/webhook-endpoints/{id}/deliveries/replay 401 401 403 403 403 403 403 403 404 403 404 404 403 404 403  {nothing}
POST   /v1/webhook-endpoints/{id}/deliveries/{delivery_id}/replay 401 401 403 403 403 403 403 403 404 403 404 404 403 404 403  {nothing}

DELETE /v1/tokens                                  401 401 204 204 204 204 204 204 204 204 204 403 403 403 204
"#;

/// Those who knock, in the table's order: staff by their role, and API keys that may everything, catalogues and operations
/// alone.
const CALLERS: [&str; 15] = [
    "nobody",
    "forged",
    "unverified",
    "other",
    "catalogue",
    "orders",
    "refunds",
    "users",
    "operations",
    "staff",
    "admin",
    "key",
    "key of catalogue",
    "key of operations",
    "owner",
];

/// One route.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) method: &'static str,
    /// As it is described.
    pub(super) route: &'static str,
    /// With a name in place of `{id}`.
    pub(super) path: String,
    /// What is sent; nothing where it is empty.
    pub(super) body: &'static str,
    expected: [u16; CALLERS.len()],
}

impl Row {
    /// What somebody is answered.
    pub(super) fn expected(&self, who: &str) -> u16 {
        let column = CALLERS.iter().position(|caller| *caller == who);
        self.expected[column.expect("everybody has a column")]
    }
}

/// The table's rows.
pub(super) fn rows() -> Vec<Row> {
    ROUTES.lines().skip(2).filter(|line| !line.trim().is_empty()).map(read).collect()
}

fn read(line: &'static str) -> Row {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("a short row: {line}"));
    let (method, route) = (word(), word());
    let expected = CALLERS.map(|_who| word().parse().unwrap_or_else(|_| panic!("no status: {line}")));
    let mut rest: Vec<&'static str> = words.collect();
    let path = if route.contains("{id}") { route.replace("{id}", rest.remove(0)) } else { route.to_owned() };
    let path = path.replace("{delivery_id}", "1");
    assert!(rest.len() <= 1, "a body has no spaces: {line}");
    Row { method, route, path, body: rest.first().copied().unwrap_or_default(), expected }
}
