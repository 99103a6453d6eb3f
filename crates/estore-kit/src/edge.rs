//! The edge of a server: connections, limits, time-outs, what browsers are told, and an error body for whatever went
//! wrong.

mod budget;
mod client;
mod crowd;
mod front;
mod headers;
mod origins;
mod patient;
mod rates;
mod server;
mod tls;

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tower::{Service, layer::layer_fn};

pub(crate) use self::budget::Budgets;
pub use self::client::Proxies;
pub(crate) use self::client::counted as counted_address;
pub use self::front::{Kept, Site};
pub use self::origins::Origins;
use self::rates::ClassId;
pub use self::rates::{Kind, RateLimits, Rates};
pub use self::server::{Door, listen, serve};
pub use self::tls::Tls;
pub use crate::certificates::TlsError;
use crate::extract::{BodyBytesMax, too_large};
use crate::problem::{PROBLEM_JSON, Problem};
use crate::request::{self, ClientAddress, X_REQUEST_ID};

/// The bounds of a server.
#[derive(Debug, Clone)]
pub struct EdgeLimits {
    /// The largest body of an ordinary route, in bytes.
    pub body_bytes_max: usize,
    /// How long an ordinary request may take, body and answer.
    pub request_time_max: Duration,
    /// How long a client may take to send its headers.
    pub header_time_max: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub write_time_max: Duration,
    /// How many connections are served at a time; further ones wait.
    pub connections_max: usize,
    /// How many of them one address may have; further ones are closed.
    pub connections_per_address_max: usize,
    /// Who connects for many: their connections are not bound by address.
    pub proxies: Proxies,
    /// How long running requests may go on after a shutdown has begun.
    pub shutdown_time_max: Duration,
    /// Paths of streaming routes, which bound their own time and size.
    pub streaming_paths: &'static [&'static str],
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 1024 * 1024,
            request_time_max: Duration::from_secs(30),
            header_time_max: Duration::from_secs(10),
            write_time_max: Duration::from_secs(30),
            connections_max: 10_000,
            connections_per_address_max: 10_000,
            proxies: Proxies::default(),
            shutdown_time_max: Duration::from_secs(20),
            streaming_paths: &["/v1/products/import", "/v1/products/export"],
        }
    }
}

/// What the edge holds to.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Bounds.
    pub limits: EdgeLimits,
    /// Whether clients come by HTTPS, and browsers should keep to that.
    pub is_https: bool,
    /// Whose pages may call from a browser; nobody's where there is none.
    pub origins: Option<Origins>,
    /// How often something may be changed; any number of times where there is none.
    pub rates: Option<Arc<Rates>>,
}

impl From<&EdgeLimits> for Rules {
    fn from(limits: &EdgeLimits) -> Self {
        Self { limits: limits.clone(), ..Self::default() }
    }
}

/// Puts the edge around a router: request ids, limits, time-outs, headers and problems for every error.
pub fn edge(router: Router, rules: impl Into<Rules>) -> Router {
    let rules = Arc::new(rules.into());
    router.layer(layer_fn(move |inner: Route| Edge { inner, rules: Arc::clone(&rules) }))
}

/// One service for all of it: each layer of its own would cost every request a box or two.
#[derive(Clone)]
struct Edge {
    inner: Route,
    rules: Arc<Rules>,
}

impl Service<Request> for Edge {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let id = request::identify(request.headers());
        let asked = Asked::of(&request, id.clone(), &self.rules);
        let limits = &self.rules.limits;
        if asked.changes() {
            DefaultBodyLimit::max(limits.body_bytes_max).apply(&mut request);
            request.extensions_mut().insert(BodyBytesMax(limits.body_bytes_max));
            if let Some(address) = limits.proxies.client(&request) {
                request.extensions_mut().insert(ClientAddress(address));
            }
        }
        let is_streaming = limits.streaming_paths.contains(&asked.uri.path());
        let time = if is_streaming { None } else { Some(limits.request_time_max) };
        if asked.origin.is_some() && origins::is_preflight(&asked.method, request.headers()) {
            return Box::pin(async move { Ok(asked.complete(origins::preflight())) });
        }
        if client::came_over_a_connection(&request) && client::names_no_host(&request) {
            return Box::pin(request::scope(id, async move { Ok(asked.complete(no_host().into_response())) }));
        }
        let class = self.rules.rates.as_ref().and_then(|rates| rates.class(&request));
        let Some(class) = class else {
            let work = self.inner.call(request);
            return Box::pin(request::scope(id, async move { Ok(asked.complete(bound_time(work, time).await)) }));
        };
        let inner = self.inner.clone();
        Box::pin(request::scope(id, async move {
            let response = bound_time(counted(inner, Arc::clone(&asked.rules), class, request), time).await;
            Ok(asked.complete(response))
        }))
    }
}

