//! What staff may do, by their roles.

use std::fmt;

/// A kind of work. Each route for staff demands one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Products, categories, stock, imports.
    Catalogue,
    /// Everybody's orders: seeing them, moving them along, cancelling, what is stuck.
    Orders,
    /// Giving money back, disputes; seeing everybody's orders.
    Refunds,
    /// Accounts of customers.
    Users,
    /// How the shop is connected: webhooks.
    Operations,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Catalogue, Self::Orders, Self::Refunds, Self::Users, Self::Operations];

    /// Those that show everybody's orders.
    pub const THAT_SHOW_ORDERS: &[Self] = &[Self::Orders, Self::Refunds];

    /// The word in tokens, databases and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Orders => "orders",
            Self::Refunds => "refunds",
            Self::Users => "users",
            Self::Operations => "operations",
        }
    }

    /// The permission of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.word() == word)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Several permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// None: a customer's.
    pub const NONE: Self = Self(0);
    /// Every one: an administrator's.
    pub const ALL: Self = Self::of(&Permission::ALL);
    /// Of the role `staff`, who handle orders.
    const STAFF: Self = Self::of(&[Permission::Orders, Permission::Refunds]);

    /// These.
    #[must_use]
    pub const fn of(permissions: &[Permission]) -> Self {
        let (mut bits, mut rest) = (0, permissions);
        while let [first, others @ ..] = rest {
            bits |= first.bit();
            rest = others;
        }
        Self(bits)
    }

    /// What these roles may do together: `admin` all, `staff` orders and refunds, and each role that is named like a
    /// permission that one. A word that is no role may nothing.
    pub fn of_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> Self {
        let of_role = |role: &str| match role {
            "admin" => Self::ALL,
            "staff" => Self::STAFF,
            other => Permission::of(other).map_or(Self::NONE, |permission| Self::of(&[permission])),
        };
        Self(roles.into_iter().fold(0, |bits, role| bits | of_role(role).0))
    }

    /// The permissions of these words; others mean nothing.
    pub fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let found: Vec<Permission> = words.into_iter().filter_map(Permission::of).collect();
        Self::of(&found)
    }

    /// Whether it is among them.
    #[must_use]
    pub fn hold(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Their words.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        Permission::ALL.into_iter().filter(|permission| self.hold(*permission)).map(Permission::word).collect()
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.words()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, Permissions};

    #[test]
    fn roles_add_up_and_unknown_words_mean_nothing() {
        assert_eq!(Permissions::of_roles([]), Permissions::NONE);
        assert_eq!(Permissions::of_roles(["staff"]).words(), ["orders", "refunds"]);
        assert_eq!(Permissions::of_roles(["catalogue", "users", "owner"]).words(), ["catalogue", "users"]);
        assert_eq!(Permissions::of_roles(["admin"]), Permissions::ALL);
        assert_eq!(Permissions::of_words(["admin", "staff", "orders"]).words(), ["orders"]);
        for permission in Permission::ALL {
            assert_eq!(Permission::of(permission.word()), Some(permission));
            let alone = Permissions::of_roles([permission.word()]);
            assert!(Permission::ALL.into_iter().all(|other| alone.hold(other) == (other == permission)));
        }
        assert_eq!(Permissions::ALL.and(Permissions::of_roles(["staff"])), Permissions::STAFF);
        assert_eq!(format!("{:?}", Permissions::STAFF), r#"{"orders", "refunds"}"#);
    }
}
