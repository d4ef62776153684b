//! The `humanitec/k8s-cluster*` family: outputs are the inputs and
//! `cluster_type`, by which a deployment target is told (spec/drivers.md §8–§9).

use serde_json::Value;

use super::{Driver, DriverCall, DriverError, Outputs};

pub(super) struct Cluster {
    pub(super) cluster_type: &'static str,
}

impl Driver for Cluster {
    fn provision(&self, call: DriverCall<'_>) -> Result<Outputs, DriverError> {
        let DriverCall { mut values, secret_refs, .. } = call;
        let fail = |reason: &str| Err(DriverError::Failed(reason.to_owned()));
        if self.cluster_type == "git" {
            match values.get("url") {
                Some(Value::String(url)) if !url.trim().is_empty() => {}
                Some(Value::String(_)) => return fail("the value `url` is empty"),
                Some(_) => return fail("the value `url` is no string"),
                None => return fail("the value `url` is missing"),
            }
        }
        values.insert("cluster_type".to_owned(), Value::String(self.cluster_type.to_owned()));
        Ok(Outputs { values, secret_refs, ..Outputs::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::in_process;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_git_cluster_repeats_its_inputs_and_needs_a_url() {
        let driver = in_process("humanitec/k8s-cluster-git").unwrap();
        let call = |values: Value| DriverCall { values: values.as_object().unwrap().clone(), ..DriverCall::default() };
        let outputs = driver.provision(call(json!({"url": "file:///r", "loadbalancer": "1.2.3.4"}))).unwrap();
        assert_eq!(
            Value::Object(outputs.values),
            json!({"url": "file:///r", "loadbalancer": "1.2.3.4", "cluster_type": "git"})
        );
        assert_eq!(driver.provision(call(json!({}))).unwrap_err().to_string(), "the value `url` is missing");
    }
}
