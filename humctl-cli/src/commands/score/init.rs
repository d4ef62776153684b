//! `humctl score init`

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::CliError;

/// A Workload with a port, a domain name and a route to it.
const SAMPLE: &str = include_str!("sample.yaml");

/// Write a sample Score file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl score init
  humctl score init -f web/score.yaml
  humctl score init -f -

See also: humctl score validate, humctl score deploy")]
pub(crate) struct InitArgs {
    /// File to write, which must not exist yet; - prints it instead
    #[arg(long, short, value_name = "FILE", default_value = "score.yaml")]
    file: PathBuf,
}

pub(crate) fn run(context: &Context, args: &InitArgs) -> Result<(), CliError> {
    if args.file == Path::new("-") {
        return context.output.text(SAMPLE);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            CliError::user(format!("`{}` exists already", args.file.display()))
                .with_hint("name another file with -f, or print the sample with -f -")
        } else {
            CliError::file("write", &args.file, &error)
        }
    })?;
    file.write_all(SAMPLE.as_bytes()).map_err(|error| CliError::file("write", &args.file, &error))?;
    context.output.message(&format!("Wrote {}", args.file.display()))
}
