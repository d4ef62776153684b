//! The transport without a server: requests go to the router in this process.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use humctl_api_types::id::OrgId;
use humctl_core::git::GitSettings;
use humctl_core::git::credentials::GivenCredentials;
use humctl_core::git::process::CancelFlag;
use humctl_core::orchestrator::{Orchestrator, OrchestratorConfig};
use humctl_core::router::router;
use humctl_core::secret::SecretValue;
use humctl_core::state::{KeySource, SqliteStore};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::client::http::Connection;
use crate::client::network::OwnNetwork;
use crate::client::trace::{self, Way};
use crate::client::{ApiRequest, ApiResponse, Transport};
use crate::context::{bad_id, selector_depth};
use crate::env;
use crate::error::CliError;

/// How the embedded Orchestrator is set up.
#[derive(Debug)]
pub(crate) struct LocalSettings {
    state: Option<PathBuf>,
    org: Option<String>,
    selector_depth: Option<String>,
    /// Set by Ctrl-C.
    cancel: Arc<AtomicBool>,
    /// How Drivers and secret stores are reached.
    connection: Connection,
    /// What the command line says about Git.
    git: OnceLock<GitOptions>,
}

/// How a command wants Git to be used.
#[derive(Debug, Clone, Default)]
pub(crate) struct GitOptions {
    /// Trust SSH hosts that no file names.
    pub(crate) accept_new_host_key: bool,
    /// The file of known SSH hosts.
    pub(crate) known_hosts: Option<PathBuf>,
    /// Keep no copy of the branch.
    pub(crate) no_cache: bool,
    /// Ask CI systems not to run for the commit.
    pub(crate) skip_ci: bool,
}

impl LocalSettings {
    /// `state` is the file that was named in the address, if any.
    pub(crate) fn new(
        state: Option<PathBuf>,
        org: Option<String>,
        selector_depth: Option<String>,
        connection: Connection,
    ) -> Self {
        Self { state, org, selector_depth, cancel: Arc::default(), connection, git: OnceLock::new() }
    }

    /// The flag that Ctrl-C sets.
    pub(crate) fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancel)
    }

    /// Says how Git is to be used. To be called before the first request.
    pub(crate) fn set_git(&self, options: GitOptions) {
        // A command says it once.
        let _ = self.git.set(options);
    }

    /// The state file, absolute.
    pub(crate) fn state_file(&self) -> Result<PathBuf, CliError> {
        let file = self
            .state
            .clone()
            .or_else(|| env::path(env::STATE))
            .or_else(|| env::data_dir().map(|data| data.join("state.db")))
            .ok_or_else(no_home)?;
        std::path::absolute(&file).map_err(|error| CliError::file("use", &file, &error))
    }

    /// Where the key of the state is found.
    pub(crate) fn key_source(&self) -> Result<KeySource, CliError> {
        Ok(KeySource {
            passphrase: env::get(env::STATE_KEY).map(SecretValue::new),
            file: self.state_file()?.with_extension("key"),
            keyring: crate::client::keyring::state_keyring(&self.state_file()?),
        })
    }
}

fn no_home() -> CliError {
    CliError::user("there is no home directory to keep the state in")
        .with_hint("set HOME, or name a file with HUMCTL_STATE")
}

/// The router with what it takes to call it.
pub(crate) struct LocalTransport {
    runtime: Runtime,
    router: Router,
    orchestrator: Orchestrator,
}

impl std::fmt::Debug for LocalTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalTransport")
    }
}

