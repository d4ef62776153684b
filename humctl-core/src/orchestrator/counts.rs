//! How many Deployments this Orchestrator works on, and how they ended.

use std::sync::atomic::{AtomicU64, Ordering};

use humctl_api_types::deployment::DeploymentStatus;

/// Deployments of one process since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeploymentCounts {
    /// Deployments that go on.
    pub running: u64,
    /// Deployments that ended well.
    pub succeeded: u64,
    /// Deployments that failed.
    pub failed: u64,
}

/// What [`DeploymentCounts`] is read from.
#[derive(Debug, Default)]
pub(super) struct Counters {
    started: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Counters {
    pub(super) fn start(&self) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self, status: &DeploymentStatus) {
        let ended = if *status == DeploymentStatus::Succeeded { &self.succeeded } else { &self.failed };
        ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> DeploymentCounts {
        // What ended is read first: it never outnumbers what started.
        let succeeded = self.succeeded.load(Ordering::Relaxed);
        let failed = self.failed.load(Ordering::Relaxed);
        let running = self.started.load(Ordering::Relaxed).saturating_sub(succeeded + failed);
        DeploymentCounts { running, succeeded, failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_runs_until_it_has_ended() {
        let counters = Counters::default();
        for _ in 0..3 {
            counters.start();
        }
        counters.end(&DeploymentStatus::Succeeded);
        counters.end(&DeploymentStatus::Failed);
        assert_eq!(counters.read(), DeploymentCounts { running: 1, succeeded: 1, failed: 1 });
    }
}
