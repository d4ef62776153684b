//! Our API against what others made for the official one: schemathesis asks
//! every operation of the official document that we serve, and the official
//! TypeScript client drives a deployment from its beginning to its end.
//!
//! Both are installed under `target/conformance/` the first time, at the
//! versions named here, and ask a server on this machine. Beside them
//! kubernetes-validate holds the objects of the examples, and those that we
//! render, against the schemas of Kubernetes.

mod document;
mod objects;
mod seed;
mod server;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::conformance::server::{Server, TOKEN};
use crate::{build, program, root, say};

const SCHEMATHESIS: &str = "4.32.5";
const KUBERNETES_VALIDATE: &str = "1.37.0";
const CLIENT: &str = "@humanitec/autogen";
const CLIENT_VERSION: &str = "0.0.11";

/// What has to be validated at least, so that a run without objects is no success.
const MIN_OBJECTS: u64 = 300;

/// Examples for each operation.
const N_EXAMPLES: &str = "25";
const N_EXAMPLES_QUICK: &str = "4";

pub(crate) fn run(flag: Option<&str>) -> Result<()> {
    let (is_quick, is_for_objects) = match flag {
        None => (false, false),
        Some("--quick") => (true, false),
        Some("--objects") => (false, true),
        Some(other) => bail!("unknown flag `{other}`; known are --quick and --objects"),
    };
    say("\n==> conformance\n");
    let official = root().join("../shared/data/openapi.json");
    let Ok(text) = fs::read_to_string(official) else {
        say("skipped: ../shared/data not present\n");
        return Ok(());
    };
    let place = program("conformance", "");
    fs::create_dir_all(&place)?;
    if is_for_objects {
        let n_objects = validate_objects(&place)?;
        say(&format!("conformance: kubernetes-validate {KUBERNETES_VALIDATE} {n_objects} objects\n"));
        return Ok(());
    }
    let humctl = build()?;
    let n_cases = ask_everything(&place, humctl.clone(), &text, is_quick)?;
    let n_calls = drive_client(&place, humctl)?;
    let n_objects = validate_objects(&place)?;
    say(&format!(
        "conformance: schemathesis {SCHEMATHESIS} {n_cases} cases, {CLIENT} {CLIENT_VERSION} {n_calls} calls, \
         kubernetes-validate {KUBERNETES_VALIDATE} {n_objects} objects\n"
    ));
    Ok(())
}

