//! What a run has at hand, and how much of it is left.
//!
//! Every step is paid for: nodes and commands with one step each, text and
//! lists by their size. So neither a loop nor a doubling string, a value that
//! holds itself many times, or a large pattern can take long or much memory.

use std::collections::BTreeMap;
use std::rc::Rc;

use regex::Regex;

use super::error::{Failure, Outcome};
use super::random::Random;
use super::{MAX_BYTES, MAX_NESTING, MAX_STEPS};

/// Bytes of text that count as one step.
const BYTES_PER_STEP: usize = 64;

/// The means of a run.
pub(super) struct Machine<'r> {
    n_steps: usize,
    random: Option<&'r mut Random>,
    /// Patterns by their text, so that a loop compiles them once.
    pub(super) patterns: BTreeMap<String, Rc<Regex>>,
}

impl<'r> Machine<'r> {
    pub(super) fn new(random: Option<&'r mut Random>) -> Self {
        Self { n_steps: 0, random, patterns: BTreeMap::new() }
    }

    /// Pays for work.
    pub(super) fn spend(&mut self, n_steps: usize) -> Outcome<()> {
        self.n_steps = self.n_steps.saturating_add(n_steps);
        if self.n_steps > MAX_STEPS {
            return Err(Failure::Limit(format!("the template takes more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    /// Checks the size of a text.
    pub(super) fn fits(&self, n_bytes: usize) -> Outcome<()> {
        if n_bytes > MAX_BYTES {
            return Err(Failure::Limit(format!("the template makes a text of more than {MAX_BYTES} bytes")));
        }
        Ok(())
    }

    /// Pays for text of this many bytes, which has to fit.
    pub(super) fn spend_text(&mut self, n_bytes: usize) -> Outcome<()> {
        self.fits(n_bytes)?;
        self.spend(n_bytes / BYTES_PER_STEP)
    }

    /// Checks how deep a value is that is being walked.
    pub(super) fn descend(&mut self, depth: usize) -> Outcome<()> {
        if depth > MAX_NESTING {
            return Err(Failure::Limit(format!("a value nests deeper than {MAX_NESTING} levels")));
        }
        self.spend(1)
    }

    /// The random source.
    pub(super) fn random(&mut self) -> Outcome<&mut Random> {
        match &mut self.random {
            Some(random) => Ok(random),
            None => Err(Failure::Unknown("it is random".to_owned())),
        }
    }
}
