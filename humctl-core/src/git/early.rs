//! Commands that start before their input is known: it takes Git as long to
//! start as to do what it is for, and the time is there while a branch is fetched.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::git::error::GitError;
use crate::git::process::{Finished, Git, Limits, Running};

/// A command that can wait for its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Early {
    /// Reads objects.
    Read,
    /// Makes a commit.
    Import,
}

impl Early {
    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["cat-file", "--batch"],
            Self::Import => &["fast-import", "--quiet", "--force", "--date-format=raw"],
        }
    }
}

/// Those that were started beside another command.
#[derive(Debug)]
pub(super) struct Waiting {
    running: RefCell<BTreeMap<Early, Running>>,
    wanted: RefCell<BTreeSet<Early>>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { running: RefCell::default(), wanted: RefCell::new(BTreeSet::from([Early::Read])) }
    }
}

impl Waiting {
    /// Lets a command be started from now on.
    pub(super) fn expect(&self, command: Early) {
        self.wanted.borrow_mut().insert(command);
    }

    /// Starts what is wanted and does not wait yet. What cannot be started is
    /// started again when it is needed.
    pub(super) fn start(&self, git: &Git) {
        let mut running = self.running.borrow_mut();
        for command in self.wanted.borrow().iter().filter(|command| !running.contains_key(command)).collect::<Vec<_>>()
        {
            if let Ok(started) = git.start(command.arguments(), true) {
                running.insert(*command, started);
            }
        }
    }

    /// Gives a command its input, and waits for its end.
    pub(super) fn finish(&self, git: &Git, command: Early, input: &[u8], limits: Limits) -> Result<Finished, GitError> {
        let waiting = self.running.borrow_mut().remove(&command);
        let running = waiting.map_or_else(|| git.start(command.arguments(), true), Ok)?;
        git.finish(running, input, limits)
    }

    /// Ends all that wait.
    pub(super) fn clear(&self) {
        self.running.borrow_mut().clear();
    }
}
