//! Black-box tests: the real program against real Git.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it should be")]

mod harness;

mod api;
mod apply;
mod batch;
mod branches;
mod browser;
mod caches;
mod command_tree;
mod compatibility;
mod completion;
mod conformance;
mod contract;
mod crash;
mod connection;
mod cr_files;
mod deltas;
mod deploy;
mod doctor;
mod drivers;
mod examples;
mod explain;
mod failures;
mod gitops_manifests;
mod hosted_kinds;
mod hostile_remotes;
mod hostile_requests;
mod hostile_trees;
mod http_driver;
mod kinds;
mod landing;
mod library;
mod login;
mod manifests;
mod patterns;
mod pipeline_runs;
mod plan;
mod remote;
mod rollback;
mod rules;
mod score;
mod secrets;
mod serve;
mod serve_load;
mod sharing;
mod signing;
mod story;
mod template_driver;
mod test_definition;
mod traces;
mod transports;
mod values;
mod versions;
mod what_if;
