//! `humctl doctor`

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, OrgId};
use humctl_core::state::{KeyLocation, SqliteStore, key_location};
use serde_json::json;

use crate::client::Client;
use crate::client::keyring::token_keyring;
use crate::config::ConfigFile;
use crate::context::Context;
use crate::env;
use crate::error::CliError;
use crate::output::progress::Progress;
use crate::output::style;

/// Check that humctl has what it needs, and say what to do about the rest
///
/// Looks at the configuration, the API or the local state, Git, SSH, the keyring,
/// and the Git target of every Environment (of --app and --env, where they are
/// given). Nothing is changed. Fails when something would keep a Deployment from
/// working.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl doctor
  humctl doctor --app shop --env production
  humctl doctor --offline -o json | jq '.[] | select(.Level == "PROBLEM")'

See also: humctl config, humctl login"#)]
pub(crate) struct DoctorArgs {
    /// Leave out what needs the network: the hosted API and Git targets
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warning,
    Problem,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Problem => "PROBLEM",
        }
    }
}

/// What was found out about one thing.
struct Finding {
    subject: String,
    level: Level,
    message: String,
    remedy: Option<String>,
}

impl Finding {
    fn ok(subject: &str, message: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), level: Level::Ok, message: message.into(), remedy: None }
    }

    fn warning(subject: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, remedy: Some(remedy.into()), ..Self::ok(subject, message) }
    }

    fn problem(subject: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Problem, remedy: Some(remedy.into()), ..Self::ok(subject, message) }
    }

    /// An error with its own hints.
    fn failed(subject: &str, error: &CliError) -> Self {
        let text = error.text();
        let (message, remedy) = text.split_once("\n  hint: ").unwrap_or((&text, ""));
        let remedy = (!remedy.is_empty()).then(|| remedy.replace("\n  hint: ", "; "));
        Self { level: Level::Problem, remedy, ..Self::ok(subject, message) }
    }
}

pub(crate) fn run(context: &Context, args: &DoctorArgs) -> Result<ExitCode, CliError> {
    let progress = Progress::start("looking around");
    let mut findings = vec![configuration(context)?];
    let is_local = context.client().is_local();
    if is_local {
        findings.extend([state(context), git(), ssh(), cache()]);
    }
    findings.push(keyring());
    if is_local || !args.offline {
        findings.extend(api(context));
    }
    if !args.offline && findings.iter().all(|finding| finding.level != Level::Problem) {
        findings.extend(targets(context));
    }
    drop(progress);
    show(context, &findings)?;
    let is_well = findings.iter().all(|finding| finding.level != Level::Problem);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// As [`run`], when the configuration keeps everything else from being looked at.
pub(crate) fn unusable(context: &Context, error: &CliError) -> Result<ExitCode, CliError> {
    show(context, &[Finding::failed("configuration", error), git(), ssh(), cache(), keyring()])?;
    Ok(ExitCode::FAILURE)
}

fn show(context: &Context, findings: &[Finding]) -> Result<(), CliError> {
    if context.output.is_machine() {
        let entry = |finding: &Finding| {
            json!({
                "Subject": finding.subject, "Level": finding.level.word(),
                "Message": finding.message, "Remedy": finding.remedy,
            })
        };
        return context.output.document(&findings.iter().map(entry).collect());
    }
    let width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for finding in findings {
        let message = finding.message.replace('\n', "\n  ");
        text.push_str(&format!("{:<7}  {:<width$}  {message}\n", finding.level.word().to_lowercase(), finding.subject));
        if let Some(remedy) = &finding.remedy {
            text.push_str(&format!("  remedy: {}\n", remedy.replace('\n', "\n  ")));
        }
    }
    context.output.painted(&text, paint)
}

/// How the level at the head of a line is painted.
fn paint(line: &str) -> Option<(&str, anstyle::Style)> {
    let levels =
        [("ok", style::GOOD), ("warning", style::DOUBTFUL), ("problem", style::BAD), ("  remedy:", style::HINT)];
    levels.into_iter().find(|(head, _)| line.starts_with(head))
}

fn configuration(context: &Context) -> Result<Finding, CliError> {
    const SUBJECT: &str = "configuration";
    let Some(path) = context.config_path.as_deref() else {
        return Ok(Finding::warning(SUBJECT, "there is no home directory", "set HOME, or name a file with --config"));
    };
    // It was read before we got here, so it can be.
    let file = ConfigFile::read(Some(path.to_owned()))?;
    let place = path.display();
    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(Finding::ok(SUBJECT, format!("{place} is not there, which is fine")));
    };
    let mode = metadata.permissions().mode() & 0o777;
    if file.get("token").is_some() && mode & 0o077 != 0 {
        return Ok(Finding::warning(
            SUBJECT,
            format!("{place} holds a token, and others may read it (mode {mode:o})"),
            format!("chmod 600 {place}"),
        ));
    }
    Ok(Finding::ok(SUBJECT, place.to_string()))
}

