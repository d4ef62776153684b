//! What a command gets: resolved settings, a client, and the output.
//!
//! Settings are resolved once, flag before environment before file, and an
//! error about a missing one says how to give it.

use std::path::PathBuf;

use humctl_api_types::id::{AppId, EnvId, IdError, OrgId};
use humctl_core::graph::SelectorDepth;

use crate::args::GlobalArgs;
use crate::client::Client;
use crate::client::http::Connection;
use crate::client::local::LocalSettings;
use crate::client::remote::{RemoteSettings, check_address};
use crate::client::token::Token;
use crate::config::ConfigFile;
use crate::env;
use crate::error::CliError;
use crate::output::{Format, Output};

/// The hosted Orchestrator, which a token means when nothing else is said.
const HOSTED: &str = "https://api.humanitec.io";

/// The Organization of local mode when none is configured.
const LOCAL_ORG: &str = "local";

/// Everything that the environment of a command decides.
#[derive(Debug)]
pub(crate) struct Context {
    org: Option<String>,
    app: Option<String>,
    env: Option<String>,
    flag_app: Option<String>,
    flag_env: Option<String>,
    selector_depth: Option<String>,
    flag_token: Option<String>,
    flag_prefix: Option<String>,
    prefix: Option<String>,
    connection: Connection,
    /// The configuration file.
    pub(crate) config_path: Option<PathBuf>,
    pub(crate) output: Output,
    client: Client,
}

/// One place that settings come from.
#[derive(Default)]
struct Layer {
    org: Option<String>,
    app: Option<String>,
    env: Option<String>,
}

impl Layer {
    /// Specific values, with the parts of a context path below them.
    fn new(
        org: Option<String>,
        app: Option<String>,
        env: Option<String>,
        context: Option<&str>,
    ) -> Result<Self, CliError> {
        let parts = context.map(split_context).transpose()?.unwrap_or_default();
        Ok(Self { org: org.or(parts.org), app: app.or(parts.app), env: env.or(parts.env) })
    }
}

fn config_path(globals: &GlobalArgs) -> Option<PathBuf> {
    globals.config.clone().or_else(|| env::home().map(|home| home.join(".humctl")))
}

/// Checks an address as `apiPrefix` has it.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), CliError> {
    match prefix.strip_prefix("local") {
        Some(rest) if rest.is_empty() || rest.starts_with(':') => Ok(()),
        _ => check_address(prefix).map(drop),
    }
}

/// Checks a context as `context` has it.
pub(crate) fn check_context(path: &str) -> Result<(), CliError> {
    split_context(path).map(drop)
}

/// Reads `/orgs/O[/apps/A[/envs/E]]`.
fn split_context(path: &str) -> Result<Layer, CliError> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let text = |text: &&str| Some((*text).to_owned());
    match parts.as_slice() {
        ["orgs", org] => Ok(Layer { org: text(org), ..Layer::default() }),
        ["orgs", org, "apps", app] => Ok(Layer { org: text(org), app: text(app), env: None }),
        ["orgs", org, "apps", app, "envs", env] => Ok(Layer { org: text(org), app: text(app), env: text(env) }),
        _ => Err(CliError::user(format!("context `{path}` is not of the form /orgs/O/apps/A/envs/E"))
            .with_hint("where the configuration has it: humctl config set context --delete")),
    }
}

impl Context {
    /// Resolves everything; no request is made, no state is opened, and no keyring asked.
    pub(crate) fn resolve(globals: &GlobalArgs) -> Result<Self, CliError> {
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let config_path = config_path(globals);
        let file = ConfigFile::read(config_path.clone())?;
        let layers = [
            Layer::new(given(&globals.org), given(&globals.app), given(&globals.env), globals.context.as_deref())?,
            Layer::new(env::get(env::ORG), env::get(env::APP), env::get(env::ENV), env::get(env::CONTEXT).as_deref())?,
            Layer::new(file.get("org"), file.get("app"), file.get("env"), file.get("context").as_deref())?,
        ];
        let first = |pick: fn(&Layer) -> &Option<String>| layers.iter().find_map(|layer| pick(layer).clone());
        let format = given(&globals.output).or_else(|| env::get(env::OUTPUT)).or_else(|| file.get("output"));
        let format = format.map(|word| Format::parse(&word)).transpose().map_err(|error| {
            error.with_hint(
                "it comes from --output, HUMANITEC_OUTPUT or the configuration; mend the latter with: \
                 humctl -o table config set output --delete",
            )
        })?;
        let format = format.unwrap_or(Format::Table);
        let token = Token::resolve(given(&globals.token).or_else(|| env::get(env::TOKEN)), &file);
        let connection = Connection::resolve(file.get("caFile"));
        let prefix = given(&globals.api_prefix)
            .or_else(|| env::get(env::API_PREFIX))
            .or_else(|| env::get(env::LEGACY_API_PREFIX))
            .or_else(|| file.get("apiPrefix"));
        let org = first(|layer| &layer.org);
        let selector_depth = env::get(env::SELECTOR_DEPTH).or_else(|| file.get("selectorDepth"));
        let local =
            |state| Client::local(LocalSettings::new(state, org.clone(), selector_depth.clone(), connection.clone()));
        // An explicit address always wins; without one a token means the hosted API.
        let remote = |prefix: &str, token| RemoteSettings::new(prefix, token, connection.clone()).map(Client::remote);
        let client = match (prefix.as_deref(), token) {
            (Some(prefix), token) => match prefix.strip_prefix("local") {
                Some("") => local(None),
                Some(rest) if rest.starts_with(':') => local(Some(PathBuf::from(&rest[1..]))),
                _ => remote(prefix, token)?,
            },
            (None, token) if token.is_absent() => local(None),
            (None, token) => remote(HOSTED, token)?,
        };
        Ok(Self {
            org,
            app: first(|layer| &layer.app),
            env: first(|layer| &layer.env),
            flag_app: given(&globals.app),
            flag_env: given(&globals.env),
            selector_depth,
            flag_token: given(&globals.token),
            flag_prefix: given(&globals.api_prefix),
            prefix,
            connection,
            config_path,
            output: Output::new(format),
            client,
        })
    }

