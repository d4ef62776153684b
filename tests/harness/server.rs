//! `humctl serve`, for tests that have clients.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout};

use crate::harness::TestEnv;

/// A running server and its address.
pub(crate) struct Server {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(env: &TestEnv, flags: &str) -> Self {
        let mut child = env.start(&format!("serve --api-prefix local --listen 127.0.0.1:0 {flags}"));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, stdout, address }
    }

    /// Asks it to end, and returns what it told.
    pub(crate) fn end(mut self) -> (bool, String) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut told = String::new();
        self.stdout.read_to_string(&mut told).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (status.success(), told)
    }
}
