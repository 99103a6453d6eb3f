//! How often one may change something: so many requests a minute for an account, and for an address without one.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::budget::{Budgets, Standing, WINDOW};
use super::client::counted;
use crate::auth::{Looked, Verifier, bearer};
use crate::metrics::CountersBy;
use crate::problem::Problem;
use crate::request::ClientAddress;

/// What is left of which limit, as draft-ietf-httpapi-ratelimit-headers has it.
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The limit itself.
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What a route is, where limits are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its callers prove themselves in another way, and are not counted.
    Free,
    /// Who calls is not known yet: counted by address, whatever token comes with it.
    LogIn,
    /// A change, counted by account, or by address where nobody is logged in.
    Write,
}

/// Requests a minute; 0 is any number.
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// Changes of one account.
    pub account_writes: u32,
    /// Changes of one address by nobody in particular.
    pub address_writes: u32,
    /// Log-ins and the like of one address.
    pub log_ins: u32,
    /// Routes with a limit of their own, in place of the others.
    pub routes: Vec<(Method, String, u32)>,
    /// What the other routes are, by method and path as it is described.
    pub kind_of: fn(&Method, &str) -> Kind,
}

/// One limit with its name and how it is told.
#[derive(Debug)]
struct Limit {
    name: String,
    /// Its name among the figures.
    figure: &'static str,
    quota: NonZeroU32,
    policy: HeaderValue,
}

impl Limit {
    fn new(name: &str, figure: &'static str, quota: u32) -> Option<Self> {
        let quota = NonZeroU32::new(quota)?;
        let policy = format!("\"{name}\";q={quota};w={}", WINDOW.as_secs());
        Some(Self { name: name.to_owned(), figure, quota, policy: HeaderValue::try_from(policy).ok()? })
    }
}

/// The limits of a kind of request, by who asks.
#[derive(Debug)]
struct Class {
    account: Option<Limit>,
    address: Option<Limit>,
    by_address_only: bool,
}

/// The number of a request's [`Class`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ClassId(usize);

const WRITES: ClassId = ClassId(0);
const LOG_INS: ClassId = ClassId(1);
/// From here on, those of single routes.
const ROUTES: usize = 2;

/// Counts requests, in this process alone.
#[derive(Debug)]
pub struct Rates {
    limits: RateLimits,
    classes: Vec<Class>,
    verifier: Arc<Verifier>,
    /// What was refused, by limit.
    refused: Arc<CountersBy>,
    begun: Instant,
    accounts: Budgets<(ClassId, i32)>,
    addresses: Budgets<(ClassId, IpAddr)>,
}

/// How a counted request stands.
pub(super) struct Counted<'a> {
    limit: &'a Limit,
    standing: Standing,
}

impl Rates {
    /// Counts by these limits, and in `refused` whom they turn away; nothing where there is none.
    #[must_use]
    pub fn new(limits: RateLimits, verifier: Arc<Verifier>, refused: Arc<CountersBy>) -> Option<Self> {
        let mut classes = vec![
            Class {
                account: Limit::new("account-writes", "account_writes", limits.account_writes),
                address: Limit::new("address-writes", "address_writes", limits.address_writes),
                by_address_only: false,
            },
            Class { account: None, address: Limit::new("log-ins", "log_ins", limits.log_ins), by_address_only: true },
        ];
        classes.extend(limits.routes.iter().map(|(method, path, quota)| {
            let limit = || Limit::new(&format!("{method} {path}"), "routes", *quota);
            Class { account: limit(), address: limit(), by_address_only: (limits.kind_of)(method, path) == Kind::LogIn }
        }));
        let has_any = classes.iter().any(|class| class.account.is_some() || class.address.is_some());
        has_any.then(|| Self {
            limits,
            classes,
            verifier,
            refused,
            begun: Instant::now(),
            accounts: Budgets::new(),
            addresses: Budgets::new(),
        })
    }

    /// What a request counts as; nothing where it is free.
    pub(super) fn class(&self, request: &Request) -> Option<ClassId> {
        let method = request.method();
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return None;
        }
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        let own = self.limits.routes.iter().position(|(verb, route, _)| verb == method && route == path);
        match own {
            Some(position) => Some(ClassId(ROUTES + position)),
            None => match (self.limits.kind_of)(method, path) {
                Kind::Free => None,
                Kind::LogIn => Some(LOG_INS),
                Kind::Write => Some(WRITES),
            },
        }
    }

    /// Counts a request; nothing where who asks has no limit. Whose token is not good is nobody in particular: the
    /// route says so.
    pub(super) async fn count(&self, id: ClassId, request: &mut Request) -> Option<Counted<'_>> {
        let class = self.classes.get(id.0)?;
        let now = self.begun.elapsed();
        if !class.by_address_only {
            match self.account(request).await {
                Some(Ok(account)) => {
                    let limit = class.account.as_ref()?;
                    return Some(self.note(limit, self.accounts.take((id, account), limit.quota, now)));
                }
                // Who would know is away: nobody is taken for nobody in particular because of that.
                Some(Err(problem)) if problem.status.is_server_error() => return None,
                _ => {}
            }
        }
        let limit = class.address.as_ref()?;
        let client = request.extensions().get().map_or(Ipv6Addr::UNSPECIFIED.into(), |ClientAddress(client)| *client);
        let address = counted(client);
        Some(self.note(limit, self.addresses.take((id, address), limit.quota, now)))
    }

    fn note<'a>(&self, limit: &'a Limit, standing: Standing) -> Counted<'a> {
        if standing.wait.is_some() {
            self.refused.count(limit.figure);
        }
        Counted { limit, standing }
    }

    /// Whose token comes with a request; the route finds it looked at, good or not.
    async fn account(&self, request: &mut Request) -> Option<Result<i32, Problem>> {
        let token = bearer(request.headers())?;
        let client = request.extensions().get().map(|ClientAddress(client)| *client);
        let caller = self.verifier.verify_from(token, client).await;
        let account = caller.as_ref().map(|caller| caller.user_id).map_err(Problem::clone);
        request.extensions_mut().insert(Looked(caller));
        Some(account)
    }
}

impl Counted<'_> {
    /// The refusal, where there were too many.
    pub(super) fn refusal(&self) -> Option<Problem> {
        let wait = in_seconds(self.standing.wait?);
        let Limit { name, quota, .. } = self.limit;
        let detail = format!("More than {quota} requests a minute ({name}); send the next one in {wait} seconds.");
        Some(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(wait))
    }

    /// Tells the limit, and what is left of it.
    pub(super) fn show(&self, headers: &mut HeaderMap) {
        let Standing { left, more_in, .. } = self.standing;
        let mut told = String::with_capacity(48);
        if write!(told, "\"{}\";r={left};t={}", self.limit.name, in_seconds(more_in)).is_ok()
            && let Ok(told) = HeaderValue::try_from(told)
        {
            headers.insert(RATELIMIT, told);
            headers.insert(RATELIMIT_POLICY, self.limit.policy.clone());
        }
    }
}

/// Whole seconds, rounded up.
fn in_seconds(time: Duration) -> u32 {
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}
