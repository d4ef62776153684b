//! Which objects belong to no namespace.

use crate::manifests::Location;

/// Groups whose kinds are all known, with those that belong to the whole cluster.
const GROUPS: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("apps", &[]),
    ("autoscaling", &[]),
    ("batch", &[]),
    ("cert-manager.io", &["ClusterIssuer"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("coordination.k8s.io", &[]),
    ("discovery.k8s.io", &[]),
    ("events.k8s.io", &[]),
    ("extensions", &["PodSecurityPolicy"]),
    ("external-secrets.io", &["ClusterExternalSecret", "ClusterPushSecret", "ClusterSecretStore"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    ("generators.external-secrets.io", &["ClusterGenerator"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "DeviceTaintRule", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("snapshot.storage.k8s.io", &["VolumeSnapshotClass", "VolumeSnapshotContent"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"]),
];

/// True for an object that belongs to no namespace. The location tells of kinds
/// that nobody here knows, unless the object names a namespace.
pub(super) fn is_cluster_scoped(group: &str, kind: &str, location: Location, has_namespace: bool) -> bool {
    match GROUPS.iter().find(|(name, _)| *name == group) {
        Some((_, kinds)) => kinds.contains(&kind),
        None => location == Location::Cluster && !has_namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_tells_and_else_the_location() {
        use Location::{Cluster, Namespace};
        for (group, kind, location, has_namespace, expected) in [
            ("", "Namespace", Namespace, false, true),
            ("", "PersistentVolume", Namespace, true, true),
            ("", "ConfigMap", Cluster, false, false),
            ("apps", "Deployment", Cluster, false, false),
            ("rbac.authorization.k8s.io", "ClusterRoleBinding", Namespace, false, true),
            ("rbac.authorization.k8s.io", "RoleBinding", Cluster, false, false),
            ("external-secrets.io", "ClusterSecretStore", Namespace, false, true),
            ("acme.example", "Database", Namespace, false, false),
            ("acme.example", "Database", Cluster, false, true),
            ("acme.example", "Database", Cluster, true, false),
            // A kind is known by its group.
            ("acme.example", "Namespace", Namespace, false, false),
        ] {
            assert_eq!(is_cluster_scoped(group, kind, location, has_namespace), expected, "{group} {kind}");
        }
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(GROUPS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(GROUPS.iter().all(|(_, kinds)| kinds.is_sorted()));
    }
}
