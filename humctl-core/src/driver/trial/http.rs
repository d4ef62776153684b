//! Trying a Definition out with an HTTP Driver: what is sent, and how its
//! answer is shown (spec/drivers.md §17, last paragraph).

use humctl_api_types::definition::CreateDefinition;
use serde_json::{Value, json};

use super::{Expanded, Known, TrialError, TrialInputs, guresid};
use crate::driver::http::{DriverCookie, HttpInputs, HttpOutputs, HttpResource, collect_secrets};

/// The resource of a Definition, which is all that deleting it takes.
///
/// # Errors
/// [`TrialError::BadInputs`] when its id or the cookie are not as they should be.
pub fn http_resource(definition: &CreateDefinition, inputs: &TrialInputs) -> Result<HttpResource, TrialError> {
    let mut findings = Vec::new();
    let cookie = match &inputs.cookie {
        Value::Null => DriverCookie::default(),
        Value::String(text) => DriverCookie::new(text).unwrap_or_else(|error| {
            findings.push(format!("cookie: {error}"));
            DriverCookie::default()
        }),
        _ => {
            findings.push("cookie: the cookie of an HTTP Driver is text, as the Driver set it".to_owned());
            DriverCookie::default()
        }
    };
    let guresid = guresid(definition, &Known::new(inputs.placeholders.as_ref())?);
    // It becomes a part of an address.
    if guresid.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        findings.push("placeholders: `context.res.guresid` has only letters and digits".to_owned());
    }
    let mut secrets = Vec::new();
    inputs.secret_refs.iter().flat_map(|given| given.values()).for_each(|given| collect_secrets(given, &mut secrets));
    if findings.is_empty() {
        Ok(HttpResource { guresid, cookie, secrets })
    } else {
        Err(TrialError::BadInputs(findings))
    }
}

/// What a Driver gets for a Definition, of whatever Driver that is.
///
/// # Errors
/// [`TrialError::BadInputs`] with everything that has no value.
pub fn http_trial(
    definition: &CreateDefinition,
    inputs: &TrialInputs,
) -> Result<(HttpResource, HttpInputs), TrialError> {
    let tried = http_resource(definition, inputs)?;
    let Expanded { values, secrets, .. } = Expanded::new(definition, inputs)?;
    let resource = inputs.resource.clone().unwrap_or_default();
    Ok((tried, HttpInputs { res_type: definition.res_type.to_string(), resource, values, secrets }))
}

impl HttpOutputs {
    /// The result as `test-definition` shows it: with secrets and the cookie
    /// with which a second run goes on.
    #[must_use]
    pub fn document(self, cookie: &DriverCookie) -> Value {
        json!({
            "cookie": cookie.text().map(|text| text.expose().to_owned()),
            "manifests": self.manifests,
            "outputs": self.values,
            "secrets": self.secrets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::http::MAX_COOKIE;
    use crate::driver::trial::read_inputs;

    fn definition() -> CreateDefinition {
        serde_json::from_value(json!({
            "id": "queue", "name": "queue", "type": "queue", "driver_type": "acme/queue",
            "driver_inputs": {
                "values": {"region": "${context.app.id}"},
                "secret_refs": {"account": {"key": {"store": "vault", "ref": "k"}}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_driver_gets_expanded_inputs_whatever_its_type() {
        let inputs = "cookie: abc=\nplaceholders: {context.app.id: shop}\nresource: {fifo: true}\nsecretRefs: {account: {key: k}}\n";
        let (tried, inputs) = http_trial(&definition(), &read_inputs(inputs).unwrap()).unwrap();
        assert_eq!(
            inputs.body().expose(),
            r#"{"driver":{"secrets":{"account":{"key":"k"}},"values":{"region":"shop"}},"resource":{"fifo":true},"type":"queue"}"#
        );
        assert_eq!((tried.guresid.len(), tried.cookie), (40, DriverCookie::new("abc=").unwrap()));
    }

    #[test]
    fn deleting_takes_only_the_id_and_the_cookie() {
        let long = format!("cookie: {}", "x".repeat(MAX_COOKIE + 1));
        for (inputs, expected) in [
            ("", Ok(40)),
            ("placeholders: {context.res.guresid: 7f3c}", Ok(4)),
            ("cookie: {a: 1}", Err("cookie: the cookie of an HTTP Driver is text, as the Driver set it")),
            (
                "cookie: \"a\\nb\"",
                Err("cookie: a cookie is text of one line without control characters; base64 of JSON is usual"),
            ),
            (&long, Err("cookie: a cookie has at most 10240 bytes, and this one has 10241")),
            (
                "placeholders: {context.res.guresid: ../x}",
                Err("placeholders: `context.res.guresid` has only letters and digits"),
            ),
        ] {
            let found = http_resource(&definition(), &read_inputs(inputs).unwrap());
            let found = found.map(|resource| resource.guresid.len()).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{inputs}");
        }
        let error = http_trial(&definition(), &read_inputs("").unwrap()).unwrap_err().to_string();
        assert!(
            error.contains("`${context.app.id}` has no value") && error.contains("secretRefs.account.key"),
            "{error}"
        );
    }
}
