//! What the errors of a Deployment say: code, scope, and what to do.

use humctl_api_types::change::FileChange;
use humctl_api_types::delta::PlainDelta;
use humctl_api_types::deployment::DeploymentError;
use humctl_api_types::id::EnvId;
use humctl_api_types::set::DeploymentSet;

use crate::context::EnvironmentContext;
use crate::graph::PlanError;
use crate::orchestrator::OrchestratorError;
use crate::set::DeltaError;

/// Why a Deployment failed, as its errors tell it.
pub(super) struct Failed(pub(super) Vec<DeploymentError>);

/// Who has to act on an error (spec/resource-model.md §12).
#[derive(Debug, Clone, Copy)]
pub(super) enum ErrorType {
    /// What was asked for cannot be planned.
    Configuration,
    /// The plan could not be carried out.
    Provisioning,
}

impl ErrorType {
    fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Provisioning => "provisioning",
        }
    }
}

/// The errors of a plan.
pub(super) fn plan_failed(errors: &[PlanError]) -> Failed {
    Failed(errors.iter().map(PlanError::to_deployment_error).collect())
}

/// A Delta that what is deployed has no place for.
pub(super) fn delta_failed(context: &EnvironmentContext, error: &DeltaError) -> Failed {
    let message = format!(
        "the Delta does not fit what is deployed: {error}\n  hint: compare with: humctl get deployment-set . --app {} --env {} -o yaml",
        context.app, context.env
    );
    Failed(vec![environment_error(context, ErrorType::Configuration, "SET-002", "Delta does not fit", &message)])
}

/// Names the Workloads that a Delta removes and that are not there, if any.
pub(super) fn absent_workloads(delta: &PlainDelta, base: &DeploymentSet, env: &EnvId) -> Option<String> {
    let absent = delta.modules.remove.iter().filter(|workload| !base.modules.contains_key(*workload));
    let mut lines: Vec<String> =
        absent.map(|workload| format!("workload '{workload}' is not part of environment '{env}'")).collect();
    if lines.is_empty() {
        return None;
    }
    let known: Vec<String> = base.modules.keys().map(|workload| format!("'{workload}'")).collect();
    lines.push(if known.is_empty() {
        "  hint: nothing is deployed there".to_owned()
    } else {
        format!("  hint: deployed there: {}", known.join(", "))
    });
    Some(lines.join("\n"))
}

/// A Delta that removes what is not there.
pub(super) fn removal_failed(context: &EnvironmentContext, message: &str) -> Failed {
    Failed(vec![environment_error(context, ErrorType::Configuration, "SET-003", "Workload is not deployed", message)])
}

/// A Deployment Set that cannot be indexed, with every reason.
pub(super) fn set_failed(context: &EnvironmentContext, reasons: &[String]) -> Failed {
    let error = |reason: &String| {
        let message = format!("{reason}\n  hint: rename it in the Score file or Delta, then deploy again");
        environment_error(context, ErrorType::Configuration, "SET-001", "Malformed Deployment Set", &message)
    };
    Failed(reasons.iter().map(error).collect())
}

/// Resources that would go with their data, and that nobody agreed to lose. A
/// sync tool keeps those that have its annotations, and then nobody looks after them.
pub(super) fn stateful_removal_failed(context: &EnvironmentContext, removed: &[&FileChange]) -> Failed {
    let error = |change: &&FileChange| {
        // The name of a resource says of what type it is, that of a Kubernetes object does not.
        let what = match change.kind.as_str() {
            "Resource" => format!("`{}`", change.object),
            kind => format!("{kind} `{}`", change.object),
        };
        DeploymentError {
            object_id: change.object.clone(),
            scope: "resource".to_owned(),
            ..environment_error(
                context,
                ErrorType::Configuration,
                "TGT-008",
                "Stateful resource would be removed",
                &format!(
                    "{what} would be removed, and what it stores may go with it, or be left behind ({})\n  hint: keep the resource in the Score file, or add --allow-data-loss",
                    change.path
                ),
            )
        }
    };
    Failed(removed.iter().map(error).collect())
}

/// A Deployment that ended in a way that nobody foresaw.
pub(super) fn ended_unexpectedly(context: &EnvironmentContext) -> Failed {
    let message = "the deployment ended unexpectedly\n  hint: deploy again with -v9, and report what it prints";
    Failed(vec![environment_error(context, ErrorType::Provisioning, "INT-001", "Internal error", message)])
}

/// Anything that kept a plan from being carried out.
pub(super) fn failed(context: &EnvironmentContext, error: &OrchestratorError) -> Failed {
    let (code, summary) = match error {
        OrchestratorError::Git(error) => (error.code(), error.summary()),
        OrchestratorError::State(_) | OrchestratorError::Seal(_) => ("INT-002", "State cannot be used"),
        _ => ("INT-001", "Internal error"),
    };
    let mut message = error.to_string();
    if code == "INT-001" && !message.contains("hint:") {
        message.push_str("\n  hint: deploy again with -v9, and report what it prints");
    }
    Failed(vec![environment_error(context, ErrorType::Provisioning, code, summary, &message)])
}

/// An error of the Environment as a whole.
pub(super) fn environment_error(
    context: &EnvironmentContext,
    error_type: ErrorType,
    code: &str,
    summary: &str,
    message: &str,
) -> DeploymentError {
    DeploymentError {
        code: code.to_owned(),
        object_id: context.env.to_string(),
        scope: "environment".to_owned(),
        summary: summary.to_owned(),
        message: message.to_owned(),
        error_type: error_type.word().to_owned(),
    }
}
