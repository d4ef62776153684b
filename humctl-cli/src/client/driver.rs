//! The transport to an HTTP Driver.

use std::time::Duration;

use humctl_core::driver::http::{
    COOKIE_HEADER, DriverMethod, DriverRequest, DriverResponse, DriverTransport, SET_COOKIE_HEADER, TransportError,
};
use humctl_core::git::process::CancelFlag;

use crate::client::http::Connection;
use crate::client::service::{Asked, Method, Service};

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
        let answer = self.0.send(&Asked {
            method: match request.method {
                DriverMethod::Put => Method::PUT,
                DriverMethod::Delete => Method::DELETE,
            },
            segments: &[request.guresid],
            query: None,
            header: request.cookie.map(|cookie| (COOKIE_HEADER, cookie)),
            body: request.body,
        })?;
        let set_cookie = answer.header(SET_COOKIE_HEADER).map(<[u8]>::to_vec);
        Ok(DriverResponse { status: answer.status, set_cookie, body: answer.body })
    }
}
