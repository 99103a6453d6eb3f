//! Extractors that demand something of who asks.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;

use super::{Caller, Looked, Permission, Verifier, bearer};
use crate::problem::Problem;
use crate::request::{self, ClientAddress};

/// Whoever the token or key speaks for.
async fn authenticate(parts: &Parts) -> Result<Caller, Problem> {
    let caller = match parts.extensions.get() {
        Some(Looked(caller)) => caller.clone()?,
        None => verified(parts).await?,
    };
    request::note_caller(caller.user_id);
    Ok(caller)
}

async fn verified(parts: &Parts) -> Result<Caller, Problem> {
    let token = bearer(&parts.headers).ok_or_else(|| {
        Problem::unauthorized("token_missing", "Send the header Authorization: Bearer <access_token>.")
    })?;
    let verifier =
        parts.extensions.get::<Arc<Verifier>>().ok_or_else(|| Problem::internal("no token verifier on this router"))?;
    verifier.verify_from(token, parts.extensions.get().map(|ClientAddress(client)| *client)).await
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        person(authenticate(parts).await?)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        if parts.headers.contains_key(header::AUTHORIZATION) { authenticate(parts).await.map(Some) } else { Ok(None) }
    }
}

fn person(caller: Caller) -> Result<Caller, Problem> {
    if caller.is_key {
        let detail = "This is for people who are logged in. An API key is for the routes of its scopes.";
        return Err(Problem::forbidden("api_key_not_accepted", detail));
    }
    Ok(caller)
}

/// A person, or an API key with a permission that shows everybody's orders.
#[derive(Debug, Clone)]
pub struct CallerOrKey(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for CallerOrKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let caller = authenticate(parts).await?;
        if caller.is_key && !caller.sees_orders() {
            return Err(missing(Permission::Orders));
        }
        Ok(Self(caller))
    }
}

/// A person who is an administrator.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let caller = person(authenticate(parts).await?)?;
        let only = || Problem::forbidden("role_required", "Only administrators may do this.");
        if caller.is_admin { Ok(Self(caller)) } else { Err(only()) }
    }
}

fn missing(permission: Permission) -> Problem {
    let word = permission.word();
    let detail = format!("This takes the permission {word:?}, which an administrator grants by a role.");
    Problem::forbidden("role_required", detail)
}

macro_rules! permitted {
    ($(#[$doc:meta] $name:ident: $permission:ident),+ $(,)?) => { $(
        #[$doc]
        #[derive(Debug, Clone)]
        pub struct $name(pub Caller);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
                let caller = authenticate(parts).await?;
                if caller.may(Permission::$permission) { Ok(Self(caller)) } else { Err(missing(Permission::$permission)) }
            }
        }
    )+ };
}

permitted! {
    /// Whoever may change the catalogue and its stock.
    MayManageCatalogue: Catalogue,
    /// Whoever may handle everybody's orders.
    MayHandleOrders: Orders,
    /// Whoever may give money back.
    MayRefund: Refunds,
    /// Whoever may manage customers' accounts.
    MayManageUsers: Users,
    /// Whoever may connect the shop with other systems.
    MayOperate: Operations,
}
