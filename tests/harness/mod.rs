//! A hermetic machine for each test: its own HOME, repositories and servers.

mod api;
mod browser;
mod env;
mod git;
mod http;
pub(crate) mod library;
mod server;
mod ssh;
mod tap;
mod vault;

pub(crate) use api::{Answer, FakeApi, hosted};
pub(crate) use browser::{Browser, Page};
pub(crate) use env::{POSTGRES, Run, SecondHome, TestEnv, git_cluster, mask, score};
pub(crate) use git::Remote;
pub(crate) use http::{Fault, HttpGit, HttpRequest, read_request};
pub(crate) use server::{Server, TOKEN};
pub(crate) use ssh::{SshServer, make_key};
pub(crate) use tap::{Exchange, Tap};
pub(crate) use vault::FakeVault;
