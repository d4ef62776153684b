//! The transport to an HTTP Driver.

use std::time::Duration;

use humctl_core::driver::http::{
    COOKIE_HEADER, DriverMethod, DriverRequest, DriverResponse, DriverTransport, SET_COOKIE_HEADER, TransportError,
};
use humctl_core::git::process::CancelFlag;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use crate::client::http::Connection;
use crate::client::service::Service;

/// How long one answer may take: some Drivers do their work before they answer.
const TIMEOUT: Duration = Duration::from_mins(5);

/// An HTTP client for one Driver.
pub(crate) struct DriverHttp(Service);

impl DriverHttp {
    /// `target` is the address to which ids of resources are added.
    ///
    /// # Errors
    /// What is wrong with it: a sentence.
    pub(crate) fn open(target: &str, connection: &Connection, cancel: CancelFlag) -> Result<Self, String> {
        Service::open(target, connection, TIMEOUT, cancel).map(Self)
    }
}

impl DriverTransport for DriverHttp {
    fn send(&self, request: &DriverRequest<'_>) -> Result<DriverResponse, TransportError> {
        let method = match request.method {
            DriverMethod::Put => Method::PUT,
            DriverMethod::Delete => Method::DELETE,
        };
        let cookie = request.cookie.map(|cookie| {
            let value = HeaderValue::from_bytes(cookie.expose().as_bytes());
            let mut value = value.map_err(|_| TransportError::Unreachable("the cookie is no header".to_owned()))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let cookie = cookie.transpose()?;
        let answer = self.0.send(&[request.guresid], |http, url| {
            let mut builder = http.request(method, url);
            if let Some(cookie) = cookie {
                builder = builder.header(COOKIE_HEADER, cookie);
            }
            if let Some(body) = request.body {
                builder = builder.header(CONTENT_TYPE, "application/json").body(body.expose().to_owned());
            }
            builder
        })?;
        let set_cookie = answer.headers.get(SET_COOKIE_HEADER).map(|value| value.as_bytes().to_vec());
        Ok(DriverResponse { status: answer.status, set_cookie, body: answer.body })
    }
}