/// Runs schemathesis; returns the number of its cases.
fn ask_everything(place: &Path, humctl: PathBuf, text: &str, is_quick: bool) -> Result<u64> {
    let schemathesis = install_schemathesis(place)?;
    let server = Server::start(humctl)?;
    let ids = seed::seed(&server)?;
    let mut document: Value = serde_json::from_str(text).context("the official document is no JSON")?;
    let n_operations = document::narrow(&mut document, &server.address)?;
    say(&format!("{n_operations} operations of the official document are served\n"));
    ensure!(n_operations > 0, "no operation of the official document is served");
    let (file, report) = (server.path("openapi.json"), server.path("report.json"));
    fs::write(&file, document.to_string())?;
    fs::write(server.path("ids.json"), ids.to_string())?;
    // The hooks are read from where they are kept; Python must not write beside them.
    let hooks = root().join("xtask/src/conformance/hooks.py");
    let mut command = server.command(&schemathesis);
    command
        .env("SCHEMATHESIS_HOOKS", hooks)
        .env("HUMCTL_IDS", server.path("ids.json"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["run", "--no-color", "--url", &server.address])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        // The same cases in every run.
        .args(["--seed", "1", "--generation-deterministic"])
        .args(["--max-examples", if is_quick { N_EXAMPLES_QUICK } else { N_EXAMPLES }])
        .args(["--phases", if is_quick { "coverage,fuzzing" } else { "examples,coverage,fuzzing,stateful" }])
        .args(["--checks", CHECKS, "--continue-on-failure", "--warnings", "off", "--request-timeout", "30"])
        .args(["--suppress-health-check", "all", "--workers", "1"])
        .args(["--report", "json", "--report-json-path"])
        .args([&report, &file]);
    if is_quick {
        command.arg("--no-shrink");
    }
    let status = command.status().context("cannot run schemathesis")?;
    let kept = place.join("report.json");
    fs::copy(&report, &kept).context("schemathesis wrote no report")?;
    fs::write(place.join("serve.log"), server.log())?;
    ensure!(status.success(), "schemathesis found deviations; see {} and serve.log beside it", kept.display());
    server.end()?;
    n_cases(&kept)
}

/// What every answer is held to; `hooks.py` has those of ours and says which others are off, and why.
const CHECKS: &str = "response_schema_conformance,content_type_conformance,response_headers_conformance,\
    unsupported_method,allow_header_conformance,listed_or_standard,no_crash,nobody_without_token";

fn n_cases(report: &Path) -> Result<u64> {
    let report: Value = serde_json::from_str(&fs::read_to_string(report)?)?;
    let n_cases = report.pointer("/test_cases/generated").and_then(Value::as_u64).unwrap_or_default();
    ensure!(n_cases > 0, "schemathesis ran no case");
    Ok(n_cases)
}

/// Makes a virtual environment with schemathesis, unless there is one.
fn install_schemathesis(place: &Path) -> Result<PathBuf> {
    let venv = place.join(format!("schemathesis-{SCHEMATHESIS}"));
    let program = venv.join("bin/schemathesis");
    if program.exists() {
        return Ok(program);
    }
    say(&format!("installing schemathesis {SCHEMATHESIS} …\n"));
    quietly("python3", ["-m", "venv", "--clear"].map(OsStr::new).into_iter().chain([venv.as_os_str()]), place)
        .context("cannot make a virtual environment; install it with: apt-get install -y python3-venv")?;
    pip_install(&venv, &format!("schemathesis=={SCHEMATHESIS}"), place)?;
    Ok(program)
}

fn pip_install(venv: &Path, requirement: &str, place: &Path) -> Result<()> {
    let arguments = ["install", "--quiet", "--disable-pip-version-check", "--no-compile", requirement];
    quietly(venv.join("bin/pip"), arguments.map(OsStr::new), place)
}

/// Validates what the examples have for Argo CD and Flux, and everything that
/// we render; returns the number of objects.
fn validate_objects(place: &Path) -> Result<u64> {
    let venv = place.join(format!("schemathesis-{SCHEMATHESIS}"));
    install_schemathesis(place)?;
    let mark = venv.join(format!("kubernetes-validate-{KUBERNETES_VALIDATE}"));
    if !mark.exists() {
        say(&format!("installing kubernetes-validate {KUBERNETES_VALIDATE} …\n"));
        pip_install(&venv, &format!("kubernetes-validate=={KUBERNETES_VALIDATE}"), place)?;
        fs::write(&mark, "")?;
    }
    let examples = fs::read_dir(root().join("examples"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| [path.join("argocd.yaml"), path.join("flux.yaml")]);
    let output = Command::new(venv.join("bin/python"))
        .arg("-c")
        .arg(include_str!("kubernetes_objects.py"))
        .args(examples)
        .arg(objects::render(place)?)
        .output()
        .context("cannot run kubernetes-validate")?;
    ensure!(output.status.success(), "kubernetes-validate failed: {}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).context("the validator told no JSON")?;
    for (kind, count) in told["passed_over"].as_object().into_iter().flatten() {
        say(&format!("passed over, since Kubernetes itself has no such kind: {count} × {kind}\n"));
    }
    let invalid: Vec<&str> = told["invalid"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    ensure!(invalid.is_empty(), "{} objects are none of Kubernetes:\n{}", invalid.len(), invalid.join("\n"));
    let n_valid = told["valid"].as_u64().unwrap_or_default();
    ensure!(n_valid >= MIN_OBJECTS, "{n_valid} objects were validated, and {MIN_OBJECTS} are expected");
    Ok(n_valid)
}

/// Runs the official client; returns the number of its calls.
fn drive_client(place: &Path, humctl: PathBuf) -> Result<u64> {
    let package = place.join("client");
    fs::create_dir_all(&package)?;
    let installed = package.join("node_modules").join(CLIENT).join("package.json");
    let is_there = fs::read_to_string(installed).is_ok_and(|text| text.contains(&format!("\"{CLIENT_VERSION}\"")));
    if !is_there {
        say(&format!("installing {CLIENT} {CLIENT_VERSION} …\n"));
        fs::write(package.join("package.json"), "{\"private\": true}\n")?;
        let requirement = format!("{CLIENT}@{CLIENT_VERSION}");
        let arguments = ["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"];
        quietly("npm", arguments.into_iter().chain([requirement.as_str()]).map(OsStr::new), &package)
            .context("cannot install the client; npm is installed with: apt-get install -y nodejs npm")?;
    }
    // Node looks for packages beside the script.
    let script = package.join("client.mjs");
    fs::write(&script, include_str!("client.mjs"))?;
    let server = Server::start(humctl)?;
    let output = server
        .command(Path::new("node"))
        .arg(&script)
        .env("HUMCTL_ADDRESS", &server.address)
        .env("HUMCTL_TOKEN", TOKEN)
        .output()
        .context("cannot run node; install it with: apt-get install -y nodejs npm")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    say(&told);
    say(&String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the official client met something else than it expects");
    server.end()?;
    let calls = told.lines().last().and_then(|line| line.strip_suffix(" calls")).and_then(|n| n.parse().ok());
    calls.context("the client did not tell its number of calls")
}

/// Runs an installer; its output is shown when it fails.
fn quietly<'a>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = &'a OsStr>,
    directory: &Path,
) -> Result<()> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let output = Command::new(&program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .with_context(|| format!("cannot run `{name}`"))?;
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    ensure!(output.status.success(), "`{name}` ended with {}: {told}", output.status);
    Ok(())
}
