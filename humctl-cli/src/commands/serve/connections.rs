//! Connections: how many there are, how long they may take, and how they end.
//!
//! *Invariants*: nothing that a stranger does holds a connection for ever, and
//! what all of them hold in memory is bounded.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Connections at a time; others wait in the system's queue.
const MAX_CONNECTIONS: usize = 256;

/// Largest head of a request, and what is read ahead for each connection.
const MAX_HEAD: usize = 64 * 1024;

/// Longest time for a TLS handshake, and for the head of a request, counted
/// from the answer before it.
const HEAD_TIME: Duration = Duration::from_secs(20);

/// Longest life of a connection; its last answer may take [`LAST_ANSWER`] more.
const MAX_LIFE: Duration = Duration::from_mins(30);

/// Longest time for the answers that are due when a connection has to end.
const LAST_ANSWER: Duration = Duration::from_secs(30);

/// Answers until `stop` resolves, and then what was asked by then.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            (place, accepted) = accept => match accepted {
                Ok((stream, _)) => {
                    let (tls, app, stopped) = (tls.clone(), app.clone(), stopped.clone());
                    connections.spawn(async move {
                        connect(stream, tls, app, stopped).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, say: others have to end first.
                    tracing::warn!("cannot take a connection: {error}");
                    sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    // Nobody listens when there are no connections.
    let _ = stopping.send(true);
    while connections.join_next().await.is_some() {}
}

/// One connection, from the handshake on.
async fn connect(stream: TcpStream, tls: Option<TlsAcceptor>, app: Router, stopped: watch::Receiver<bool>) {
    // Answers are short; without it they would only wait a little longer.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return answer(stream, app, stopped).await };
    match timeout(HEAD_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => answer(stream, app, stopped).await,
        Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn answer<S>(stream: S, app: Router, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = pin!(connection);
    tokio::select! {
        // How a stranger ended a connection is of no interest.
        _ = &mut connection => return,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => {}
        () = sleep(MAX_LIFE) => {}
    }
    // Ends at once unless an answer is due.
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWER, connection).await;
}
