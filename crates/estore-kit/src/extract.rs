//! Request parts read with errors of our own: every rejection is a problem that names the field.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::paging::parameter;
use crate::problem::{FieldError, Problem};

/// The largest body taken where no layer says otherwise, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How much of a body that is too large is read past, in bytes, so that its sender hears the answer.
const PAST_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long such a body is read past.
const PAST_TIME_MAX: Duration = Duration::from_secs(5);

/// The largest JSON body of the routes below, in bytes: put it on a router as an `Extension`.
#[derive(Debug, Clone, Copy)]
pub struct BodyBytesMax(pub usize);

/// A JSON body, checked for type, size, syntax, unknown fields and NUL characters.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// The same together with the bytes as they came, for fingerprints.
#[derive(Debug)]
pub struct JsonWithBytes<T>(pub T, pub Bytes);

/// Query parameters; unknown and malformed ones are refused by name.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// Path parameters.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        JsonWithBytes::from_request(request, state).await.map(|JsonWithBytes(value, _)| Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonWithBytes<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let limit = request.extensions().get::<BodyBytesMax>().map_or(BODY_BYTES_MAX, |limit| limit.0);
        let bytes = read(request.into_body(), limit).await?;
        Ok(Self(from_json(&bytes)?, bytes))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(parameter("query", "nul_character", "must not hold NUL characters".into()));
        }
        axum::extract::Query::<T>::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, rest)| rest);
            let (name, detail) = match text.split_once(": ") {
                Some((name, detail)) if !name.contains(' ') => (name, detail),
                _ => (quoted(text).unwrap_or("query"), text),
            };
            parameter(name, "invalid", detail.to_owned())
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(rejection) => Err(parameter("path", "invalid", rejection.body_text())),
        }
    }
}

/// Reads JSON bytes; 400 where they are none, 422 naming the field where the shape is wrong.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if has_escaped_nul(bytes) {
        refuse_nul(bytes)?;
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        misread(error.inner(), pointer)
    })?;
    reader.end().map_err(|error| misread(&error, String::new()))?;
    Ok(value)
}

/// Whether the bytes hold the escape of a NUL character, which PostgreSQL's text cannot store.
#[must_use]
pub fn has_escaped_nul(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"\\u0000")
}

fn refuse_nul(bytes: &[u8]) -> Result<(), Problem> {
    let Ok(value) = serde_json::from_slice(bytes) else { return Ok(()) };
    let Some(pointer) = nul_pointer(&value, String::new()) else { return Ok(()) };
    Err(Problem::invalid(vec![FieldError {
        pointer,
        code: "nul_character".into(),
        detail: "must not hold NUL characters; remove them".into(),
    }]))
}

fn nul_pointer(value: &serde_json::Value, at: String) -> Option<String> {
    match value {
        serde_json::Value::String(text) => text.contains('\0').then_some(at),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, item)| nul_pointer(item, format!("{at}/{i}")))
        }
        serde_json::Value::Object(fields) => fields.iter().find_map(|(key, item)| {
            if key.contains('\0') { Some(at.clone()) } else { nul_pointer(item, format!("{at}/{}", escaped(key))) }
        }),
        _ => None,
    }
}

fn escaped(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) { key.replace('~', "~0").replace('/', "~1").into() } else { key.into() }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |at, segment| match segment {
        Segment::Seq { index } => format!("{at}/{index}"),
        Segment::Map { key } => format!("{at}/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => at,
    })
}

fn misread(error: &serde_json::Error, pointer: String) -> Problem {
    let text = error.to_string();
    let plain = text.rsplit_once(" at line ").map_or(text.as_str(), |(plain, _)| plain);
    if error.classify() != Category::Data {
        let detail = format!("The body is not valid JSON: {plain} (line {}, column {}).", error.line(), error.column());
        return Problem::bad_request("invalid_json", detail);
    }
    let (pointer, code): (String, &'static str) = match quoted(plain) {
        Some(field) if plain.starts_with("missing field") => (format!("{pointer}/{field}"), "missing"),
        Some(field) if plain.starts_with("unknown field") => {
            let known = pointer.ends_with(&format!("/{field}"));
            (if known { pointer } else { format!("{pointer}/{field}") }, "unknown_field")
        }
        _ => (pointer, "wrong_type"),
    };
    Problem::invalid(vec![FieldError { pointer, code: code.into(), detail: plain.to_owned() }])
}

fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Send the body as JSON with the header Content-Type: application/json.",
    ))
}

/// Reads a body of at most `limit` bytes into memory. A larger one is read past for a while: a connection that is
/// closed on a client in the middle of sending takes the answer with it.
async fn read(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad_request("unreadable_body", error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            drop(tokio::time::timeout(PAST_TIME_MAX, read_past(body)).await);
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

async fn read_past(mut body: Body) {
    let mut past = 0;
    while let Some(Ok(frame)) = body.frame().await {
        past += frame.data_ref().map_or(0, Bytes::len);
        if past > PAST_BYTES_MAX {
            return;
        }
    }
}

/// 413, for bodies over the limit of their route.
#[must_use]
pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "The body is larger than this route takes; send less at a time.",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde::Deserialize;

    use super::from_json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[expect(dead_code, reason = "only its type is looked at")]
        quantity: i32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "only its type is looked at")]
        lines: Vec<Line>,
    }

    fn pointer_of(json: &str) -> (u16, String) {
        let problem = from_json::<Order>(json.as_bytes()).unwrap_err();
        (problem.status.as_u16(), problem.errors.first().map(|e| e.pointer.clone()).unwrap_or_default())
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(pointer_of(r#"{"lines":[{"quantity":"x"}]}"#), (422, "/lines/0/quantity".into()));
        assert_eq!(pointer_of(r#"{"lines":[{}]}"#), (422, "/lines/0/quantity".into()));
        assert_eq!(pointer_of(r#"{"lines":[{"quantity":99999999999}]}"#), (422, "/lines/0/quantity".into()));
        assert_eq!(pointer_of(r#"{"lines":[],"note":1}"#), (422, "/note".into()));
        assert_eq!(pointer_of(r#"{"lines":["a\u0000b"]}"#), (422, "/lines/0".into()));
    }

    #[test]
    fn what_is_no_json_is_a_bad_request() {
        let deep = "[".repeat(1_000);
        for text in ["", "{", "{} x", r#"{"lines":["\ud800"]}"#, deep.as_str()] {
            let problem = from_json::<Order>(text.as_bytes()).unwrap_err();
            assert!(problem.status.is_client_error(), "{text}");
        }
        assert_eq!(from_json::<Order>(deep.as_bytes()).unwrap_err().status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}