/// The embedded Orchestrator with its router.
pub(crate) fn embedded(settings: &LocalSettings) -> Result<(Orchestrator, Router), CliError> {
    let state = settings.state_file()?;
    let directory = state.parent().unwrap_or(&state).to_owned();
    let cache_dir = env::cache_dir().ok_or_else(no_home)?;
    let executable =
        std::env::current_exe().map_err(|error| CliError::user(format!("cannot find my own program file: {error}")))?;
    let options = settings.git.get().cloned().unwrap_or_default();
    let git = GitSettings {
        executable,
        runtime_dir: env::runtime_dir().ok_or_else(no_home)?,
        cache_dir,
        no_cache: options.no_cache,
        environment: env::for_children(),
        author_name: env::get(env::AUTHOR_NAME).unwrap_or_else(|| "humctl".to_owned()),
        author_email: env::get(env::AUTHOR_EMAIL).unwrap_or_else(|| "humctl@localhost.invalid".to_owned()),
        commit_time: commit_time()?,
        skip_ci: options.skip_ci,
        accept_new_host_key: options.accept_new_host_key,
        known_hosts: env::home().map(|home| home.join(".ssh/known_hosts")),
        named_known_hosts: options.known_hosts.or_else(|| env::path(env::GIT_KNOWN_HOSTS)),
        given: GivenCredentials {
            password: env::get(env::GIT_PASSWORD).map(SecretValue::new),
            ssh_key_file: env::path(env::GIT_SSH_KEY_FILE),
            signing_key_file: env::path(env::GIT_SIGNING_KEY),
        },
        timeout: git_timeout()?,
        cancel: CancelFlag::new(settings.cancel_flag()),
    };
    let orchestrator = Orchestrator::new(OrchestratorConfig {
        store: Arc::new(SqliteStore::new(state)),
        keys: settings.key_source()?,
        git,
        lock_dir: directory.join("locks"),
        user: "local".to_owned(),
        selector_depth: selector_depth(settings.selector_depth.as_deref())?,
        network: Arc::new(OwnNetwork {
            connection: settings.connection.clone(),
            cancel: CancelFlag::new(settings.cancel_flag()),
        }),
    });
    let org = settings.org.clone().unwrap_or_else(|| "local".to_owned());
    let router = router(orchestrator.clone(), Some(OrgId::new(org).map_err(bad_id)?));
    Ok((orchestrator, router))
}

/// How long one network operation of Git may take, unless the environment says.
const GIT_TIMEOUT: Duration = Duration::from_mins(5);

/// Seconds since 1970; before that there were no commits.
fn commit_time() -> Result<Option<i64>, CliError> {
    let Some(text) = env::get(env::COMMIT_TIME) else { return Ok(None) };
    match text.trim().parse() {
        Ok(seconds @ 0..) => Ok(Some(seconds)),
        _ => Err(CliError::user(format!("{} is `{text}`, which is no number of seconds", env::COMMIT_TIME))
            .with_hint("unset it, or give the seconds since 1970")),
    }
}

fn git_timeout() -> Result<Duration, CliError> {
    let Some(text) = env::get(env::GIT_TIMEOUT) else { return Ok(GIT_TIMEOUT) };
    match text.trim().parse() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(CliError::user(format!("{} is `{text}`, which is no number of seconds", env::GIT_TIMEOUT))
            .with_hint(format!("unset it, or give a whole number from 1, as in {}=60", env::GIT_TIMEOUT))),
    }
}

impl LocalTransport {
    pub(crate) fn open(settings: &LocalSettings) -> Result<Self, CliError> {
        let (orchestrator, router) = embedded(settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| CliError::user(format!("cannot start: {error}")))?;
        Ok(Self { runtime, router, orchestrator })
    }

    pub(crate) fn finish(&self) {
        self.orchestrator.join_deployments();
    }
}

impl Transport for LocalTransport {
    fn send(&self, request: ApiRequest<'_>) -> Result<ApiResponse, CliError> {
        let (method, path, started) = (request.method.as_str(), request.path, Instant::now());
        let mut builder = Request::builder().method(method).uri(path);
        if let Some((_, content_type)) = &request.body {
            builder = builder.header(header::CONTENT_TYPE, *content_type);
        }
        for (name, value) in request.headers {
            // The one that is given replaces ours.
            if let Some(headers) = builder.headers_mut()
                && let Ok(name) = name.parse::<header::HeaderName>()
            {
                headers.remove(name);
            }
            builder = builder.header(name, value);
        }
        let body = request.body.map(|(body, _)| body).unwrap_or_default();
        let outgoing = builder
            .body(Body::from(body.clone()))
            .map_err(|error| CliError::user(format!("`{path}` with its headers is no request: {error}")))?;
        trace::message(Way::Out, path, shown(outgoing.headers()), &body, None);
        self.runtime.block_on(async {
            let response = match self.router.clone().oneshot(outgoing).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let status = response.status().as_u16();
            let (parts, body) = response.into_parts();
            let body = body.collect().await;
            let body = body.map_err(|error| CliError::user(format!("the answer broke off: {error}")))?;
            let body = body.to_bytes().to_vec();
            trace::message(Way::In, path, shown(&parts.headers), &body, None);
            trace::line(method, path, &status.to_string(), started.elapsed());
            Ok(ApiResponse { status, body, ..ApiResponse::default() })
        })
    }
}

/// Headers as text.
fn shown(headers: &header::HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("[no text]")))
}
