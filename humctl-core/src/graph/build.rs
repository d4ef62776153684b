//! Seeds → nodes and edges, by the algorithm of spec/resource-model.md §6.3.
//!
//! There are two graphs. The *target graph* has what the Orchestrator itself
//! needs to know where to deploy; the *main graph* has what is deployed. In
//! the main graph the resources of the target are constants and no nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::id::ResId;

use crate::context::{EnvironmentContext, ResourceKey, known};
use crate::graph::error::{Place, PlanError, Reported};
use crate::graph::scan::{CoProvisionKey, Found, Scan, scan};
use crate::graph::select::SelectorDepth;
use crate::graph::set_index::SetIndex;
use crate::graph::{InputScope, NodeInputs, Origin, Reason, ResourceGraph, ResourceTypes};
use crate::lowering::{self, Drivers, NodeDriver};
use crate::matching::{Definitions, MatchError, Pin, PinnedDefinition, Pins, Rule};
use crate::placeholder::{ResourceRef, Selector};
use crate::values::SharedValues;

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
    /// The Drivers that the Organization registered.
    pub drivers: &'a Drivers,
    /// How far the steps of a selector reach.
    pub selector_depth: SelectorDepth,
    /// The resources are made here, and Kubernetes objects of them, so that
    /// secret values have a way that does not lead through Git.
    pub makes_objects: bool,
    /// The secret store that takes secret values, if there is one.
    pub secret_store: Option<&'a str>,
}

impl<'a, 'd> GraphInput<'a, 'd> {
    /// Input without pins, Shared Values and Drivers, with direct selectors, for
    /// custom resources.
    #[must_use]
    pub fn new(
        context: &'a EnvironmentContext,
        definitions: &'a Definitions<'d>,
        types: &'a ResourceTypes<'d>,
    ) -> Self {
        static NO_PINS: Pins = Pins::NONE;
        static NO_VALUES: SharedValues = SharedValues::NONE;
        static NO_DRIVERS: Drivers = Drivers::NONE;
        Self {
            context,
            definitions,
            types,
            pins: &NO_PINS,
            values: &NO_VALUES,
            drivers: &NO_DRIVERS,
            selector_depth: SelectorDepth::Direct,
            makes_objects: false,
            secret_store: None,
        }
    }

    /// True when secret values that only the Orchestrator holds can be put into
    /// a secret store.
    #[must_use]
    pub fn keeps_secrets(&self) -> bool {
        self.makes_objects && self.secret_store.is_some()
    }

    /// True when a Driver gets secrets by value.
    fn hands_secrets_to(&self, driver_type: &str) -> bool {
        self.makes_objects && self.drivers.is_asked(driver_type)
    }
}

/// Builds the target graph: the cluster, the namespace, and what they need.
///
/// What only the runtime cluster needs is dropped with a warning when it
/// cannot be planned, because nothing of it is needed to write to Git.
#[must_use]
pub fn target_graph<'d>(input: GraphInput<'_, 'd>) -> Reported<ResourceGraph<'d>> {
    let mut builder = Builder::new(input, false);
    for res_type in [known::K8S_CLUSTER, known::K8S_NAMESPACE] {
        builder.add(known::implicit(res_type), None, Origin::Implicit);
    }
    builder.finish()
}

/// Builds the main graph of a Deployment Set.
#[must_use]
pub fn main_graph<'d>(input: GraphInput<'_, 'd>, index: &SetIndex<'_>) -> Reported<ResourceGraph<'d>> {
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

/// What makes a resource.
pub(super) struct Maker<'d> {
    pub(super) rule: Rule<'d>,
    pub(super) driver: NodeDriver<'d>,
    pub(super) scan: Rc<Scan<'d>>,
}

