//! Why a resource is what it is: where it came from, which Definitions could
//! have made it and how each compared, and where its inputs get their values.
//!
//! The planner is asked, not repeated: an explanation reads a plan, also one
//! with errors. It holds no secret; where one stands, it names its place.
//! [`Explanation`] is what `humctl resources explain -o json` prints.

mod candidates;
mod placeholders;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::definition::MatchingCriteriaRule;
use humctl_api_types::id::{AppId, Class, DefinitionId, EnvId, EnvTypeId, Guresid, OrgId, ResId, ResourceType};
use serde::Serialize;
use serde_json::Value;

use crate::context::ResourceKey;
use crate::graph::build::GraphInput;
use crate::graph::{GraphNode, Origin, PlanError, Reason, SetIndex};
use crate::plan::{DeployContext, Plan, TargetPlan};
use crate::preview::Preview;

/// Everything that led to one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// `type.class#id`.
    pub resource: String,
    /// Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// Class.
    pub class: Class,
    /// Resource id.
    pub id: ResId,
    /// Its permanent id in this Environment; absent when that is not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guresid: Option<Guresid>,
    /// Where it is looked at.
    pub context: ContextFacts,
    /// How it came into the Resource Graph; absent when it is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginFacts>,
    /// The Definition that makes it; absent when none matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<DefinitionFacts>,
    /// What would make it if that Definition did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<RunnerUp>,
    /// Every Definition of its type, the winner first, then by rank.
    pub candidates: Vec<Candidate>,
    /// Position in the order of provisioning; 0 needs nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<usize>,
    /// Resources that need this one.
    pub needed_by: Vec<EdgeFacts>,
    /// Resources that this one needs.
    pub depends_on: Vec<EdgeFacts>,
    /// Every placeholder in its inputs and those of its Driver.
    pub placeholders: Vec<PlaceholderFacts>,
    /// What keeps it from being deployed, with codes.
    pub errors: Vec<String>,
}

/// The Environment of an [`Explanation`]. `app` and `env` are absent when none
/// was named, and then no rule that names one matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextFacts {
    /// Organization.
    pub org: OrgId,
    /// Application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// Environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<EnvId>,
    /// Environment Type.
    pub env_type: EnvTypeId,
}

/// How a resource came into the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum OriginFacts {
    /// Every Environment or Workload has it.
    Implicit,
    /// A Workload declares it.
    Private {
        /// The Workload.
        workload: String,
        /// Its name there.
        name: String,
    },
    /// The Deployment Set shares it.
    Shared {
        /// Its key.
        key: String,
    },
    /// A Definition refers to it.
    Reference {
        /// The resource whose Definition does.
        by: String,
        /// That Definition.
        definition: DefinitionId,
        /// JSON pointer into it.
        at: String,
    },
    /// A Definition co-provisions it.
    CoProvision {
        /// The resource whose Definition does.
        by: String,
        /// That Definition.
        definition: DefinitionId,
        /// The key in its `provision`.
        key: String,
    },
}

impl From<&Origin> for OriginFacts {
    fn from(origin: &Origin) -> Self {
        match origin {
            Origin::Implicit => Self::Implicit,
            Origin::External { workload, name } => Self::Private { workload: workload.clone(), name: name.clone() },
            Origin::Shared { key } => Self::Shared { key: key.clone() },
            Origin::Reference { by, definition, at } => {
                Self::Reference { by: by.to_string(), definition: definition.clone(), at: at.to_string() }
            }
            Origin::CoProvision { by, definition, key } => {
                Self::CoProvision { by: by.to_string(), definition: definition.clone(), key: key.to_string() }
            }
        }
    }
}

/// The Definition that makes a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DefinitionFacts {
    /// Its id.
    pub id: DefinitionId,
    /// The version in use.
    pub version: String,
    /// True when the resource is pinned to that version.
    pub is_pinned: bool,
    /// True for the built-in ones.
    pub is_default: bool,
    /// The Driver that it names.
    pub driver_type: String,
    /// The Driver that makes the resource instead, when that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowered_to: Option<String>,
    /// Its Cloud Account, placeholders in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<String>,
    /// The rule that matched.
    pub rule: MatchingCriteriaRule,
    /// How specific it is.
    pub score: u8,
}

/// What would make a resource if its Definition did not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunnerUp {
    /// The Definition.
    pub definition: DefinitionId,
    /// How specific its rule is.
    pub score: u8,
}

