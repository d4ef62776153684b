//! `humctl score validate`

use std::path::PathBuf;
use std::process::ExitCode;

use humctl_api_types::endpoint;
use humctl_core::score::{Level, known_types};
use serde_json::{Value, json};

use crate::commands::score::file::{self, Checked, FileFinding};
use crate::commands::score::sources::ScoreSources;
use crate::context::Context;
use crate::error::CliError;

const SUCCESS: &str = "The Score file validated successfully";

/// Check a Score file
///
/// Reports everything that is wrong, and where. Without --local the types,
/// classes, params and outputs of its resources are checked against the
/// Organization too. Exits with 1 when there are errors.
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// Score file
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
}

pub(crate) fn run(context: &Context, args: &ValidateArgs) -> Result<ExitCode, CliError> {
    let org = if args.local { None } else { Some(context.org()?) };
    let sources =
        ScoreSources { file: args.file.clone(), extensions: args.extensions.clone(), ..ScoreSources::default() };
    let mut checked = file::check(&sources)?;
    if let Some(org) = org {
        let types = context.client().call(&endpoint::resource_types(&org))?;
        let definitions = context.client().call(&endpoint::definitions(&org))?;
        let effective = Value::Object(checked.effective.clone());
        checked.add(known_types::check(&effective, &types, &definitions));
    }
    report(context, &checked)?;
    let is_bad = |level: Level| level == Level::Error || args.strict;
    let has_failed = checked.findings.iter().any(|found| is_bad(found.finding.level));
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The findings are the result, and go to stdout (spec/cli.md §6.10).
fn report(context: &Context, checked: &Checked) -> Result<(), CliError> {
    if checked.findings.is_empty() {
        return context.output.message(SUCCESS);
    }
    if context.output.is_machine() {
        let entry = |FileFinding { finding, .. }: &FileFinding| json!({"Level": level(finding.level), "Location": finding.pointer, "Message": finding.message});
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
