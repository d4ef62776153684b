//! What every Organization starts with: Resource Types, default Resource
//! Definitions, Drivers and Environment Types (spec/resource-model.md §2, §4).

use humctl_api_types::application::EnvironmentType;
use humctl_api_types::definition::{DriverInputs, MatchingCriteria, ResourceDefinition};
use humctl_api_types::id::{Class, DefinitionId, EnvTypeId, OrgId, ResourceType};
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_api_types::time::Timestamp;
use serde_json::{Map, Value, json};

/// Type, use, category, output values, output secrets. A name with `:int` is
/// an integer, every other one a string.
type TypeRow = (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const LOGIN: &[&str] = &["username", "password"];

const TYPES: &[TypeRow] = &[
    ("agent", "indirect", "k8s", &[], &["url"]),
    ("amqp", "direct", "messaging", &["host", "port:int", "vhost"], LOGIN),
    ("aws-policy", "indirect", "aws", &["arn"], &[]),
    ("aws-role", "indirect", "aws", &["arn"], &[]),
    ("azure-blob", "direct", "datastore", &["account", "container"], &[]),
    ("azure-blob-account", "indirect", "azure", &["name"], &[]),
    ("azure-federated-identity", "indirect", "azure", &[], &[]),
    ("azure-managed-identity", "indirect", "azure", &["principal_id", "client_id"], &[]),
    ("azure-role-assignments", "indirect", "azure", &[], &[]),
    ("azure-role-definition", "indirect", "azure", &["id", "scope"], &[]),
    ("azure-service-bus-queue", "direct", "messaging", &["hostname", "namespace", "queue"], &[]),
    ("base-env", "implicit", "general", &[], &[]),
    ("cassandra", "direct", "datastore", &["host", "keyspace", "port:int"], LOGIN),
    ("config", "indirect", "general", &[], &[]),
    ("dns", "direct", "dns", &["host"], &[]),
    ("dynamodb-table", "direct", "datastore", &[], &[]),
    ("elasticsearch", "direct", "datastore", &["host", "port:int"], LOGIN),
    (
        "endpoint",
        "direct",
        "general",
        &["scheme", "host", "port:int", "path", "query", "fragment"],
        &["username", "password", "url"],
    ),
    ("gcp-iam-policy-binding", "indirect", "gcp", &["binding"], &[]),
    ("gcp-pubsub-subscription", "direct", "messaging", &["id", "name"], &[]),
    ("gcp-pubsub-topic", "direct", "messaging", &["id", "name"], &[]),
    ("gcs", "direct", "datastore", &["name"], &[]),
    ("horizontal-pod-autoscaler", "direct", "k8s", &[], &[]),
    ("ingress", "indirect", "dns", &["id"], &[]),
    ("k8s-cluster", "implicit", "k8s", &["cluster_type", "loadbalancer", "name"], &["credentials", "agent_url"]),
    ("k8s-namespace", "implicit", "k8s", &["namespace"], &[]),
    ("k8s-service-account", "indirect", "k8s", &["name"], &[]),
    ("logging", "implicit", "k8s", &[], &[]),
    ("mariadb", "direct", "datastore", &["host", "port:int", "name"], LOGIN),
    ("mongodb", "direct", "datastore", &["host", "port:int"], &["connection"]),
    ("mssql", "direct", "datastore", &["host", "port:int", "name"], LOGIN),
    ("mysql", "direct", "datastore", &["host", "port:int", "name"], LOGIN),
    ("mysql-instance", "indirect", "datastore", &["host", "port:int"], LOGIN),
    ("postgres", "direct", "datastore", &["host", "port:int", "name"], LOGIN),
    ("postgres-instance", "indirect", "datastore", &["host", "port:int"], LOGIN),
    ("redis", "direct", "datastore", &["host", "port:int"], LOGIN),
    ("route", "direct", "dns", &["host", "path", "port:int", "service"], &[]),
    ("s3", "direct", "datastore", &["bucket", "region"], &["aws_access_key_id", "aws_secret_access_key"]),
    ("sns-topic", "direct", "messaging", &["arn"], &[]),
    ("sqs", "direct", "messaging", &["url", "arn", "region"], &[]),
    ("tls-cert", "indirect", "dns", &["tls_secret_name"], &[]),
    ("volume", "direct", "volume", &[], &[]),
    ("workload", "implicit", "k8s", &["update:list"], &[]),
];

/// The built-in Resource Types, sorted by name.
#[must_use]
pub fn resource_types() -> Vec<ResourceTypeInfo> {
    TYPES
        .iter()
        .map(|(name, usage, category, values, secrets)| ResourceTypeInfo {
            res_type: ResourceType::new(*name).unwrap_or_else(|_| unreachable!("the table holds valid types")),
            usage: (*usage).to_owned(),
            name: (*name).to_owned(),
            category: (*category).to_owned(),
            inputs_schema: inputs_schema(name),
            outputs_schema: outputs_schema(values, secrets),
        })
        .collect()
}

/// What is known of the params of a type; further ones are allowed everywhere.
fn inputs_schema(res_type: &str) -> Map<String, Value> {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    let properties = match res_type {
        "base-env" => json!({ "id": text }),
        "horizontal-pod-autoscaler" => json!({
            "minReplicas": count, "maxReplicas": count, "targetCPUUtilizationPercentage": count,
        }),
        "postgres" => json!({"extensions": {"type": "object", "additionalProperties": {
            "type": ["object", "null"], "properties": {"schema": text, "version": text},
        }}}),
        "route" => json!({"host": text, "path": text, "port": {"type": ["integer", "string"]}}),
        "workload" => json!({"id": text, "spec": {"type": "object"}}),
        _ => return Map::new(),
    };
    Map::from_iter([("type".to_owned(), json!("object")), ("properties".to_owned(), properties)])
}

fn outputs_schema(values: &[&str], secrets: &[&str]) -> Map<String, Value> {
    let properties = |names: &[&str]| -> Map<String, Value> {
        names
            .iter()
            .map(|entry| {
                let (name, kind) = entry.split_once(':').unwrap_or((entry, "string"));
                let schema = match kind {
                    "int" => json!({"type": "integer"}),
                    "list" => json!({"type": "array"}),
                    _ => json!({"type": "string"}),
                };
                (name.to_owned(), schema)
            })
            .collect()
    };
    let mut parts = Map::new();
    for (part, names) in [("values", values), ("secrets", secrets)] {
        if !names.is_empty() {
            parts.insert(part.to_owned(), json!({"type": "object", "properties": properties(names)}));
        }
    }
    let mut schema = Map::new();
    if !parts.is_empty() {
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(parts));
    }
    schema
}

