//! Who a token belongs to.

use serde::{Deserialize, Serialize};

/// The answer of `GET /current-user`, as far as it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentUser {
    /// Id of the user.
    #[serde(default)]
    pub id: String,
    /// What the user goes by.
    #[serde(default)]
    pub name: String,
    /// Mail address; service users have none.
    #[serde(default)]
    pub email: String,
}
