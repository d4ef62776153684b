//! `humctl serve`

mod connections;
mod gate;
mod limits;
mod log;
mod metrics;
mod tls;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use humctl_api_types::error::ErrorBody;
use humctl_core::orchestrator::Orchestrator;
use humctl_core::yaml::MAX_BYTES;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::client::local::embedded;
use crate::commands::deployment::GitFlags;
use crate::commands::serve::gate::Gate;
use crate::commands::serve::log::RequestIds;
use crate::commands::serve::metrics::Metrics;
use crate::context::Context;
use crate::error::CliError;
use crate::output::log::LogFormat;

/// Offer the embedded Orchestrator to others over HTTP
///
/// The same API as that of a hosted Orchestrator, for teams that share one
/// state: clients name it with --api-prefix. Who may call is said with a token,
/// or left open on this machine alone. Ends on Ctrl-C or SIGTERM, once running
/// Deployments have ended, and at once when told a second time. /healthz
/// answers whoever asks; /metrics, in the form of Prometheus, takes the token.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("who may call").required(true).args(["token_file", "no_auth"])))]
#[command(after_help = "Examples:
  humctl serve --no-auth
  humctl serve --token-file token
  humctl serve --token-file token --listen 0.0.0.0:8443 \\
    --tls-cert tls.crt --tls-key tls.key
  HUMANITEC_ORG=local HUMANITEC_TOKEN=$(cat token) \\
    humctl --api-prefix http://127.0.0.1:8080 get apps

See also: humctl doctor, humctl config")]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// File with the token that every caller has to send; - is stdin
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Let every process of this machine call; for loopback addresses only
    #[arg(long)]
    no_auth: bool,
    /// PEM file with the certificate to serve HTTPS with, and its chain
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Form of the log on stderr, which -v1 and more turn on
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    #[command(flatten)]
    git: GitFlags,
}

impl ServeArgs {
    /// Form of the log.
    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format
    }
}

pub(crate) fn run(context: &Context, args: &ServeArgs) -> Result<(), CliError> {
    let Some(settings) = context.client().local_settings() else {
        return Err(CliError::user("only the embedded Orchestrator can be served, and a hosted one is configured")
            .with_hint("add --api-prefix local"));
    };
    let gate = match &args.token_file {
        Some(file) => Gate::with_token(file)?,
        None => Gate::open(args.listen)?,
    };
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(tls::acceptor(cert, key)?),
        _ => None,
    };
    if tls.is_none() && !args.listen.ip().is_loopback() {
        tracing::warn!(
            "{} can be reached from elsewhere, and tokens travel in plain text: see --tls-cert",
            args.listen
        );
    }
    args.git.prepare(context)?;
    let (orchestrator, router) = embedded(settings)?;
    orchestrator.settle_all().map_err(|error| CliError::user(error.to_string()))?;
    let app = app(router, gate, &orchestrator);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::user(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(serve(context, args, tls, app, orchestrator));
    // What is still worked on belongs to requests that nobody waits for any more.
    runtime.shutdown_background();
    ended
}

/// The API, with what a server has around it.
fn app(router: Router, gate: Gate, orchestrator: &Orchestrator) -> Router {
    let (metrics, orchestrator) = (Metrics::default(), orchestrator.clone());
    let counted = metrics.clone();
    let metrics_page = move || {
        let text = counted.text(orchestrator.deployment_counts());
        std::future::ready(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
    };
    router
        .route("/metrics", get(metrics_page))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .layer(from_fn_with_state(limits::turns(), limits::in_time))
        .layer(from_fn_with_state(Arc::new(gate), Gate::check))
        .merge(Router::new().route("/healthz", get(|| async { "ok\n" })))
        .layer(from_fn_with_state(metrics, metrics::count))
        .layer(from_fn_with_state(RequestIds::new(), log::log))
}

/// Listens until it is told to end, and then lets what was begun end too.
async fn serve(
    context: &Context,
    args: &ServeArgs,
    tls: Option<TlsAcceptor>,
    app: Router,
    orchestrator: Orchestrator,
) -> Result<(), CliError> {
    let failed = |error| CliError::user(format!("cannot serve on {}: {error}", args.listen));
    let listener = TcpListener::bind(args.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut signals = Signals::new().map_err(failed)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    context.output.line(&format!("listening on {scheme}://{address}"))?;
    let (told, is_told) = tokio::sync::oneshot::channel();
    let stop = async {
        // Only a server that ended otherwise would drop the sender.
        let _ = is_told.await;
    };
    let work = async {
        connections::serve(listener, tls, app, stop).await;
        // Not on the runtime's own threads: a second signal does not wait for it.
        let (ended, is_ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            orchestrator.join_deployments();
            let _ = ended.send(());
        });
        let _ = is_ended.await;
    };
    let stopped = async {
        signals.next().await;
        tracing::info!("told to end; running deployments are waited for");
        let _ = told.send(());
        signals.next().await;
    };
    tokio::select! {
        () = work => Ok(()),
        () = stopped => Err(CliError::user("told twice to end, so running deployments were not waited for")
            .with_hint("the next start settles them")
            .interrupted()),
    }
}

/// Ctrl-C and SIGTERM.
struct Signals(Signal, Signal);

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    async fn next(&mut self) {
        poll_fn(|context| match (self.0.poll_recv(context), self.1.poll_recv(context)) {
            (Poll::Pending, Poll::Pending) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let body = ErrorBody { error: code.to_owned(), message: message.to_owned(), details: None };
    (status, axum::Json(body)).into_response()
}
