//! The message of a Deployment's commit (spec/gitops.md §7.6).

use humctl_api_types::change::FileChange;
use humctl_api_types::id::{DeploymentId, SetId};

use crate::context::EnvironmentContext;

/// Trailer that names the Deployment; by it an interrupted one is settled.
pub(super) const DEPLOYMENT_TRAILER: &str = "Humctl-Deployment";

/// Facts that the message tells.
pub(super) struct Facts<'f> {
    pub(super) verb: &'f str,
    /// The Environments; at least one, all of one Application.
    pub(super) parts: &'f [Part<'f>],
    pub(super) comment: &'f str,
    /// Asks CI systems not to run for this commit.
    pub(super) skip_ci: bool,
}

/// What changes in one Environment.
pub(super) struct Part<'f> {
    pub(super) context: &'f EnvironmentContext,
    pub(super) changes: &'f [FileChange],
    pub(super) deployment: Option<(&'f DeploymentId, &'f SetId)>,
}

/// Writes the message: a subject, every file, and trailers that programs read.
/// With several Environments each has its paragraph, and the trailers of an
/// Environment follow its `Humctl-Env`.
pub(super) fn commit_message(facts: &Facts<'_>) -> String {
    let Some(first) = facts.parts.first() else { return String::new() };
    let is_alone = facts.parts.len() == 1;
    let subject = match is_alone {
        true => format!("{}({}): {}", facts.verb, first.context, summary(facts)),
        false => {
            format!("{}({}): {} environments, {}", facts.verb, first.context.app, facts.parts.len(), summary(facts))
        }
    };
    let skip_ci = if facts.skip_ci { " [skip ci]" } else { "" };
    let mut message = format!("{subject}{skip_ci}\n\n");
    for part in facts.parts.iter().filter(|part| !part.changes.is_empty()) {
        if !is_alone {
            message.push_str(&format!("{}:\n", part.context));
        }
        for change in part.changes {
            message.push_str(&format!("{} {} ({})\n", change.action.sign(), change.file_name(), change.label()));
        }
        message.push('\n');
    }
    let mut trailer = |key: &str, value: &str| message.push_str(&format!("{key}: {value}\n"));
    trailer("Humctl-Org", first.context.org.as_str());
    trailer("Humctl-App", first.context.app.as_str());
    for part in facts.parts {
        trailer("Humctl-Env", part.context.env.as_str());
        if let Some((deployment, set)) = part.deployment {
            trailer(DEPLOYMENT_TRAILER, deployment.as_str());
            trailer("Humctl-Set", set.as_str());
        }
    }
    let comment: String =
        facts.comment.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    if !comment.trim().is_empty() {
        trailer("Humctl-Comment", comment.trim());
    }
    message
}

/// How many objects changed.
fn summary(facts: &Facts<'_>) -> String {
    let changes = || facts.parts.iter().flat_map(|part| part.changes);
    let count = |is_counted: &dyn Fn(&str) -> bool| changes().filter(|change| is_counted(&change.kind)).count();
    // Mappings go with the Workloads that use them.
    let counts = [
        (count(&|kind| kind == "Resource"), "resource"),
        (count(&|kind| kind == "Workload"), "workload"),
        (count(&|kind| !matches!(kind, "Resource" | "Workload" | "SecretMapping")), "object"),
    ];
    let told = counts.iter().filter(|(n, _)| *n > 0);
    let told: Vec<String> = told.map(|(n, word)| format!("{n} {word}{}", if *n == 1 { "" } else { "s" })).collect();
    if told.is_empty() { "record changed".to_owned() } else { format!("{} changed", told.join(", ")) }
}

#[cfg(test)]
mod tests {
    use humctl_api_types::change::Action;

    use super::*;
    use crate::context::tests::context;

    fn removed(path: &str, kind: &str, object: &str) -> FileChange {
        FileChange {
            action: Action::Remove,
            path: path.to_owned(),
            kind: kind.to_owned(),
            object: object.to_owned(),
            statefulness: None,
            fields: Vec::new(),
            diff: String::new(),
        }
    }

    #[test]
    fn the_message_tells_what_changed_and_ends_in_trailers() {
        let changes = [
            removed("shop/dev/resource-aa.yaml", "Resource", "dns.default#x"),
            removed("shop/dev/workload-web.yaml", "Workload", "web"),
        ];
        let (deployment, set) = (DeploymentId::new("1a").unwrap(), SetId::new("2b").unwrap());
        let context = context();
        let part = || Part { context: &context, changes: &changes, deployment: Some((&deployment, &set)) };
        let comment = "first\u{7} line\nHumctl-App: forged";
        insta::assert_snapshot!(commit_message(&Facts { verb: "deploy", parts: &[part()], comment, skip_ci: true }), @"
        deploy(shop/development): 1 resource, 1 workload changed [skip ci]

        - resource-aa.yaml (dns.default#x)
        - workload-web.yaml (workload web)

        Humctl-Org: acme
        Humctl-App: shop
        Humctl-Env: development
        Humctl-Deployment: 1a
        Humctl-Set: 2b
        Humctl-Comment: first line
        ");

        let staging = EnvironmentContext { env: "staging".parse().unwrap(), ..context.clone() };
        let parts = [part(), Part { context: &staging, changes: &changes[1..], deployment: None }];
        insta::assert_snapshot!(commit_message(&Facts { verb: "deploy", parts: &parts, comment: "", skip_ci: false }), @"
        deploy(shop): 2 environments, 1 resource, 2 workloads changed

        shop/development:
        - resource-aa.yaml (dns.default#x)
        - workload-web.yaml (workload web)

        shop/staging:
        - workload-web.yaml (workload web)

        Humctl-Org: acme
        Humctl-App: shop
        Humctl-Env: development
        Humctl-Deployment: 1a
        Humctl-Set: 2b
        Humctl-Env: staging
        ");
    }

    #[test]
    fn the_subject_counts_objects() {
        let context = context();
        for (kinds, expected) in [
            (&["Deployment", "ClusterRole", "Resource"][..], "1 resource, 2 objects changed"),
            (&["ConfigMap"], "1 object changed"),
            (&["SecretMapping"], "record changed"),
            (&[], "record changed"),
        ] {
            let changes: Vec<FileChange> = kinds.iter().map(|kind| removed("x.yaml", kind, "x")).collect();
            let part = Part { context: &context, changes: &changes, deployment: None };
            let message = commit_message(&Facts { verb: "deploy", parts: &[part], comment: "", skip_ci: false });
            assert_eq!(message.lines().next(), Some(&*format!("deploy(shop/development): {expected}")));
        }
    }
}
