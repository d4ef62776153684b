//! Edges that depend on other edges: dependents of co-provisioned resources,
//! and selectors (spec/resource-model.md §6.3, steps 4 and 5, §7).

use std::collections::BTreeSet;

use crate::graph::Reason;
use crate::graph::build::{Builder, CoProvision};
use crate::placeholder::{SelectorStep, StepDirection};

/// How far the steps of a selector reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SelectorDepth {
    /// Along one edge.
    #[default]
    Direct,
    /// Along any number of edges.
    Transitive,
}

impl std::str::FromStr for SelectorDepth {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "direct" => Ok(Self::Direct),
            "transitive" => Ok(Self::Transitive),
            _ => Err(format!("selector depth is direct or transitive, not `{word}`")),
        }
    }
}

impl Builder<'_, '_> {
    /// Lets everything that needs a resource need what is co-provisioned with
    /// it for its dependents, until there is nothing more to add.
    pub(super) fn match_dependents(&mut self) {
        let mut matching: Vec<CoProvision> =
            self.co_provisions.iter().filter(|co| co.match_dependents).cloned().collect();
        matching.sort_by(|a, b| {
            let keys = |co: &CoProvision| (&self.drafts[co.main].key, &self.drafts[co.child].key);
            keys(a).cmp(&keys(b))
        });
        // Siblings that depend on the main resource by provision are no consumers of it.
        let siblings: BTreeSet<(usize, usize)> =
            self.co_provisions.iter().filter(|co| co.is_dependent).map(|co| (co.main, co.child)).collect();
        loop {
            let mut has_changed = false;
            for co in &matching {
                let is_consumer = |node: usize| node != co.child && !siblings.contains(&(co.main, node));
                let consumers: Vec<usize> =
                    self.drafts[co.main].dependents.iter().copied().filter(|&node| is_consumer(node)).collect();
                let reason = Reason::MatchDependents { of: self.drafts[co.main].key.clone(), key: co.key.clone() };
                for consumer in consumers {
                    has_changed |= self.edge(consumer, co.child, reason.clone());
                }
            }
            if !has_changed {
                return;
            }
        }
    }

    /// Evaluates all selectors on the edges as they are, then adds theirs.
    pub(super) fn select(&mut self) {
        let selectors = std::mem::take(&mut self.selectors);
        let mut found = Vec::with_capacity(selectors.len());
        for (node, at, selector) in selectors {
            let anchor = super::build::inherit(&selector.anchor, &self.drafts[node].key);
            let start = self.index.get(&anchor).copied();
            if start.is_none() {
                let by = &self.drafts[node].key;
                self.warnings.push(format!("`{by}` selects from `{anchor}`, which is not in the graph"));
            }
            let selected = selector.steps.iter().fold(start.into_iter().collect(), |set, step| self.step(&set, step));
            let mut selected: Vec<usize> = selected.into_iter().collect();
            selected.sort_by(|&a, &b| self.drafts[a].key.cmp(&self.drafts[b].key));
            found.push((node, at, selector, selected));
        }
        for (node, at, selector, selected) in found {
            for &to in selected.iter().filter(|&&to| to != node) {
                self.edge(node, to, Reason::Selector { at: at.clone() });
            }
            self.drafts[node].selected.insert(selector, selected);
        }
    }

    fn step(&self, from: &BTreeSet<usize>, step: &SelectorStep) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for &start in from {
            let fits = |node: usize| {
                let (key, start) = (&self.drafts[node].key, &self.drafts[start].key);
                key.res_type == step.res_type
                    && step.class.takes(&key.class, &start.class)
                    && step.id.takes(&key.id, &start.id)
            };
            match self.input.selector_depth {
                SelectorDepth::Direct => {
                    found.extend(self.neighbours(start, step.direction).into_iter().filter(|&node| fits(node)));
                }
                SelectorDepth::Transitive => {
                    found.extend(self.reachable(start, step.direction).into_iter().filter(|&node| fits(node)));
                }
            }
        }
        found
    }

    fn neighbours(&self, node: usize, direction: StepDirection) -> Vec<usize> {
        match direction {
            StepDirection::Dependencies => self.drafts[node].edges.keys().copied().collect(),
            StepDirection::Dependents => self.drafts[node].dependents.iter().copied().collect(),
        }
    }

    /// Everything that a walk along edges meets, the start left out.
    fn reachable(&self, start: usize, direction: StepDirection) -> BTreeSet<usize> {
        let mut met = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            for next in self.neighbours(node, direction) {
                if met.insert(next) {
                    open.push(next);
                }
            }
        }
        met.remove(&start);
        met
    }
}
