//! Nobody sees an account of somebody else's, whatever is wrong with the statement.

use estore_kit::db::{Db, View, Viewer};

use crate::desk::{Desk, PASSWORD};

/// The first columns of what a statement of the view answers, each once.
async fn seen(view: &View, sql: &str) -> Vec<i32> {
    let rows = view.rows(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut seen: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}

#[tokio::test]
async fn a_forgotten_filter_shows_ones_own_account() {
    let desk = Desk::open().await;
    desk.customer("ada@example.com").await;
    desk.customer("bob@example.com").await;
    let (ada, bob) = (desk.id_of("ada@example.com").await, desk.id_of("bob@example.com").await);
    for (email, id) in [("ada@example.com", ada), ("bob@example.com", bob)] {
        let access = desk.log_in(email, PASSWORD).await.0;
        let change = serde_json::json!({"email": format!("new-{email}"), "current_password": PASSWORD});
        desk.patch("/v1/users/me", &access, change).await.expect(200);
        desk.run(&format!("INSERT INTO user_roles (user_id, role) VALUES ({id}, 'staff')")).await;
    }
    let db = Db::new(desk.database.logins(), 1).unwrap();
    let tables = [
        "SELECT id FROM users",
        "SELECT user_id FROM sessions",
        "SELECT user_id FROM email_changes",
        "SELECT user_id FROM user_roles",
        "SELECT id FROM users WHERE email = '' OR true",
        "SELECT id FROM users WHERE id = -1 UNION SELECT user_id FROM sessions",
    ];
    for sql in tables {
        for own in [ada, bob] {
            assert_eq!(seen(&db.seen_by(Viewer::Customer(own)), sql).await, [own], "{sql}");
        }
    }
    // Staff handle orders; accounts are for administrators.
    assert!(seen(&db.seen_by(Viewer::Staff(ada)), "SELECT id FROM users").await.is_empty());
    assert_eq!(seen(&db.seen_by(Viewer::Admin(ada)), "SELECT id FROM users").await, [ada, bob]);
}

#[tokio::test]
async fn credentials_are_shown_to_nobody() {
    let desk = Desk::open().await;
    desk.customer("ada@example.com").await;
    let own = desk.id_of("ada@example.com").await;
    for viewer in [Viewer::Customer(own), Viewer::Staff(own), Viewer::Admin(own)] {
        let view = desk.db.seen_by(viewer);
        for sql in [
            "SELECT hashed_password FROM users",
            "SELECT * FROM users",
            "SELECT token FROM refresh_tokens",
            "SELECT token FROM password_reset_tokens",
            "SELECT token FROM email_changes",
            "SELECT body FROM mails",
            "SELECT email FROM customer_imports",
        ] {
            assert!(view.rows(sql, &[]).await.unwrap_err().to_string().starts_with("42501"), "{viewer:?}: {sql}");
        }
    }
}
