//! What planning errors say: where, what, and what to do.

use std::fmt;

use crate::graph::error::{Place, PlanError};
use crate::matching::NearMiss;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition { resource, definition, pointer } => {
                write!(f, "Definition `{definition}` at `{pointer}`, matched for `{resource}`")
            }
            Self::Module { workload, pointer } => write!(f, "Workload `{workload}` at `{pointer}`"),
            Self::Shared { key, pointer } => write!(f, "shared resource `{key}` at `{pointer}`"),
        }
    }
}

impl Place {
    /// What to do about a placeholder that is wrong there. It may be none at
    /// all: in Score, too, `$${x}` comes out as one.
    fn remedy(&self) -> String {
        let place = match self {
            Self::Definition { definition, .. } => format!("correct Definition `{definition}`"),
            Self::Module { workload, .. } => format!("correct it in the Score file of Workload `{workload}`"),
            Self::Shared { key, .. } => format!("correct it in the Score file that declares `{key}`"),
        };
        format!("{place}; a literal `${{` is written `$\\{{`")
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDefinition { resource, context, needed_by, near } => {
                write!(f, "no Resource Definition matches `{resource}` in environment `{context}`")?;
                write!(f, "\n  needed by: {needed_by}")?;
                write_candidates(f, resource.res_type.as_str(), near)?;
                write!(
                    f,
                    "\n  hint: add Matching Criteria to a Definition of type `{}`, for instance ",
                    resource.res_type
                )?;
                if resource.class.as_str() == "default" {
                    write!(f, "{{app_id: {}, env_type: {}}}", context.app, context.env_type)
                } else {
                    write!(f, "{{class: {}}}", resource.class)
                }
            }
            Self::Ambiguous { resource, definitions } => {
                let names: Vec<_> = definitions.iter().map(|id| format!("`{id}`")).collect();
                write!(
                    f,
                    "`{resource}` is matched by the same rule of {}\n  hint: change the Matching Criteria of all but one",
                    names.join(" and ")
                )
            }
            Self::UnknownType { resource, needed_by, suggestion } => {
                write!(f, "`{}` is no Resource Type\n  needed by: {needed_by}", resource.res_type)?;
                write_suggestion(f, suggestion.as_deref())
            }
            Self::UnknownTypeSelected { place, placeholder, res_type, suggestion } => {
                write!(f, "{place}: placeholder `${{{placeholder}}}`: `{res_type}` is no Resource Type")?;
                write_suggestion(f, suggestion.as_deref())
            }
            Self::TypeNotAllowed { resource, usage } => write!(
                f,
                "a Workload cannot ask for `{resource}`: the type `{}` is {usage}\n  hint: {}",
                resource.res_type,
                if usage == "implicit" {
                    "every Deployment has it already"
                } else {
                    "only Resource Definitions refer to it"
                }
            ),
            Self::PrivateOnly { resource } => write!(
                f,
                "`{resource}` is shared, and a `{}` belongs to one Workload\n  hint: declare it in the Workload without an id",
                resource.res_type
            ),
            Self::LegacyIngress { workload } => write!(
                f,
                "Workload `{workload}` at `/spec/ingress`: this deprecated form is not supported\n  hint: declare resources of type `dns` and `route` instead"
            ),
            Self::BadPlaceholder { place, placeholder, reason } => {
                write!(f, "{place}: placeholder `${{{placeholder}}}`: {reason}\n  hint: {}", place.remedy())
            }
            Self::Undeclared { place, placeholder, reason, known }
            | Self::UnknownOutput { place, placeholder, reason, known } => {
                write!(f, "{place}: placeholder `${{{placeholder}}}`: {reason}\n  hint: ")?;
                if known.is_empty() {
                    return f.write_str(&place.remedy());
                }
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "known here: {}", known.join(", "))
            }
            Self::BadInputs { resource, given_by, findings } => {
                write!(f, "the inputs of `{resource}` do not fit the schema of its type; they come from {given_by}:")?;
                for (pointer, finding) in findings {
                    let pointer = if pointer.is_empty() { "/" } else { pointer };
                    write!(f, "\n  {pointer}: {finding}")?;
                }
                write!(f, "\n  hint: see the schema with: humctl get resource-type {} -o yaml", resource.res_type)
            }
            Self::ConflictingInputs { resource, places } => write!(
                f,
                "`{resource}` gets different params from {} and from {}\n  hint: give the same params in both, or in one place only",
                places[0], places[1]
            ),
            Self::Cycle { steps } => {
                f.write_str("the resources need each other in a circle: ")?;
                for step in steps {
                    write!(f, "{} -> ", step.resource)?;
                }
                if let Some(first) = steps.first() {
                    write!(f, "{}", first.resource)?;
                }
                for (index, step) in steps.iter().enumerate() {
                    let next = &steps[(index + 1) % steps.len()].resource;
                    let reasons: Vec<String> = step.reasons.iter().map(ToString::to_string).collect();
                    write!(f, "\n  {} needs {next}: {}", step.resource, reasons.join(", "))?;
                    if let Some(definition) = &step.definition {
                        write!(f, " (Definition `{definition}`)")?;
                    }
                }
                f.write_str("\n  hint: move what they share into a third resource, for instance of type `config`")
            }
            Self::PinnedVersion { resource, definition, version, state } => write!(
                f,
                "`{resource}` is pinned to version {version} of Definition `{definition}`, which is {state}\n  hint: pin it to another version, or to none"
            ),
            Self::SecretMixed { place } => write!(
                f,
                "{place}: one string mixes a secret with a `pod` or `containers` placeholder\n  hint: put them into two variables"
            ),
            Self::StoredValue { place, key } => write!(
                f,
                "{place}: the Shared Value `{key}` is a secret that only the Orchestrator holds, and values are never written to Git\n  hint: give it as a reference instead: humctl create value {key} REF --is-secret-ref --secret-store STORE"
            ),
            Self::DriverFailed { resource, definition, reason } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`: {reason}\n  hint: correct the driver_inputs of Definition `{definition}`"
            ),
            Self::BadUpdate { workload, definition, reason } => write!(
                f,
                "the `update` of Definition `{definition}` does not fit Workload `{workload}`: {reason}\n  hint: its paths start at the module, as in `/spec/labels/team`"
            ),
            Self::HostedDriver { resource, definition, driver_type } => write!(
                f,
                "`{resource}` (Definition `{definition}`): only Humanitec's own service runs the Driver `{driver_type}`\n  hint: use `humanitec/template` for what runs in the cluster, `humanitec/echo` for what exists already, or deploy without --fail-on-hosted-drivers"
            ),
            Self::NotProvisioned { resource, definition, driver_type, is_registered: false } => write!(
                f,
                "`{resource}` is made by the Driver `{driver_type}` of Definition `{definition}`, which does not run here\n  \
                 hint: give its outputs with --outputs FILE, from what makes it (a Terraform job, say), or match a Definition with the Driver `humanitec/template` or `humanitec/echo`"
            ),
            Self::NotProvisioned { resource, definition, driver_type, is_registered: true } => write!(
                f,
                "`{resource}` is made by the Driver `{driver_type}` of Definition `{definition}`, which only a Deployment asks, and which has not made it yet\n  \
                 hint: deploy, or give its outputs with --outputs FILE"
            ),
            Self::RegisteredDriver { resource, definition, driver_type, reason } => {
                write!(f, "`{resource}` is made by the Driver `{driver_type}` of Definition `{definition}`: {reason}")
            }
            Self::SecretStore { resource, definition, reason } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`, makes secrets that belong into a secret store: {reason}"
            ),
            Self::SecretOutputs { resource, definition, outputs } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`, makes secrets that exist only as values, and values are never written to Git: {}\n  \
                 hint: register a Vault with a token as primary secret store, and they are kept there (kind SecretStore); or name them in a secret store, as secret_refs with `store` and `ref`, and hand them on: {{{{ .driver.secrets.NAME }}}}; or give the outputs with --outputs FILE",
                listed(outputs)
            ),
            Self::SecretShown { resource, definition, places } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`, prints its secrets where everybody can read them: {}\n  \
                 hint: let it read them from a `Secret` (`secretKeyRef`); what is no secret belongs into `outputs`, not into `secrets`",
                listed(places)
            ),
            Self::NotRendered { message, .. } | Self::NotWritten { message, .. } => f.write_str(message),
            Self::FragmentClash { workload, kind, name, by } => write!(
                f,
                "Workload `{workload}` would have two {kind}s `{name}`, from {}\n  hint: make the name unique in the Definition, for instance with `{{{{ .id }}}}`",
                by.join(" and ")
            ),
            Self::TooLarge { file, label, n_bytes, max_bytes } => write!(
                f,
                "{file} ({label}) has {n_bytes} bytes, and a cluster takes at most {max_bytes}\n  hint: move large files into the image or a volume"
            ),
            Self::UnknownProfile { workload, profile, hint } => {
                write!(f, "Workload `{workload}`: there is no profile `{profile}`\n  hint: {hint}")
            }
            Self::Target { context, reason, near, hint } => {
                write!(f, "environment `{context}` has no deployment target: {reason}")?;
                write!(
                    f,
                    "\n  context: org `{}`, app_id `{}`, env_id `{}`, env_type `{}`",
                    context.org, context.app, context.env, context.env_type
                )?;
                if let Some(near) = near {
                    write_candidates(f, crate::context::known::K8S_CLUSTER, near)?;
                }
                write!(f, "\n  hint: {hint}")
            }
            Self::LiteralSecrets { resource, definition, pointers } => {
                write!(
                    f,
                    "Definition `{definition}`, matched for `{resource}`, holds secret values, and values are never written to Git:"
                )?;
                for pointer in pointers {
                    write!(f, "\n  {pointer}")?;
                }
                f.write_str("\n  hint: name them in a secret store instead, as secret_refs with `store` and `ref`")
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn write_suggestion(f: &mut fmt::Formatter<'_>, suggestion: Option<&str>) -> fmt::Result {
    match suggestion {
        Some(suggestion) => write!(f, "\n  hint: did you mean `{suggestion}`?"),
        None => f.write_str("\n  hint: see those that there are with: humctl get resource-types"),
    }
}

fn write_candidates(f: &mut fmt::Formatter<'_>, res_type: &str, near: &[NearMiss]) -> fmt::Result {
    if near.is_empty() {
        return write!(f, "\n  there is no Definition of type `{res_type}`");
    }
    near.iter().try_for_each(|miss| write!(f, "\n  closest: {miss}"))
}
