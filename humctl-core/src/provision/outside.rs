//! What making resources asks of the world outside: the Drivers that an
//! Organization registered, Cloud Accounts, and secret stores.

use std::collections::BTreeMap;

use humctl_api_types::id::DefinitionId;
use serde_json::{Map, Value};

use crate::context::ResourceKey;
use crate::driver::http::{HttpInputs, HttpOutputs};
use crate::lowering::Drivers;
use crate::secret::SecretValue;
use crate::values::SecretReference;

/// The world outside, as far as the caller lets resources have it. A plan gets
/// less of it than a Deployment.
pub trait Outside {
    /// True for a Driver that is registered with an address.
    fn has_driver(&self, driver_type: &str) -> bool;

    /// What such a Driver answers.
    ///
    /// # Errors
    /// [`NotMade`], without secrets.
    fn answer(&self, call: HttpCall) -> Result<HttpOutputs, NotMade>;

    /// The credentials of a Cloud Account.
    ///
    /// # Errors
    /// A sentence: it is not there, or has none.
    fn account(&self, id: &str) -> Result<Map<String, Value>, String>;

    /// The value of a secret.
    ///
    /// # Errors
    /// A sentence: why it cannot be read.
    fn secret(&self, reference: &SecretReference) -> Result<SecretValue, String>;

    /// Puts secrets into the secret store of the Organization, by field, and
    /// names them; `None` when it has none that can be written.
    ///
    /// # Errors
    /// A sentence: why they cannot be kept.
    fn keep(&self, secrets: &KeptSecrets) -> Option<Result<BTreeMap<String, SecretReference>, String>>;
}

/// What a registered Driver is asked for.
#[derive(Debug)]
pub struct HttpCall {
    /// The resource.
    pub resource: ResourceKey,
    /// Its `GUResID`.
    pub guresid: String,
    /// Its Definition.
    pub definition: DefinitionId,
    /// The Driver, `ORG/ID`.
    pub driver_type: String,
    /// What another Driver made before stays (`in_place_driver_change`).
    pub is_in_place: bool,
    /// What the Driver gets.
    pub inputs: HttpInputs,
}

/// Secrets that exist only as values, and where they are to be kept.
#[derive(Debug)]
pub struct KeptSecrets {
    /// Name in the store: segments with `/` between them.
    pub path: String,
    /// Field → value.
    pub fields: BTreeMap<String, SecretValue>,
    /// They were drawn at random, and nothing is remembered of an earlier run.
    pub are_new: bool,
}

impl KeptSecrets {
    /// What each field is called once it is kept: `PATH#FIELD`.
    #[must_use]
    pub fn references(&self, store: &str, version: Option<&str>) -> BTreeMap<String, SecretReference> {
        let reference = |field: &String| SecretReference {
            store: store.to_owned(),
            reference: format!("{}#{field}", self.path),
            version: version.map(ToOwned::to_owned),
        };
        self.fields.keys().map(|field| (field.clone(), reference(field))).collect()
    }
}

/// Why there is no answer of a registered Driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotMade {
    /// A sentence that goes on from the Driver's name.
    Failed(String),
    /// Only a Deployment asks it, and it has not been asked before.
    OnlyDeployed,
    /// It is asked later, with what else there is to ask.
    Later,
}

/// Nothing outside: for looking at what would be made.
#[derive(Debug, Clone)]
pub struct Nothing<'n> {
    /// The Drivers that a Deployment would ask.
    pub drivers: &'n Drivers,
    /// The secret store that a Deployment would write to.
    pub store: Option<&'n str>,
}

impl Outside for Nothing<'_> {
    fn has_driver(&self, driver_type: &str) -> bool {
        self.drivers.is_asked(driver_type)
    }

    fn answer(&self, _: HttpCall) -> Result<HttpOutputs, NotMade> {
        Err(NotMade::OnlyDeployed)
    }

    fn account(&self, _: &str) -> Result<Map<String, Value>, String> {
        Ok(Map::new())
    }

    fn secret(&self, _: &SecretReference) -> Result<SecretValue, String> {
        Ok(SecretValue::new(""))
    }

    /// Names where a Deployment would put them, without a version.
    fn keep(&self, secrets: &KeptSecrets) -> Option<Result<BTreeMap<String, SecretReference>, String>> {
        Some(Ok(secrets.references(self.store?, None)))
    }
}
