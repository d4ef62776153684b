//! The worked sample of spec/score.md §7.2, whole.

use super::*;

#[test]
fn the_worked_sample_comes_out() {
    let secret = |key: &str| json!({"$secretRef": {"store": "vault", "ref": format!("db/{key}")}});
    let module = json!({
        "annotations": {"humanitec.io/managed-by": "score-humanitec"},
        "containers": {"web": {
            "id": "web", "image": "repo/shop:1", "args": ["--dir", "/srv"],
            "variables": {"MODE": "fast", "DB_HOST": "db.local", "DB_URL": {"$concat": ["pg://", secret("user"), ":", secret("password"), "@db.local"]}},
            "files": {"/etc/shop/app.conf": {"mode": "640", "value": "host=db.local\n"}},
            "volume_mounts": {"/cache": {"id": "externals.cache"}},
            "readiness_probe": {"type": "http", "path": "/ok", "port": 8080},
        }},
        "service": {"ports": {"www": {"service_port": 80, "container_port": 8080}}},
    });
    let injected = Injected {
        volumes: vec![json!({"name": "v0", "emptyDir": {}})],
        volume_names: BTreeMap::from([("externals.cache".to_owned(), "v0".to_owned())]),
        ..Injected::default()
    };
    let found = rendered(MODULE, &module, &injected).unwrap();
    let text: String =
        found.objects.iter().map(|object| format!("---\n{}", crate::yaml::to_string(&object.0).unwrap())).collect();
    insta::assert_snapshot!(text, @r#"
    ---
    apiVersion: v1
    data:
      web-etc-shop-app.conf: |
        host=db.local
    kind: ConfigMap
    metadata:
      labels:
        app.kubernetes.io/instance: shop
        app.kubernetes.io/managed-by: humctl
        app.kubernetes.io/name: shop
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: shop
      name: shop-configmap
    ---
    apiVersion: v1
    data:
      DB_HOST: db.local
      MODE: fast
    kind: ConfigMap
    metadata:
      labels:
        app.kubernetes.io/instance: shop
        app.kubernetes.io/managed-by: humctl
        app.kubernetes.io/name: shop
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: shop
      name: shop-configmap-web
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      labels:
        app.kubernetes.io/instance: shop
        app.kubernetes.io/managed-by: humctl
        app.kubernetes.io/name: shop
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: shop
      name: shop
    spec:
      selector:
        matchLabels:
          app.kubernetes.io/instance: shop
          app.kubernetes.io/name: shop
      template:
        metadata:
          annotations:
            checksum/config: a16b2af0e540e6bb97de93337cab943ad776635a1ce3296ba86b7843876f58b9
            humanitec.io/managed-by: score-humanitec
          labels:
            app.kubernetes.io/instance: shop
            app.kubernetes.io/name: shop
            humanitec.io/app: shop
            humanitec.io/env: development
            humanitec.io/workload: shop
        spec:
          containers:
          - args:
            - --dir
            - /srv
            env:
            - name: DB_URL
              valueFrom:
                secretKeyRef:
                  key: DB_URL
                  name: shop-secrets-web
            envFrom:
            - configMapRef:
                name: shop-configmap-web
            image: repo/shop:1
            name: web
            readinessProbe:
              httpGet:
                path: /ok
                port: 8080
            resources:
              limits:
                cpu: 250m
                memory: 256Mi
              requests:
                cpu: 25m
                memory: 64Mi
            volumeMounts:
            - mountPath: /etc/shop/app.conf
              name: files-web
              readOnly: true
              subPath: web-etc-shop-app.conf
            - mountPath: /cache
              name: v0
          imagePullSecrets: []
          serviceAccount: ""
          serviceAccountName: ""
          volumes:
          - emptyDir: {}
            name: v0
          - name: files-web
            projected:
              sources:
              - configMap:
                  items:
                  - key: web-etc-shop-app.conf
                    mode: 416
                    path: web-etc-shop-app.conf
                  name: shop-configmap
    ---
    apiVersion: v1
    kind: Service
    metadata:
      labels:
        app.kubernetes.io/instance: shop
        app.kubernetes.io/managed-by: humctl
        app.kubernetes.io/name: shop
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: shop
      name: shop
    spec:
      ports:
      - name: port-www
        port: 80
        protocol: TCP
        targetPort: 8080
      selector:
        app.kubernetes.io/instance: shop
        app.kubernetes.io/name: shop
      type: ClusterIP
    "#);
    insta::assert_debug_snapshot!(found.secrets, @r#"
    [
        SecretKeys {
            name: "shop-secrets-web",
            keys: {
                "DB_URL": [
                    Plain(
                        "pg://",
                    ),
                    Secret(
                        Object {
                            "ref": String("db/user"),
                            "store": String("vault"),
                        },
                    ),
                    Plain(
                        ":",
                    ),
                    Secret(
                        Object {
                            "ref": String("db/password"),
                            "store": String("vault"),
                        },
                    ),
                    Plain(
                        "@db.local",
                    ),
                ],
            },
        },
    ]
    "#);
}