const ROUTE_OUTPUTS: &str = r#"
{{- range $name, $value := .resource }}
{{ $name | toRawJson }}: {{ $value | toRawJson }}
{{- end }}
{{- $id := splitList "." .driver.values.resId }}
{{- if and (eq (first $id) "modules") (not (hasKey .resource "service")) }}
service: {{ index $id 1 | toRawJson }}
{{- end }}
"#;

/// Id, type, driver and values of the default Resource Definitions.
fn default_rows() -> [(&'static str, &'static str, &'static str, Value); 4] {
    [
        ("default-humanitec-base-env", "base-env", "humanitec/echo", json!({})),
        (
            "default-humanitec-namespace",
            "k8s-namespace",
            "humanitec/echo",
            json!({"namespace": "${context.app.id}-${context.env.id}"}),
        ),
        // A template, since echo cannot read resource inputs. Its Service is called like the Workload
        // that the route belongs to (spec/drivers.md §11.2).
        (
            "default-humanitec-route",
            "route",
            "humanitec/template",
            json!({
                "resId": "${context.res.id}",
                "templates": {"outputs": ROUTE_OUTPUTS},
            }),
        ),
        ("default-humanitec-workload-res", "workload", "humanitec/echo", json!({})),
    ]
}

/// The default Resource Definitions of an Organization; none for
/// `k8s-cluster`, because where to deploy is the user's to say.
#[must_use]
pub fn definitions(org: &OrgId, now: &Timestamp) -> Vec<ResourceDefinition> {
    default_rows()
        .into_iter()
        .map(|(id, res_type, driver_type, values)| ResourceDefinition {
            org_id: org.clone(),
            id: DefinitionId::new(id).unwrap_or_else(|_| unreachable!("the table holds valid ids")),
            name: id.to_owned(),
            res_type: ResourceType::new(res_type).unwrap_or_else(|_| unreachable!("the table holds valid types")),
            driver_type: driver_type.to_owned(),
            driver_account: None,
            driver_inputs: match values {
                Value::Object(values) if !values.is_empty() => Some(DriverInputs { values, secret_refs: Map::new() }),
                _ => None,
            },
            criteria: vec![MatchingCriteria {
                id: format!("{id}-0"),
                env_type: None,
                app_id: None,
                env_id: None,
                res_id: None,
                class: Class::default_class(),
            }],
            provision: std::collections::BTreeMap::new(),
            active_version_id: crate::hash::uuid_of_digest(&crate::hash::sha256(id.as_bytes())),
            is_default: true,
            is_deleted: false,
            in_place_driver_change: false,
            created_at: now.clone(),
            created_by: "humctl".to_owned(),
            updated_at: None,
            updated_by: None,
        })
        .collect()
}

/// The Environment Types of a new Organization.
#[must_use]
pub fn environment_types() -> Vec<EnvironmentType> {
    [("development", "Development"), ("staging", "Staging"), ("production", "Production")]
        .into_iter()
        .map(|(id, description)| EnvironmentType {
            id: EnvTypeId::new(id).unwrap_or_else(|_| unreachable!("the table holds valid ids")),
            description: description.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_table_is_sorted_and_every_row_is_valid() {
        let types = resource_types();
        assert!(types.is_sorted_by_key(|row| row.res_type.clone()));
        assert!(types.iter().all(|row| matches!(row.usage.as_str(), "direct" | "indirect" | "implicit")));
    }

    #[test]
    fn every_default_definition_is_of_a_known_type_and_none_is_a_cluster() {
        let types = resource_types();
        for definition in definitions(&OrgId::new("local").unwrap(), &Timestamp::default()) {
            assert!(types.iter().any(|row| row.res_type == definition.res_type), "{}", definition.id);
            assert_ne!(definition.res_type.as_str(), "k8s-cluster");
        }
    }
}
