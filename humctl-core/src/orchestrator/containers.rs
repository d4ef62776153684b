//! Organizations, Environment Types, Resource Types, Applications and
//! Environments: the objects that hold everything else.

use humctl_api_types::application::{
    Application, CreateApplication, CurrentUser, EnvironmentBase, EnvironmentType, Organization,
};
use humctl_api_types::deployment::Deployment;
use humctl_api_types::environment::{CreateEnvironment, Environment};
use humctl_api_types::id::{AppId, DeploymentId, EnvId, EnvTypeId, OrgId};
use humctl_api_types::resource_type::ResourceTypeInfo;
use serde_json::{Value, json};

use crate::builtin;
use crate::orchestrator::documents::{self, ApplicationDoc, DeploymentDoc, EnvironmentDoc};
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, decode_value, now};
use crate::state::{Batch, Document, Expected};
use crate::stored_rules;

impl Orchestrator {
    /// Who asks; here always the local user.
    #[must_use]
    pub fn current_user(&self) -> CurrentUser {
        CurrentUser {
            id: self.user().to_owned(),
            name: self.user().to_owned(),
            created_at: now(),
            kind: "user".to_owned(),
            properties: serde_json::Map::new(),
            roles: std::collections::BTreeMap::new(),
        }
    }

    /// The Organizations that the state knows, and `also` if it is none of them.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn organizations(&self, also: Option<&OrgId>) -> Result<Vec<Organization>> {
        let mut found: Vec<Organization> = Vec::new();
        for (key, document) in self.store().children("org/")? {
            found.push(decode(&key, &document)?);
        }
        if let Some(org) = also.filter(|org| found.iter().all(|known| known.id != **org)) {
            found.push(self.organization(org)?);
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// An Organization.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn organization(&self, org: &OrgId) -> Result<Organization> {
        let key = documents::org(org);
        match self.get(org, &key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "organization", id: org.to_string() }),
        }
    }

    // --- Environment Types ---------------------------------------------------

    /// The Environment Types of an Organization.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn environment_types(&self, org: &OrgId) -> Result<Vec<EnvironmentType>> {
        let prefix = documents::org(org).child("env-type").prefix();
        self.list(org, &prefix)?.iter().map(|value| decode_value(&documents::org(org), value)).collect()
    }

    /// One Environment Type.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn environment_type(&self, org: &OrgId, id: &EnvTypeId) -> Result<EnvironmentType> {
        let key = documents::env_type(org, id.as_str());
        match self.get(org, &key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "environment type", id: id.to_string() }),
        }
    }

    /// Makes an Environment Type.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn create_environment_type(&self, org: &OrgId, body: EnvironmentType) -> Result<EnvironmentType> {
        self.ensure_org(org)?;
        let key = documents::env_type(org, body.id.as_str());
        let mut batch = Batch::new();
        batch.expect(&key, Expected::Absent).put(&key, &body);
        self.create(&batch, "environment type", body.id.as_str())?;
        Ok(body)
    }

    /// Changes the description of an Environment Type.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn describe_environment_type(
        &self,
        org: &OrgId,
        id: &EnvTypeId,
        description: Option<String>,
    ) -> Result<EnvironmentType> {
        self.ensure_org(org)?;
        let mut env_type = self.environment_type(org, id)?;
        if let Some(description) = description {
            env_type.description = description;
            let mut batch = Batch::new();
            batch.put(&documents::env_type(org, id.as_str()), &env_type);
            self.store().commit(&batch)?;
        }
        Ok(env_type)
    }

    /// Removes an Environment Type that no Environment uses.
    ///
    /// # Errors
    /// [`OrchestratorError::Conflict`] while one does.
    pub fn delete_environment_type(&self, org: &OrgId, id: &EnvTypeId) -> Result<()> {
        self.ensure_org(org)?;
        self.environment_type(org, id)?;
        let applications = self.applications(org)?;
        let users: Vec<Value> = applications
            .iter()
            .flat_map(|app| app.envs.iter().map(move |env| (app, env)))
            .filter(|(_, env)| env.env_type == *id)
            .map(|(app, env)| json!({"app_id": app.id, "env_id": env.id}))
            .collect();
        if !users.is_empty() {
            let message = format!("environment type `{id}` is used by {} environments", users.len());
            return Err(OrchestratorError::InUse { status: 409, message, body: Value::Array(users) });
        }
        let mut batch = Batch::new();
        batch.delete(&documents::env_type(org, id.as_str()));
        Ok(self.store().commit(&batch)?)
    }

    // --- Resource Types and Drivers ------------------------------------------

    /// Built-in and custom Resource Types, sorted by name.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn resource_types(&self, org: &OrgId) -> Result<Vec<ResourceTypeInfo>> {
        let mut types = builtin::resource_types();
        let key = documents::org(org).child("type");
        for (key, document) in self.store().list(&key.prefix())? {
            types.push(decode(&key, &document)?);
        }
        types.sort_by(|a, b| a.res_type.cmp(&b.res_type));
        Ok(types)
    }

    /// One custom Resource Type.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn custom_resource_type(&self, org: &OrgId, id: &str) -> Result<ResourceTypeInfo> {
        let key = documents::resource_type(org, id);
        match self.store().get(&key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "resource type", id: id.to_owned() }),
        }
    }

    /// Makes or, with `is_update`, replaces a custom Resource Type.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn put_resource_type(&self, org: &OrgId, body: ResourceTypeInfo, is_update: bool) -> Result<ResourceTypeInfo> {
        let id = body.res_type.as_str();
        stored_rules::check_resource_type(org, &body).map_err(OrchestratorError::Invalid)?;
        self.ensure_org(org)?;
        let key = documents::resource_type(org, id);
        let existing = self.store().get(&key)?;
        if is_update && existing.is_none() {
            return Err(OrchestratorError::NotFound { what: "resource type", id: id.to_owned() });
        }
        let mut batch = Batch::new();
        let expected = if is_update { Expected::from(existing.as_ref()) } else { Expected::Absent };
        batch.expect(&key, expected).put(&key, &body);
        self.create(&batch, "resource type", id)?;
        Ok(body)
    }

    /// Removes a custom Resource Type that no Definition has.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Conflict` while a Definition has it.
    pub fn delete_resource_type(&self, org: &OrgId, id: &str) -> Result<()> {
        self.custom_resource_type(org, id)?;
        let users = self.definitions(org)?.into_iter().filter(|definition| definition.res_type.as_str() == id);
        let users: Vec<String> = users.map(|definition| format!("`{}`", definition.id)).collect();
        if !users.is_empty() {
            return Err(OrchestratorError::Conflict(format!(
                "resource type `{id}` is the type of resource definition {}\n  hint: delete the definitions first",
                users.join(", ")
            )));
        }
        let mut batch = Batch::new();
        batch.delete(&documents::resource_type(org, id));
        Ok(self.store().commit(&batch)?)
    }

    // --- Applications ----------------------------------------------------------

    /// The Applications of an Organization.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn applications(&self, org: &OrgId) -> Result<Vec<Application>> {
        let mut apps = Vec::new();
        for (key, document) in self.store().children(&documents::apps(org).prefix())? {
            let app: ApplicationDoc = decode(&key, &document)?;
            let envs = self.environment_docs(org, &app.id)?;
            apps.push(application(org, app, envs.iter().map(base).collect()));
        }
        Ok(apps)
    }

    /// One Application.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn application(&self, org: &OrgId, id: &AppId) -> Result<Application> {
        let (_, doc) = self.application_doc(org, id)?;
        let envs = self.environment_docs(org, id)?;
        Ok(application(org, doc, envs.iter().map(base).collect()))
    }

    /// Makes an Application with its first Environment.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn create_application(&self, org: &OrgId, body: CreateApplication) -> Result<Application> {
        self.ensure_org(org)?;
        let now = now();
        let key = documents::app(org, &body.id);
        let doc = ApplicationDoc {
            id: body.id.clone(),
            name: body.name,
            created_at: now.clone(),
            created_by: self.user().to_owned(),
        };
        let mut batch = Batch::new();
        batch.expect(&key, Expected::Absent).put(&key, &doc);
        if !body.skip_environment_creation.unwrap_or_default() {
            let (id, name, env_type) = match body.env {
                Some(env) => (env.id, env.name, env.env_type),
                None => (development(), Some("Development".to_owned()), None),
            };
            let env_type = env_type.unwrap_or_else(development_type);
            self.environment_type(org, &env_type).map_err(OrchestratorError::into_invalid)?;
            let name = name.unwrap_or_else(|| id.to_string());
            let env = EnvironmentDoc::new(id.clone(), name, env_type, now, self.user());
            batch.put(&documents::env(org, &body.id, &id), &env);
        }
        self.create(&batch, "application", body.id.as_str())?;
        self.application(org, &body.id)
    }

    /// Renames an Application.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn rename_application(&self, org: &OrgId, id: &AppId, name: Option<String>) -> Result<Application> {
        self.transact(|| {
            let (document, mut doc) = self.application_doc(org, id)?;
            if let Some(name) = &name {
                doc.name.clone_from(name);
            }
            let key = documents::app(org, id);
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &doc);
            Ok(((), batch))
        })?;
        self.application(org, id)
    }

    pub(super) fn application_doc(&self, org: &OrgId, id: &AppId) -> Result<(Document, ApplicationDoc)> {
        let key = documents::app(org, id);
        match self.store().get(&key)? {
            Some(document) => {
                let doc = decode(&key, &document)?;
                Ok((document, doc))
            }
            None => Err(OrchestratorError::NotFound { what: "application", id: id.to_string() }),
        }
    }

    // --- Environments ------------------------------------------------------------

    /// The Environments of an Application.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn environments(&self, org: &OrgId, app: &AppId) -> Result<Vec<Environment>> {
        self.application_doc(org, app)?;
        self.environment_docs(org, app)?.into_iter().map(|doc| self.environment_from(org, app, doc)).collect()
    }

    /// One Environment.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn environment(&self, org: &OrgId, app: &AppId, id: &EnvId) -> Result<Environment> {
        let (_, doc) = self.environment_doc(org, app, id)?;
        self.environment_from(org, app, doc)
    }

    /// Makes an Environment, empty or based on a Deployment of the Application.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn create_environment(&self, org: &OrgId, app: &AppId, body: CreateEnvironment) -> Result<Environment> {
        self.ensure_org(org)?;
        self.application_doc(org, app)?;
        let source = match &body.from_deploy_id {
            None => None,
            Some(id) => Some(self.find_deployment(org, app, id.as_str())?.ok_or_else(|| {
                OrchestratorError::Invalid(format!("there is no deployment `{id}` in application `{app}`"))
            })?),
        };
        let env_type = match (body.env_type, &source) {
            (Some(env_type), _) => env_type,
            (None, Some((env, _))) => self.environment_doc(org, app, env)?.1.env_type,
            (None, None) => development_type(),
        };
        self.environment_type(org, &env_type).map_err(OrchestratorError::into_invalid)?;
        let mut doc = EnvironmentDoc::new(body.id.clone(), body.name, env_type, now(), self.user());
        doc.from_deploy = body.from_deploy_id;
        let key = documents::env(org, app, &body.id);
        let mut batch = Batch::new();
        batch.expect(&key, Expected::Absent).put(&key, &doc);
        self.create(&batch, "environment", body.id.as_str())?;
        self.environment(org, app, &body.id)
    }

    /// Renames an Environment.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn rename_environment(
        &self,
        org: &OrgId,
        app: &AppId,
        id: &EnvId,
        name: Option<String>,
    ) -> Result<Environment> {
        self.transact(|| {
            let (document, mut doc) = self.environment_doc(org, app, id)?;
            if let Some(name) = &name {
                doc.name.clone_from(name);
            }
            let key = documents::env(org, app, id);
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &doc);
            Ok(((), batch))
        })?;
        self.environment(org, app, id)
    }

    /// Lets the next Deployment of an Environment start from another one of the
    /// Application, which may be of another Environment. Nothing is deployed.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for an unknown Deployment.
    pub fn rebase_environment(&self, org: &OrgId, app: &AppId, env: &EnvId, from: &DeploymentId) -> Result<()> {
        self.transact(|| {
            let (document, mut doc) = self.environment_doc(org, app, env)?;
            if self.find_deployment(org, app, from.as_str())?.is_none() {
                return Err(OrchestratorError::Invalid(format!(
                    "there is no deployment `{from}` in application `{app}`\n  hint: list them with: humctl get deployments --app {app} --env {env}"
                )));
            }
            doc.rebase(from.clone());
            let key = documents::env(org, app, env);
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &doc);
            Ok(((), batch))
        })
    }

    pub(super) fn environment_doc(&self, org: &OrgId, app: &AppId, id: &EnvId) -> Result<(Document, EnvironmentDoc)> {
        let key = documents::env(org, app, id);
        if let Some(document) = self.store().get(&key)? {
            let doc = decode(&key, &document)?;
            Ok((document, doc))
        } else {
            self.application_doc(org, app)?;
            Err(OrchestratorError::NotFound { what: "environment", id: id.to_string() })
        }
    }

    pub(super) fn environment_docs(&self, org: &OrgId, app: &AppId) -> Result<Vec<EnvironmentDoc>> {
        let documents = self.store().children(&documents::envs(org, app).prefix())?;
        documents.iter().map(|(key, document)| decode(key, document)).collect()
    }

    fn environment_from(&self, org: &OrgId, app: &AppId, doc: EnvironmentDoc) -> Result<Environment> {
        let env = documents::env(org, app, &doc.id);
        let find = |id: Option<&DeploymentId>| -> Result<Option<Deployment>> {
            let Some(id) = id else { return Ok(None) };
            let key = documents::deployment(&env, id);
            if let Some(document) = self.store().get(&key)? {
                return Ok(Some(decode::<DeploymentDoc>(&key, &document)?.deployment));
            }
            // A new Environment may start from a Deployment of another one.
            Ok(self.find_deployment(org, app, id.as_str())?.map(|(_, doc)| doc.deployment))
        };
        Ok(Environment {
            from_deploy: find(doc.from_deploy.as_ref())?,
            last_deploy: find(doc.last_deploy.as_ref())?,
            status: "active".to_owned(),
            status_changed_at: doc.created_at.clone(),
            id: doc.id,
            name: doc.name,
            env_type: doc.env_type,
            created_at: doc.created_at,
            created_by: doc.created_by,
        })
    }

    /// Commits the batch that makes an object; a conflict means that it exists.
    pub(super) fn create(&self, batch: &Batch, what: &'static str, id: &str) -> Result<()> {
        match self.store().commit(batch) {
            Err(crate::state::StateError::Conflict { .. }) => {
                Err(OrchestratorError::Exists { what, id: id.to_owned() })
            }
            other => Ok(other?),
        }
    }
}

fn application(org: &OrgId, doc: ApplicationDoc, envs: Vec<EnvironmentBase>) -> Application {
    Application {
        id: doc.id,
        name: doc.name,
        org_id: org.clone(),
        status: "active".to_owned(),
        status_changed_at: doc.created_at.clone(),
        created_at: doc.created_at,
        created_by: doc.created_by,
        envs,
    }
}

fn base(env: &EnvironmentDoc) -> EnvironmentBase {
    EnvironmentBase { id: env.id.clone(), name: env.name.clone(), env_type: env.env_type.clone() }
}

fn development() -> EnvId {
    EnvId::new("development").unwrap_or_else(|_| unreachable!("a valid id"))
}

fn development_type() -> EnvTypeId {
    EnvTypeId::new("development").unwrap_or_else(|_| unreachable!("a valid id"))
}
