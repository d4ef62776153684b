//! How many requests are worked on at a time, and for how long.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::Semaphore;

use crate::commands::serve::refused;

/// Longest time for an answer; Deployments go on in a thread of their own.
const MAX_TIME: Duration = Duration::from_mins(2);

/// Requests that are worked on at a time, with their bodies in memory; others
/// wait for their turn.
const MAX_REQUESTS: usize = 32;

/// The turns that requests wait for.
pub(super) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MAX_REQUESTS))
}

/// Gives up on a request that takes too long; what it started goes on.
pub(super) async fn in_time(State(turns): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let answer = async {
        // Nobody closes the semaphore.
        let _turn = turns.acquire().await;
        next.run(request).await
    };
    match tokio::time::timeout(MAX_TIME, answer).await {
        Ok(response) => response,
        Err(_) => {
            refused(StatusCode::GATEWAY_TIMEOUT, "API-504", "the answer takes too long; ask for the result later")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tokio::task::JoinSet;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn others_wait_for_their_turn_and_nobody_for_ever() {
        static AT_WORK: AtomicUsize = AtomicUsize::new(0);
        let work = || async {
            AT_WORK.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let statuses = runtime.block_on(async {
            let app = Router::new().route("/", get(work)).layer(from_fn_with_state(turns(), in_time));
            let mut requests = JoinSet::new();
            for _ in 0..=MAX_REQUESTS {
                requests.spawn(app.clone().oneshot(Request::new(Body::empty())));
            }
            tokio::time::sleep(MAX_TIME / 2).await;
            assert_eq!(AT_WORK.load(Ordering::Relaxed), MAX_REQUESTS);
            requests.join_all().await
        });
        assert_eq!(statuses.len(), MAX_REQUESTS + 1);
        assert!(statuses.into_iter().all(|answer| answer.unwrap().status() == StatusCode::GATEWAY_TIMEOUT));
    }
}
