//! Opening a page in the user's browser: a convenience that may fail.

use std::process::{Command, Stdio};

/// The program that opens what it is given.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// Opens a web page, if that works; nobody is told when it does not.
pub(crate) fn open(url: &str) {
    if !is_page(url) {
        return;
    }
    let child = Command::new(OPENER)
        .arg(url)
        .env_remove(crate::env::TOKEN)
        .env_remove(crate::env::STATE_KEY)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = child {
        tracing::info!("no browser was opened: {OPENER}: {error}");
    }
}

/// True for the address of a web page: an opener would run other things, too.
pub(crate) fn is_page(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_web_pages_are_opened() {
        for (url, expected) in [
            ("https://app.example/device?code=1", true),
            ("http://localhost:1/x", true),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("-e", false),
            ("https://app.example/ x", false),
            ("https://app.example/\n", false),
            ("", false),
        ] {
            assert_eq!(super::is_page(url), expected, "{url}");
        }
    }
}
