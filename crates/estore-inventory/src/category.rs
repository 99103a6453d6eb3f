//! Categories: their shape and the rules of their fields.

use estore_kit::problem::FieldError;
use estore_kit::validate::Rules;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use tokio_postgres::Row;
use utoipa::ToSchema;

use crate::limits::{DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX};

/// A category of products.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Category {
    /// Its id.
    pub id: i32,
    /// Its name.
    #[schema(example = "Garden")]
    pub name: String,
    /// What is in it.
    pub description: Option<String>,
    /// The category above; `null` at the root.
    pub parent_id: Option<i32>,
    /// Whether shoppers see it.
    pub is_active: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
}

impl From<&Row> for Category {
    fn from(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            name: row.get("name"),
            description: row.get("description"),
            parent_id: row.get("parent_id"),
            is_active: row.get("is_active"),
            created_at: row.get("created_at"),
            updated_at: row.get("updated_at"),
        }
    }
}

/// A category to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCategory {
    /// 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, example = "Garden")]
    pub name: String,
    /// Up to 65,535 characters.
    #[serde(default)]
    #[schema(max_length = 65535)]
    pub description: Option<String>,
    /// The category above; left out at the root. Categories nest at most 8 levels deep.
    #[serde(default)]
    pub parent_id: Option<i32>,
    /// Whether shoppers see it.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub is_active: bool,
}

/// Changes of a category; what is left out stays, `null` takes away.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CategoryChange {
    /// 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// Up to 65,535 characters.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 65535)]
    pub description: Option<Option<String>>,
    /// The category above; `null` makes it a root. Nothing may stand above itself.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<i32>)]
    pub parent_id: Option<Option<i32>>,
    /// Whether shoppers see it.
    pub is_active: Option<bool>,
}

/// Tells a field that is `null` from one that is left out.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

pub(crate) fn yes() -> bool {
    true
}

impl NewCategory {
    pub(crate) fn broken_rules(&self) -> Vec<FieldError> {
        broken_rules(Some(&self.name), self.description.as_deref())
    }
}

impl CategoryChange {
    pub(crate) fn broken_rules(&self) -> Vec<FieldError> {
        broken_rules(self.name.as_deref(), self.description.as_ref().and_then(Option::as_deref))
    }
}

fn broken_rules(name: Option<&str>, description: Option<&str>) -> Vec<FieldError> {
    let mut rules = Rules::new();
    if let Some(name) = name {
        rules.text("/name", name, 1..=NAME_CHARACTERS_MAX);
    }
    if let Some(description) = description {
        rules.text("/description", description, 0..=DESCRIPTION_CHARACTERS_MAX);
    }
    rules.into_errors()
}
