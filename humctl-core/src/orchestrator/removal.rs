//! Removing Environments and Applications: first from Git, then from the state.

use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::file_changes::{file_changes, removed_files};
use crate::git::environment_edit::{Wanted, environment_edits};
use crate::git::land::{Proposal, land};
use crate::git::target::TargetPath;
use crate::graph::ResourceTypes;
use crate::orchestrator::commit_message::{Facts, Part, commit_message};
use crate::orchestrator::documents::{self, TargetDoc};
use crate::orchestrator::{Orchestrator, OrchestratorError, Result};
use crate::state::Batch;

impl Orchestrator {
    /// Removes an Environment: commits the removal of its files and record at
    /// its last target, lets registered Drivers delete what they made, then
    /// forgets it.
    ///
    /// # Errors
    /// [`OrchestratorError`]; the Environment stays when its target cannot be
    /// written. The last Environment of an Application is refused.
    pub fn delete_environment(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<()> {
        self.environment_doc(org, app, env)?;
        if self.environment_docs(org, app)?.len() == 1 {
            return Err(OrchestratorError::Invalid(format!(
                "`{env}` is the last environment of application `{app}`; delete the application instead"
            )));
        }
        self.remove_environment(org, app, env)
    }

    /// Removes an Application with all its Environments.
    ///
    /// # Errors
    /// [`OrchestratorError`]; Environments whose target cannot be written stay,
    /// and with them the Application.
    pub fn delete_application(&self, org: &OrgId, app: &AppId) -> Result<()> {
        self.application(org, app)?;
        for env in self.environment_docs(org, app)? {
            self.remove_environment(org, app, &env.id)?;
        }
        let mut batch = Batch::new();
        batch.delete_tree(&documents::app(org, app)).delete_tree(&documents::app_secrets(org, app));
        Ok(self.store().commit(&batch)?)
    }

    fn remove_environment(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<()> {
        let _lock = self.lock_environment(org, app, env)?.ok_or_else(|| {
            OrchestratorError::Conflict(format!("a deployment of environment `{env}` is in progress"))
        })?;
        let (_, doc) = self.environment_doc(org, app, env)?;
        // Somebody else may have deployed it; only the branch tells.
        let target = match doc.target {
            Some(target) => Some(target),
            None => self.found_on_branch(org, app, env)?,
        };
        if let Some(target) = &target {
            self.remove_files(org, app, env, target)?;
        }
        let context = self.context(org, app, env)?;
        for (guresid, made) in self.all_made(&context)? {
            let name = &made.resource;
            self.unmake(&context, &guresid, &made).map_err(|error| OrchestratorError::Conflict(format!(
                "{error}\n  hint: delete it once the Driver answers, or forget the resource first: humctl delete active-resource '{name}' --app {app} --env {env} --detach"
            )))?;
        }
        let mut batch = Batch::new();
        batch.delete_tree(&documents::env(org, app, env)).delete_tree(&documents::env_secrets(org, app, env));
        Ok(self.store().commit(&batch)?)
    }

    fn remove_files(&self, org: &OrgId, app: &AppId, env: &EnvId, target: &TargetDoc) -> Result<()> {
        let context = self.context(org, app, env)?;
        let (session, resolved) = self.reopen_target(&context, target, None)?;
        let types = self.resource_types(org)?;
        let path = &resolved.target.path;
        land(&session, OrchestratorError::from, |fetched| {
            let view = session.look(fetched, &context, path)?;
            if view.record.is_none() {
                // Nothing on the branch says that any file is this Environment's.
                return Ok(None);
            }
            let wanted = Wanted {
                context: &context,
                path,
                files: Vec::new(),
                cluster_path: None,
                cluster_files: Vec::new(),
                adopt: false,
            };
            let look = |path: &TargetPath| session.look(fetched, &context, path);
            let edits = environment_edits(&view, wanted, |_, _| None, look)?;
            let old = session.texts(&removed_files(&edits))?;
            let changes = file_changes(&edits, &old, &ResourceTypes::new(&types));
            let parts = [Part { context: &context, changes: &changes, deployment: None }];
            let skip_ci = self.config.git.skip_ci;
            let message = commit_message(&Facts { verb: "delete", parts: &parts, comment: "", skip_ci });
            Ok(Some(Proposal { view, edits, message }))
        })?;
        Ok(())
    }
}
