//! From drafts to a graph in order: which nodes are needed, the order of
//! provisioning, and the circle when there is none
//! (spec/resource-model.md §6.3, steps 6 to 8).

use std::collections::{BTreeSet, HashMap};

use crate::context::{ResourceKey, known};
use crate::graph::build::{Builder, Draft, Maker};
use crate::graph::error::{CycleStep, PlanError, Reported};
use crate::graph::waves::waves;
use crate::graph::{GraphNode, Origin, ResourceGraph};

impl<'d> Builder<'_, 'd> {
    pub(super) fn finish(mut self) -> Reported<ResourceGraph<'d>> {
        self.expand();
        self.match_dependents();
        self.select();
        self.check_references();
        let needed = self.needed();
        let mut errors = Vec::new();
        for (node, error) in std::mem::take(&mut self.errors) {
            if node.is_none_or(|node| needed.contains(&node)) {
                errors.push(error);
            } else {
                self.warnings.push(format!("runtime data will not be available: {error}"));
            }
        }
        let mut kept: Vec<usize> = (0..self.drafts.len()).filter(|&node| self.drafts[node].maker.is_some()).collect();
        // Sorted by key, so that a cycle is looked for from its smallest element.
        kept.sort_by(|&a, &b| self.drafts[a].key.cmp(&self.drafts[b].key));
        let order = waves(&self.edges_among(&kept)).or_else(|cycle| {
            let cycle: Vec<usize> = cycle.into_iter().map(|position| kept[position]).collect();
            let is_needed = cycle.iter().any(|node| needed.contains(node));
            if is_needed {
                errors.extend(self.cycle_errors(&kept, cycle));
                return Err(());
            }
            let error = self.cycle_error(cycle);
            self.warnings.push(format!("runtime data will not be available: {error}"));
            kept.retain(|node| needed.contains(node));
            waves(&self.edges_among(&kept)).map_err(|_| errors.push(error))
        });
        // Without an order all is one wave: good for looking at.
        let order = order.unwrap_or_else(|()| vec![0; kept.len()]);
        Reported { result: self.into_graph(&kept, &order), errors }
    }

    /// The nodes without which nothing can be deployed: in the target graph all
    /// but those that only the runtime cluster leads to.
    fn needed(&self) -> BTreeSet<usize> {
        if self.is_main {
            return (0..self.drafts.len()).collect();
        }
        let mut needed = BTreeSet::new();
        let mut open: Vec<usize> =
            (0..self.drafts.len()).filter(|&node| self.drafts[node].origin == Origin::Implicit).collect();
        while let Some(node) = open.pop() {
            if self.drafts[node].key.id.as_str() == known::RUNTIME_CLUSTER || !needed.insert(node) {
                continue;
            }
            open.extend(self.drafts[node].edges.keys());
            open.extend(self.co_provisions.iter().filter(|co| co.main == node).map(|co| co.child));
        }
        needed
    }

    fn edges_among(&self, kept: &[usize]) -> Vec<Vec<usize>> {
        let positions: HashMap<usize, usize> =
            kept.iter().enumerate().map(|(position, &node)| (node, position)).collect();
        kept.iter()
            .map(|&node| {
                let mut producers: Vec<usize> =
                    self.drafts[node].edges.keys().filter_map(|to| positions.get(to).copied()).collect();
                producers.sort_unstable();
                producers
            })
            .collect()
    }

    /// The error for a cycle, and for those that have no resource in common
    /// with it or with each other.
    fn cycle_errors(&self, kept: &[usize], first: Vec<usize>) -> Vec<PlanError> {
        let mut errors = Vec::new();
        let mut rest = kept.to_vec();
        let mut next = Some(first);
        while let Some(cycle) = next {
            rest.retain(|node| !cycle.contains(node));
            errors.push(self.cycle_error(cycle));
            let found = waves(&self.edges_among(&rest)).err();
            next = found.map(|cycle| cycle.into_iter().map(|position| rest[position]).collect());
        }
        errors
    }

    fn cycle_error(&self, mut cycle: Vec<usize>) -> PlanError {
        let smallest = (0..cycle.len()).min_by_key(|&position| &self.drafts[cycle[position]].key).unwrap_or_default();
        cycle.rotate_left(smallest);
        let steps = cycle
            .iter()
            .enumerate()
            .map(|(position, &node)| {
                let next = cycle[(position + 1) % cycle.len()];
                let draft = &self.drafts[node];
                CycleStep {
                    resource: draft.key.clone(),
                    definition: draft.maker.as_ref().map(|maker| maker.rule.definition.id.clone()),
                    reasons: draft.edges.get(&next).into_iter().flatten().cloned().collect(),
                }
            })
            .collect();
        PlanError::Cycle { steps }
    }

    fn into_graph(self, kept: &[usize], order: &[usize]) -> ResourceGraph<'d> {
        let keys: Vec<ResourceKey> = self.drafts.iter().map(|draft| draft.key.clone()).collect();
        let unmatched = self.drafts.iter().filter(|draft| draft.maker.is_none());
        let unmatched = unmatched.map(|draft| (draft.key.clone(), draft.origin.clone())).collect();
        let mut drafts: Vec<Option<Draft<'d>>> = self.drafts.into_iter().map(Some).collect();
        let is_kept: BTreeSet<usize> = kept.iter().copied().collect();
        let mut nodes: Vec<GraphNode<'d>> = kept
            .iter()
            .zip(order)
            .filter_map(|(&node, &wave)| {
                let draft = drafts[node].take()?;
                let Maker { rule, driver, .. } = draft.maker?;
                Some(GraphNode {
                    guresid: draft.key.guresid(self.input.context),
                    rule,
                    driver,
                    inputs: draft.inputs,
                    origin: draft.origin,
                    depends_on: draft
                        .edges
                        .into_iter()
                        .filter(|(to, _)| is_kept.contains(to))
                        .map(|(to, reasons)| (keys[to].clone(), reasons))
                        .collect(),
                    selected: draft
                        .selected
                        .into_iter()
                        .map(|(selector, found)| (selector, found.into_iter().map(|to| keys[to].clone()).collect()))
                        .collect(),
                    wave,
                    key: draft.key,
                })
            })
            .collect();
        // `kept` is sorted by key and this sort is stable, which gives (wave, key).
        nodes.sort_by_key(|node| node.wave);
        let mut warnings = self.warnings;
        warnings.sort();
        warnings.dedup();
        ResourceGraph { nodes, unmatched, warnings }
    }
}
