//! Where one is logged in.

use estore_kit::auth::Caller;
use estore_kit::db::Viewer;
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::service::Service;
use crate::store::sessions::{OpenSession, list_open_sessions};

/// A page of the caller's open sessions, newest first.
pub(crate) async fn list_sessions(
    service: &Service,
    caller: &Caller,
    query: &PageQuery,
) -> Result<List<OpenSession>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before = paging::decode(query.cursor.as_deref())?.unwrap_or(Uuid::max());
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let view = service.db.seen_by(Viewer::Customer(caller.user_id));
    let mut sessions = list_open_sessions(&view, caller.user_id, before, wanted).await?;
    for session in &mut sessions {
        session.is_current = session.id.to_string() == caller.session_id;
    }
    Ok(paging::page(sessions, limit, |session| session.id))
}
