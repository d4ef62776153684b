//! Secret text in memory, and its sealed form at rest.
//!
//! *Invariants.* A [`SecretValue`] cannot be shown: it has no `Display`, no
//! serializer, and `Debug` prints a placeholder. What is stored is sealed with
//! an AEAD whose additional data is the document's key, so a sealed value
//! cannot be moved to another place and opened there.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Text that must not be seen. Overwritten in memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// Takes ownership of secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// True for the same text. How long it takes tells nothing about it.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn is_same(&self, other: &[u8]) -> Result<bool, SealError> {
        // Tags under a key of the moment are compared, and those in constant time.
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &random_bytes::<32>()?);
        let tag = ring::hmac::sign(&key, self.expose().as_bytes());
        Ok(ring::hmac::verify(&key, other, tag.as_ref()).is_ok())
    }

    /// The text. Whoever calls this handles a secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

/// A secret as it lies in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Which key sealed it.
    pub key_id: String,
    /// Random number used once, base64.
    pub nonce: String,
    /// Cipher text and tag, base64.
    pub sealed: String,
}

/// Why a sealed secret cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed with another key.
    #[error("the secret at `{place}` is sealed with key {sealed_with}, but the state key in use is {in_use}")]
    OtherKey {
        /// Key of the document.
        place: String,
        /// Id of the key that sealed it.
        sealed_with: String,
        /// Id of the key at hand.
        in_use: String,
    },
    /// The bytes were changed or moved.
    #[error("the secret at `{place}` is damaged")]
    Damaged {
        /// Key of the document.
        place: String,
    },
    /// The system gave no random bytes.
    #[error("the system's random generator failed")]
    NoRandomness,
}

/// The key that seals the secrets of one state.
#[derive(Clone)]
pub struct StateKey {
    bytes: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateKey({})", self.id())
    }
}

impl StateKey {
    /// Makes a new random key.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self { bytes: Zeroizing::new(random_bytes()?) })
    }

    /// Derives the key from a long secret text, as `HUMCTL_STATE_KEY` holds one.
    #[must_use]
    pub fn from_passphrase(passphrase: &SecretValue) -> Self {
        let salt = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"humctl state key v1");
        let tag = ring::hmac::sign(&salt, passphrase.expose().as_bytes());
        let mut bytes = Zeroizing::new([0_u8; 32]);
        bytes.copy_from_slice(tag.as_ref());
        Self { bytes }
    }

    /// Reads a key as [`Self::to_text`] wrote it.
    #[must_use]
    pub fn from_text(text: &SecretValue) -> Option<Self> {
        let decoded = Zeroizing::new(STANDARD.decode(text.expose().trim()).ok()?);
        let bytes: [u8; 32] = decoded.as_slice().try_into().ok()?;
        Some(Self { bytes: Zeroizing::new(bytes) })
    }

    /// The key as base64 text, for the key file or the keyring.
    #[must_use]
    pub fn to_text(&self) -> SecretValue {
        SecretValue::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// Short name of the key; tells nothing about it.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = hmac_hex(self.bytes.as_slice(), b"key id");
        digest[..12].to_owned()
    }

    /// Secret bytes for one purpose, always the same ones.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.bytes.as_slice());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(ring::hmac::sign(&key, purpose.as_bytes()).as_ref());
        bytes
    }

    /// Seals a secret for the document `place`.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, place: &str, secret: &SecretValue) -> Result<SealedSecret, SealError> {
        let nonce: [u8; NONCE_LEN] = random_bytes()?;
        let mut buffer = secret.expose().as_bytes().to_vec();
        self.cipher()
            .and_then(|cipher| {
                cipher.seal_in_place_append_tag(
                    Nonce::assume_unique_for_key(nonce),
                    Aad::from(place.as_bytes()),
                    &mut buffer,
                )
            })
            .map_err(|_| SealError::Damaged { place: place.to_owned() })?;
        Ok(SealedSecret { key_id: self.id(), nonce: STANDARD.encode(nonce), sealed: STANDARD.encode(&buffer) })
    }

    /// Opens what [`Self::seal`] sealed for the same `place`.
    ///
    /// # Errors
    /// [`SealError::OtherKey`] or [`SealError::Damaged`].
    pub fn open(&self, place: &str, secret: &SealedSecret) -> Result<SecretValue, SealError> {
        if secret.key_id != self.id() {
            return Err(SealError::OtherKey {
                place: place.to_owned(),
                sealed_with: secret.key_id.clone(),
                in_use: self.id(),
            });
        }
        let open = || -> Option<SecretValue> {
            let nonce: [u8; NONCE_LEN] = STANDARD.decode(&secret.nonce).ok()?.try_into().ok()?;
            let mut buffer = Zeroizing::new(STANDARD.decode(&secret.sealed).ok()?);
            let opened = self
                .cipher()
                .ok()?
                .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut buffer)
                .ok()?;
            Some(SecretValue::new(std::str::from_utf8(opened).ok()?))
        };
        open().ok_or_else(|| SealError::Damaged { place: place.to_owned() })
    }

    fn cipher(&self) -> Result<LessSafeKey, ring::error::Unspecified> {
        UnboundKey::new(&CHACHA20_POLY1305, self.bytes.as_slice()).map(LessSafeKey::new)
    }
}

