//! The official document, narrowed to what the server answers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::conformance::server::TOKEN;

/// Takes out every operation that the server does not have; returns how many are left.
pub(super) fn narrow(document: &mut Value, address: &str) -> Result<usize> {
    let host = address.strip_prefix("http://").context("the server has no plain address")?;
    let paths = document["paths"].as_object_mut().context("the document has no paths")?;
    let mut n_operations = 0;
    for (path, operations) in paths.iter_mut() {
        let methods = served(host, path)?;
        if let Some(operations) = operations.as_object_mut() {
            operations.retain(|method, _| method == "parameters" || methods.contains(&method.to_ascii_uppercase()));
            n_operations += operations.keys().filter(|key| *key != "parameters").count();
        }
    }
    paths.retain(|_, operations| {
        operations.as_object().is_some_and(|operations| operations.keys().any(|key| key != "parameters"))
    });
    Ok(n_operations)
}

/// The methods of a path, which the answer to an unknown method names.
fn served(host: &str, path: &str) -> Result<Vec<String>> {
    let path = path.replace(['{', '}'], "");
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "OPTIONS {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let allow = answer.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("allow:").map(str::to_owned));
    Ok(allow.unwrap_or_default().split(',').map(|method| method.trim().to_ascii_uppercase()).collect())
}
