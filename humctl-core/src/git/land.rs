//! Committing to a branch until it landed: the one loop for everything that
//! writes.
//!
//! The branch is read, the edit worked out, committed on what was read, and
//! pushed with a lease on that. A lost race starts over at the reading.

use std::time::{Duration, Instant};

use crate::context::EnvironmentContext;
use crate::fault;
use crate::git::error::GitError;
use crate::git::push::PushOutcome;
use crate::git::retry::pause;
use crate::git::session::GitSession;
use crate::git::tree::{BranchView, TreeChange};

/// How long lost races are repeated, and others on the same branch waited for.
pub(super) const RACE_TIME: Duration = Duration::from_mins(5);

/// An edit of a branch, worked out against what the branch holds.
pub struct Edit<T> {
    /// What changes; nothing is committed when it is empty.
    pub change: TreeChange,
    /// Message of the commit.
    pub message: String,
    /// What the edit leads to when it lands.
    pub value: T,
}

/// What became of an edit.
pub struct Landed<T> {
    /// What the edit led to.
    pub value: T,
    /// The commit that holds it: ours, or the branch's tip when nothing changed.
    pub commit: Option<String>,
    /// True when a commit was made.
    pub is_changed: bool,
    /// True when the commit made the branch, and the repository's HEAD names none.
    pub has_dangling_head: bool,
}

/// Brings an edit onto the branch. `edit` is asked again after a lost race, and
/// `fail` words what goes wrong here.
///
/// # Errors
/// That of `edit`, or what `fail` makes of a [`GitError`].
pub fn land<T, E>(
    session: &GitSession,
    context: &EnvironmentContext,
    fail: impl Fn(GitError) -> E,
    mut edit: impl FnMut(&BranchView) -> Result<Edit<T>, E>,
) -> Result<Landed<T>, E> {
    let began = Instant::now();
    let mut n_attempts = 0;
    let mut is_cache_new = false;
    loop {
        n_attempts += 1;
        let view = session.read(context).map_err(&fail)?;
        let Edit { change, message, value } = edit(&view)?;
        if change.is_empty() {
            return Ok(Landed { value, commit: view.tip, is_changed: false, has_dangling_head: false });
        }
        match attempt(session, &view, context, &change, &message) {
            Ok((commit, PushOutcome::Landed)) => {
                let has_dangling_head = view.expected.is_none() && session.has_dangling_head();
                return Ok(Landed { value, commit: Some(commit), is_changed: true, has_dangling_head });
            }
            Ok((_, PushOutcome::Moved)) if began.elapsed() > RACE_TIME => {
                let (url, branch) = (session.url().to_owned(), session.branch().to_owned());
                return Err(fail(GitError::LostRaces { url, branch, n_attempts }));
            }
            Ok((_, PushOutcome::Moved)) => pause(n_attempts, session.cancel()).map_err(&fail)?,
            Err(error) if error.may_be_the_cache() && !is_cache_new => {
                is_cache_new = true;
                session.repository().make_after(&error).map_err(&fail)?;
            }
            Err(error) => return Err(fail(error)),
        }
    }
}

/// One commit and its push.
fn attempt(
    session: &GitSession,
    view: &BranchView,
    context: &EnvironmentContext,
    change: &TreeChange,
    message: &str,
) -> Result<(String, PushOutcome), GitError> {
    fault::point("about to commit");
    let commit = session.commit(view, context, change, message, jiff::Timestamp::now().as_second())?;
    fault::point("committed");
    if session.cancel().is_set() {
        return Err(GitError::Cancelled);
    }
    let outcome = session.push(view, &commit)?;
    fault::point("landed or lost");
    Ok((commit, outcome))
}
