//! A page of accounts, all or by a part of the address.

use estore_kit::auth::{Caller, Permission};
use estore_kit::paging::{self, List};
use estore_kit::problem::Problem;

use crate::limits::SEARCH_CHARACTERS_MAX;
use crate::service::Service;
use crate::store;
use crate::user::User;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct UserSearch {
    pub(crate) text: Option<String>,
    pub(crate) is_active: Option<bool>,
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
}

/// The page, in the order of ids.
pub(crate) async fn list_users(service: &Service, caller: &Caller, search: UserSearch) -> Result<List<User>, Problem> {
    let limit = paging::limit(search.limit)?;
    let after: i32 = paging::decode::<(i32,)>(search.cursor.as_deref())?.map_or(0, |(id,)| id);
    let pattern = search.text.as_deref().map(pattern).transpose()?.flatten();
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let view = service.db.seen_by(caller.viewer(&[Permission::Users]));
    let found = store::users::list_users(&view, pattern.as_deref(), search.is_active, after, wanted).await?;
    Ok(paging::page(found, limit, |user| (user.id,)))
}

fn pattern(text: &str) -> Result<Option<String>, Problem> {
    if text.chars().count() > SEARCH_CHARACTERS_MAX {
        let detail = format!("must have at most {SEARCH_CHARACTERS_MAX} characters");
        return Err(paging::parameter("q", "length", detail));
    }
    if text.contains('\0') {
        return Err(paging::parameter("q", "nul_character", "must not hold NUL characters".to_owned()));
    }
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Ok(None);
    }
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    Ok(Some(format!("%{escaped}%")))
}
