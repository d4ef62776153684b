//! The secret stores that this program can use by itself: every Vault that is
//! registered with a token. The primary one takes what exists only as a value.

use std::collections::BTreeMap;

use humctl_api_types::id::OrgId;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use serde_json::Value;

use crate::context::EnvironmentContext;
use crate::orchestrator::{Orchestrator, Result};
use crate::plain::PlainKind;
use crate::secret::SecretValue;
use crate::vault::{Vault, VaultError, VaultTransport};

/// A secret store with an open connection.
pub(super) struct OpenStore {
    id: String,
    transport: Box<dyn VaultTransport>,
    mount: String,
}

impl OpenStore {
    /// The value of a secret.
    pub(super) fn value(&self, reference: &str, version: Option<&str>) -> Result<SecretValue, String> {
        self.vault().value(reference, version).map_err(|error| self.told(&error))
    }

    /// Writes a secret, unless it is there already, and returns its version.
    pub(super) fn keep(&self, path: &str, fields: &BTreeMap<String, SecretValue>) -> Result<u64, String> {
        self.vault().keep(path, fields).map_err(|error| self.told(&error))
    }

    /// Refuses a secret that is there with other values.
    pub(super) fn check_unused(&self, path: &str, fields: &BTreeMap<String, SecretValue>) -> Result<(), String> {
        self.vault().check_unused(path, fields).map_err(|error| self.told(&error))
    }

    /// The version that [`Self::keep`] would return.
    pub(super) fn would_keep(&self, path: &str, fields: &BTreeMap<String, SecretValue>) -> Result<u64, String> {
        self.vault().would_keep(path, fields).map_err(|error| self.told(&error))
    }

    fn vault(&self) -> Vault<'_> {
        Vault::new(&*self.transport, &self.mount)
    }

    fn told(&self, error: &VaultError) -> String {
        format!("secret store `{}`: {error}", self.id)
    }
}

impl Orchestrator {
    /// A secret that only the Orchestrator holds: of a Definition, or a Shared Value.
    ///
    /// # Errors
    /// A sentence: why it cannot be had.
    pub(super) fn held_secret(
        &self,
        context: &EnvironmentContext,
        reference: &str,
        version: Option<&str>,
    ) -> Result<SecretValue, String> {
        let opened = match reference.strip_prefix("apps/") {
            None => self.open_secret(&context.org, reference, version),
            Some(value) => {
                self.open_value(context, value.contains("/envs/"), value.rsplit('/').next().unwrap_or_default())
            }
        };
        opened.map_err(|error| error.to_string())
    }

    /// The store that takes what exists only as a value, if there is one.
    pub(super) fn primary_store(&self, org: &OrgId) -> Result<Option<String>> {
        let Some(kind) = PlainKind::of(Kind::SecretStore) else { return Ok(None) };
        for store in self.plain_objects(org, kind, &Place::default())? {
            let id = store["id"].as_str().unwrap_or_default();
            if store["primary"] == Value::Bool(true) && self.vault_token(org, kind, id)?.is_some() {
                return Ok(Some(id.to_owned()));
            }
        }
        Ok(None)
    }

    /// Opens a registered store.
    ///
    /// # Errors
    /// A sentence: why this program cannot use it.
    pub(super) fn open_store(&self, org: &OrgId, id: &str) -> Result<OpenStore, String> {
        let cannot = |reason: &str| {
            format!(
                "secret store `{id}` {reason}, so that only the cluster can read it\n  hint: register a Vault with a token (kind SecretStore), or give the secret as a value"
            )
        };
        let kind = PlainKind::of(Kind::SecretStore).ok_or_else(|| cannot("is not known"))?;
        let Ok((_, doc)) = self.plain_doc(org, kind, &Place::default(), id) else {
            return Err(cannot("is not registered"));
        };
        let text = |field: &str| doc.entity.get("vault").and_then(|vault| vault.get(field)?.as_str());
        let Some(url) = text("url") else { return Err(cannot("is no Vault")) };
        let token = self.vault_token(org, kind, id).map_err(|error| error.to_string())?;
        let token = token.ok_or_else(|| cannot("has no token here"))?;
        let transport = self.config.network.vault(url, token);
        let transport = transport.map_err(|reason| format!("secret store `{id}`: {reason}"))?;
        Ok(OpenStore { id: id.to_owned(), transport, mount: text("path").unwrap_or_default().to_owned() })
    }

    fn vault_token(&self, org: &OrgId, kind: &PlainKind, id: &str) -> Result<Option<SecretValue>> {
        let sealed = self.sealed(org, kind, &Place::default(), id)?;
        let token = sealed.as_ref().and_then(|sealed| sealed.get("/vault/auth")?.get("token")?.as_str());
        Ok(token.filter(|token| !token.is_empty()).map(SecretValue::new))
    }
}
