//! Why the Orchestrator did not do what it was asked.

use humctl_api_types::error::ErrorBody;
use serde_json::Value;

use crate::git::GitError;
use crate::secret::SealError;
use crate::state::StateError;

/// A request that failed. Deployments that fail are no such error: they are
/// recorded, and their errors are listed.
#[derive(Debug, thiserror::Error)]
pub enum OrchestratorError {
    /// There is no such object.
    #[error("{what} `{id}` does not exist")]
    NotFound {
        /// Kind of the object.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// An object of this id exists already.
    #[error("{what} `{id}` exists already")]
    Exists {
        /// Kind of the object.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The object is in a state that does not allow this.
    #[error("{0}")]
    Conflict(String),
    /// A refusal that has a body of its own in the official document.
    #[error("{message}")]
    InUse {
        /// The HTTP status.
        status: u16,
        /// What is wrong.
        message: String,
        /// The body.
        body: Value,
    },
    /// The request is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The embedded Orchestrator does not do this.
    #[error("{0}")]
    NotSupported(String),
    /// The Git target could not be used.
    #[error("{0}")]
    Git(#[from] GitError),
    /// The state could not be used.
    #[error("{0}")]
    State(#[from] StateError),
    /// A secret could not be sealed or opened.
    #[error("{0}")]
    Seal(#[from] SealError),
    /// A bug of ours, or a broken machine.
    #[error("internal error: {0}")]
    Internal(String),
}

impl OrchestratorError {
    /// For something that a request refers to and that is missing: the request
    /// is wrong, not its path.
    pub(super) fn into_invalid(self) -> Self {
        match self {
            Self::NotFound { .. } => Self::Invalid(self.to_string()),
            other => other,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound { .. } => 404,
            Self::Exists { .. } | Self::Conflict(_) => 409,
            Self::InUse { status, .. } => *status,
            Self::Invalid(_) => 400,
            Self::NotSupported(_) => 501,
            Self::Git(_) => 502,
            Self::State(StateError::Conflict { .. }) => 503,
            Self::State(_) | Self::Seal(_) | Self::Internal(_) => 500,
        }
    }

    /// The body in the official form.
    #[must_use]
    pub fn body(&self) -> Value {
        if let Self::InUse { body, .. } = self {
            return body.clone();
        }
        let error = match self {
            Self::Git(error) => error.code().to_owned(),
            other => format!("API-{}", other.status()),
        };
        crate::json::to_value(&ErrorBody { error, message: self.to_string(), details: None })
    }
}