/// A Definition of the resource's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The Definition.
    pub definition: DefinitionId,
    /// True for the built-in ones, which rank below all others.
    pub is_default: bool,
    /// What came of it.
    pub outcome: CandidateOutcome,
    /// Its rules, the best first.
    pub rules: Vec<RuleFacts>,
}

/// What came of a [`Candidate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CandidateOutcome {
    /// It makes the resource.
    Wins,
    /// It has the same rule as another one, so neither makes the resource.
    Ambiguous,
    /// It would make the resource without the winner.
    RunnerUp,
    /// It matches, less specifically.
    Outranked,
    /// None of its rules holds.
    NoMatch,
    /// It has no rules, and is never chosen.
    NoCriteria,
}

/// One rule compared with the context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleFacts {
    /// Its id.
    pub id: String,
    /// True when every field holds.
    pub matches: bool,
    /// env type 1, app 2, environment 4, resource id 8, summed.
    pub score: u8,
    /// Field by field, the most specific first; fields that it does not name are left out.
    pub fields: Vec<FieldFacts>,
}

/// One field of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldFacts {
    /// Its name.
    pub field: &'static str,
    /// What the rule asks for.
    pub wanted: String,
    /// What the context has; absent when nothing was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// True when they are equal.
    pub matches: bool,
}

/// An edge of the graph, seen from the explained resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeFacts {
    /// The other resource.
    pub resource: String,
    /// Why one needs the other.
    pub reasons: Vec<ReasonFacts>,
}

/// Why one resource needs another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonFacts {
    /// `declared`, `placeholder`, `params`, `reference`, `co-provision`,
    /// `match-dependents` or `selector`.
    pub kind: &'static str,
    /// In words, with the place where it is written.
    pub text: String,
}

impl From<&Reason> for ReasonFacts {
    fn from(reason: &Reason) -> Self {
        Self { kind: reason.kind(), text: reason.to_string() }
    }
}

/// One placeholder and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceholderFacts {
    /// JSON pointer to the string: below `/driver_inputs` and
    /// `/driver_account` into the Definition, below `/resource` into the
    /// resource inputs.
    pub at: String,
    /// The text between `${` and `}`.
    pub placeholder: String,
    /// What becomes of it.
    pub outcome: PlaceholderOutcome,
}

/// What becomes of a placeholder.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum PlaceholderOutcome {
    /// It is known now.
    Value {
        /// The value.
        value: Value,
    },
    /// Another resource supplies it.
    Output {
        /// That resource.
        by: String,
        /// The output; absent for all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<String>,
        /// True when the output is secret.
        is_secret: bool,
        /// Its value, when it is known before the resource exists and is no secret.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
    },
    /// A selector collects it from these resources.
    Selected {
        /// The resources, sorted.
        from: Vec<String>,
        /// The output; absent for all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// It is a secret in a store.
    Secret {
        /// The store.
        store: String,
        /// Its name there.
        reference: String,
    },
    /// The pod supplies it when it starts.
    Pod {
        /// The field.
        field: String,
    },
    /// It cannot be resolved.
    Error {
        /// Why.
        reason: String,
    },
}

/// What explanations are read from.
#[derive(Debug, Clone, Copy)]
pub struct Explainer<'p, 'd> {
    /// What was planned with.
    input: GraphInput<'p, 'd>,
    /// The target, as far as it could be planned.
    target: &'p TargetPlan<'d>,
    /// The plan, also with errors.
    plan: &'p Plan<'d>,
    /// The Deployment Set that was planned.
    index: &'p SetIndex<'p>,
    /// Ids for `${context.deploy…}`.
    deploy: &'p DeployContext,
    /// Every error of target and plan.
    errors: &'p [PlanError],
    /// Whether the ids of Application and Environment were named, or stand in.
    is_named: Named,
}

/// Which ids were named; those that were not stand in, and no rule is compared
/// with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The Application.
    pub app: bool,
    /// The Environment.
    pub env: bool,
    /// The resource id.
    pub res_id: bool,
}

impl Named {
    /// Everything was named.
    pub const ALL: Self = Self { app: true, env: true, res_id: true };
}

impl<'p, 'd> Explainer<'p, 'd> {
    /// Reads explanations from a preview.
    #[must_use]
    pub fn new(
        input: GraphInput<'p, 'd>,
        preview: &'p Preview<'d>,
        index: &'p SetIndex<'p>,
        deploy: &'p DeployContext,
        is_named: Named,
    ) -> Self {
        let Preview { target, plan, errors, .. } = preview;
        Self { input, target, plan, index, deploy, errors, is_named }
    }

