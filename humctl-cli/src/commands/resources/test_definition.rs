//! `humctl resources test-definition FILE`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use humctl_api_types::definition::CreateDefinition;
use humctl_core::driver::http::{Deleted, HttpDriverError};
use humctl_core::driver::trial;
use humctl_core::git::process::CancelFlag;
use humctl_core::manifest::Object;
use humctl_core::orchestrator::driver_client::{self, Caller, SystemClock};
use serde_json::Value;

use crate::client::driver::DriverHttp;
use crate::commands::manifests;
use crate::context::Context;
use crate::error::CliError;
use crate::input::read_text;
use crate::output::progress::Progress;
use crate::output::{Format, warn};

/// Try out what a Resource Definition makes of given inputs
///
/// Shows what a Definition for the Driver `humanitec/echo` or
/// `humanitec/template` makes, without an Orchestrator, a cluster or an
/// account. Placeholders and secrets get their values from the inputs file.
/// Random functions give the same values at each run.
///
/// With --driver-url the inputs go to an HTTP Driver, of whatever type, until
/// it is done. The cookie that it sets is part of the result; put it into the
/// inputs file to update the resource, or to delete it with --destroy.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl resources test-definition redis.yaml --generate > inputs.yaml
  humctl resources test-definition redis.yaml --inputs inputs.yaml
  humctl resources test-definition queue.yaml --inputs inputs.yaml \
    --driver-url http://localhost:8080 --destroy

See also: humctl apply, humctl resources diff"#)]
pub(crate) struct TestDefinitionArgs {
    /// File with the Definition, or - for stdin
    #[arg(value_name = "FILE")]
    file: String,
    /// Print an inputs file to be filled in, with every placeholder of the Definition
    #[arg(long, conflicts_with = "inputs")]
    generate: bool,
    /// File with the keys `placeholders`, `resource`, `secretRefs` and `cookie`
    #[arg(long, value_name = "FILE", required_unless_present = "generate")]
    inputs: Option<PathBuf>,
    /// Address of an HTTP Driver, to which the resource's id is added: https, or http on this machine
    #[arg(long, value_name = "URL")]
    driver_url: Option<String>,
    /// Delete the resource of the HTTP Driver instead of making it
    #[arg(long, requires = "driver_url", conflicts_with = "generate")]
    destroy: bool,
}

pub(crate) fn run(context: &Context, args: &TestDefinitionArgs) -> Result<(), CliError> {
    let definition = read_definition(&args.file)?;
    let in_file = |error: trial::TrialError| in_file(&args.file, &error);
    let Some(inputs_file) = &args.inputs else {
        let skeleton = trial::skeleton(&definition, args.driver_url.is_some()).map_err(in_file)?;
        return context.output.text(&skeleton);
    };
    let inputs = read_inputs(inputs_file)?;
    if let Some(url) = &args.driver_url {
        return run_http(context, args, &definition, &inputs, url);
    }
    let trial = trial::run(&definition, &inputs).map_err(in_file)?;
    for warning in &trial.warnings {
        warn(&format!("{}: {warning}", args.file));
    }
    show(context, &trial.result)
}

fn show(context: &Context, result: &Value) -> Result<(), CliError> {
    match context.output.format() {
        // What people read here is what they would write into a manifest.
        Format::Table => {
            let text = humctl_core::yaml::to_string(result).map_err(|error| CliError::user(error.to_string()))?;
            context.output.text(&text)
        }
        _ => context.output.document(result),
    }
}

/// Makes or deletes the resource at an HTTP Driver.
fn run_http(
    context: &Context,
    args: &TestDefinitionArgs,
    definition: &CreateDefinition,
    inputs: &trial::TrialInputs,
    url: &str,
) -> Result<(), CliError> {
    let transport = DriverHttp::open(url, context.connection(), CancelFlag::default());
    let transport = transport.map_err(|reason| CliError::user(format!("--driver-url: {reason}")))?;
    let in_file = |error: trial::TrialError| in_file(&args.file, &error);
    let failed = |error: HttpDriverError| {
        CliError::user(format!("{}: the Driver `{}` at `{url}`: {error}", args.file, definition.driver_type))
    };
    // There is nothing to wind up: a Driver goes on, and is asked again at the next run.
    let at_once = Arc::new(AtomicBool::new(true));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&at_once));
    }
    let clock = SystemClock::start(CancelFlag::default());
    // The cookie is part of the result.
    let caller = Caller { transport: &transport, clock: &clock, remember: &|_| Ok(()) };
    if args.destroy {
        let mut resource = trial::http_resource(definition, inputs).map_err(in_file)?;
        let progress = Progress::start("deleting");
        let deleted = driver_client::destroy(&caller, &mut resource).map_err(failed)?;
        drop(progress);
        return context.output.message(&match deleted {
            Deleted::Now => format!("Resource {} deleted", resource.guresid),
            Deleted::Before => format!("Resource {} is not there", resource.guresid),
        });
    }
    let (mut resource, inputs) = trial::http_trial(definition, inputs).map_err(in_file)?;
    let progress = Progress::start("provisioning");
    let outputs = driver_client::provision(&caller, &mut resource, &inputs).map_err(failed)?;
    drop(progress);
    show(context, &outputs.document(&resource.cookie))
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
    let text = read_text(file)?;
    trial::read_inputs(&text).map_err(|error| {
        in_file(&file.display().to_string(), &error)
            .with_hint("see what belongs into it with: humctl resources test-definition FILE --generate")
    })
}
