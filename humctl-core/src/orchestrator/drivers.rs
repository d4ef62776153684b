//! The Drivers that Definitions may name: the built-in ones, and those that an
//! Organization registers (spec/drivers.md §3).

use humctl_api_types::driver::{CreateDriver, DriverInfo, UpdateDriver};
use humctl_api_types::id::{DriverId, OrgId};

use crate::driver_catalogue;
use crate::lowering::Drivers;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, documents};
use crate::state::{Batch, Document, Expected};
use crate::stored_rules;

impl Orchestrator {
    /// Every Driver that Definitions may name: those of the Organization, then
    /// the built-in ones.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn drivers(&self, org: &OrgId) -> Result<Vec<DriverInfo>> {
        let mut drivers = self.own_drivers(org)?;
        drivers.extend(driver_catalogue::drivers());
        Ok(drivers)
    }

    /// One Driver, the Organization's own before a built-in one.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn driver(&self, org: &OrgId, id: &str) -> Result<DriverInfo> {
        let mut drivers = self.drivers(org)?.into_iter();
        drivers.find(|driver| driver.id == id).ok_or_else(|| no_driver(id))
    }

    /// The Drivers that Definitions may name, as the planner takes them.
    pub(super) fn registered_drivers(&self, org: &OrgId) -> Result<Drivers> {
        Ok(Drivers::new(self.own_drivers(org)?))
    }

    fn own_drivers(&self, org: &OrgId) -> Result<Vec<DriverInfo>> {
        let documents = self.store().list(&documents::drivers(org).prefix())?;
        documents.iter().map(|(key, document)| decode(key, document)).collect()
    }

    /// Registers a Driver.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Exists` for an id that is taken.
    pub fn create_driver(&self, org: &OrgId, body: CreateDriver) -> Result<DriverInfo> {
        let id = body.id.clone();
        let driver = body.into_info(org);
        stored_rules::check_registration(&driver).map_err(OrchestratorError::Invalid)?;
        self.ensure_org(org)?;
        let key = documents::driver(org, id.as_str());
        let mut batch = Batch::new();
        batch.expect(&key, Expected::Absent).put(&key, &driver);
        self.create(&batch, "driver", id.as_str())?;
        Ok(driver)
    }

    /// Replaces a registered Driver.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn update_driver(&self, org: &OrgId, id: &DriverId, body: UpdateDriver) -> Result<DriverInfo> {
        let driver = body.into_info(org, id);
        stored_rules::check_registration(&driver).map_err(OrchestratorError::Invalid)?;
        let key = documents::driver(org, id.as_str());
        self.transact(|| {
            let document = self.driver_document(org, id)?;
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &driver);
            Ok((driver.clone(), batch))
        })
    }

    /// Removes a registered Driver that no Definition names.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Conflict` while a Definition names it.
    pub fn delete_driver(&self, org: &OrgId, id: &DriverId) -> Result<()> {
        self.driver_document(org, id)?;
        let driver_type = format!("{org}/{id}");
        let definitions = self.definitions(org)?.into_iter();
        let users = definitions.filter(|definition| definition.driver_type == driver_type);
        let mut users: Vec<String> =
            users.map(|definition| format!("resource definition `{}`", definition.id)).collect();
        let target = format!("{}{driver_type}", humctl_api_types::driver::VIRTUAL_SCHEME);
        let fronts = self.own_drivers(org)?.into_iter().filter(|driver| driver.target == target);
        users.extend(fronts.map(|driver| format!("virtual driver `{}`", driver.id)));
        if !users.is_empty() {
            return Err(OrchestratorError::Conflict(format!(
                "driver `{id}` is used by {}\n  hint: delete or change these first",
                users.join(", ")
            )));
        }
        let mut batch = Batch::new();
        batch.delete(&documents::driver(org, id.as_str()));
        Ok(self.store().commit(&batch)?)
    }

    fn driver_document(&self, org: &OrgId, id: &DriverId) -> Result<Document> {
        self.store().get(&documents::driver(org, id.as_str()))?.ok_or_else(|| no_driver(id.as_str()))
    }
}

fn no_driver(id: &str) -> OrchestratorError {
    OrchestratorError::NotFound { what: "driver", id: id.to_owned() }
}
