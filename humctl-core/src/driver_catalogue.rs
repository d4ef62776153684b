//! The built-in Drivers by name: which Resource Type each makes and which
//! inputs it is known to take (spec/drivers.md §4, §8, §9). Catches slips of
//! the pen; a Driver or an input that nobody here has heard of may well exist.

use humctl_api_types::driver::DriverInfo;
use humctl_api_types::id::ResourceType;
use serde_json::{Map, Value};

use crate::decode::nearest;

/// Who offers the built-in Drivers.
pub(crate) const OWNER: &str = "humanitec";

/// A built-in Driver.
struct Entry {
    id: &'static str,
    /// The type it makes; `*` for any.
    res_type: &'static str,
    /// All its `values`; empty where they are not known.
    values: &'static [&'static str],
}

const fn entry(id: &'static str, res_type: &'static str, values: &'static [&'static str]) -> Entry {
    Entry { id, res_type, values }
}

const CATALOGUE: &[Entry] = &[
    entry("agent", "agent", &[]),
    entry("container", "*", &[]),
    entry("container-runner", "*", &[]),
    entry("dns-aws-route53", "dns", &[]),
    entry("dns-cloudflare", "dns", &[]),
    entry("dns-wildcard", "dns", &["domain", "template"]),
    entry("echo", "*", &[]),
    entry("hpa", "horizontal-pod-autoscaler", &["minReplicas", "maxReplicas", "targetCPUUtilizationPercentage"]),
    entry(
        "ingress",
        "ingress",
        &[
            "class",
            "annotations",
            "labels",
            "path_type",
            "no_tls",
            "tls_secret_name",
            "automatic_tls_secret_name",
            "api_version",
        ],
    ),
    entry("k8s-cluster", "k8s-cluster", &["name", "loadbalancer", "load_balancer", "cluster_data"]),
    entry(
        "k8s-cluster-aks",
        "k8s-cluster",
        &["name", "resource_group", "subscription_id", "server_app_id", "loadbalancer"],
    ),
    entry(
        "k8s-cluster-eks",
        "k8s-cluster",
        &["name", "region", "loadbalancer", "loadbalancer_hosted_zone", "proxy_url"],
    ),
    entry(
        "k8s-cluster-git",
        "k8s-cluster",
        &["url", "branch", "branch_from", "path", "username", "known_hosts", "loadbalancer"],
    ),
    entry(
        "k8s-cluster-gke",
        "k8s-cluster",
        &["name", "project_id", "zone", "loadbalancer", "internal_ip", "proxy_url"],
    ),
    entry("lightweight-in-cluster-mongodb", "mongodb", &[]),
    entry("logging-gcp", "logging", &[]),
    entry("logging-k8s", "logging", &[]),
    entry("newapp-io-dns", "dns", &[]),
    entry("opentofu-container-runner", "*", &[]),
    entry("s3", "s3", &[]),
    entry("static", "*", &[]),
    entry("template", "*", &[]),
    entry("terraform", "*", &[]),
    entry("terraform-container-runner", "*", &[]),
    entry("terraform-runner", "*", &[]),
    entry("volume-nfs", "volume", &["server", "path"]),
    entry(
        "volume-pvc",
        "volume",
        &["access_modes", "access_mode", "capacity", "storage_capacity", "storage_class_name"],
    ),
];

/// Families whose members are not listed one by one.
const FAMILIES: &[&str] = &["mariadb", "mysql", "postgres"];

/// The Cloud Accounts that a Driver takes (spec/drivers.md §4).
fn account_types(id: &str) -> &'static [&'static str] {
    match id {
        "k8s-cluster-aks" => &["azure", "azure-identity"],
        "k8s-cluster-eks" => &["aws", "aws-role"],
        "k8s-cluster-gke" => &["gcp", "gcp-identity"],
        "dns-aws-route53" | "s3" => &["aws"],
        _ => &[],
    }
}

/// The built-in Drivers as the API lists them.
pub(crate) fn drivers() -> Vec<DriverInfo> {
    let info = |entry: &Entry| DriverInfo {
        org_id: OWNER.to_owned(),
        id: entry.id.to_owned(),
        res_type: entry.res_type.to_owned(),
        account_types: account_types(entry.id).iter().map(|&account| account.to_owned()).collect(),
        inputs_schema: Map::new(),
        target: String::new(),
        template: None,
        is_public: true,
    };
    CATALOGUE.iter().map(info).collect()
}

