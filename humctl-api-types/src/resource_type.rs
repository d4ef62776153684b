//! Resource Types.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::ResourceType;

/// A Resource Type with the schemas of its inputs and outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceTypeInfo {
    /// Name of the type, `my-org/queue` for a custom one.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// Where it may be used: `direct`, `indirect` or `implicit`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Name for people.
    #[serde(default)]
    pub name: String,
    /// Group for people.
    #[serde(default)]
    pub category: String,
    /// JSON Schema of the resource inputs.
    #[serde(default)]
    pub inputs_schema: Map<String, Value>,
    /// JSON Schema with `properties.values` and `properties.secrets`.
    #[serde(default)]
    pub outputs_schema: Map<String, Value>,
}

impl ResourceTypeInfo {
    /// The schema of the inputs proper: some types nest it under `values`
    /// (spec/resource-model.md §1.3). None when the type says nothing of them.
    #[must_use]
    pub fn params_schema(&self) -> Option<&Map<String, Value>> {
        match (self.inputs_schema.len(), self.inputs_schema.get("values")) {
            (0, _) => None,
            (1, Some(Value::Object(values))) => Some(values),
            _ => Some(&self.inputs_schema),
        }
    }
}
