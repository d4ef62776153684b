//! The verbs: the Humanitec Platform Orchestrator, embedded, in `GitOps` mode.
//!
//! Modules are listed in reading order, and a module uses only modules above
//! it. `placeholder` to `render` are pure functions: values in, values out.
//! Files, processes and the clock are touched in `git`, `state` and
//! `orchestrator` only; this crate never reads the process environment, the
//! caller hands in what it needs.
//!
//! One Deployment, as data: Score text → `ScoreSpec` → `DeploymentSet` (and
//! Delta) → `Plan` → `CrFile`s → `TreeChange` → commit → `Deployment`.

pub mod fault;
pub mod hash;
pub mod json;
pub mod yaml;
pub mod decode;
pub mod plain;
pub mod manifest;
pub mod secret;
pub mod template;
pub mod placeholder;
mod schema;
pub mod profile;
pub mod set;
pub mod shared_use;
pub mod delta;
pub mod diff;
pub mod context;
pub mod values;
pub mod matching;
mod driver_catalogue;
pub mod lowering;
pub mod builtin;
pub mod graph;
pub mod stored_rules;
pub mod score;
pub mod nodes;
pub mod driver;
pub mod vault;
pub mod plan;
pub mod sync_annotations;
pub mod render;
pub mod statefulness;
pub mod objects;
pub mod manifests;
pub mod provision;
pub mod preview;
pub mod explain;
pub mod what_if;
pub mod git;
pub mod object_preview;
pub mod file_changes;
pub mod sync;
pub mod state;
pub mod orchestrator;
pub mod router;
