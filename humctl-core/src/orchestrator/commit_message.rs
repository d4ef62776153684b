//! The message of a Deployment's commit (spec/gitops.md §7.6).

use std::collections::BTreeMap;

use humctl_api_types::id::{DeploymentId, SetId};

use crate::context::EnvironmentContext;
use crate::git::tree::TreeChange;

/// Trailer that names the Deployment; by it an interrupted one is settled.
pub(super) const DEPLOYMENT_TRAILER: &str = "Humctl-Deployment";

/// Facts that the message tells.
pub(super) struct Facts<'f> {
    pub(super) context: &'f EnvironmentContext,
    pub(super) change: &'f TreeChange,
    /// Name of a file → what it is.
    pub(super) labels: &'f BTreeMap<String, String>,
    pub(super) deployment: Option<&'f DeploymentId>,
    pub(super) set: Option<&'f SetId>,
    pub(super) comment: &'f str,
    pub(super) verb: &'f str,
    /// Asks CI systems not to run for this commit.
    pub(super) skip_ci: bool,
}

pub(super) fn commit_message(facts: &Facts<'_>) -> String {
    let lines = facts.change.lines();
    let count = |prefix: &str| lines.iter().filter(|line| line[2..].starts_with(prefix)).count();
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let (n_resources, n_workloads) = (count("resource-"), count("workload-"));
    let summary = match (n_resources, n_workloads) {
        (0, 0) => "record changed".to_owned(),
        (resources, 0) => format!("{} changed", plural(resources, "resource")),
        (0, workloads) => format!("{} changed", plural(workloads, "workload")),
        (resources, workloads) => {
            format!("{}, {} changed", plural(resources, "resource"), plural(workloads, "workload"))
        }
    };
    let skip_ci = if facts.skip_ci { " [skip ci]" } else { "" };
    let mut message = format!("{}({}): {summary}{skip_ci}\n\n", facts.verb, facts.context);
    for line in &lines {
        let label = facts.labels.get(&line[2..]).map(|label| format!(" ({label})")).unwrap_or_default();
        message.push_str(&format!("{line}{label}\n"));
    }
    if !lines.is_empty() {
        message.push('\n');
    }
    let context = facts.context;
    let mut trailer = |key: &str, value: &str| message.push_str(&format!("{key}: {value}\n"));
    trailer("Humctl-Org", context.org.as_str());
    trailer("Humctl-App", context.app.as_str());
    trailer("Humctl-Env", context.env.as_str());
    if let Some(deployment) = facts.deployment {
        trailer(DEPLOYMENT_TRAILER, deployment.as_str());
    }
    if let Some(set) = facts.set {
        trailer("Humctl-Set", set.as_str());
    }
    let comment: String =
        facts.comment.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    if !comment.trim().is_empty() {
        trailer("Humctl-Comment", comment.trim());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::context;

    #[test]
    fn the_message_tells_what_changed_and_ends_in_trailers() {
        let change = TreeChange {
            deleted: vec!["resource-aa.yaml".into(), "workload-web.yaml".into()],
            ..TreeChange::default()
        };
        let labels = BTreeMap::from([("resource-aa.yaml".to_owned(), "dns.default#x".to_owned())]);
        let message = commit_message(&Facts {
            context: &context(),
            change: &change,
            labels: &labels,
            deployment: Some(&DeploymentId::new("1a").unwrap()),
            set: None,
            comment: "first\u{7} line\nHumctl-App: forged",
            verb: "deploy",
            skip_ci: true,
        });
        insta::assert_snapshot!(message, @"
        deploy(shop/development): 1 resource, 1 workload changed [skip ci]

        - resource-aa.yaml (dns.default#x)
        - workload-web.yaml

        Humctl-Org: acme
        Humctl-App: shop
        Humctl-Env: development
        Humctl-Deployment: 1a
        Humctl-Comment: first line
        ");
    }
}
