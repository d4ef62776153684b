//! The Git target: where the files of a Deployment are written, and how.
//!
//! *Invariants.* Nothing is checked out. A commit is built on the tip that was
//! just read and pushed with a lease on that tip; a lost race is rebuilt from
//! the new tip, never merged. Only files that the Environment's record names,
//! or that are adopted on request, are replaced or deleted. Credentials reach
//! the child process by socket or private file, never by argument, URL or
//! environment.

mod askpass;
mod cache;
pub mod credentials;
mod early;
mod environment;
pub mod environment_edit;
pub mod error;
pub mod links;
mod key;
pub mod land;
mod pipes;
pub mod process;
pub mod push;
pub mod record;
pub mod repository;
mod retry;
pub mod session;
mod skeleton;
pub mod target;
pub mod tree;

pub use askpass::{ASKPASS_MARKER, ask};
pub use error::GitError;
pub use record::EnvironmentRecord;
pub use session::{GitSession, GitSettings};
pub use target::GitTarget;
