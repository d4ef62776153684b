//! Developer chores: `cargo xtask CHORE`.

mod bench;
mod ci;
mod conformance;
mod demo;
mod fuzz;
mod man;
mod mutants;
mod rendering;
mod tidy;
mod vectors;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "\
cargo xtask CHORE

  demo   run the main job in a temporary directory, and check it
  ci     what CI runs: formatting, clippy, tidy, demo, conformance, tests
  conformance [--quick|--objects]
         ask the API with schemathesis and with the official TypeScript client, and hold the objects
         of the examples and those that we render against the schemas of Kubernetes; --objects does
         only the last; what that takes is installed under `target/conformance` the first time
  tidy   check the rules of the house that no compiler checks
  bench  print the budgets and what is measured against them; `bench cli`, `bench plan`,
         `bench render` and `bench git` run a part
  man [DIR]
         write a man page for each command, into `target/man` unless told otherwise
  fuzz [SECONDS [TARGET]]
         look for input that breaks a law of `fuzz/src/lib.rs`, each target in turn, 600 seconds
         unless told otherwise; needs cargo-fuzz and a nightly compiler
  mutants [WORD]
         take the guards of secrets away one by one, and expect a test to fail for each; WORD
         chooses by what would leak
  vectors FILE
         run templates against what Go makes of them, one JSON object a line
";

fn main() -> ExitCode {
    let chore = std::env::args().nth(1).unwrap_or_default();
    let result = match chore.as_str() {
        "demo" => demo::run(),
        "ci" => ci::run(),
        "tidy" => tidy::run(),
        "conformance" => conformance::run(std::env::args().nth(2).as_deref()),
        "vectors" => vectors::run(std::env::args().nth(2).as_deref()),
        "fuzz" => fuzz::run(std::env::args().nth(2).as_deref(), std::env::args().nth(3).as_deref()),
        "mutants" => mutants::run(std::env::args().nth(2).as_deref()),
        "man" => man::run(std::env::args().nth(2).as_deref()),
        "bench" => bench::run(std::env::args().nth(2).as_deref()),
        _ => {
            say(USAGE);
            return ExitCode::FAILURE;
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask {chore} failed: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Prints text; a closed pipe is nobody's problem here.
fn say(text: &str) {
    use std::io::Write as _;
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Runs a command at the root; its output is shown.
fn show(program: &str, arguments: &[&str]) -> Result<()> {
    say(&format!("\n==> {program} {}\n", arguments.join(" ")));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run `{program}`"))?;
    if !status.success() {
        bail!("`{program} {}` ended with {status}", arguments.join(" "));
    }
    Ok(())
}

/// Builds humctl and returns the program file.
fn build() -> Result<PathBuf> {
    let arguments = ["build", "--quiet", "--package", "humctl-cli", "--bin", "humctl"];
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(root()).status()?;
    if !status.success() {
        bail!("humctl does not build");
    }
    Ok(program("debug", "humctl"))
}

/// The file of a program that was built.
fn program(directory: &str, name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    root().join(target).join(directory).join(name)
}
