//! Whether a text is a private key that `ssh` can use without asking.
//!
//! Told before Git starts, since `ssh` words it badly or asks for a passphrase
//! that nobody is there to type. No text here repeats a part of the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::SecretValue;

const PASSPHRASE: &str = "it is protected by a passphrase, and there is nobody to ask for it\n  hint: make a key of \
                          its own for this, without passphrase: ssh-keygen -t ed25519 -N '' -f deploy_key";
const WHOLE_TEXT: &str = "the whole text of the private key file is needed, from `-----BEGIN` to `-----END`";

/// The key as OpenSSH wants it, whatever a form field did to its line ends.
#[must_use]
pub(super) fn normalized(key: &SecretValue) -> SecretValue {
    SecretValue::new(format!("{}\n", key.expose().replace("\r\n", "\n").replace('\r', "\n").trim()))
}

/// Checks a private key's text.
///
/// # Errors
/// What is wrong, as a sentence with a hint.
pub(super) fn check(key: &SecretValue) -> Result<(), String> {
    let key = normalized(key);
    let mut lines = key.expose().lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    if first.is_empty() {
        return Err(format!("it is empty\n  hint: {WHOLE_TEXT}"));
    }
    if first.starts_with("PuTTY-User-Key-File") {
        return Err("it has the form of PuTTY\n  hint: export it in OpenSSH's form with puttygen".to_owned());
    }
    if ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| first.starts_with(kind)) {
        return Err("it is a public key\n  hint: give the private one, which lies beside it without `.pub`".to_owned());
    }
    let kind = first.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
    let Some(kind) = kind.filter(|kind| kind.ends_with("PRIVATE KEY")) else {
        return Err(format!("it does not begin as a private key does\n  hint: {WHOLE_TEXT}"));
    };
    if kind.contains("-----") {
        return Err(format!("its line breaks are lost\n  hint: {WHOLE_TEXT}, with its line breaks"));
    }
    let end = format!("-----END {kind}-----");
    let body: Vec<&str> = lines.take_while(|line| *line != end).collect();
    if !key.expose().trim_end().ends_with(&end) {
        return Err(format!("its last line is missing\n  hint: {WHOLE_TEXT}"));
    }
    if kind == "ENCRYPTED PRIVATE KEY"
        || body.iter().any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))
    {
        return Err(PASSPHRASE.to_owned());
    }
    let malformed = || format!("its text is damaged\n  hint: {WHOLE_TEXT}, with its line breaks");
    let text = SecretValue::new(body.into_iter().filter(|line| !line.contains(':')).collect::<String>());
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(text.expose()).map_err(|_| malformed())?);
    if kind != "OPENSSH PRIVATE KEY" {
        return if bytes.is_empty() { Err(malformed()) } else { Ok(()) };
    }
    match cipher_name(&bytes) {
        Some(b"none") => Ok(()),
        Some(_) => Err(PASSPHRASE.to_owned()),
        None => Err(malformed()),
    }
}

/// The cipher of an OpenSSH key: the first string behind the magic bytes.
fn cipher_name(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openssh(cipher: &str) -> String {
        let mut bytes = b"openssh-key-v1\0".to_vec();
        bytes.extend(u32::try_from(cipher.len()).unwrap().to_be_bytes());
        bytes.extend(cipher.as_bytes());
        bytes.extend([7; 60]);
        let text = STANDARD.encode(bytes);
        let (one, two) = text.split_at(40);
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{one}\n{two}\n-----END OPENSSH PRIVATE KEY-----\n")
    }

    fn pem(kind: &str, body: &str) -> String {
        format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
    }

    #[test]
    fn keys_are_taken_or_refused_with_the_reason() {
        let good = openssh("none");
        let legacy = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA";
        for (key, expected) in [
            (good.clone(), None),
            (good.replace('\n', "\r\n"), None),
            (format!("\n  {}", good.trim_end()), None),
            (pem("RSA PRIVATE KEY", "MIIEpAIB"), None),
            (pem("PRIVATE KEY", "MC4CAQAw"), None),
            (openssh("aes256-ctr"), Some("passphrase")),
            (pem("ENCRYPTED PRIVATE KEY", "MIIFHDBO"), Some("passphrase")),
            (pem("RSA PRIVATE KEY", legacy), Some("passphrase")),
            (String::new(), Some("empty")),
            ("no key at all".to_owned(), Some("does not begin")),
            ("ssh-ed25519 AAAAC3Nz me@here".to_owned(), Some("public key")),
            ("PuTTY-User-Key-File-3: ssh-ed25519".to_owned(), Some("PuTTY")),
            (pem("CERTIFICATE", "AAAA"), Some("does not begin")),
            (good.replace("-----END", "----END"), Some("last line")),
            (good.lines().take(2).collect::<Vec<_>>().join("\n"), Some("last line")),
            (pem("OPENSSH PRIVATE KEY", "AAAA"), Some("damaged")),
            (pem("OPENSSH PRIVATE KEY", "%%%%"), Some("damaged")),
            (good.trim_end().replace('\n', " "), Some("line breaks are lost")),
        ] {
            let found = check(&SecretValue::new(key.clone()));
            match expected {
                None => assert_eq!(found, Ok(()), "{key}"),
                Some(part) => assert!(found.as_ref().is_err_and(|reason| reason.contains(part)), "{key}: {found:?}"),
            }
        }
    }
}