    /// The same, with other ids named.
    #[must_use]
    pub fn naming(self, is_named: Named) -> Self {
        Self { is_named, ..self }
    }

    /// Every resource of both graphs, also those without a Definition, sorted.
    #[must_use]
    pub fn resources(&self) -> BTreeSet<&'p ResourceKey> {
        let graphs = [&self.plan.graph, &self.target.graph];
        graphs
            .into_iter()
            .flat_map(|graph| graph.nodes.iter().map(|node| &node.key).chain(graph.unmatched.keys()))
            .collect()
    }

    /// Explains a resource, which need not be in the graph.
    #[must_use]
    pub fn explain(&self, resource: &ResourceKey) -> Explanation {
        let context = self.input.context;
        let node = self.node(resource);
        let (candidates, runner_up) = candidates::compare(self.input, resource, self.is_named);
        let rule = match node {
            Some(node) => Some(node.rule),
            None => self.input.definitions.match_definition(context, resource).ok(),
        };
        let origin = node.map(|node| &node.origin).or_else(|| self.unmatched(resource));
        Explanation {
            resource: resource.to_string(),
            res_type: resource.res_type.clone(),
            class: resource.class.clone(),
            id: resource.id.clone(),
            guresid: (self.is_named == Named::ALL).then(|| resource.guresid(context)),
            context: ContextFacts {
                org: context.org.clone(),
                app: self.is_named.app.then(|| context.app.clone()),
                env: self.is_named.env.then(|| context.env.clone()),
                env_type: context.env_type.clone(),
            },
            origin: origin.map(OriginFacts::from),
            definition: rule.map(|rule| DefinitionFacts {
                id: rule.definition.id.clone(),
                version: rule.definition.active_version_id.clone(),
                is_pinned: self
                    .input
                    .pins
                    .get(resource)
                    .is_some_and(|pin| pin.version == rule.definition.active_version_id),
                is_default: rule.definition.is_default,
                driver_type: rule.definition.driver_type.clone(),
                lowered_to: node
                    .filter(|node| node.driver.lowered_from.is_some())
                    .map(|node| node.driver.driver_type.to_string()),
                driver_account: rule.definition.driver_account.clone(),
                rule: rule.criteria.rule(),
                score: rule.score(),
            }),
            runner_up,
            candidates,
            wave: node.map(|node| node.wave),
            needed_by: self.needed_by(resource),
            depends_on: node.map(|node| edges(node.depends_on.iter())).unwrap_or_default(),
            placeholders: node.map(|node| placeholders::explain(self, node)).unwrap_or_default(),
            errors: self.errors_about(resource),
        }
    }

    fn node(&self, resource: &ResourceKey) -> Option<&'p GraphNode<'d>> {
        self.plan.graph.find(resource).or_else(|| self.target.graph.find(resource))
    }

    fn unmatched(&self, resource: &ResourceKey) -> Option<&'p Origin> {
        self.plan.graph.unmatched.get(resource).or_else(|| self.target.graph.unmatched.get(resource))
    }

    fn needed_by(&self, resource: &ResourceKey) -> Vec<EdgeFacts> {
        let graphs = [&self.plan.graph, &self.target.graph];
        let nodes = graphs.into_iter().flat_map(|graph| &graph.nodes);
        let found: BTreeMap<&ResourceKey, &BTreeSet<Reason>> =
            nodes.filter_map(|node| Some((&node.key, node.depends_on.get(resource)?))).collect();
        edges(found.into_iter())
    }

    fn errors_about(&self, resource: &ResourceKey) -> Vec<String> {
        let name = resource.to_string();
        let is_about = |error: &&PlanError| match error {
            PlanError::Cycle { steps } => steps.iter().any(|step| step.resource == *resource),
            error => error.object().1 == name,
        };
        self.errors.iter().filter(is_about).map(|error| format!("{} {error}", error.code())).collect()
    }
}

fn edges<'e>(found: impl Iterator<Item = (&'e ResourceKey, &'e BTreeSet<Reason>)>) -> Vec<EdgeFacts> {
    found
        .map(|(resource, reasons)| EdgeFacts {
            resource: resource.to_string(),
            reasons: reasons.iter().map(ReasonFacts::from).collect(),
        })
        .collect()
}
