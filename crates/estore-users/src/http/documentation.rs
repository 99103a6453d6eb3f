//! What the documentation says of every route: the security scheme and the problems they share.

use std::collections::BTreeMap;

use estore_kit::problem::{FieldError, PROBLEM_JSON, ProblemBody};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{IntoResponses, Modify, OpenApi};

/// The parts that routes refer to.
#[derive(OpenApi)]
#[openapi(
    components(schemas(ProblemBody, FieldError)),
    modifiers(&BearerScheme),
    tags(
        (name = "accounts", description = "Registering, proving an address, one's own account"),
        (name = "tokens", description = "Sessions"),
        (name = "administration", description = "Accounts, for those who manage them"),
    )
)]
pub(super) struct Documentation;

struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
        components.add_security_scheme("bearer", scheme);
    }
}

type Responses = BTreeMap<String, RefOr<Response>>;

fn problem(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    RefOr::T(ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build())
}

fn problems(of: &[(&str, &str)]) -> Responses {
    of.iter().map(|(status, description)| ((*status).to_owned(), problem(description))).collect()
}

/// What any route may answer.
pub(super) struct Common;

impl IntoResponses for Common {
    fn responses() -> Responses {
        problems(&[
            ("503", "Too busy, or the database is away; try again after `Retry-After`"),
            ("500", "A fault of ours"),
        ])
    }
}

/// What a route with a JSON body may answer.
pub(super) struct WithBody;

impl IntoResponses for WithBody {
    fn responses() -> Responses {
        let mut all = problems(&[
            ("400", "The body is no JSON, or a token in it is not good"),
            ("413", "The body is too large"),
            ("415", "The body is not sent as JSON"),
            ("422", "Fields break rules; `errors` names each"),
        ]);
        all.append(&mut Common::responses());
        all
    }
}

/// What a route with parameters may answer.
pub(super) struct WithParameters;

impl IntoResponses for WithParameters {
    fn responses() -> Responses {
        problems(&[("400", "A parameter breaks a rule")])
    }
}

/// What a route for those who are logged in may answer.
pub(super) struct WithToken;

impl IntoResponses for WithToken {
    fn responses() -> Responses {
        let mut all = problems(&[("401", "No access token, or not a good one")]);
        all.append(&mut Common::responses());
        all
    }
}

/// What a route for those who manage accounts may answer.
pub(super) struct ForAdmins;

impl IntoResponses for ForAdmins {
    fn responses() -> Responses {
        let mut all = problems(&[
            ("400", "A parameter breaks a rule"),
            ("403", "The caller lacks the permission `users`, or is no administrator where that is asked"),
        ]);
        all.append(&mut WithToken::responses());
        all
    }
}