/// The answer of the route, unless there were too many requests before it.
async fn counted(
    mut inner: Route,
    rules: Arc<Rules>,
    class: ClassId,
    mut request: Request,
) -> Result<Response, Infallible> {
    let Some(rates) = &rules.rates else { return inner.call(request).await };
    let Some(standing) = rates.count(class, &mut request).await else { return inner.call(request).await };
    let mut response = match standing.refusal() {
        Some(problem) => problem.into_response(),
        None => inner.call(request).await?,
    };
    standing.show(response.headers_mut());
    Ok(response)
}

/// What the answer to a request depends on, beside what its route says.
struct Asked {
    rules: Arc<Rules>,
    id: HeaderValue,
    method: Method,
    uri: Uri,
    /// The origin of the page that asks, where it may.
    origin: Option<HeaderValue>,
    /// Whether who asks says who that is.
    is_somebody: bool,
}

impl Asked {
    fn of<B>(request: &Request<B>, id: HeaderValue, rules: &Arc<Rules>) -> Self {
        Self {
            rules: Arc::clone(rules),
            id,
            method: request.method().clone(),
            uri: request.uri().clone(),
            origin: rules.origins.as_ref().and_then(|origins| origins.of(request.headers())),
            is_somebody: request.headers().contains_key(header::AUTHORIZATION),
        }
    }

    fn changes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }

    /// The answer as it goes out.
    fn complete(self, response: Response) -> Response {
        let mut response = explain(response, &self.method, self.uri.path());
        let is_error = response.status().is_client_error() || response.status().is_server_error();
        let is_private = self.is_somebody || is_error || self.changes();
        let headers = response.headers_mut();
        headers::complete(headers, is_private, self.rules.is_https);
        if self.rules.origins.is_some() {
            origins::allow(self.origin, headers);
        }
        headers.insert(X_REQUEST_ID, self.id);
        response
    }
}

/// The answer, or a problem where the handler panicked or took too long.
async fn bound_time(work: impl Future<Output = Result<Response, Infallible>>, time: Option<Duration>) -> Response {
    let work = AssertUnwindSafe(work).catch_unwind();
    let done = match time {
        None => work.await,
        Some(time) => match tokio::time::timeout(time, work).await {
            Ok(done) => done,
            Err(_elapsed) => return too_slow(time),
        },
    };
    match done {
        Ok(Ok(response)) => response,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Problem::internal(format!("a handler panicked: {text}")).into_response()
        }
    }
}

fn no_host() -> Problem {
    Problem::bad_request("host_header", "A request over HTTP/1.1 names its host once, in the header Host.")
}

fn too_slow(time: Duration) -> Response {
    let detail = format!("The request took longer than {} seconds and was given up.", time.as_secs());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).retry_after(1).into_response()
}

/// Gives every error answer without a problem body one of its own: unknown routes, wrong methods and the like.
fn explain(response: Response, method: &Method, path: &str) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // A page for people explains itself, and so does JSON: a health report names what is away.
    if kind == PROBLEM_JSON || kind == "application/json" || kind.starts_with("text/html") {
        return response;
    }
    let problem = match status {
        StatusCode::NOT_FOUND => {
            Problem::new(status, "route_not_found", format!("There is nothing at {path}; see /docs for the routes."))
        }
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            status,
            "method_not_allowed",
            format!("{method} is not possible at {path}; the Allow header names what is."),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        other => Problem::new(other, "request_refused", "The request could not be read as HTTP for this route."),
    };
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut explained = problem.into_response();
    if let Some(allow) = allow {
        explained.headers_mut().insert(header::ALLOW, allow);
    }
    explained
}
