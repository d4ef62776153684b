//! From the Driver that a Resource Definition names to the Driver that makes
//! the resource.
//!
//! A virtual Driver of the Organization stands in front of another one and
//! makes its inputs ([`virtual_driver`], spec/drivers.md §3). A Driver that
//! only Humanitec's own service runs is replaced by `humanitec/echo` or
//! `humanitec/template`, which do the same with nothing else at hand
//! ([`hosted`], spec/drivers.md §11–§13, §17). Type, class, id and `GUResID`
//! stay what they are.

mod hosted;
mod virtual_driver;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use humctl_api_types::definition::{DriverInputs, ResourceDefinition};
use humctl_api_types::driver::DriverInfo;

use crate::context::{EnvironmentContext, ResourceKey};
use crate::driver_catalogue::OWNER;
use crate::matching::Definitions;

pub use virtual_driver::check_template;

/// The Drivers that an Organization registered, by `driver_type`.
#[derive(Debug, Clone, Default)]
pub struct Drivers(BTreeMap<String, DriverInfo>);

impl Drivers {
    /// No Drivers at all.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Indexes Drivers. The built-in ones that the API lists beside them are
    /// left out.
    #[must_use]
    pub fn new(drivers: impl IntoIterator<Item = DriverInfo>) -> Self {
        let own = drivers.into_iter().filter(|driver| driver.org_id != OWNER);
        Self(own.map(|driver| (driver.driver_type(), driver)).collect())
    }

    /// The Driver with this `ORG/ID`.
    #[must_use]
    pub fn get(&self, driver_type: &str) -> Option<&DriverInfo> {
        self.0.get(driver_type)
    }

    /// True for a Driver that is asked over HTTP.
    #[must_use]
    pub fn is_asked(&self, driver_type: &str) -> bool {
        self.get(driver_type).is_some_and(|driver| driver.virtual_target().is_none())
    }
}

/// The Driver that makes a resource, and what it gets.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeDriver<'d> {
    /// `ORG/ID`.
    pub driver_type: Cow<'d, str>,
    /// Its inputs, placeholders and all.
    pub inputs: Option<Cow<'d, DriverInputs>>,
    /// What the Definition names, when that is another Driver.
    pub lowered_from: Option<&'d str>,
}

impl<'d> NodeDriver<'d> {
    /// The Driver of a Definition, as it is.
    #[must_use]
    pub fn of(definition: &'d ResourceDefinition) -> Self {
        Self {
            driver_type: Cow::Borrowed(&definition.driver_type),
            inputs: definition.driver_inputs.as_ref().map(Cow::Borrowed),
            lowered_from: None,
        }
    }

    /// True for a Driver that only Humanitec's own service runs.
    #[must_use]
    pub fn is_hosted(&self) -> bool {
        hosted::is_hosted(&self.driver_type)
    }
}

/// What lowering a Driver may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s, 'd> {
    /// The Environment.
    pub context: &'s EnvironmentContext,
    /// The resource.
    pub resource: &'s ResourceKey,
    /// The Organization's Definitions.
    pub definitions: &'s Definitions<'d>,
    /// The Organization's Drivers.
    pub drivers: &'s Drivers,
}

/// A step down: the next Driver and its inputs.
struct Step {
    driver_type: String,
    inputs: DriverInputs,
}

/// The Driver that makes a resource from a Definition.
///
/// # Errors
/// A sentence: what the inputs of a hosted Driver lack, why the template of a
/// virtual Driver fails, or that virtual Drivers stand in front of each other
/// in a circle.
pub fn node_driver<'d>(definition: &'d ResourceDefinition, scope: Scope<'_, '_>) -> Result<NodeDriver<'d>, String> {
    let mut driver = NodeDriver::of(definition);
    let mut way = vec![definition.driver_type.clone()];
    while let Some(step) = step(&driver, scope)? {
        if way.contains(&step.driver_type) {
            return Err(format!("virtual Drivers stand in a circle: {} → {}", way.join(" → "), step.driver_type));
        }
        way.push(step.driver_type.clone());
        driver = NodeDriver {
            driver_type: Cow::Owned(step.driver_type),
            inputs: Some(Cow::Owned(step.inputs)),
            lowered_from: Some(&definition.driver_type),
        };
    }
    Ok(driver)
}

fn step(driver: &NodeDriver<'_>, scope: Scope<'_, '_>) -> Result<Option<Step>, String> {
    if let Some(info) = scope.drivers.get(&driver.driver_type)
        && let Some(target) = info.virtual_target()
    {
        let inputs = driver.inputs.as_deref();
        let inputs = virtual_driver::inputs(info, inputs, scope)
            .map_err(|reason| format!("virtual Driver `{}`: {reason}", driver.driver_type))?;
        return Ok(Some(Step { driver_type: target.to_owned(), inputs }));
    }
    hosted::lower(driver, scope)
}