    /// The context of commands that mend a configuration which cannot be used:
    /// of the command line only its format and file count.
    pub(crate) fn to_mend(globals: &GlobalArgs) -> Result<Self, CliError> {
        globals.api_prefix.as_deref().map(check_prefix).transpose()?;
        globals.context.as_deref().map(check_context).transpose()?;
        let format = globals.output.as_deref().map(Format::parse).transpose()?;
        Ok(Self {
            org: None,
            app: None,
            env: None,
            flag_app: None,
            flag_env: None,
            selector_depth: None,
            flag_token: None,
            flag_prefix: None,
            prefix: None,
            connection: Connection::resolve(None),
            config_path: config_path(globals),
            output: Output::new(format.unwrap_or(Format::Table)),
            client: Client::local(LocalSettings::new(None, None, None, Connection::resolve(None))),
        })
    }

    /// The client for the API.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// How servers are reached.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The token that the command line has.
    pub(crate) fn flag_token(&self) -> Option<&str> {
        self.flag_token.as_deref()
    }

    /// The address that the command line has.
    pub(crate) fn flag_prefix(&self) -> Option<&str> {
        self.flag_prefix.as_deref()
    }

    /// A client of the same API with another token. The embedded Orchestrator
    /// has no logins, unless nothing says that it is meant.
    pub(crate) fn client_with(&self, token: Token) -> Result<Client, CliError> {
        let prefix = self.prefix.as_deref().unwrap_or(HOSTED);
        if prefix == "local" || prefix.starts_with("local:") {
            return Err(CliError::user("the embedded Orchestrator has no logins: it asks for no token")
                .with_hint(format!("name a hosted one: humctl login --api-prefix {HOSTED}")));
        }
        Ok(Client::remote(RemoteSettings::new(prefix, token, self.connection.clone())?))
    }

    /// Waits for work that the client still does in this process.
    pub(crate) fn finish(&self) {
        self.client.finish();
    }

    /// The Organization; in local mode there is always one.
    pub(crate) fn org(&self) -> Result<OrgId, CliError> {
        match &self.org {
            Some(org) => Ok(OrgId::new(org.clone()).map_err(bad_id)?),
            None if self.client.is_local() => Ok(OrgId::new(LOCAL_ORG).map_err(bad_id)?),
            None => Err(CliError::user("organization is required")
                .with_hint("pass --org, set HUMANITEC_ORG, or run humctl config set org NAME")),
        }
    }

    /// How far the steps of Resource selectors reach.
    pub(crate) fn selector_depth(&self) -> Result<SelectorDepth, CliError> {
        selector_depth(self.selector_depth.as_deref())
    }

    /// The Application, if the command line names one.
    pub(crate) fn flag_app(&self) -> Option<&str> {
        self.flag_app.as_deref()
    }

    /// The Environment, if the command line names one.
    pub(crate) fn flag_env(&self) -> Option<&str> {
        self.flag_env.as_deref()
    }

    /// The Application, if one is named anywhere.
    pub(crate) fn named_app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    /// The Environment, if one is named anywhere.
    pub(crate) fn named_env(&self) -> Option<&str> {
        self.env.as_deref()
    }

    /// Organization and Application.
    pub(crate) fn app(&self) -> Result<(OrgId, AppId), CliError> {
        let org = self.org()?;
        match &self.app {
            Some(app) => Ok((org, AppId::new(app.clone()).map_err(bad_id)?)),
            None => Err(CliError::user("application is required")
                .with_hint("pass --app, set HUMANITEC_APP, or run humctl config set app NAME")),
        }
    }

    /// Organization, Application, and the Environment only if the flag names
    /// it: one from the configuration would silently make a Shared Value an
    /// override (spec/cli.md §6.3).
    pub(crate) fn level(&self) -> Result<(OrgId, AppId, Option<EnvId>), CliError> {
        let (org, app) = self.app()?;
        let env = self.flag_env.clone().map(EnvId::new).transpose().map_err(bad_id)?;
        Ok((org, app, env))
    }

    /// Organization, Application and Environment.
    pub(crate) fn env(&self) -> Result<(OrgId, AppId, EnvId), CliError> {
        let (org, app) = self.app()?;
        match &self.env {
            Some(env) => Ok((org, app, EnvId::new(env.clone()).map_err(bad_id)?)),
            None => Err(CliError::user("environment is required")
                .with_hint("pass --env, set HUMANITEC_ENV, or run humctl config set env NAME")),
        }
    }
}

/// Reads the word for how far selectors reach; they are direct unless asked otherwise.
pub(crate) fn selector_depth(word: Option<&str>) -> Result<SelectorDepth, CliError> {
    let depth = word.map(str::parse).transpose().map_err(CliError::user)?;
    Ok(depth.unwrap_or_default())
}

/// An id that does not fit its pattern is a mistake of the user.
pub(crate) fn bad_id(error: IdError) -> CliError {
    CliError::user(error.to_string())
}
