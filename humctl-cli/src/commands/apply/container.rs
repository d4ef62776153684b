//! Applying what holds everything else: Environment Types, Resource Types,
//! Drivers, Applications and Environments.

use humctl_api_types::application::{CreateApplication, EnvironmentType};
use humctl_api_types::driver::CreateDriver;
use humctl_api_types::endpoint;
use humctl_api_types::environment::CreateEnvironment;
use humctl_api_types::id::AppId;
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_core::json;
use serde_json::Value;

use crate::commands::apply::{Change, existing, text};
use crate::commands::manifests;
use crate::context::Context;
use crate::error::CliError;

type Applied = Result<(Change, Value), CliError>;

pub(super) fn environment_type(context: &Context, new: &EnvironmentType) -> Applied {
    let (org, client) = (context.org()?, context.client());
    match existing(context, &endpoint::environment_type(&org, &new.id).path)? {
        None => {
            let made = client.call(&endpoint::create_environment_type(&org, new))?;
            Ok((Change::Created, json::to_value(&made)))
        }
        Some(old) if text(&old, "description") == new.description => Ok((Change::Unchanged, old)),
        Some(_) => {
            let changed = client.call(&endpoint::describe_environment_type(&org, new))?;
            Ok((Change::Updated, json::to_value(&changed)))
        }
    }
}

pub(super) fn resource_type(context: &Context, new: &ResourceTypeInfo) -> Applied {
    let (org, client) = (context.org()?, context.client());
    let types = client.call(&endpoint::resource_types(&org))?;
    match types.into_iter().find(|known| known.res_type == new.res_type) {
        None => {
            let made = client.call(&endpoint::create_resource_type(&org, new))?;
            Ok((Change::Created, json::to_value(&made)))
        }
        Some(old) if old == *new => Ok((Change::Unchanged, json::to_value(&old))),
        Some(_) => {
            let changed = client.call(&endpoint::update_resource_type(&org, &new.res_type, new))?;
            Ok((Change::Updated, json::to_value(&changed)))
        }
    }
}

pub(super) fn driver(context: &Context, new: &CreateDriver) -> Applied {
    let (org, client) = (context.org()?, context.client());
    let old = match client.call(&endpoint::driver(&org, &new.id)) {
        Ok(old) => Some(old),
        Err(error) if error.is_status(404) => None,
        Err(error) => return Err(error),
    };
    // One of another Organization has the id to itself there.
    match old.filter(|driver| driver.org_id == org.as_str()) {
        None => {
            let made = client.call(&endpoint::create_driver(&org, new))?;
            Ok((Change::Created, json::to_value(&made)))
        }
        Some(old) if old == new.clone().into_info(&org) => Ok((Change::Unchanged, json::to_value(&old))),
        Some(_) => {
            let changed = client.call(&endpoint::update_driver(&org, &new.id, &new.update()))?;
            Ok((Change::Updated, json::to_value(&changed)))
        }
    }
}

pub(super) fn application(context: &Context, new: &CreateApplication) -> Applied {
    let (org, client) = (context.org()?, context.client());
    match existing(context, &endpoint::app_path(&org, &new.id))? {
        None => {
            let made = client.call(&endpoint::create_application(&org, new))?;
            Ok((Change::Created, json::to_value(&made)))
        }
        Some(old) if text(&old, "name") == new.name => Ok((Change::Unchanged, old)),
        Some(_) => {
            let renamed = client.call(&endpoint::rename_application(&org, &new.id, &new.name))?;
            Ok((Change::Updated, json::to_value(&renamed)))
        }
    }
}

pub(super) fn environment(context: &Context, app: Option<&AppId>, new: &CreateEnvironment) -> Applied {
    let (org, app) = manifests::app_of(context, app)?;
    let client = context.client();
    match existing(context, &endpoint::env_path(&org, &app, &new.id))? {
        None => {
            let made = client.call(&endpoint::create_environment(&org, &app, new))?;
            Ok((Change::Created, json::to_value(&made)))
        }
        Some(old) if new.env_type.as_ref().is_some_and(|wanted| text(&old, "type") != wanted.as_str()) => {
            let old = text(&old, "type");
            Err(CliError::user(format!("the type of environment `{}` is `{old}` and cannot change", new.id)))
        }
        Some(old) if text(&old, "name") == new.name => Ok((Change::Unchanged, old)),
        Some(_) => {
            let renamed = client.call(&endpoint::rename_environment(&org, &app, &new.id, &new.name))?;
            Ok((Change::Updated, json::to_value(&renamed)))
        }
    }
}
