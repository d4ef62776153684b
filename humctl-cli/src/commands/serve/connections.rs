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

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;

    const QUESTION: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /// How long a connection lasts on a clock that passes by itself, with what the client does.
    fn lasts<F: Future<Output = ()>>(client: impl FnOnce(DuplexStream, watch::Sender<bool>) -> F) -> Duration {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let app = Router::new().route("/", get(|| async { "x".repeat(1 << 20) }));
            let (ours, theirs) = duplex(1 << 10);
            let (stopping, stopped) = watch::channel(false);
            let began = Instant::now();
            let server = async {
                answer(ours, app, stopped).await;
                began.elapsed()
            };
            tokio::join!(server, client(theirs, stopping)).0
        })
    }

    async fn read_answer(stream: &mut DuplexStream) {
        let mut left = 1 << 20;
        while left > 0 {
            left -= stream.read(&mut [0; 4096]).await.unwrap().min(left);
        }
    }

    async fn wait_for_the_end(mut stream: DuplexStream) {
        while stream.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {}
    }

    #[test]
    fn a_head_that_never_ends_is_not_waited_for() {
        for start in ["", "GET / HTTP/1.1\r\nHost: "] {
            let lasted = lasts(|mut stream, stopping| async move {
                stream.write_all(start.as_bytes()).await.unwrap();
                wait_for_the_end(stream).await;
                drop(stopping);
            });
            assert!(lasted <= HEAD_TIME + Duration::from_secs(1), "{start:?}: {lasted:?}");
        }
    }

    #[test]
    fn a_slow_trickle_ends_too() {
        let lasted = lasts(|mut stream, stopping| async move {
            for byte in QUESTION.iter().cycle() {
                if stream.write_all(&[*byte | 0x20]).await.is_err() {
                    break;
                }
                sleep(Duration::from_secs(5)).await;
            }
            drop(stopping);
        });
        assert!(lasted <= HEAD_TIME + Duration::from_secs(6), "{lasted:?}");
    }

    #[test]
    fn a_connection_is_kept_for_the_next_question_but_not_for_ever() {
        let lasted = lasts(|mut stream, stopping| async move {
            for _ in 0..3 {
                stream.write_all(QUESTION).await.unwrap();
                read_answer(&mut stream).await;
                sleep(HEAD_TIME / 2).await;
            }
            wait_for_the_end(stream).await;
            drop(stopping);
        });
        assert!(lasted > HEAD_TIME && lasted <= HEAD_TIME * 3, "{lasted:?}");
    }

    #[test]
    fn an_answer_that_nobody_reads_is_given_up() {
        let lasted = lasts(|mut stream, stopping| async move {
            stream.write_all(QUESTION).await.unwrap();
            sleep(MAX_LIFE * 2).await;
            drop((stream, stopping));
        });
        assert!(lasted <= MAX_LIFE + LAST_ANSWER + Duration::from_secs(1), "{lasted:?}");
    }

    #[test]
    fn a_connection_without_a_question_ends_with_the_server() {
        let lasted = lasts(|mut stream, stopping| async move {
            stream.write_all(QUESTION).await.unwrap();
            read_answer(&mut stream).await;
            sleep(Duration::from_secs(1)).await;
            stopping.send(true).unwrap();
            wait_for_the_end(stream).await;
        });
        assert!(lasted < Duration::from_secs(2), "{lasted:?}");
    }
}
