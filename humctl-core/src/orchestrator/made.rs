//! What registered Drivers made: kept from before a Driver is asked until it
//! has deleted the resource.
//!
//! *Invariant.* Whatever a Driver may have made is known here, also after a
//! crash at any instant: a resource is written down before the first question,
//! and its cookie with each answer. Deleting it needs both.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::context::EnvironmentContext;
use crate::driver::http::{Deleted, DriverCookie, HttpOutputs, HttpResource, collect_secrets};
use crate::fault;
use crate::orchestrator::driver_client::{self, Caller, SystemClock};
use crate::orchestrator::outside::Asked;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, documents};
use crate::secret::{SealedSecret, SecretValue};
use crate::state::{Batch, Key};

/// A resource that a registered Driver made, or was asked to make.
#[derive(Clone)]
pub(super) struct MadeResource {
    /// `type.class#id`.
    pub(super) resource: String,
    /// Its Resource Type.
    pub(super) res_type: String,
    /// The Driver, `ORG/ID`.
    pub(super) driver_type: String,
    /// The address of the Driver.
    pub(super) target: String,
    /// What the Driver needs at the next call.
    pub(super) cookie: DriverCookie,
    /// Secrets that the Driver knows: no error shows them.
    pub(super) told: Vec<SecretValue>,
    /// Its answer to the last Deployment that is on its branch.
    pub(super) answer: Option<Answer>,
}

/// What a Driver answered, and to what.
#[derive(Clone)]
pub(super) struct Answer {
    /// Digest of the inputs.
    pub(super) inputs: String,
    /// The outputs.
    pub(super) outputs: HttpOutputs,
}

/// A [`MadeResource`] as the state keeps it.
#[derive(Serialize, Deserialize)]
struct MadeDoc {
    resource: String,
    res_type: String,
    driver_type: String,
    target: String,
    private: SealedSecret,
}

/// What is secret of it.
#[derive(Default, Serialize, Deserialize)]
struct Private {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cookie: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerDoc>,
}

#[derive(Serialize, Deserialize)]
struct AnswerDoc {
    inputs: String,
    values: Map<String, Value>,
    secrets: Map<String, Value>,
    manifests: Vec<Value>,
}

impl Orchestrator {
    /// What a Driver made of a resource, if one did.
    pub(super) fn made(&self, context: &EnvironmentContext, guresid: &str) -> Result<Option<MadeResource>> {
        let key = key(context, guresid);
        self.store().get(&key)?.map(|document| self.open_made(&key, decode(&key, &document)?)).transpose()
    }

    /// Everything that Drivers made for an Environment, by `GUResID`.
    pub(super) fn all_made(&self, context: &EnvironmentContext) -> Result<Vec<(String, MadeResource)>> {
        let prefix = documents::made(&documents::env(&context.org, &context.app, &context.env)).prefix();
        let documents = self.store().list(&prefix)?.into_iter();
        documents
            .map(|(key, document)| {
                let guresid = key.as_str().rsplit('/').next().unwrap_or_default().to_owned();
                Ok((guresid, self.open_made(&key, decode(&key, &document)?)?))
            })
            .collect()
    }

    fn open_made(&self, key: &Key, doc: MadeDoc) -> Result<MadeResource> {
        let text = self.state_key()?.open(key.as_str(), &doc.private)?;
        // Whatever was sealed was written by this program.
        let private: Private = serde_json::from_str(text.expose()).unwrap_or_default();
        let answer = private.answer.map(|AnswerDoc { inputs, values, secrets, manifests }| Answer {
            inputs,
            outputs: HttpOutputs { values, secrets, manifests },
        });
        let cookie = DriverCookie::new(private.cookie.as_deref().unwrap_or_default());
        Ok(MadeResource {
            resource: doc.resource,
            res_type: doc.res_type,
            driver_type: doc.driver_type,
            target: doc.target,
            cookie: cookie.unwrap_or_default(),
            told: private.told.into_iter().map(SecretValue::new).collect(),
            answer,
        })
    }

