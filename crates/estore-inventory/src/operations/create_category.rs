//! Adds a category to the tree.

use estore_kit::db::{Db, DbError};
use estore_kit::problem::{FieldError, Problem};

use crate::category::{Category, NewCategory};
use crate::store::categories;

/// Why a category cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CategoryError {
    #[error("a field breaks a rule")]
    Invalid(Vec<FieldError>),
    #[error("there is no such parent")]
    UnknownParent,
    #[error("a category would stand above itself")]
    Cycle,
    #[error("categories nest at most eight levels deep")]
    TooDeep,
    #[error("a sibling has this name")]
    NameTaken,
    #[error(transparent)]
    Db(DbError),
}

/// Adds it under its parent, or at the root.
pub(crate) async fn create_category(db: &Db, category: &NewCategory) -> Result<Category, CategoryError> {
    let broken = category.broken_rules();
    if !broken.is_empty() {
        return Err(CategoryError::Invalid(broken));
    }
    Ok(categories::insert(db, category).await?)
}

impl From<DbError> for CategoryError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Constraint { name, .. } => match name.as_str() {
                "fk_parent" => Self::UnknownParent,
                "categories_no_cycle" | "categories_parent_is_another" => Self::Cycle,
                "categories_depth" => Self::TooDeep,
                "categories_name_taken" => Self::NameTaken,
                _ => Self::Db(error),
            },
            _ => Self::Db(error),
        }
    }
}

impl From<CategoryError> for Problem {
    fn from(error: CategoryError) -> Self {
        let parent = |code: &'static str, detail: &str| {
            Self::invalid(vec![FieldError { pointer: "/parent_id".into(), code: code.into(), detail: detail.into() }])
        };
        match error {
            CategoryError::Invalid(errors) => Self::invalid(errors),
            CategoryError::UnknownParent => parent("unknown_category", "there is no such category"),
            CategoryError::Cycle => parent("category_cycle", "a category must not stand above itself"),
            CategoryError::TooDeep => parent("category_depth", "categories nest at most 8 levels deep"),
            CategoryError::NameTaken => Self::conflict(
                "category_exists",
                "A category of this name is there already, under the same parent; use that one, or choose another name.",
            )
            .with_errors(vec![FieldError {
                pointer: "/name".into(),
                code: "taken".into(),
                detail: "another category under the same parent has it".into(),
            }]),
            CategoryError::Db(error) => error.into(),
        }
    }
}
