//! Answers from memory that are given before a route is looked for: what most readers ask for costs as little as it can.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, Method, Request, Uri, header};
use axum::response::Response;

use super::client::names_no_host;
use super::{Asked, Rules, edge};
use crate::request;

/// The answer to a GET by nobody in particular, where it is in memory; it must be the one that the route would give.
pub type Kept = Arc<dyn Fn(&Uri, &HeaderMap) -> Option<Response> + Send + Sync>;

/// What a server answers: from memory where it can, else by its routes.
#[derive(Debug, Clone)]
pub struct Site {
    pub(super) router: Router,
    front: Option<Front>,
}

#[derive(Clone)]
struct Front {
    kept: Kept,
    rules: Arc<Rules>,
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl From<Router> for Site {
    fn from(router: Router) -> Self {
        Self { router, front: None }
    }
}

impl Site {
    /// These routes behind an edge, and before them what is kept; reads have no limit that could count it.
    pub fn new(router: Router, rules: Rules, kept: Option<Kept>) -> Self {
        let front = kept.map(|kept| Front { kept, rules: Arc::new(rules.clone()) });
        Self { router: edge(router, rules), front }
    }

    /// The answer from memory, complete.
    pub(super) fn kept<B>(&self, request: &Request<B>) -> Option<Response> {
        let Front { kept, rules } = self.front.as_ref()?;
        let headers = request.headers();
        if request.method() != Method::GET || headers.contains_key(header::AUTHORIZATION) || names_no_host(request) {
            return None;
        }
        let answer = kept(request.uri(), headers)?;
        Some(Asked::of(request, request::identify(headers), rules).complete(answer))
    }
}
