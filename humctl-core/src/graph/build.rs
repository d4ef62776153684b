//! Seeds → nodes and edges, by the algorithm of spec/resource-model.md §6.3.
//!
//! There are two graphs. The *target graph* has what the Orchestrator itself
//! needs to know where to deploy; the *main graph* has what is deployed. In
//! the main graph the resources of the target are constants and no nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::id::ResId;
use serde_json::{Map, Value, json};

use crate::context::{EnvironmentContext, ResourceKey, known};
use crate::graph::error::{self, Place, PlanError};
use crate::graph::scan::{CoProvisionKey, Scan, references_in, scan};
use crate::graph::set_index::{SetIndex, SetReferenceError, is_literal_place};
use crate::graph::waves::waves;
use crate::graph::{GraphNode, InputScope, NodeInputs, Origin, Reason, ResourceGraph, ResourceTypes};
use crate::matching::{Definitions, MatchError, Pins, Rule};
use crate::placeholder::{ResourceRef, Selector, SelectorStep, StepDirection, visit_strings};
use crate::values::SharedValues;
use crate::yaml::escape_pointer;

/// What every graph is built from.
#[derive(Debug, Clone, Copy)]
pub struct GraphInput<'a, 'd> {
    /// The Environment.
    pub context: &'a EnvironmentContext,
    /// The Organization's Definitions.
    pub definitions: &'a Definitions<'d>,
    /// The Organization's Resource Types.
    pub types: &'a ResourceTypes<'d>,
    /// Resources that stay with a chosen version of their Definition.
    pub pins: &'d Pins,
    /// The Shared Values of the Environment.
    pub values: &'a SharedValues,
}

impl<'a, 'd> GraphInput<'a, 'd> {
    /// Input without pins and Shared Values.
    #[must_use]
    pub fn new(
        context: &'a EnvironmentContext,
        definitions: &'a Definitions<'d>,
        types: &'a ResourceTypes<'d>,
    ) -> Self {
        static NO_PINS: Pins = Pins::NONE;
        static NO_VALUES: SharedValues = SharedValues::NONE;
        Self { context, definitions, types, pins: &NO_PINS, values: &NO_VALUES }
    }
}

/// Builds the target graph: the cluster, the namespace, and what they need.
///
/// What only the runtime cluster needs is dropped with a warning when it
/// cannot be planned, because nothing of it is needed to write to Git.
///
/// # Errors
/// Every [`PlanError`], sorted.
pub fn target_graph<'d>(input: GraphInput<'_, 'd>) -> Result<ResourceGraph<'d>, Vec<PlanError>> {
    let mut builder = Builder::new(input, false);
    for res_type in [known::K8S_CLUSTER, known::K8S_NAMESPACE] {
        builder.add(known::implicit(res_type), None, Origin::Implicit);
    }
    builder.finish()
}

/// Builds the main graph of a Deployment Set.
///
/// # Errors
/// Every [`PlanError`], sorted.
pub fn main_graph<'d>(input: GraphInput<'_, 'd>, index: &SetIndex<'_>) -> Result<ResourceGraph<'d>, Vec<PlanError>> {
    let mut builder = Builder::new(input, true);
    builder.seed(index);
    builder.finish()
}

/// True for resources that only the target graph holds; their outputs are
/// constants everywhere else.
#[must_use]
pub fn is_target_resource(key: &ResourceKey) -> bool {
    match key.res_type.as_str() {
        known::K8S_CLUSTER => matches!(key.id.as_str(), known::K8S_CLUSTER | known::RUNTIME_CLUSTER),
        known::K8S_NAMESPACE => key.id.as_str() == known::K8S_NAMESPACE,
        _ => false,
    }
}

/// Completes a reference with the class and id of the resource it stands in.
#[must_use]
pub fn inherit(reference: &ResourceRef, current: &ResourceKey) -> ResourceKey {
    let id = match &reference.id {
        None => current.id.clone(),
        // `@` inside a longer id stands for the inherited one.
        Some(id) if id.as_str().contains('@') => {
            ResId::new(id.as_str().replace('@', current.id.as_str())).unwrap_or_else(|_| id.clone())
        }
        Some(id) => id.clone(),
    };
    ResourceKey {
        res_type: reference.res_type.clone(),
        class: reference.class.clone().unwrap_or_else(|| current.class.clone()),
        id,
    }
}