/// The embedded Orchestrator's memory.
fn state(context: &Context) -> Finding {
    const SUBJECT: &str = "state";
    let look = || -> Result<String, CliError> {
        let Some(settings) = context.client().local_settings() else { return Ok(String::new()) };
        let file = settings.state_file()?;
        let is_there = file.exists();
        // Reading opens the file, and checks its version.
        context.client().call(&endpoint::applications(&context.org()?))?;
        let location = key_location(&SqliteStore::new(file.clone()), &settings.key_source()?);
        let key = match location.map_err(|error| CliError::user(error.to_string()))? {
            Some(KeyLocation::Keyring) => ", sealed with a key in the keyring",
            Some(KeyLocation::File) => ", sealed with a key in a file beside it",
            Some(KeyLocation::Environment) => ", sealed with HUMCTL_STATE_KEY",
            None => "",
        };
        Ok(match is_there {
            true => format!("{}{key}", file.display()),
            false => format!("{} is made with the first change", file.display()),
        })
    };
    match look() {
        Ok(message) => Finding::ok(SUBJECT, message),
        Err(error) => Finding::failed(SUBJECT, &error),
    }
}

/// The oldest Git with which everything was tried.
const MIN_GIT: (u32, u32) = (2, 31);

fn git() -> Finding {
    const SUBJECT: &str = "git";
    let remedy = format!("install Git {}.{} or later, as in: apt-get install git", MIN_GIT.0, MIN_GIT.1);
    let Some(text) = first_line(Command::new("git").arg("--version")) else {
        return Finding::problem(SUBJECT, "the program git cannot be run", remedy);
    };
    let version = text.split_whitespace().nth(2).unwrap_or_default();
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or_default());
    let found = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    match found >= MIN_GIT {
        true => Finding::ok(SUBJECT, text),
        false => Finding::warning(SUBJECT, format!("{text} is old"), remedy),
    }
}

fn ssh() -> Finding {
    const SUBJECT: &str = "ssh";
    match first_line(Command::new("ssh").arg("-V")) {
        Some(text) => Finding::ok(SUBJECT, text),
        None => Finding::warning(
            SUBJECT,
            "the program ssh cannot be run, so targets over SSH cannot be reached",
            "install it, as in: apt-get install openssh-client",
        ),
    }
}

/// The first line that a program prints, on whichever stream.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).lines().next().map(ToOwned::to_owned)
}

/// The directories that Git works in.
fn cache() -> Finding {
    const SUBJECT: &str = "directories";
    let directories: Vec<_> = [env::cache_dir(), env::runtime_dir()].into_iter().flatten().collect();
    let unusable = directories.iter().find_map(|directory| Some((directory, writable(directory).err()?)));
    match unusable {
        None if directories.is_empty() => Finding::problem(SUBJECT, "there is no home directory", "set HOME"),
        None => Finding::ok(
            SUBJECT,
            directories.iter().map(|directory| directory.display().to_string()).collect::<Vec<_>>().join(", "),
        ),
        Some((directory, error)) => Finding::problem(
            SUBJECT,
            format!("`{}` cannot be written to: {error}", directory.display()),
            "mend its permissions, or name other places with XDG_CACHE_HOME and XDG_RUNTIME_DIR",
        ),
    }
}

