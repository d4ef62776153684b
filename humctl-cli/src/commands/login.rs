//! `humctl login`

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use humctl_api_types::endpoint::{self, Method};
use humctl_core::hash;
use humctl_core::secret::{SecretValue, random_bytes};
use serde_json::{Value, json};

use crate::browser;
use crate::client::token::{IN_KEYRING, Token, check, delete_from_keyring, write_keyring};
use crate::client::{ApiRequest, Client};
use crate::config::{ConfigFile, TOKEN_STORE};
use crate::context::Context;
use crate::env;
use crate::error::CliError;
use crate::input::read_stdin;
use crate::output::progress::Progress;

/// How long between two questions whether the login was granted.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a login may take.
const TIME_LIMIT: Duration = Duration::from_mins(5);

/// Log in to a hosted Orchestrator, and keep its token
///
/// Shows the address of a page that asks for your consent, and opens it in the
/// browser where there is a terminal. With --token - the token is read from stdin,
/// without showing it on a terminal; --token TOKEN works too, but then other users
/// of the machine can see it in the list of processes. The token is tried before it
/// is kept. An --api-prefix is kept with it. No login is needed to deploy with the
/// embedded Orchestrator.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl login
  humctl login --token - < token.txt
  humctl login --token - --store keyring --api-prefix https://api.example.com

See also: humctl logout, humctl config, humctl doctor")]
pub(crate) struct LoginArgs {
    /// Where the token is kept: in ~/.humctl, which only you can read, or in the keyring
    #[arg(long, value_name = "WHERE", default_value = "file", value_parser = ["file", "keyring"])]
    store: String,
    /// Open no browser
    #[arg(long)]
    no_browser: bool,
}

pub(crate) fn run(context: &Context, args: &LoginArgs) -> Result<(), CliError> {
    let anonymous = context.client_with(Token::Absent)?;
    let token = match context.flag_token() {
        None => device_flow(context, &anonymous, args)?,
        Some("-") => given()?,
        Some(token) => SecretValue::new(token.trim()),
    };
    check(&token)?;
    // Tried first: what does not work is not kept, and what is kept is not lost.
    let client = context.client_with(Token::Given(token.clone()))?;
    let user = client.call(&endpoint::current_user())?;
    keep(context, args, &token)?;
    let host = client.host().unwrap_or_default();
    let name = [&user.name, &user.email, &user.id].into_iter().find(|text| !text.is_empty());
    context.output.message(&format!("logged in as {} at {host}", name.map_or("nobody", String::as_str)))?;
    if env::get(env::TOKEN).is_some() && !context.output.is_machine() {
        context.output.line(&format!("note: {} is set, and wins over this login", env::TOKEN))?;
    }
    Ok(())
}

/// The token from stdin, or what is typed unseen.
fn given() -> Result<SecretValue, CliError> {
    if std::io::stdin().is_terminal() {
        return dialoguer::Password::new()
            .with_prompt("Token")
            .interact()
            .map(|text| SecretValue::new(text.trim()))
            .map_err(|error| CliError::user(format!("no token was typed: {error}")));
    }
    Ok(SecretValue::new(read_stdin()?.trim()))
}

/// Stores the token in one place and removes it from the other.
fn keep(context: &Context, args: &LoginArgs, token: &SecretValue) -> Result<(), CliError> {
    let file = ConfigFile::read(context.config_path.clone())?;
    let is_in_keyring = file.get(TOKEN_STORE).as_deref() == Some(IN_KEYRING);
    let mut changes = match args.store.as_str() {
        IN_KEYRING => {
            write_keyring(&file, token)?;
            vec![("token", None), (TOKEN_STORE, Some(IN_KEYRING))]
        }
        _ => {
            if is_in_keyring && let Err(error) = delete_from_keyring(&file) {
                tracing::warn!("the former token stays in the keyring: {error}");
            }
            vec![("token", Some(token.expose())), (TOKEN_STORE, None)]
        }
    };
    // A token is of use at its own address only.
    if let Some(prefix) = context.flag_prefix() {
        changes.push(("apiPrefix", Some(prefix)));
    }
    file.set(&changes)
}

/// Lets the user consent in a browser (spec/cli.md §3.5).
fn device_flow(context: &Context, client: &Client, args: &LoginArgs) -> Result<SecretValue, CliError> {
    let device_id = random_bytes::<20>().map_err(|error| CliError::user(error.to_string()))?;
    let asked = json!({ "device_id": hash::hex(&device_id) });
    let started = client.value(Method::Post, "/auth/device", Some(&asked)).map_err(other_ways)?;
    let text = |key: &str| started.get(key).and_then(Value::as_str);
    let (Some(code), Some(page)) = (text("security_code"), text("verification_url")) else {
        return Err(other_ways(CliError::user("the answer of POST /auth/device has no code and no page to open")));
    };
    if !browser::is_page(page) {
        return Err(CliError::user("POST /auth/device answered with a page that is no address of the web"));
    }
    let invitation = format!("Open this page to log in: {page}");
    if context.output.is_machine() {
        // Whoever reads the result must not take this for it.
        crate::output::tell(&invitation);
    } else {
        context.output.line(&invitation)?;
    }
    if !args.no_browser && std::io::stdout().is_terminal() {
        browser::open(page);
    }
    poll(client, code)
}

/// Asks again and again until the user has decided.
fn poll(client: &Client, code: &str) -> Result<SecretValue, CliError> {
    let body = json!({ "security_code": code });
    let until = Instant::now() + TIME_LIMIT;
    let _progress = Progress::start("waiting for your consent");
    while Instant::now() < until {
        std::thread::sleep(PAUSE);
        let response = match client.exchange(ApiRequest::new(Method::Post, "/auth/device-poll").with_json(Some(&body)))
        {
            Err(error) if error.is_passing() => continue,
            other => other?,
        };
        match response.status {
            202 | 429 | 502..=504 => {}
            200 => {
                let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                return match (&answer["accepted"], &answer["access_token"]) {
                    (Value::Bool(true), Value::String(token)) => Ok(SecretValue::new(token)),
                    (Value::Bool(false), _) => Err(CliError::user("the login was refused in the browser")),
                    _ => Err(CliError::user("the answer of POST /auth/device-poll holds no token")),
                };
            }
            status => return Err(other_ways(CliError::api(status, &response.body, client.host()))),
        }
    }
    Err(CliError::user(format!("nobody consented within {} minutes", TIME_LIMIT.as_secs() / 60))
        .with_hint("run humctl login again"))
}

fn other_ways(error: CliError) -> CliError {
    error.with_hint("with a token from elsewhere: humctl login --token -")
}
