//! The way to a hosted Orchestrator: certificates of one's own, and proxies.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::{Answer, FakeApi, TestEnv, hosted, read_request};

/// An API behind TLS, whose certificate a CA of its own has signed. Asked by
/// CONNECT it plays a proxy that leads to every host.
struct TlsApi {
    port: u16,
    ca_file: PathBuf,
    /// What was asked: `CONNECT …` lines, and requests.
    seen: Arc<Mutex<Vec<String>>>,
}

impl TlsApi {
    fn start(directory: &Path) -> Self {
        make_certificates(directory);
        let certificate = CertificateDer::from_pem_file(directory.join("leaf.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(directory.join("leaf.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, log) = (Arc::clone(&config), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, config, &log));
            }
        });
        Self { port, ca_file: directory.join("ca.pem"), seen }
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut first = [0];
    stream.peek(&mut first).ok()?;
    if first == *b"C" {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        log.lock().unwrap().push(line.trim_end().to_owned());
        let mut rest = String::new();
        while reader.read_line(&mut rest).ok()? > 2 {}
        assert!(!rest.to_lowercase().contains("bearer"), "a proxy learns no token");
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").ok()?;
    }
    let mut tls = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let request = read_request(&mut tls)?;
    log.lock().unwrap().push(request.line());
    tls.write_all(&Answer::new(200, "[]").bytes()).ok()?;
    tls.conn.send_close_notify();
    tls.flush().ok()
}

fn make_certificates(directory: &Path) {
    let config = "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = humctl test\n\
        [ca]\nbasicConstraints = critical,CA:TRUE\n\
        [leaf]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:api.example.test,IP:127.0.0.1\n";
    std::fs::create_dir_all(directory).unwrap();
    std::fs::write(directory.join("openssl.cnf"), config).unwrap();
    for (name, signed_by) in [("ca", ""), ("leaf", " -CA ca.pem -CAkey ca.key")] {
        let words = format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -config openssl.cnf \
             -extensions {name} -keyout {name}.key -out {name}.pem{signed_by}"
        );
        let made = Command::new("openssl").args(words.split_whitespace()).current_dir(directory).output();
        let made = made.expect("install it with: apt-get install openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

#[test]
fn a_certificate_of_ones_own_can_be_trusted() {
    let mut env = TestEnv::new();
    let api = TlsApi::start(&env.path("tls"));
    let ca_file = api.ca_file.display().to_string();
    env.set("HUMANITEC_API_PREFIX", &format!("https://127.0.0.1:{}/v1", api.port)).set("HUMANITEC_TOKEN", "some-token");
    let untrusted = env.run("get orgs").fails().stderr;
    assert!(untrusted.contains("UnknownIssuer") && untrusted.contains("hint: name the certificate"), "{untrusted}");
    // No attempt could have helped.
    assert!(api.seen().is_empty());
    std::fs::write(env.home().join(".humctl"), format!("caFile: {ca_file}\n")).unwrap();
    env.run("get orgs").ok();
    assert_eq!(api.seen(), ["GET /v1/orgs"]);
    env.run("config set caFile --delete").ok();
    for variable in ["HUMCTL_CA_FILE", "SSL_CERT_FILE"] {
        env.set(variable, &ca_file);
        env.run("get orgs").ok();
        env.set(variable, "");
    }
    env.write("bad.pem", "no certificate");
    for (variable, file, expected) in [
        ("HUMCTL_CA_FILE", "bad.pem", "`bad.pem` holds no certificate in PEM form\n  hint: HUMCTL_CA_FILE names it"),
        ("SSL_CERT_FILE", "none.pem", "cannot read `none.pem`: No such file or directory"),
    ] {
        env.set(variable, file);
        let failed = env.run("get orgs").fails().stderr;
        assert!(failed.contains(expected), "{failed}");
        env.set(variable, "");
    }
}

#[test]
fn proxies_of_the_system_are_used() {
    let place = TestEnv::new();
    let proxy = TlsApi::start(&place.path("tls"));
    let env = |variables: &[(&str, &str)]| {
        let mut env = TestEnv::new();
        env.set("HUMANITEC_TOKEN", "some-token").set("HUMCTL_CA_FILE", &proxy.ca_file.display().to_string());
        for (name, value) in variables {
            env.set(name, value);
        }
        env
    };
    let address = format!("http://127.0.0.1:{}", proxy.port);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        // The host has no address: only the proxy leads there.
        env(&[(variable, &address)]).run("get orgs --api-prefix https://api.example.test/v1").ok();
        assert_eq!(proxy.seen(), ["CONNECT api.example.test:443 HTTP/1.1", "GET /v1/orgs"], "{variable}");
    }
    let past = env(&[("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "example.org,127.0.0.1")]);
    past.run(&format!("get orgs --api-prefix https://127.0.0.1:{}", proxy.port)).ok();
    assert_eq!(proxy.seen(), ["GET /orgs"]);
}

#[test]
fn plain_http_to_loopback_takes_no_proxy() {
    let api = FakeApi::script([(200, "[]")]);
    let mut env = hosted(&api);
    env.set("HTTP_PROXY", "http://127.0.0.1:1").set("ALL_PROXY", "http://127.0.0.1:1");
    env.run("get orgs").ok();
}
