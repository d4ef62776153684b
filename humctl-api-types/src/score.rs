//! The Score v1b1 file, after its old forms have been upgraded.
//!
//! spec/score.md §1.3 has every rule; the ones that a type cannot hold are
//! checked by the reader before it makes one of these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::WorkloadId;

/// A Workload as its developer describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreSpec {
    /// `score.dev/v1b1`.
    pub api_version: String,
    /// Name, annotations and free keys.
    pub metadata: ScoreMetadata,
    /// Containers by name.
    pub containers: BTreeMap<String, ScoreContainer>,
    /// Network ports.
    #[serde(default)]
    pub service: Option<ScoreService>,
    /// Resources by the name the file gives them.
    #[serde(default)]
    pub resources: BTreeMap<String, ScoreResource>,
}

/// `metadata` of a Score file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreMetadata {
    /// Name of the Workload.
    pub name: WorkloadId,
    /// The whole mapping, `name` and `annotations` included, for `${metadata.…}`.
    #[serde(skip)]
    pub all: Map<String, Value>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreContainer {
    /// Image; `.` is the one given at deployment.
    pub image: String,
    /// Replaces the image's entrypoint.
    #[serde(default)]
    pub command: Vec<String>,
    /// Replaces the image's arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Files by target path.
    #[serde(default)]
    pub files: BTreeMap<String, ScoreFile>,
    /// Volumes by mount path.
    #[serde(default)]
    pub volumes: BTreeMap<String, ScoreVolume>,
    /// Containers that wait for this one, and for which state of it.
    #[serde(default)]
    pub before: BTreeMap<String, ScoreBefore>,
    /// Limits and requests.
    #[serde(default)]
    pub resources: Option<ScoreContainerResources>,
    /// Liveness probe.
    #[serde(default)]
    pub liveness_probe: Option<ScoreProbe>,
    /// Readiness probe.
    #[serde(default)]
    pub readiness_probe: Option<ScoreProbe>,
}

/// A file in a container; exactly one of the three contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreFile {
    /// Octal access mode.
    #[serde(default)]
    pub mode: Option<String>,
    /// Text.
    #[serde(default)]
    pub content: Option<String>,
    /// Standard base64.
    #[serde(default)]
    pub binary_content: Option<String>,
    /// Path relative to the Score file.
    #[serde(default)]
    pub source: Option<String>,
    /// Leave placeholders in the content alone.
    #[serde(default)]
    pub no_expand: bool,
}

/// A mounted volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreVolume {
    /// Usually `${resources.NAME}`.
    pub source: String,
    /// Path inside the volume.
    #[serde(default)]
    pub path: Option<String>,
    /// Mounted read-only.
    #[serde(default)]
    pub read_only: Option<bool>,
}

/// The state that waiting containers need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreBefore {
    /// `started`, `healthy` or `complete`.
    pub ready: String,
}

/// Limits and requests of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreContainerResources {
    /// Upper bound.
    #[serde(default)]
    pub limits: Option<ScoreQuantities>,
    /// Lower bound.
    #[serde(default)]
    pub requests: Option<ScoreQuantities>,
}

/// CPU and memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreQuantities {
    /// Cores, for example `500m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Bytes, for example `128Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

/// A probe; at least one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreProbe {
    /// Asks over HTTP.
    #[serde(default)]
    pub http_get: Option<ScoreHttpProbe>,
    /// Runs a command; wins over `http_get`.
    #[serde(default)]
    pub exec: Option<ScoreExecProbe>,
}

/// A probe over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreHttpProbe {
    /// Path.
    pub path: String,
    /// Port.
    pub port: u16,
    /// Host name to ask for.
    #[serde(default)]
    pub host: Option<String>,
    /// `HTTP` or `HTTPS`.
    #[serde(default)]
    pub scheme: Option<String>,
    /// Headers to send.
    #[serde(default)]
    pub http_headers: Vec<ScoreHeader>,
}

/// A header of an HTTP probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreHeader {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// A probe that runs a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreExecProbe {
    /// Command and arguments.
    pub command: Vec<String>,
}

/// `service` of a Score file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreService {
    /// Ports by name.
    #[serde(default)]
    pub ports: BTreeMap<String, ScorePort>,
}

/// A port of the Workload's service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScorePort {
    /// Port of the service.
    pub port: u16,
    /// Port of the container; the same when absent.
    #[serde(default)]
    pub target_port: Option<u16>,
    /// `TCP` or `UDP`.
    #[serde(default)]
    pub protocol: Option<String>,
}

/// A resource that the Workload needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreResource {
    /// Resource Type, or `environment` or `service`.
    #[serde(rename = "type")]
    pub res_type: String,
    /// Class; `default` when absent.
    #[serde(default)]
    pub class: Option<String>,
    /// Makes it a shared resource of that id.
    #[serde(default)]
    pub id: Option<String>,
    /// Annotations.
    #[serde(default)]
    pub metadata: Option<ScoreResourceMetadata>,
    /// Resource inputs.
    #[serde(default)]
    pub params: Map<String, Value>,
}

/// `metadata` of a resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreResourceMetadata {
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}
