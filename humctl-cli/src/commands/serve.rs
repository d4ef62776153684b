//! `humctl serve`

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use humctl_api_types::error::ErrorBody;
use humctl_core::secret::SecretValue;
use humctl_core::yaml::MAX_BYTES;
use tokio::signal::unix::{SignalKind, signal};

use crate::client::local::embedded;
use crate::context::Context;
use crate::error::CliError;
use crate::input::read_text;

/// Offer the embedded Orchestrator to others over HTTP
///
/// The same API as that of a hosted Orchestrator, for teams that share one
/// state: clients name it with --api-prefix. Who may call is said with a token,
/// or left open on this machine alone. Ends on Ctrl-C or SIGTERM, once running
/// Deployments have ended.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl serve --token-file token
  HUMANITEC_TOKEN=$(cat token) humctl --api-prefix http://127.0.0.1:8080 get apps")]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// File with the token that every caller has to send
    #[arg(long, value_name = "FILE", required_unless_present = "no_auth")]
    token_file: Option<PathBuf>,
    /// Let every process of this machine call; for loopback addresses only
    #[arg(long, conflicts_with = "token_file")]
    no_auth: bool,
}

/// Longest time for an answer; Deployments go on in a thread of their own.
const MAX_TIME: Duration = Duration::from_mins(2);

/// Shorter tokens could be guessed.
const MIN_TOKEN: usize = 16;

pub(crate) fn run(context: &Context, args: &ServeArgs) -> Result<(), CliError> {
    let Some(settings) = context.client().local_settings() else {
        return Err(CliError::user("only the embedded Orchestrator can be served, and a hosted one is configured")
            .with_hint("add --api-prefix local"));
    };
    let gate = Arc::new(Gate::new(args)?);
    let (orchestrator, router) = embedded(settings)?;
    orchestrator.settle_all().map_err(|error| CliError::user(error.to_string()))?;
    let app = router
        .layer(middleware::from_fn_with_state(gate, Gate::check))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .layer(middleware::from_fn(in_time))
        .merge(Router::new().route("/healthz", get(|| async { "ok\n" })))
        .layer(middleware::from_fn(log));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::user(format!("cannot start: {error}")))?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen).await?;
        let ended = end_of_service()?;
        let address = listener.local_addr()?;
        if let Err(error) = context.output.text(&format!("listening on http://{address}\n")) {
            return Err(std::io::Error::other(error.text()));
        }
        axum::serve(listener, app).with_graceful_shutdown(ended).await
    });
    orchestrator.join_deployments();
    served.map_err(|error| CliError::user(format!("cannot serve on {}: {error}", args.listen)))
}

/// Resolves when the process is asked to end.
fn end_of_service() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(poll_fn(move |context| match (interrupt.poll_recv(context), terminate.poll_recv(context)) {
        (Poll::Pending, Poll::Pending) => Poll::Pending,
        _ => Poll::Ready(()),
    }))
}

/// Who may call: whoever sends the token, or anybody when there is none.
struct Gate(Option<SecretValue>);

impl Gate {
    fn new(args: &ServeArgs) -> Result<Self, CliError> {
        let Some(file) = &args.token_file else {
            if args.listen.ip().is_loopback() {
                return Ok(Self(None));
            }
            return Err(CliError::user(format!(
                "--no-auth lets everybody in, and {} can be reached from elsewhere",
                args.listen.ip()
            ))
            .with_hint("give a token with --token-file, or listen on 127.0.0.1"));
        };
        let token = SecretValue::new(read_text(file)?.trim().to_owned());
        if token.expose().len() < MIN_TOKEN {
            return Err(CliError::user(format!(
                "the token in `{}` is shorter than {MIN_TOKEN} characters",
                file.display()
            ))
            .with_hint("make one with: openssl rand -hex 32"));
        }
        Ok(Self(Some(token)))
    }

    async fn check(State(gate): State<Arc<Self>>, request: Request, next: Next) -> Response {
        let header = request.headers().get(header::AUTHORIZATION);
        let presented = header.and_then(|value| value.as_bytes().strip_prefix(b"Bearer ")).unwrap_or_default();
        match gate.0.as_ref().map(|token| token.is_same(presented)) {
            None | Some(Ok(true)) => next.run(request).await,
            Some(Ok(false)) => refused(
                StatusCode::UNAUTHORIZED,
                "API-401",
                "the token is missing or wrong; send it as `Authorization: Bearer TOKEN`",
            ),
            Some(Err(error)) => refused(StatusCode::INTERNAL_SERVER_ERROR, "API-500", &error.to_string()),
        }
    }
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let body = ErrorBody { error: code.to_owned(), message: message.to_owned(), details: None };
    (status, axum::Json(body)).into_response()
}

/// Gives up on a request that takes too long; what it started goes on.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(MAX_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            refused(StatusCode::GATEWAY_TIMEOUT, "API-504", "the answer takes too long; ask for the result later")
        }
    }
}

/// One line a request, without its headers and bodies.
async fn log(request: Request, next: Next) -> Response {
    let (method, path, started) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
    let response = next.run(request).await;
    tracing::info!("{method} {path}: {} in {:?}", response.status().as_u16(), started.elapsed());
    response
}
