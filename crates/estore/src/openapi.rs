//! The OpenAPI description: what the services say of their routes, completed with what holds for all.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response as Answer;
use estore_kit::problem::PROBLEM_JSON;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Info, License, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa_swagger_ui::SwaggerUi;

/// The pages run and load what comes from here, and nothing else; their icons are written into their styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The description, and the pages that show it.
pub fn pages(api: OpenApi) -> Router {
    Router::from(SwaggerUi::new("/docs").url("/openapi.json", complete(api))).layer(map_response(with_policy))
}

async fn with_policy(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    answer
}

/// The word of an answer to somebody who changes too much.
const LIMITED: &str = "`rate_limited`";

/// Completes the description: title, token scheme, and the problem answers that every route can give.
fn complete(mut api: OpenApi) -> OpenApi {
    let mut info = Info::new("EStore", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "A commerce backend: accounts, catalogue, stock, orders and payments. Money is in cents, times are RFC 3339 \
         in UTC, errors are RFC 9457 problems, lists answer `data` and `next_cursor`. Answers to changes say in `RateLimit` \
         and `RateLimit-Policy` how many more are taken."
            .to_owned(),
    );
    info.license = Some(License::new("MIT OR Apache-2.0"));
    api.info = info;
    let components = api.components.get_or_insert_with(Components::new);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.security_schemes.insert("bearer".to_owned(), RefOr::T(bearer.clone()));
    components.security_schemes.insert("metrics_token".to_owned(), RefOr::T(bearer));
    components.schemas.extend(problem_schemas());
    for item in api.paths.paths.values_mut() {
        for (is_change, operation) in operations(item) {
            let responses = &mut operation.responses.responses;
            for response in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])).map(|(_, r)| r) {
                if let RefOr::T(response) = response {
                    describe_problem(response);
                }
            }
            if is_change {
                match responses.entry("429".to_owned()).or_insert_with(|| RefOr::T(too_often())) {
                    RefOr::T(response) if !response.description.contains(LIMITED) => {
                        response.description += &format!("; or too many changes in a minute ({LIMITED})");
                    }
                    _ => {}
                }
            }
            responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(any_problem()));
        }
    }
    api
}

/// The operations, and whether each changes something.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    methods.into_iter().enumerate().filter_map(|(nth, operation)| Some((nth > 0, operation.as_mut()?)))
}

fn problem_schemas() -> Vec<(String, RefOr<utoipa::openapi::Schema>)> {
    use estore_kit::problem::{FieldError, ProblemBody};
    use utoipa::{PartialSchema, ToSchema};
    vec![
        (ProblemBody::name().into_owned(), ProblemBody::schema()),
        (FieldError::name().into_owned(), FieldError::schema()),
    ]
}

fn describe_problem(response: &mut Response) {
    if response.content.is_empty() {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(content));
    }
}

fn too_often() -> Response {
    let mut response = ResponseBuilder::new()
        .description(format!("Too many changes in a minute ({LIMITED}); `Retry-After` says when the next one is taken"))
        .build();
    describe_problem(&mut response);
    response
}

fn any_problem() -> Response {
    let mut response = ResponseBuilder::new()
        .description("Any other failure: bad input, missing rights, too large, too slow, too busy")
        .build();
    describe_problem(&mut response);
    response
}