struct Draft<'d> {
    key: ResourceKey,
    rule: Option<Rule<'d>>,
    inputs: Option<NodeInputs>,
    origin: Origin,
    edges: BTreeMap<usize, BTreeSet<Reason>>,
    dependents: BTreeSet<usize>,
    selected: BTreeMap<Selector, Vec<usize>>,
}

/// Resource `main` co-provisions resource `child`.
struct CoProvision {
    main: usize,
    child: usize,
    is_dependent: bool,
    match_dependents: bool,
}

struct Builder<'a, 'd> {
    input: GraphInput<'a, 'd>,
    is_main: bool,
    drafts: Vec<Draft<'d>>,
    index: HashMap<ResourceKey, usize>,
    queue: VecDeque<usize>,
    selectors: Vec<(usize, Selector)>,
    co_provisions: Vec<CoProvision>,
    scans: HashMap<&'d str, Rc<Scan<'d>>>,
    errors: Vec<(Option<usize>, PlanError)>,
    warnings: Vec<String>,
}

impl<'a, 'd> Builder<'a, 'd> {
    fn new(input: GraphInput<'a, 'd>, is_main: bool) -> Self {
        Self {
            input,
            is_main,
            drafts: Vec::new(),
            index: HashMap::new(),
            queue: VecDeque::new(),
            selectors: Vec::new(),
            co_provisions: Vec::new(),
            scans: HashMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Returns the node of a key, making it when it is new. Inputs that differ
    /// from those it already has are an error.
    fn add(&mut self, key: ResourceKey, inputs: Option<NodeInputs>, origin: Origin) -> usize {
        if let Some(&node) = self.index.get(&key) {
            let draft = &mut self.drafts[node];
            match (&draft.inputs, inputs) {
                (Some(old), Some(new)) if old.value != new.value => {
                    let places = [describe(&draft.origin), describe(&origin)];
                    let error = PlanError::ConflictingInputs { resource: key, places };
                    self.errors.push((Some(node), error));
                }
                (None, Some(new)) => draft.inputs = Some(new),
                _ => {}
            }
            return node;
        }
        let node = self.drafts.len();
        self.index.insert(key.clone(), node);
        self.drafts.push(Draft {
            key,
            rule: None,
            inputs,
            origin,
            edges: BTreeMap::new(),
            dependents: BTreeSet::new(),
            selected: BTreeMap::new(),
        });
        self.queue.push_back(node);
        node
    }

    /// Adds a reason for an edge; true when the edge itself is new.
    fn edge(&mut self, from: usize, to: usize, reason: Reason) -> bool {
        self.drafts[to].dependents.insert(from);
        let edges = &mut self.drafts[from].edges;
        let is_new = !edges.contains_key(&to);
        edges.entry(to).or_default().insert(reason);
        is_new
    }

    // --- Seeds: steps 1 and 2 ---------------------------------------------

    fn seed(&mut self, index: &SetIndex<'_>) {
        let inputs = |value: Map<String, Value>, workload: Option<&str>| {
            Some(NodeInputs { value, scope: InputScope::Set { workload: workload.map(ToOwned::to_owned) } })
        };
        let env_id = json!(self.input.context.env);
        self.add(
            known::implicit(known::BASE_ENV),
            inputs(Map::from_iter([("id".to_owned(), env_id)]), None),
            Origin::Implicit,
        );
        for (workload, module) in &index.set.modules {
            let spec = Map::from_iter([
                ("id".to_owned(), json!(workload)),
                ("spec".to_owned(), Value::Object(module.spec.clone())),
            ]);
            self.add(known::workload(workload), inputs(spec, Some(workload)), Origin::Implicit);
            for (name, key) in index.externals_of(workload) {
                let params = module.externals.get(name).and_then(|resource| resource.params.clone());
                let origin = Origin::External { workload: workload.clone(), name: name.to_owned() };
                self.declare(key, params.and_then(|params| inputs(params, Some(workload))), origin);
            }
        }
        for (name, key) in index.all_shared() {
            let params = index.set.shared.get(name).and_then(|resource| resource.params.clone());
            self.declare(key, params.and_then(|params| inputs(params, None)), Origin::Shared { key: name.to_owned() });
        }
        self.declared_edges(index);
    }

    /// Adds a resource of the Deployment Set after checking that its type may stand there.
    fn declare(&mut self, key: &ResourceKey, inputs: Option<NodeInputs>, origin: Origin) {
        let node = self.add(key.clone(), inputs, origin);
        let res_type = key.res_type.as_str();
        match self.input.types.get(res_type) {
            Some(info) if info.usage != "direct" => {
                let error = PlanError::TypeNotAllowed { resource: key.clone(), usage: info.usage.clone() };
                self.errors.push((Some(node), error));
            }
            Some(_) => {}
            None if self.input.definitions.has_type(res_type) => {
                self.warnings.push(format!("`{key}`: the Resource Type `{res_type}` is not registered"));
            }
            None => match self.input.types.nearest(res_type) {
                Some(near) => {
                    let error = PlanError::UnknownType { resource: key.clone(), suggestion: near.to_owned() };
                    self.errors.push((Some(node), error));
                }
                None => self.warnings.push(format!("`{key}`: the Resource Type `{res_type}` is not registered")),
            },
        }
    }

    fn declared_edges(&mut self, index: &SetIndex<'_>) {
        for (workload, module) in &index.set.modules {
            let node = self.index[&known::workload(workload)];
            for (_, key) in index.externals_of(workload) {
                self.edge(node, self.index[key], Reason::Declared);
            }
            let place = |pointer: &str| Place::Module { workload: workload.clone(), pointer: pointer.to_owned() };
            for (pointer, text) in strings_of(&Value::Object(module.spec.clone()), "/spec") {
                if !is_literal_place(&pointer) {
                    self.set_text(index, Some(workload), &text, &place(&pointer), &[(node, Reason::Placeholder)]);
                }
            }
            for key in mounted_resources(&module.spec, index, workload) {
                self.edge(node, self.index[&key], Reason::Placeholder);
            }
            for (name, key) in index.externals_of(workload) {
                let Some(params) = module.externals.get(name).and_then(|resource| resource.params.as_ref()) else {
                    continue;
                };
                let external = self.index[key];
                let base = format!("/externals/{}/params", escape_pointer(name));
                for (pointer, text) in strings_of(&Value::Object(params.clone()), &base) {
                    // References in the params of a private resource count for its Workload too.
                    let from = [(external, Reason::Params), (node, Reason::Placeholder)];
                    self.set_text(index, Some(workload), &text, &place(&pointer), &from);
                }
            }
        }
        for (name, key) in index.all_shared() {
            let Some(params) = index.set.shared.get(name).and_then(|resource| resource.params.as_ref()) else {
                continue;
            };
            let node = self.index[key];
            for (pointer, text) in strings_of(&Value::Object(params.clone()), "/params") {
                let place = Place::Shared { key: name.to_owned(), pointer };
                self.set_text(index, None, &text, &place, &[(node, Reason::Params)]);
            }
        }
    }

    /// Adds the edges for the placeholders in one string of the Deployment Set.
    fn set_text(
        &mut self,
        index: &SetIndex<'_>,
        workload: Option<&str>,
        text: &str,
        place: &Place,
        from: &[(usize, Reason)],
    ) {
        for (placeholder, reference) in references_in(text) {
            let reference = match reference {
                Ok(reference) => reference,
                Err(reason) => {
                    self.errors.push((None, PlanError::BadPlaceholder { place: place.clone(), placeholder, reason }));
                    continue;
                }
            };
            match index.resolve(workload, &reference) {
                Ok(None) => {}
                Ok(Some(key)) => {
                    let to = self.index[key];
                    for &(node, reason) in from {
                        self.edge(node, to, reason);
                    }
                }
                Err(error) => self.errors.push((None, set_reference_error(place, placeholder, error))),
            }
        }
    }

    // --- Expansion: steps 3 to 5 ------------------------------------------

    fn expand(&mut self) {
        while let Some(node) = self.queue.pop_front() {
            let key = self.drafts[node].key.clone();
            let rule = match self.input.definitions.match_definition(self.input.context, &key) {
                Ok(rule) => rule,
                Err(error) => {
                    self.unmatched(node, key, error);
                    continue;
                }
            };
            self.drafts[node].rule = Some(rule);
            let scan = self.scan(rule.definition);
            self.report(node, rule.definition, &scan);
            for (pointer, reference) in &scan.references {
                self.follow(node, reference, pointer, Reason::Reference);
            }
            self.selectors.extend(scan.selectors.iter().map(|(_, selector)| (node, selector.clone())));
            for provision in &scan.provisions {
                self.co_provision(node, provision);
            }
        }
    }

    fn unmatched(&mut self, node: usize, resource: ResourceKey, error: MatchError) {
        let is_told = self.errors.iter().any(|(of, error)| {
            *of == Some(node) && matches!(error, PlanError::UnknownType { .. } | PlanError::TypeNotAllowed { .. })
        });
        if is_told {
            return;
        }
        let context = self.input.context.clone();
        let near = self.input.definitions.near_misses(&context, &resource);
        let error = match error {
            MatchError::Ambiguous(definitions) => PlanError::Ambiguous { resource, definitions },
            MatchError::NoMatch if resource == known::implicit(known::K8S_CLUSTER) => {
                let hint = format!(
                    "add Matching Criteria to a Definition of type `k8s-cluster`, for instance {{app_id: {}, env_type: {}}}",
                    context.app, context.env_type
                );
                PlanError::Target {
                    context,
                    reason: format!("no Resource Definition matches `{resource}`"),
                    near: Some(near),
                    hint,
                }
            }
            MatchError::NoMatch => match self.misspelt(resource.res_type.as_str()) {
                Some(suggestion) => PlanError::UnknownType { resource, suggestion },
                None => PlanError::NoDefinition { resource, context, near },
            },
        };
        self.errors.push((Some(node), error));
    }

    /// The known type that an unknown one is probably meant to be.
    fn misspelt(&self, res_type: &str) -> Option<String> {
        let types = self.input.types;
        match types.get(res_type) {
            None => types.nearest(res_type).map(ToOwned::to_owned),
            Some(_) => None,
        }
    }

    /// Reports what is wrong inside a Definition, for the resource that matched it.
    fn report(&mut self, node: usize, definition: &ResourceDefinition, scan: &Scan<'_>) {
        let resource = &self.drafts[node].key;
        for (pointer, placeholder, reason) in &scan.failures {
            let place = Place::Definition {
                resource: resource.clone(),
                definition: definition.id.clone(),
                pointer: pointer.clone(),
            };
            let error = PlanError::BadPlaceholder { place, placeholder: placeholder.clone(), reason: reason.clone() };
            self.errors.push((Some(node), error));
        }
        if self.is_main && !scan.literal_secrets.is_empty() {
            let error = PlanError::LiteralSecrets {
                resource: resource.clone(),
                definition: definition.id.clone(),
                pointers: scan.literal_secrets.clone(),
            };
            self.errors.push((Some(node), error));
        }
    }

    /// Adds the node that a reference of `node` names, and the edge to it.
    fn follow(&mut self, node: usize, reference: &ResourceRef, pointer: &str, reason: Reason) {
        let by = self.drafts[node].key.clone();
        let key = inherit(reference, &by);
        if self.is_main && is_target_resource(&key) {
            return;
        }
        let is_special = [known::K8S_CLUSTER, known::K8S_NAMESPACE, known::BASE_ENV].contains(&key.res_type.as_str());
        if is_special && reference.id.is_none() && !self.index.contains_key(&key) {
            self.warnings.push(format!(
                "`{by}` refers to `{res_type}` without an id, which makes a resource of its own, `{key}`; \
                 the one of the Environment is `{res_type}.default#{res_type}`",
                res_type = key.res_type
            ));
        }
        let to = self.add(key, None, Origin::Reference { by, at: pointer.to_owned() });
        self.edge(node, to, reason);
    }

    fn co_provision(&mut self, main: usize, provision: &CoProvisionKey<'d>) {
        let by = self.drafts[main].key.clone();
        let key = inherit(&provision.reference, &by);
        if self.is_main && is_target_resource(&key) {
            return;
        }
        let inputs = provision
            .options
            .params
            .clone()
            .map(|value| NodeInputs { value, scope: InputScope::Definition { of: by.clone() } });
        let origin = Origin::CoProvision { by: by.clone(), key: provision.text.to_owned() };
        let child = self.add(key, inputs, origin);
        self.co_provisions.push(CoProvision {
            main,
            child,
            is_dependent: provision.options.is_dependent,
            match_dependents: provision.options.match_dependents,
        });
        if provision.options.is_dependent {
            self.edge(child, main, Reason::CoProvision);
        }
        for (pointer, reference) in &provision.references {
            // Placeholders in params are read where they are written, at the main resource.
            let key = inherit(reference, &by);
            if !(self.is_main && is_target_resource(&key)) {
                let to = self.add(key, None, Origin::Reference { by: by.clone(), at: pointer.clone() });
                self.edge(child, to, Reason::Params);
            }
        }
    }

    fn match_dependents(&mut self) {
        let mut pairs: Vec<(usize, usize)> =
            self.co_provisions.iter().filter(|co| co.match_dependents).map(|co| (co.main, co.child)).collect();
        pairs.sort_by(|a, b| {
            let keys = |pair: &(usize, usize)| (&self.drafts[pair.0].key, &self.drafts[pair.1].key);
            keys(a).cmp(&keys(b))
        });
        // Siblings that depend on the main resource by provision are no consumers of it.
        let siblings: BTreeSet<(usize, usize)> =
            self.co_provisions.iter().filter(|co| co.is_dependent).map(|co| (co.main, co.child)).collect();
        loop {
            let mut has_changed = false;
            for &(main, child) in &pairs {
                let consumers: Vec<usize> = self.drafts[main]
                    .dependents
                    .iter()
                    .copied()
                    .filter(|&consumer| consumer != child && !siblings.contains(&(main, consumer)))
                    .collect();
                for consumer in consumers {
                    has_changed |= self.edge(consumer, child, Reason::MatchDependents);
                }
            }
            if !has_changed {
                return;
            }
        }
    }

    /// Evaluates all selectors on the edges as they are, then adds theirs.
    fn select(&mut self) {
        let selectors = std::mem::take(&mut self.selectors);
        let found: Vec<(usize, Selector, Vec<usize>)> = selectors
            .into_iter()
            .map(|(node, selector)| {
                let anchor = inherit(&selector.anchor, &self.drafts[node].key);
                let start = self.index.get(&anchor).copied();
                if start.is_none() {
                    let by = &self.drafts[node].key;
                    self.warnings.push(format!("`{by}` selects from `{anchor}`, which is not in the graph"));
                }
                let selected =
                    selector.steps.iter().fold(start.into_iter().collect(), |set, step| self.step(&set, step));
                let mut selected: Vec<usize> = selected.into_iter().collect();
                selected.sort_by(|&a, &b| self.drafts[a].key.cmp(&self.drafts[b].key));
                (node, selector, selected)
            })
            .collect();
        for (node, selector, selected) in found {
            for &to in selected.iter().filter(|&&to| to != node) {
                self.edge(node, to, Reason::Selector);
            }
            self.drafts[node].selected.insert(selector, selected);
        }
    }

    fn step(&self, from: &BTreeSet<usize>, step: &SelectorStep) -> BTreeSet<usize> {
        let fits = |key: &ResourceKey| {
            key.res_type == step.filter.res_type
                && step.filter.class.as_ref().is_none_or(|class| *class == key.class)
                && step.filter.id.as_ref().is_none_or(|id| *id == key.id)
        };
        let neighbours = |node: usize| -> Box<dyn Iterator<Item = usize> + '_> {
            match step.direction {
                StepDirection::Dependencies => Box::new(self.drafts[node].edges.keys().copied()),
                StepDirection::Dependents => Box::new(self.drafts[node].dependents.iter().copied()),
            }
        };
        from.iter().flat_map(|&node| neighbours(node)).filter(|&node| fits(&self.drafts[node].key)).collect()
    }

    // --- Definitions -------------------------------------------------------

    fn scan(&mut self, definition: &'d ResourceDefinition) -> Rc<Scan<'d>> {
        Rc::clone(self.scans.entry(definition.id.as_str()).or_insert_with(|| Rc::new(scan(definition))))
    }

    // --- Result: steps 6 to 8 ----------------------------------------------

    fn finish(mut self) -> Result<ResourceGraph<'d>, Vec<PlanError>> {
        self.expand();
        self.match_dependents();
        self.select();
        let needed = self.needed();
        let mut errors = Vec::new();
        for (node, error) in std::mem::take(&mut self.errors) {
            if node.is_none_or(|node| needed.contains(&node)) {
                errors.push(error);
            } else {
                self.warnings.push(format!("runtime data will not be available: {error}"));
            }
        }
        if !errors.is_empty() {
            error::sort(&mut errors);
            return Err(errors);
        }
        let mut kept: Vec<usize> = (0..self.drafts.len()).filter(|&node| self.drafts[node].rule.is_some()).collect();
        // Sorted by key, so that a cycle is looked for from its smallest element.
        kept.sort_by(|&a, &b| self.drafts[a].key.cmp(&self.drafts[b].key));
        let order = match waves(&self.edges_among(&kept)) {
            Ok(order) => order,
            Err(cycle) => {
                let cycle: Vec<usize> = cycle.into_iter().map(|position| kept[position]).collect();
                let error = self.cycle_error(cycle.clone());
                if cycle.iter().any(|node| needed.contains(node)) {
                    return Err(vec![error]);
                }
                self.warnings.push(format!("runtime data will not be available: {error}"));
                kept.retain(|node| needed.contains(node));
                waves(&self.edges_among(&kept)).map_err(|_| vec![error])?
            }
        };
        Ok(self.into_graph(&kept, &order))
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

    fn cycle_error(&self, mut cycle: Vec<usize>) -> PlanError {
        let smallest = (0..cycle.len()).min_by_key(|&position| &self.drafts[cycle[position]].key).unwrap_or_default();
        cycle.rotate_left(smallest);
        let path = cycle
            .iter()
            .enumerate()
            .map(|(position, &node)| {
                let next = cycle[(position + 1) % cycle.len()];
                let reasons = self.drafts[node].edges.get(&next).into_iter().flatten().copied().collect();
                (self.drafts[node].key.clone(), reasons)
            })
            .collect();
        PlanError::Cycle { path }
    }

    fn into_graph(self, kept: &[usize], order: &[usize]) -> ResourceGraph<'d> {
        let keys: Vec<ResourceKey> = self.drafts.iter().map(|draft| draft.key.clone()).collect();
        let mut drafts: Vec<Option<Draft<'d>>> = self.drafts.into_iter().map(Some).collect();
        let is_kept: BTreeSet<usize> = kept.iter().copied().collect();
        let mut nodes: Vec<GraphNode<'d>> = kept
            .iter()
            .zip(order)
            .filter_map(|(&node, &wave)| {
                let draft = drafts[node].take()?;
                Some(GraphNode {
                    guresid: draft.key.guresid(self.input.context),
                    rule: draft.rule?,
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
        ResourceGraph { nodes, warnings }
    }
}

fn describe(origin: &Origin) -> String {
    match origin {
        Origin::Implicit => "the platform".to_owned(),
        Origin::External { workload, name } => format!("resource `{name}` of Workload `{workload}`"),
        Origin::Shared { key } => format!("shared resource `{key}`"),
        Origin::Reference { by, at } => format!("the Definition of `{by}` at `{at}`"),
        Origin::CoProvision { by, key } => format!("the provision key `{key}` of `{by}`"),
    }
}

fn set_reference_error(place: &Place, placeholder: String, error: SetReferenceError) -> PlanError {
    let place = place.clone();
    match error {
        SetReferenceError::NotAllowed(reason) => PlanError::BadPlaceholder { place, placeholder, reason },
        SetReferenceError::Undeclared { reason, known } => PlanError::Undeclared { place, placeholder, reason, known },
    }
}

/// The strings with placeholders inside a value, with their pointers.
fn strings_of(value: &Value, pointer: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    visit_strings(value, pointer, &mut |pointer, text| found.push((pointer.to_owned(), text.to_owned())));
    found
}

/// Resources that volume mounts name without a placeholder: `id: externals.N`.
fn mounted_resources(spec: &Map<String, Value>, index: &SetIndex<'_>, workload: &str) -> Vec<ResourceKey> {
    let containers = spec.get("containers").and_then(Value::as_object);
    containers
        .into_iter()
        .flat_map(Map::values)
        .filter_map(|container| container.get("volume_mounts")?.as_object())
        .flat_map(Map::values)
        .filter_map(|mount| mount.get("id")?.as_str()?.split_once('.'))
        .filter_map(|(scope, name)| match scope {
            "externals" => index.external(workload, name),
            "shared" => index.shared(name),
            _ => None,
        })
        .cloned()
        .collect()
}