/// Tries the nearest directory that is there, and leaves nothing behind.
fn writable(directory: &Path) -> std::io::Result<()> {
    let there = directory.ancestors().find(|directory| directory.is_dir()).unwrap_or(directory);
    let probe = there.join(format!(".humctl-doctor-{}", std::process::id()));
    std::fs::File::create_new(&probe)?;
    std::fs::remove_file(&probe)
}

fn keyring() -> Finding {
    const SUBJECT: &str = "keyring";
    match token_keyring("doctor".to_owned()).map(|entry| entry.read()) {
        None => Finding::ok(SUBJECT, "this build has none; secrets are kept in files that only you can read"),
        Some(Ok(_)) => Finding::ok(SUBJECT, "can be used: humctl login --store keyring"),
        Some(Err(error)) => {
            let error = error.lines().next().unwrap_or_default();
            Finding::ok(SUBJECT, format!("none here, so secrets are kept in files that only you can read ({error})"))
        }
    }
}

/// Whether the API knows us, and what the context names.
fn api(context: &Context) -> Vec<Finding> {
    let client = context.client();
    let mut findings = Vec::new();
    if let Client::Remote { settings, .. } = client {
        match client.get("/current-user") {
            Err(error) => return vec![Finding::failed("api", &error)],
            Ok(user) => {
                let name = user.get("name").and_then(serde_json::Value::as_str).unwrap_or("somebody");
                findings.push(Finding::ok("api", format!("{} knows you as {name}", settings.host())));
            }
        }
    } else {
        findings.push(Finding::ok("api", "the embedded Orchestrator, in this process"));
    }
    if let (Some(_), Ok((org, app))) = (context.named_app(), context.app())
        && let Err(error) = client.call(&endpoint::application(&org, &app))
    {
        findings.push(Finding::failed("application", &error));
    } else if let (Some(_), Some(_), Ok((org, app, env))) = (context.named_app(), context.named_env(), context.env())
        && let Err(error) = client.call(&endpoint::environment(&org, &app, &env))
    {
        findings.push(Finding::failed("environment", &error));
    }
    findings
}

/// The Git target of every Environment in the context.
fn targets(context: &Context) -> Vec<Finding> {
    let client = context.client();
    let environments = match environments(context) {
        Ok(environments) => environments,
        Err(error) => return vec![Finding::failed("targets", &error)],
    };
    let mut findings = Vec::new();
    for (org, app, env) in environments {
        let subject = format!("target of {app}/{env}");
        match client.call(&endpoint::check_target(&org, &app, &env)) {
            Ok(target) => {
                let branch = if target.branch_exists { "" } else { " (the first Deployment makes it)" };
                let path = if target.path.is_empty() { "the root" } else { &target.path };
                let message = format!("{}, branch {}{branch}, directory {path}", target.url, target.branch);
                findings.push(Finding::ok(&subject, message));
            }
            // A hosted Orchestrator keeps this to itself.
            Err(error) if error.is_status(404) && !client.is_local() => return findings,
            Err(error) => findings.push(Finding::failed(&subject, &error)),
        }
    }
    findings
}

fn environments(context: &Context) -> Result<Vec<(OrgId, AppId, EnvId)>, CliError> {
    let org = context.org()?;
    let apps = context.client().call(&endpoint::applications(&org))?;
    let all = apps.into_iter().flat_map(|app| {
        let envs = app.envs.into_iter().map(|env| env.id);
        envs.map(move |env| (app.id.clone(), env)).collect::<Vec<_>>()
    });
    Ok(all
        .filter(|(app, _)| context.named_app().is_none_or(|named| named == app.as_str()))
        .filter(|(_, env)| context.named_env().is_none_or(|named| named == env.as_str()))
        .map(|(app, env)| (org.clone(), app, env))
        .collect())
}