pub(super) struct Draft<'d> {
    pub(super) key: ResourceKey,
    /// What was found to make it.
    pub(super) maker: Option<Maker<'d>>,
    pub(super) inputs: Option<NodeInputs>,
    pub(super) origin: Origin,
    pub(super) edges: BTreeMap<usize, BTreeSet<Reason>>,
    pub(super) dependents: BTreeSet<usize>,
    pub(super) selected: BTreeMap<Selector, Vec<usize>>,
}

/// Resource `main` co-provisions resource `child`.
#[derive(Clone)]
pub(super) struct CoProvision {
    pub(super) main: usize,
    pub(super) child: usize,
    pub(super) key: Arc<str>,
    pub(super) is_dependent: bool,
    pub(super) match_dependents: bool,
}

/// A placeholder of the Deployment Set that names a resource.
pub(super) struct SetReference {
    pub(super) place: Place,
    pub(super) placeholder: String,
    pub(super) to: usize,
    /// The output that it asks for.
    pub(super) path: Vec<String>,
}

/// A graph on its way. Nodes are numbered in the order in which they came.
pub(super) struct Builder<'a, 'd> {
    pub(super) input: GraphInput<'a, 'd>,
    pub(super) is_main: bool,
    pub(super) drafts: Vec<Draft<'d>>,
    pub(super) index: HashMap<ResourceKey, usize>,
    queue: VecDeque<usize>,
    pub(super) selectors: Vec<(usize, Arc<str>, Selector)>,
    pub(super) co_provisions: Vec<CoProvision>,
    pub(super) set_references: Vec<SetReference>,
    scans: HashMap<*const ResourceDefinition, Rc<Scan<'d>>>,
    /// Each with the node it is about, when it is about one.
    pub(super) errors: Vec<(Option<usize>, PlanError)>,
    pub(super) warnings: Vec<String>,
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
            set_references: Vec::new(),
            scans: HashMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Returns the node of a key, making it when it is new. Inputs that differ
    /// from those it already has are an error.
    pub(super) fn add(&mut self, key: ResourceKey, inputs: Option<NodeInputs>, origin: Origin) -> usize {
        if let Some(&node) = self.index.get(&key) {
            let draft = &mut self.drafts[node];
            match (&draft.inputs, inputs) {
                (Some(old), Some(new)) if !old.agrees_with(&new, self.input.context) => {
                    let places = Box::new([draft.origin.clone(), origin]);
                    self.errors.push((Some(node), PlanError::ConflictingInputs { resource: key, places }));
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
            maker: None,
            inputs,
            origin,
            edges: BTreeMap::new(),
            dependents: BTreeSet::new(),
            selected: BTreeMap::new(),
        });
        self.queue.push_back(node);
        node
    }

    /// The node of a resource that was added before.
    pub(super) fn node(&self, key: &ResourceKey) -> usize {
        self.index[key]
    }

    /// Adds a reason for an edge; true when the edge itself is new.
    pub(super) fn edge(&mut self, from: usize, to: usize, reason: Reason) -> bool {
        self.drafts[to].dependents.insert(from);
        let edges = &mut self.drafts[from].edges;
        let is_new = !edges.contains_key(&to);
        edges.entry(to).or_default().insert(reason);
        is_new
    }

    /// What a Definition refers to, found once for all resources that it serves as it is.
    fn scan(&mut self, definition: &'d ResourceDefinition, driver: &NodeDriver<'d>) -> Rc<Scan<'d>> {
        let inputs = driver.inputs.as_deref();
        if driver.lowered_from.is_some() {
            return Rc::new(scan(definition, inputs));
        }
        // Versions of a Definition share its id, so its place in memory tells them apart.
        Rc::clone(self.scans.entry(std::ptr::from_ref(definition)).or_insert_with(|| Rc::new(scan(definition, inputs))))
    }

