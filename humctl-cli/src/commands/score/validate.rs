//! `humctl score validate`

use std::path::PathBuf;
use std::process::ExitCode;

use humctl_api_types::endpoint;
use humctl_api_types::id::OrgId;
use humctl_core::score::{Finding, Level, known_types};
use serde_json::{Value, json};

use crate::commands::score::file::{self, Checked, FileFinding};
use crate::commands::score::removal;
use crate::commands::score::sources::{self, ScoreSources};
use crate::context::Context;
use crate::error::CliError;

const SUCCESS: &str = "The Score file validated successfully";

/// Check a Score file
///
/// Reports everything that is wrong, and where. Without --local the types,
/// classes, params and outputs of its resources are checked against the
/// Organization too. Exit status: 1 when there are errors, with --strict also when
/// there are warnings, else 0.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl score validate
  humctl score validate --local --strict web/score.yaml
  humctl score validate --extensions humanitec.score.yaml -o json

See also: humctl score deploy, humctl score available-resource-types")]
pub(crate) struct ValidateArgs {
    /// Score file to check
    #[arg(value_name = "FILE", default_value = "score.yaml")]
    file: PathBuf,
    /// Score extension file, checked as well
    #[arg(long, value_name = "FILE")]
    extensions: Option<PathBuf>,
    /// Check the file alone, without the Organization
    #[arg(long)]
    local: bool,
    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
    /// What a Resource Type of the Score file stands for, as in s3=my-org/s3
    #[arg(long = "resource-type-alias", value_name = "TYPE=ORG/TYPE", value_parser = sources::type_alias)]
    type_aliases: Vec<(String, String)>,
}

pub(crate) fn run(context: &Context, args: &ValidateArgs) -> Result<ExitCode, CliError> {
    let org = if args.local { None } else { Some(context.org()?) };
    let sources = ScoreSources {
        file: args.file.clone(),
        extensions: args.extensions.clone(),
        type_aliases: args.type_aliases.iter().cloned().collect(),
        ..ScoreSources::default()
    };
    let mut checked = file::check(&sources)?;
    if let Some(org) = org {
        check_against(context, &org, &sources, &mut checked)?;
    }
    report(context, &checked)?;
    let is_bad = |level: Level| level == Level::Error || args.strict;
    let has_failed = checked.findings.iter().any(|found| is_bad(found.finding.level));
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Everything that only the Organization can tell.
fn check_against(
    context: &Context,
    org: &OrgId,
    sources: &ScoreSources,
    checked: &mut Checked,
) -> Result<(), CliError> {
    let types = context.client().call(&endpoint::resource_types(org))?;
    let definitions = context.client().call(&endpoint::definitions(org))?;
    let mut effective = Value::Object(checked.effective.clone());
    known_types::resolve_aliases(&mut effective, &sources.type_aliases);
    checked.add(known_types::check(&effective, &types, &definitions));
    if context.named_app().is_some() && context.named_env().is_some() {
        let (_, app, env) = context.env()?;
        match removal::deployed(context, org, &app, &env) {
            Ok(Some(set)) => {
                let workloads = set.modules.keys().map(String::as_str).collect();
                checked.add(known_types::check_services(&effective, &workloads, env.as_str()));
            }
            Ok(None) => {}
            // A file may be checked before its Environment is made.
            Err(error) if error.is_status(404) => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(profile) = checked.profile()
        && !context.client().is_local()
        && let Some(finding) = missing_profile(context, org, profile)?
    {
        checked.add_to_extension(vec![finding]);
    }
    Ok(())
}

/// A warning about a profile that a hosted Orchestrator does not have.
fn missing_profile(context: &Context, org: &OrgId, profile: &str) -> Result<Option<Finding>, CliError> {
    let id = if profile.contains('/') { profile.to_owned() } else { format!("{org}/{profile}") };
    let path = format!("{}/workload-profiles/{}", endpoint::org_path(org), endpoint::encode_segment(&id));
    match context.client().get(&path) {
        Ok(_) => Ok(None),
        Err(error) if error.is_status(404) => Ok(Some(Finding {
            pointer: "/profile".to_owned(),
            level: Level::Warning,
            message: format!("extension: there is no profile {profile} in your Humanitec organization"),
            hint: None,
        })),
        Err(error) => Err(error),
    }
}

/// A JSON pointer as the official program writes it, with what is special in a
/// URL percent-encoded (spec/score.md §9).
fn location(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+:=@/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The findings are the result, and go to stdout (spec/cli.md §6.10).
fn report(context: &Context, checked: &Checked) -> Result<(), CliError> {
    if checked.findings.is_empty() {
        return context.output.message(SUCCESS);
    }
    if context.output.is_machine() {
        let entry = |FileFinding { finding, .. }: &FileFinding| json!({"Level": level(finding.level), "Location": location(&finding.pointer), "Message": finding.message});
        return context.output.document(&checked.findings.iter().map(entry).collect());
    }
    for found in &checked.findings {
        context.output.line(&format!("{}: {found}", level(found.finding.level)))?;
    }
    Ok(())
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warning => "WARNING",
    }
}
