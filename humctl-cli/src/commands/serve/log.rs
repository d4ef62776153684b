//! One line a request, without its query, headers and bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// The header that carries the id of a request, both ways.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids of others are not taken over.
const MAX_ID: usize = 64;

/// Makes ids of requests: the start of the server, and a number.
pub(super) struct RequestIds {
    start: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Arc<Self> {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Arc::new(Self { start, next: AtomicU64::new(1) })
    }

    /// The id that a proxy gave the request, or a new one.
    fn of(&self, request: &Request) -> HeaderValue {
        let given = request.headers().get(REQUEST_ID).filter(|id| is_id(id.as_bytes()));
        given.cloned().unwrap_or_else(|| {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            // Hex digits and a dash always make a header.
            HeaderValue::try_from(format!("{:x}-{number:x}", self.start)).unwrap_or(HeaderValue::from_static("none"))
        })
    }
}

/// Only what cannot be mistaken for something else in a log.
fn is_id(id: &[u8]) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// Logs a request once it is answered, and puts its id into the answer.
pub(super) async fn log(State(ids): State<Arc<RequestIds>>, request: Request, next: Next) -> Response {
    let (method, path, started) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
    let id = ids.of(&request);
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    let (method, request_id) = (method.as_str(), id.to_str().unwrap_or_default());
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        method,
        path,
        status,
        duration_ms,
        request_id,
        "{method} {path}: {status} in {took:?} [{request_id}]"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_proxy_is_kept_when_it_is_one() {
        let ids = RequestIds::new();
        let of = |id: &str| {
            let request = Request::builder().header(REQUEST_ID, id).body(axum::body::Body::empty()).unwrap();
            ids.of(&request).to_str().unwrap().to_owned()
        };
        assert_eq!(of("a-1.b_C"), "a-1.b_C");
        for strange in ["", "a b", "{\"a\"}", &"a".repeat(65)] {
            assert!(of(strange).contains('-') && of(strange) != strange, "{strange}");
        }
        assert_ne!(of(""), of(""));
    }
}
