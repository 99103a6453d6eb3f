//! The problems that routes answer, for the OpenAPI description.

use std::collections::BTreeMap;

use estore_kit::problem::PROBLEM_JSON;
use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// Of public reads.
pub(crate) struct Read;
/// Of reads of one thing by its id.
pub(crate) struct ReadOne;
/// Of reads by administrators.
pub(crate) struct AdminRead;
/// Of reads of one thing by its id, by administrators.
pub(crate) struct AdminReadOne;
/// Of new things, by administrators.
pub(crate) struct Create;
/// Of changes of one thing, by administrators.
pub(crate) struct Edit;
/// Of removals, by administrators.
pub(crate) struct Remove;
/// Of imports, by administrators.
pub(crate) struct Import;

const BAD_REQUEST: (u16, &str) = (400, "The request cannot be read, or a parameter breaks a rule.");
const UNAUTHORIZED: (u16, &str) = (401, "The access token is missing, malformed or expired.");
const FORBIDDEN: (u16, &str) = (403, "This takes the permission `catalogue`.");
const NOT_FOUND: (u16, &str) = (404, "There is no such thing.");
const CONFLICT: (u16, &str) = (409, "The state of things forbids it.");
const STALE: (u16, &str) = (412, "It has been changed since the edition that If-Match names.");
const TOO_LARGE: (u16, &str) = (413, "The body is too large.");
const MEDIA_TYPE: (u16, &str) = (415, "The body is of another type than this route reads.");
const INVALID: (u16, &str) = (422, "Fields break rules; `errors` names each.");
const BUSY: (u16, &str) = (429, "Too many requests; Retry-After says when to come back.");
const AWAY: (u16, &str) = (503, "A part of the shop does not answer; Retry-After says when to come back.");

type Responses = BTreeMap<String, RefOr<Response>>;

fn problems(kinds: &[(u16, &str)]) -> Responses {
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let answer = |text: &str| ResponseBuilder::new().description(text).content(PROBLEM_JSON, content()).build();
    kinds.iter().map(|(status, text)| (status.to_string(), RefOr::T(answer(text)))).collect()
}

impl IntoResponses for Read {
    fn responses() -> Responses {
        problems(&[BAD_REQUEST, UNAUTHORIZED, BUSY, AWAY])
    }
}

impl IntoResponses for ReadOne {
    fn responses() -> Responses {
        problems(&[BAD_REQUEST, UNAUTHORIZED, NOT_FOUND, BUSY, AWAY])
    }
}

impl IntoResponses for AdminRead {
    fn responses() -> Responses {
        problems(&[BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, BUSY, AWAY])
    }
}

impl IntoResponses for AdminReadOne {
    fn responses() -> Responses {
        problems(&[BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, BUSY, AWAY])
    }
}

impl IntoResponses for Create {
    fn responses() -> Responses {
        let known = (409, "There is one already of that name, SKU or handle; `errors` names the field.");
        problems(&[BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, known, TOO_LARGE, MEDIA_TYPE, INVALID, BUSY, AWAY])
    }
}

impl IntoResponses for Edit {
    fn responses() -> Responses {
        let read = [BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, STALE];
        problems(&[&read[..], &[TOO_LARGE, MEDIA_TYPE, INVALID, BUSY, AWAY]].concat())
    }
}

impl IntoResponses for Remove {
    fn responses() -> Responses {
        problems(&[BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, STALE, BUSY, AWAY])
    }
}

impl IntoResponses for Import {
    fn responses() -> Responses {
        let busy = (409, "Another import is running, or a product of the file was made meanwhile.");
        let refused = (422, "Rows break rules; `errors` names each by line, column and rule. Nothing was imported.");
        problems(&[BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, busy, TOO_LARGE, MEDIA_TYPE, refused, BUSY, AWAY])
    }
}
