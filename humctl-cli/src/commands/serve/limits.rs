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