/// Fresh random bytes from the system.
///
/// # Errors
/// [`SealError::NoRandomness`].
pub fn random_bytes<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0_u8; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

fn hmac_hex(key: &[u8], text: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    crate::hash::hex(ring::hmac::sign(&key, text).as_ref())
}

/// True for a mapping of secrets, false for a leaf that refers to one
/// (`{store, ref}`) or says where its text comes from (`{value}`).
pub(crate) fn is_branch(object: &serde_json::Map<String, serde_json::Value>) -> bool {
    !object.contains_key("store") && !object.contains_key("value")
}

/// The forms in which a secret could hide in other text.
///
/// Used to redact what other programs print and, as a second net behind
/// taint, to search what is about to be committed.
#[derive(Clone, Default)]
pub struct SecretScanner {
    needles: Vec<Zeroizing<String>>,
}

impl fmt::Debug for SecretScanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretScanner({} forms)", self.needles.len())
    }
}

/// Shorter secrets would be found everywhere by accident.
const MIN_SCANNED: usize = 8;

impl SecretScanner {
    /// Prepares to search for `secrets`, plain, base64 and URL-encoded; of a
    /// text with several lines also for each long line.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretValue>) -> Self {
        let mut needles = Vec::new();
        for secret in secrets {
            let text = secret.expose();
            for part in std::iter::once(text).chain(std::iter::once(text.trim())).chain(text.lines()) {
                if part.len() < MIN_SCANNED || part.starts_with("-----") {
                    continue;
                }
                for form in [
                    part.to_owned(),
                    // Also found where padding follows.
                    STANDARD_NO_PAD.encode(part),
                    URL_SAFE_NO_PAD.encode(part),
                    humctl_api_types::endpoint::encode_segment(part),
                    crate::json::canonical(&serde_json::Value::String(part.to_owned())).trim_matches('"').to_owned(),
                ] {
                    if !needles.iter().any(|needle: &Zeroizing<String>| **needle == form) {
                        needles.push(Zeroizing::new(form));
                    }
                }
            }
        }
        // Longest first, so that redaction never leaves the rest of a longer form.
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        Self { needles }
    }

    /// True when `text` holds any form of any secret.
    #[must_use]
    pub fn finds_in(&self, text: &str) -> bool {
        self.needles.iter().any(|needle| text.contains(needle.as_str()))
    }

    /// `text` with every form of every secret replaced.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.needles.iter().fold(text.to_owned(), |text, needle| text.replace(needle.as_str(), "[secret]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_in_its_place_with_its_key() {
        let key = StateKey::generate().unwrap();
        let sealed = key.seal("secret/a", &SecretValue::new("canary-1234")).unwrap();
        assert_eq!(key.open("secret/a", &sealed).unwrap().expose(), "canary-1234");
        assert!(matches!(key.open("secret/b", &sealed), Err(SealError::Damaged { .. })));
        assert!(matches!(StateKey::generate().unwrap().open("secret/a", &sealed), Err(SealError::OtherKey { .. })));
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn a_key_survives_its_text_form_and_a_passphrase_gives_one_key() {
        let key = StateKey::generate().unwrap();
        assert_eq!(StateKey::from_text(&key.to_text()).unwrap().id(), key.id());
        let phrase = SecretValue::new("0123456789abcdef0123456789abcdef");
        assert_eq!(StateKey::from_passphrase(&phrase).id(), StateKey::from_passphrase(&phrase).id());
        assert!(StateKey::from_text(&SecretValue::new("short")).is_none());
    }

    #[test]
    fn only_the_same_text_is_the_same() {
        let secret = SecretValue::new("canary-1234");
        assert_eq!(secret.is_same(b"canary-1234"), Ok(true));
        for other in ["canary-1235", "canary-123", "canary-12345", ""] {
            assert_eq!(secret.is_same(other.as_bytes()), Ok(false), "{other}");
        }
    }

    #[test]
    fn debug_output_shows_nothing() {
        assert_eq!(format!("{:?}", SecretValue::new("canary-1234")), "SecretValue(…)");
        assert!(!format!("{:?}", SecretScanner::new(&[SecretValue::new("canary-1234")])).contains("canary"));
    }

    #[test]
    fn every_form_of_a_secret_is_found_and_redacted() {
        let scanner = SecretScanner::new(&[SecretValue::new("p@ss word/42\n"), SecretValue::new("short")]);
        for text in ["x p@ss word/42 y", "p%40ss%20word%2F42", &STANDARD.encode("p@ss word/42"), "p@ss word/42\\n"] {
            assert!(scanner.finds_in(text), "{text}");
            assert!(scanner.redact(text).contains("[secret]"), "{text}");
        }
        assert!(!scanner.finds_in("a short text"));
    }
}
