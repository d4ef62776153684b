//! The `humanitec/k8s-cluster*` family: outputs are the inputs and
//! `cluster_type`, by which a deployment target is told (spec/drivers.md §8–§9).

use serde_json::Value;

use super::{Driver, DriverCall, Outputs};

pub(super) struct Cluster {
    pub(super) cluster_type: &'static str,
}

impl Driver for Cluster {
    fn provision(&self, call: DriverCall) -> Result<Outputs, String> {
        let DriverCall { mut values, secret_refs } = call;
        if self.cluster_type == "git" {
            match values.get("url") {
                Some(Value::String(url)) if !url.trim().is_empty() => {}
                Some(Value::String(_)) => return Err("the value `url` is empty".to_owned()),
                Some(_) => return Err("the value `url` is no string".to_owned()),
                None => return Err("the value `url` is missing".to_owned()),
            }
        }
        values.insert("cluster_type".to_owned(), Value::String(self.cluster_type.to_owned()));
        Ok(Outputs { values, secret_refs })
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
        assert_eq!(driver.provision(call(json!({}))).unwrap_err(), "the value `url` is missing");
    }
}
