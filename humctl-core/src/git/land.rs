//! Committing to a branch until it landed: the one loop for everything that
//! writes.
//!
//! The branch is fetched, the edits worked out, committed on what was fetched,
//! and pushed with a lease on that. A lost race starts over at the fetch.

use std::time::{Duration, Instant};

use crate::fault;
use crate::git::error::GitError;
use crate::git::push::PushOutcome;
use crate::git::retry::pause;
use crate::git::session::{Fetched, GitSession};
use crate::git::tree::{BranchView, Edit};

/// How long lost races are repeated, and others on the same branch waited for.
pub(super) const RACE_TIME: Duration = Duration::from_mins(5);

/// A commit that is to be made.
pub struct Proposal {
    /// The branch as it was read for the first edit.
    pub view: BranchView,
    /// What changes; no two edits concern the same file.
    pub edits: Vec<Edit>,
    /// Message of the commit.
    pub message: String,
}

/// A commit that is on the branch.
pub struct Landed {
    /// Its id.
    pub commit: String,
    /// True when it made the branch, and the repository's HEAD names none.
    pub has_dangling_head: bool,
}

/// Brings edits onto the branch. `propose` is asked again after a lost race; it
/// answers nothing when there is nothing to commit. `fail` words what goes wrong
/// here.
///
/// # Errors
/// That of `propose`, or what `fail` makes of a [`GitError`].
pub fn land<E>(
    session: &GitSession,
    fail: impl Fn(GitError) -> E,
    mut propose: impl FnMut(Fetched) -> Result<Option<Proposal>, E>,
) -> Result<Option<Landed>, E> {
    let began = Instant::now();
    let mut n_attempts = 0;
    let mut is_cache_new = false;
    session.repository().expect_commit();
    loop {
        n_attempts += 1;
        let fetched = session.fetch().map_err(&fail)?;
        let Some(proposal) = propose(fetched)? else { return Ok(None) };
        match attempt(session, &proposal) {
            Ok((commit, PushOutcome::Landed)) => {
                let has_dangling_head = proposal.view.expected.is_none() && session.has_dangling_head();
                return Ok(Some(Landed { commit, has_dangling_head }));
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
fn attempt(session: &GitSession, proposal: &Proposal) -> Result<(String, PushOutcome), GitError> {
    fault::point("about to commit");
    let Proposal { view, edits, message } = proposal;
    let commit = session.commit(view, edits, message, jiff::Timestamp::now().as_second())?;
    fault::point("committed");
    if session.cancel().is_set() {
        return Err(GitError::Cancelled);
    }
    let outcome = session.push(view, &commit)?;
    fault::point("landed or lost");
    Ok((commit, outcome))
}
