//! Who may call: whoever sends the token, or anybody where there is none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use humctl_core::secret::SecretValue;

use crate::commands::serve::refused;
use crate::error::CliError;
use crate::input::read_text;

/// Shorter tokens could be guessed.
const MIN_TOKEN: usize = 16;

/// The token that callers have to send, if any.
pub(super) struct Gate(Option<SecretValue>);

impl Gate {
    /// Opens the gate for everybody on this machine.
    pub(super) fn open(listen: SocketAddr) -> Result<Self, CliError> {
        if listen.ip().is_loopback() {
            return Ok(Self(None));
        }
        Err(CliError::user(format!("--no-auth lets everybody in, and {} can be reached from elsewhere", listen.ip()))
            .with_hint("give a token with --token-file, or listen on 127.0.0.1"))
    }

    /// Lets in who sends the token in a file.
    pub(super) fn with_token(file: &Path) -> Result<Self, CliError> {
        let token = SecretValue::new(read_text(file)?.trim().to_owned());
        let make = "make one with: openssl rand -hex 32";
        let file = file.display();
        if token.expose().len() < MIN_TOKEN {
            let message = format!("the token in `{file}` is shorter than {MIN_TOKEN} characters");
            return Err(CliError::user(message).with_hint(make));
        }
        // No header can carry another one.
        if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("the token in `{file}` is no single word of ASCII characters");
            return Err(CliError::user(message).with_hint(make));
        }
        Ok(Self(Some(token)))
    }

    /// Answers 401, or lets the request pass.
    pub(super) async fn check(State(gate): State<Arc<Self>>, request: Request, next: Next) -> Response {
        let header = request.headers().get(header::AUTHORIZATION);
        let presented = header.and_then(|value| bearer(value.as_bytes())).unwrap_or_default();
        match gate.0.as_ref().map(|token| token.is_same(presented)) {
            None | Some(Ok(true)) => next.run(request).await,
            Some(Ok(false)) => {
                let message = "the token is missing or wrong; send it as `Authorization: Bearer TOKEN`";
                let mut answer = refused(StatusCode::UNAUTHORIZED, "API-401", message);
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                answer
            }
            Some(Err(error)) => refused(StatusCode::INTERNAL_SERVER_ERROR, "API-500", &error.to_string()),
        }
    }
}

/// The token in an `Authorization` header; the scheme's name has no case (RFC 9110 §11.1).
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_token_stands_behind_the_scheme() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("Bearer  abc ", Some("abc")),
            ("Bearer ", Some("")),
            ("Bearer", None),
            ("Basic abc", None),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(bearer(header.as_bytes()), token.map(str::as_bytes), "{header}");
        }
    }
}