    /// Writes down what a Driver is about to make, or has made.
    pub(super) fn keep_made(&self, context: &EnvironmentContext, guresid: &str, made: &MadeResource) -> Result<()> {
        let key = key(context, guresid);
        let private = Private {
            cookie: made.cookie.text().map(|text| text.expose().to_owned()),
            told: made.told.iter().map(|secret| secret.expose().to_owned()).collect(),
            answer: made.answer.clone().map(|Answer { inputs, outputs }| AnswerDoc {
                inputs,
                values: outputs.values,
                secrets: outputs.secrets,
                manifests: outputs.manifests,
            }),
        };
        let text = SecretValue::new(crate::json::canonical(&crate::json::to_value(&private)));
        let doc = MadeDoc {
            resource: made.resource.clone(),
            res_type: made.res_type.clone(),
            driver_type: made.driver_type.clone(),
            target: made.target.clone(),
            private: self.state_key()?.seal(key.as_str(), &text)?,
        };
        // The Environment's lock is held: nobody else writes this.
        let mut batch = Batch::new();
        batch.put(&key, &doc);
        Ok(self.store().commit(&batch)?)
    }

    /// Keeps what Drivers answered to a Deployment that is on its branch. That
    /// of one that failed is nothing to go by.
    pub(super) fn keep_answers(&self, context: &EnvironmentContext, asked: &Asked) -> Result<()> {
        let asked = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
        for (guresid, answer) in asked {
            if let Some(made) = self.made(context, &guresid)? {
                self.keep_made(context, &guresid, &MadeResource { answer: Some(answer), ..made })?;
            }
        }
        Ok(())
    }

    /// Forgets what a Driver made.
    pub(super) fn forget_made(&self, context: &EnvironmentContext, guresid: &str) -> Result<()> {
        let mut batch = Batch::new();
        batch.delete(&key(context, guresid));
        Ok(self.store().commit(&batch)?)
    }

    /// Lets a Driver delete what it made, and forgets that.
    ///
    /// # Errors
    /// [`OrchestratorError::Conflict`] when the Driver does not; it stays known then.
    pub(super) fn unmake(&self, context: &EnvironmentContext, guresid: &str, made: &MadeResource) -> Result<()> {
        let deleted = self.ask_to_delete(context, guresid, made).map_err(|reason| {
            OrchestratorError::Conflict(format!(
                "`{}` was made by the Driver `{}`, which does not delete it: {reason}",
                made.resource, made.driver_type
            ))
        })?;
        if deleted == Deleted::Before {
            tracing::warn!("the Driver `{}` does not know `{}` any more", made.driver_type, made.resource);
        }
        fault::point("driver deleted");
        self.forget_made(context, guresid)
    }

    fn ask_to_delete(
        &self,
        context: &EnvironmentContext,
        guresid: &str,
        made: &MadeResource,
    ) -> Result<Deleted, String> {
        let transport = self.config.network.driver(&made.target)?;
        let clock = SystemClock::start(self.config.git.cancel.clone());
        let mut secrets = made.told.clone();
        for output in made.answer.iter().flat_map(|answer| answer.outputs.secrets.values()) {
            collect_secrets(output, &mut secrets);
        }
        let mut resource = HttpResource { guresid: guresid.to_owned(), cookie: made.cookie.clone(), secrets };
        let remember = |cookie: &DriverCookie| {
            let made = MadeResource { cookie: cookie.clone(), ..made.clone() };
            self.keep_made(context, guresid, &made).map_err(|error| error.to_string())
        };
        let caller = Caller { transport: &*transport, clock: &clock, remember: &remember };
        driver_client::destroy(&caller, &mut resource).map_err(|error| error.to_string())
    }
}

fn key(context: &EnvironmentContext, guresid: &str) -> Key {
    documents::made(&documents::env(&context.org, &context.app, &context.env)).child(guresid)
}
