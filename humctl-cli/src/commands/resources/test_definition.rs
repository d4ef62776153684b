//! `humctl resources test-definition FILE`

use std::fs;
use std::path::{Path, PathBuf};

use humctl_api_types::definition::CreateDefinition;
use humctl_core::driver::trial;
use humctl_core::manifest::Object;

use crate::commands::manifests;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Format;

/// Run the Driver of a Definition with made-up inputs
///
/// Shows what a Definition for the Driver `humanitec/echo` or
/// `humanitec/template` makes, without an Orchestrator, a cluster or an
/// account. Placeholders and secrets get their values from the inputs file.
/// Random functions give the same values at each run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl resources test-definition redis.yaml --generate > inputs.yaml
  humctl resources test-definition redis.yaml --inputs inputs.yaml")]
pub(crate) struct TestDefinitionArgs {
    /// File with the Definition; - is stdin
    #[arg(value_name = "FILE")]
    file: String,
    /// Print an inputs file to be filled in, with every placeholder of the Definition
    #[arg(long, conflicts_with = "inputs")]
    generate: bool,
    /// File with the keys `placeholders`, `resource`, `secretRefs` and `cookie`
    #[arg(long, value_name = "FILE", required_unless_present = "generate")]
    inputs: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &TestDefinitionArgs) -> Result<(), CliError> {
    let definition = read_definition(&args.file)?;
    let in_file = |error: trial::TrialError| in_file(&args.file, &error);
    let Some(inputs_file) = &args.inputs else {
        let skeleton = trial::skeleton(&definition).map_err(in_file)?;
        return context.output.text(&skeleton);
    };
    let inputs = read_inputs(inputs_file)?;
    let result = trial::run(&definition, &inputs).map_err(in_file)?;
    match context.output.format() {
        // What people read here is what they would write into a manifest.
        Format::Table => {
            let text = humctl_core::yaml::to_string(&result).map_err(|error| CliError::user(error.to_string()))?;
            context.output.text(&text)
        }
        _ => context.output.document(&result),
    }
}

/// Every finding with the file that it is about.
fn in_file(file: &str, error: &trial::TrialError) -> CliError {
    CliError::user(format!("{file}: {}", error.to_string().replace("\nError: ", &format!("\nError: {file}: "))))
}

fn read_definition(file: &str) -> Result<CreateDefinition, CliError> {
    let mut definitions = manifests::load(&[file.to_owned()])?;
    let n_found = definitions.len();
    match (definitions.pop().map(|loaded| loaded.object), n_found) {
        (Some(Object::Definition(definition)), 1) => Ok(*definition),
        (Some(_), 1) => Err(CliError::user(format!("{file}: it holds no Definition"))),
        _ => {
            Err(CliError::user(format!("{file}: it holds {n_found} manifests, and one Definition is tested at a time")))
        }
    }
}

fn read_inputs(file: &Path) -> Result<trial::TrialInputs, CliError> {
    let text = fs::read_to_string(file).map_err(|error| CliError::file("read", file, &error))?;
    trial::read_inputs(&text).map_err(|error| {
        in_file(&file.display().to_string(), &error)
            .with_hint("see what belongs into it with: humctl resources test-definition FILE --generate")
    })
}
