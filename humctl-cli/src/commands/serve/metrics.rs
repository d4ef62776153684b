//! What a server counts, in the text form that Prometheus reads.
//!
//! *Invariant*: labels take few values. A path is told by its route, a method
//! that is not HTTP's own is `other`, and no id of anything is a label.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use humctl_core::orchestrator::DeploymentCounts;

/// Upper bounds of the histogram of durations, in milliseconds.
const BOUNDS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000];

/// Counters of requests; clones count together.
#[derive(Clone, Default)]
pub(super) struct Metrics(Arc<Mutex<BTreeMap<Operation, Requests>>>);

/// A method and the route of a path.
type Operation = (&'static str, String);

#[derive(Default)]
struct Requests {
    by_status: BTreeMap<u16, u64>,
    /// Requests within each bound, not those within the bounds before.
    durations: [u64; BOUNDS.len()],
    all: u64,
    time: Duration,
}

impl Metrics {
    fn count(&self, operation: Operation, status: u16, took: Duration) {
        let mut operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = operations.entry(operation).or_default();
        *requests.by_status.entry(status).or_default() += 1;
        if let Some(index) = BOUNDS.iter().position(|bound| took <= Duration::from_millis(*bound)) {
            requests.durations[index] += 1;
        }
        requests.all += 1;
        requests.time += took;
    }

    /// Everything that was counted.
    pub(super) fn text(&self, deployments: DeploymentCounts) -> String {
        let operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        head(&mut text, "humctl_build_info", "gauge", "The version that runs.");
        let _ = writeln!(text, "humctl_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));

        head(&mut text, "humctl_deployments_running", "gauge", "Deployments that this server works on.");
        let _ = writeln!(text, "humctl_deployments_running {}", deployments.running);
        head(&mut text, "humctl_deployments_ended_total", "counter", "Deployments of this server that have ended.");
        for (status, n) in [("failed", deployments.failed), ("succeeded", deployments.succeeded)] {
            let _ = writeln!(text, "humctl_deployments_ended_total{{status=\"{status}\"}} {n}");
        }

        head(&mut text, "humctl_http_requests_total", "counter", "Requests that were answered.");
        for ((method, route), requests) in operations.iter() {
            for (status, n) in &requests.by_status {
                let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
                let _ = writeln!(text, "humctl_http_requests_total{{{labels}}} {n}");
            }
        }
        let name = "humctl_http_request_duration_seconds";
        head(&mut text, name, "histogram", "Time from a request to its answer.");
        for ((method, route), requests) in operations.iter() {
            let labels = format!("method=\"{method}\",route=\"{route}\"");
            let mut n = 0;
            for (bound, more) in BOUNDS.iter().zip(requests.durations) {
                n += more;
                let seconds = Duration::from_millis(*bound).as_secs_f64();
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{seconds}\"}} {n}");
            }
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", requests.all);
            let _ = writeln!(text, "{name}_sum{{{labels}}} {}", requests.time.as_secs_f64());
            let _ = writeln!(text, "{name}_count{{{labels}}} {}", requests.all);
        }
        text
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Counts a request once it is answered.
pub(super) async fn count(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let (method, started) = (method(request.method()), Instant::now());
    let response = next.run(request).await;
    metrics.count((method, route), response.status().as_u16(), started.elapsed());
    response
}

fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told_as_prometheus_reads_it() {
        let metrics = Metrics::default();
        let apps = || ("GET", "/orgs/{org}/apps".to_owned());
        metrics.count(apps(), 200, Duration::from_millis(5));
        metrics.count(apps(), 200, Duration::from_millis(20));
        metrics.count(apps(), 404, Duration::from_secs(100));
        let text = metrics.text(DeploymentCounts { running: 1, succeeded: 2, failed: 3 });
        let labels = "method=\"GET\",route=\"/orgs/{org}/apps\"";
        for line in [
            "humctl_deployments_running 1".to_owned(),
            "humctl_deployments_ended_total{status=\"failed\"} 3".to_owned(),
            "# TYPE humctl_http_requests_total counter".to_owned(),
            format!("humctl_http_requests_total{{{labels},status=\"200\"}} 2"),
            format!("humctl_http_requests_total{{{labels},status=\"404\"}} 1"),
            format!("humctl_http_request_duration_seconds_bucket{{{labels},le=\"0.005\"}} 1"),
            format!("humctl_http_request_duration_seconds_bucket{{{labels},le=\"0.025\"}} 2"),
            format!("humctl_http_request_duration_seconds_bucket{{{labels},le=\"60\"}} 2"),
            format!("humctl_http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("humctl_http_request_duration_seconds_sum{{{labels}}} 100.025"),
            format!("humctl_http_request_duration_seconds_count{{{labels}}} 3"),
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
    }

    #[test]
    fn made_up_methods_are_one() {
        assert_eq!(method(&Method::PATCH), "PATCH");
        assert_eq!(method(&Method::from_bytes(b"BREW").unwrap()), "other");
    }
}