/// The refusal of a Driver that makes another type.
pub(crate) fn other_type(driver_type: &str, makes: &str, res_type: &ResourceType) -> String {
    format!("the Driver `{driver_type}` makes resources of type `{makes}`, not `{res_type}`")
}

/// The refusal of an input that resembles a known one.
pub(crate) fn no_input(driver_type: &str, key: &str, near: &str) -> String {
    format!("at /driver_inputs/values: the Driver `{driver_type}` has no input `{key}`\n  hint: did you mean `{near}`?")
}

/// Checks the Driver of a Definition against what is known of it.
///
/// # Errors
/// A sentence: an unknown name or input that resembles a known one, or a Driver
/// that makes another type.
pub(crate) fn check(driver_type: &str, res_type: &ResourceType, values: &Map<String, Value>) -> Result<(), String> {
    let Some(id) = driver_type.strip_prefix("humanitec/") else { return Ok(()) };
    let Some(entry) = CATALOGUE.iter().find(|entry| entry.id == id) else {
        let is_family = FAMILIES.iter().any(|family| id.starts_with(family));
        return match nearest(id, CATALOGUE.iter().map(|entry| entry.id)).filter(|_| !is_family) {
            Some(near) => Err(format!("`{driver_type}` is no Driver\n  hint: did you mean `humanitec/{near}`?")),
            None => Ok(()),
        };
    };
    if entry.res_type != "*" && entry.res_type != res_type.as_str() {
        return Err(other_type(driver_type, entry.res_type, res_type));
    }
    if values.get("url").and_then(Value::as_str).is_some_and(holds_password) {
        return Err(
            "at /driver_inputs/values/url: the address holds a password\n  hint: put it under `secrets` as `credentials: {password: …}`, and the user under the value `username`"
                .to_owned(),
        );
    }
    for key in values.keys().filter(|key| !entry.values.contains(&key.as_str())) {
        if let Some(near) = nearest(key, entry.values.iter().copied()) {
            return Err(no_input(driver_type, key, near));
        }
    }
    Ok(())
}

/// True for an address with `user:password@`.
fn holds_password(url: &str) -> bool {
    let authority = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    authority.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn slips_are_caught_and_the_unknown_passes() {
        // Driver, type, values, part of the refusal.
        for (driver, res_type, values, refusal) in [
            ("humanitec/k8s-cluster-git", "k8s-cluster", json!({"url": "x", "branch": "", "path": "p"}), ""),
            ("humanitec/k8s-cluster-git", "k8s-cluster", json!({"url": "x", "something": 1}), ""),
            ("humanitec/k8s-cluster-git", "k8s-cluster", json!({"url": "https://bot@h/x.git"}), ""),
            ("humanitec/k8s-cluster-git", "k8s-cluster", json!({"url": "git@h:o/x.git"}), ""),
            ("humanitec/k8s-cluster-git", "k8s-cluster", json!({"url": "https://h/x:y@z.git"}), ""),
            (
                "humanitec/k8s-cluster-git",
                "k8s-cluster",
                json!({"url": "https://u:canary@h/x.git"}),
                "url: the address holds a password",
            ),
            ("humanitec/k8s-cluster-git", "k8s-cluster", json!({"pth": "x"}), "did you mean `path`"),
            ("humanitec/k8s-cluster-git", "k8s-cluster", json!({"brnch": "x"}), "did you mean `branch`"),
            ("humanitec/k8s-cluster-git", "mysql", json!({}), "makes resources of type `k8s-cluster`, not `mysql`"),
            ("humanitec/ehco", "s3", json!({}), "did you mean `humanitec/echo`?"),
            ("humanitec/templates", "s3", json!({}), "did you mean `humanitec/template`?"),
            ("humanitec/something-else", "s3", json!({}), ""),
            ("humanitec/postgres-cloudsql", "postgres", json!({"x": 1}), ""),
            ("humanitec/echo", "s3", json!({"anything": 1}), ""),
            ("acme/ehco", "s3", json!({}), ""),
        ] {
            let res_type = ResourceType::new(res_type).unwrap();
            let found = check(driver, &res_type, values.as_object().unwrap()).err().unwrap_or_default();
            assert!(found.contains(refusal) && found.is_empty() == refusal.is_empty(), "{driver} {values}: {found}");
            assert!(!found.contains("canary"), "{found}");
        }
    }
}