    /// The Driver that makes a node; the one that the Definition names when
    /// that cannot be lowered.
    fn driver(&mut self, node: usize, definition: &'d ResourceDefinition) -> NodeDriver<'d> {
        let resource = &self.drafts[node].key;
        let GraphInput { context, definitions, drivers, .. } = self.input;
        let driver =
            match lowering::node_driver(definition, lowering::Scope { context, resource, definitions, drivers }) {
                Ok(driver) => driver,
                Err(reason) => {
                    let (resource, definition_id) = (resource.clone(), definition.id.clone());
                    let error = PlanError::DriverFailed { resource, definition: definition_id, reason };
                    self.errors.push((Some(node), error));
                    return NodeDriver::of(definition);
                }
            };
        if driver.is_hosted() {
            self.warnings.push(format!(
                "Definition `{}`: only Humanitec's own service runs the Driver `{}`, so its inputs are written as they are",
                definition.id, driver.driver_type
            ));
        }
        driver
    }

    // --- Expansion: step 3 --------------------------------------------------

    pub(super) fn expand(&mut self) {
        while let Some(node) = self.queue.pop_front() {
            let key = self.drafts[node].key.clone();
            let rule = match self.input.definitions.match_definition(self.input.context, &key) {
                Ok(rule) => rule,
                Err(error) => {
                    self.unmatched(node, key, error);
                    continue;
                }
            };
            let rule = self.pinned(node, rule);
            self.check_type(node, rule);
            let driver = self.driver(node, rule.definition);
            let scan = self.scan(rule.definition, &driver);
            self.drafts[node].maker = Some(Maker { rule, driver, scan: Rc::clone(&scan) });
            self.report(node, rule.definition, &scan);
            for found in &scan.references {
                let to = self.follow(node, &found.target, &found.at);
                if let Some(to) = to {
                    self.edge(node, to, Reason::Reference { at: found.at.clone() });
                }
            }
            self.selectors.extend(scan.selectors.iter().map(|found| (node, found.at.clone(), found.target.clone())));
            for provision in &scan.provisions {
                self.co_provision(node, provision);
            }
        }
    }

    /// The rule with the version of its Definition that the resource is pinned to.
    fn pinned(&mut self, node: usize, rule: Rule<'d>) -> Rule<'d> {
        let resource = &self.drafts[node].key;
        let pins: &'d Pins = self.input.pins;
        let Some(Pin { version, definition }) = pins.get(resource) else { return rule };
        let state = match definition {
            PinnedDefinition::Usable(pinned) if pinned.id == rule.definition.id => {
                return Rule { definition: pinned, criteria: rule.criteria };
            }
            PinnedDefinition::Usable(pinned) => {
                self.warnings.push(format!(
                    "`{resource}` is pinned to version {version} of Definition `{}`, but Definition `{}` matches it now, so the pin is ignored",
                    pinned.id, rule.definition.id
                ));
                return rule;
            }
            PinnedDefinition::Archived => "archived",
            PinnedDefinition::Missing => "missing",
        };
        let (resource, definition) = (resource.clone(), rule.definition.id.clone());
        let error = PlanError::PinnedVersion { resource, definition, version: version.clone(), state };
        self.errors.push((Some(node), error));
        rule
    }

    /// Says that nobody registered a type. A slip of the pen has no Definition,
    /// and is an error.
    fn check_type(&mut self, node: usize, rule: Rule<'d>) {
        let key = &self.drafts[node].key;
        if self.input.types.get(key.res_type.as_str()).is_none() {
            self.warnings.push(format!(
                "`{key}` (Definition `{}`): the Resource Type `{}` is not registered, so its inputs and outputs are not checked",
                rule.definition.id, key.res_type
            ));
        }
    }

    fn unmatched(&mut self, node: usize, resource: ResourceKey, error: MatchError) {
        let is_told = self.errors.iter().any(|(of, error)| {
            *of == Some(node) && matches!(error, PlanError::TypeNotAllowed { .. } | PlanError::PrivateOnly { .. })
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
            MatchError::NoMatch => {
                let needed_by = self.drafts[node].origin.clone();
                match self.known_type(resource.res_type.as_str()) {
                    Ok(()) => PlanError::NoDefinition { resource, context, needed_by, near },
                    Err(suggestion) => PlanError::UnknownType { resource, needed_by, suggestion },
                }
            }
        };
        self.errors.push((Some(node), error));
    }

    /// Refuses a type that is neither registered nor the type of a Definition,
    /// with the one that is probably meant.
    pub(super) fn known_type(&self, res_type: &str) -> Result<(), Option<String>> {
        let types = self.input.types;
        let suggestion = types.nearest(res_type).map(ToOwned::to_owned);
        match types.get(res_type) {
            None if suggestion.is_some() || !self.input.definitions.has_type(res_type) => Err(suggestion),
            _ => Ok(()),
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
        let driver = self.drafts[node].maker.as_ref().map_or("", |maker| maker.driver.driver_type.as_ref());
        let is_refused = self.is_main && !self.input.keeps_secrets() && !self.input.hands_secrets_to(driver);
        if is_refused && !scan.literal_secrets.is_empty() {
            let error = PlanError::LiteralSecrets {
                resource: resource.clone(),
                definition: definition.id.clone(),
                pointers: scan.literal_secrets.clone(),
            };
            self.errors.push((Some(node), error));
        }
        self.warnings.extend(scan.notes.iter().map(|note| format!("Definition `{}` {note}", definition.id)));
    }

    /// Returns the node that a reference of `node` names, making it when it is
    /// new; `None` for resources of the target, which are no nodes here.
    fn follow(&mut self, node: usize, reference: &ResourceRef, at: &Arc<str>) -> Option<usize> {
        let by = self.drafts[node].key.clone();
        let key = inherit(reference, &by);
        if self.is_main && is_target_resource(&key) {
            return None;
        }
        self.note_stray(&by, &key, reference);
        let definition = self.drafts[node].maker.as_ref()?.rule.definition.id.clone();
        Some(self.add(key, None, Origin::Reference { by, definition, at: at.clone() }))
    }

    /// A common slip: the one resource of the Environment is meant, and for
    /// want of an id another one comes to be.
    fn note_stray(&mut self, by: &ResourceKey, key: &ResourceKey, reference: &ResourceRef) {
        let is_special = [known::K8S_CLUSTER, known::K8S_NAMESPACE, known::BASE_ENV].contains(&key.res_type.as_str());
        if is_special && reference.id.is_none() && !self.index.contains_key(key) {
            self.warnings.push(format!(
                "`{by}` refers to `{res_type}` without an id, which makes a resource of its own, `{key}`; the one of the Environment is `{res_type}.default#{res_type}`",
                res_type = key.res_type
            ));
        }
    }

    fn co_provision(&mut self, main: usize, provision: &CoProvisionKey<'d>) {
        let by = self.drafts[main].key.clone();
        let key = inherit(&provision.reference, &by);
        let Some(maker) = &self.drafts[main].maker else { return };
        let definition = maker.rule.definition.id.clone();
        if self.is_main && is_target_resource(&key) {
            return;
        }
        self.note_stray(&by, &key, &provision.reference);
        let inputs = provision
            .options
            .params
            .clone()
            .map(|value| NodeInputs { value, scope: InputScope::Definition { of: by.clone() } });
        let origin = Origin::CoProvision { by, definition, key: provision.text.clone() };
        let child = self.add(key, inputs, origin);
        self.co_provisions.push(CoProvision {
            main,
            child,
            key: provision.text.clone(),
            is_dependent: provision.options.is_dependent,
            match_dependents: provision.options.match_dependents,
        });
        if provision.options.is_dependent {
            self.edge(child, main, Reason::CoProvision { key: provision.text.clone() });
        }
        for Found { at, target, .. } in &provision.references {
            // Placeholders in params are read where they are written, at the main resource.
            if let Some(to) = self.follow(main, target, at) {
                self.edge(child, to, Reason::Params { at: at.clone() });
            }
        }
    }
}
