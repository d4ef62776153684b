//! A real browser: Chromium without a window, driven over the `DevTools`
//! protocol. It has a profile of its own, and no name resolves for it.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long the browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser process; it ends with this value.
pub(crate) struct Browser {
    child: Child,
    profile: tempfile::TempDir,
    wire: RefCell<Wire>,
}

struct Wire {
    to: ChildStdin,
    from: Receiver<Value>,
    n_sent: u64,
    events: Vec<Value>,
}

impl Browser {
    /// Starts Chromium. Its `DevTools` pipe is file descriptors 3 and 4, which
    /// only a shell can set up without unsafe code.
    pub(crate) fn start() -> Self {
        let is_there = Command::new("sh").args(["-c", "command -v chromium"]).stdout(Stdio::null()).status();
        assert!(
            is_there.unwrap().success(),
            "the tests need a browser: apt-get install --no-install-recommends chromium"
        );
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>\"$HOME/chromium.log\"", "sh"])
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-pipe",
            ])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1280,800"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut from = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            // The thread ends with the browser, which closes the pipe.
            while from.read_until(0, &mut message).is_ok_and(|length| length > 1) {
                message.pop();
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
                message.clear();
            }
        });
        Self { child, profile, wire: RefCell::new(Wire { to, from: receiver, n_sent: 0, events: Vec::new() }) }
    }

    /// Opens an address and waits until it has loaded.
    pub(crate) fn open(&self, url: &str) -> Page<'_> {
        let target = self.call(None, "Target.createTarget", &json!({"url": "about:blank"}));
        let arguments = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call(None, "Target.attachToTarget", &arguments)["sessionId"].as_str().unwrap().to_owned();
        let page = Page { browser: self, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), &json!({}));
        }
        page.call("Page.navigate", &json!({"url": url}));
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired" && event["sessionId"] == *page.session;
        let deadline = Instant::now() + PATIENCE;
        while !self.wire.borrow().events.iter().any(is_loaded) {
            let event = self.receive(deadline, "the page to load");
            self.wire.borrow_mut().events.push(event);
        }
        page
    }

    /// Sends a command and returns its result; events that come first are kept.
    #[track_caller]
    fn call(&self, session: Option<&str>, method: &str, parameters: &Value) -> Value {
        let id = {
            let mut wire = self.wire.borrow_mut();
            wire.n_sent += 1;
            let mut message = json!({"id": wire.n_sent, "method": method, "params": parameters});
            if let Some(session) = session {
                message["sessionId"] = json!(session);
            }
            wire.to
                .write_all(format!("{message}\0").as_bytes())
                .unwrap_or_else(|error| panic!("{error}: {}", self.log()));
            wire.n_sent
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.receive(deadline, method);
            if message["id"] == id {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
            self.wire.borrow_mut().events.push(message);
        }
    }

    fn receive(&self, deadline: Instant, what: &str) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        let received = self.wire.borrow().from.recv_timeout(left);
        received.unwrap_or_else(|error| panic!("waiting for {what}: {error}: {}", self.log()))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.profile.path().join("chromium.log")).unwrap_or_default()
    }
}

impl Drop for Browser {
    /// Asks it to close, so that its helpers end too and leave the profile alone.
    fn drop(&mut self) {
        let wire = self.wire.get_mut();
        let _ = wire.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let deadline = Instant::now() + Duration::from_secs(5);
        while wire.from.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page in a browser.
pub(crate) struct Page<'b> {
    browser: &'b Browser,
    session: String,
}

impl Page<'_> {
    #[track_caller]
    fn call(&self, method: &str, parameters: &Value) -> Value {
        self.browser.call(Some(&self.session), method, parameters)
    }

    /// The value of a JavaScript expression; a promise is waited for.
    #[track_caller]
    pub(crate) fn value(&self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", &parameters);
        assert_eq!(result["exceptionDetails"], Value::Null, "{expression}");
        result["result"]["value"].clone()
    }

    /// The text of the element that a CSS selector finds.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        self.value(&format!("document.querySelector({}).textContent", json!(selector))).as_str().unwrap().to_owned()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_for(&self, condition: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.value(condition) != true {
            assert!(Instant::now() < deadline, "this never was true: {condition}");
        }
    }

    /// Where the middle of an element is in the window.
    #[track_caller]
    pub(crate) fn place(&self, selector: &str) -> (f64, f64) {
        let rect = self.value(&format!("document.querySelector({}).getBoundingClientRect().toJSON()", json!(selector)));
        let number = |key: &str| rect[key].as_f64().unwrap();
        (number("x") + number("width") / 2.0, number("y") + number("height") / 2.0)
    }

    /// Presses the mouse at one place and releases it at another.
    pub(crate) fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        let send = |kind: &str, (x, y): (f64, f64), buttons: u8| {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &event);
        };
        send("mouseMoved", from, 0);
        send("mousePressed", from, 1);
        if from != to {
            send("mouseMoved", to, 1);
        }
        send("mouseReleased", to, 0);
    }

    /// Clicks in the middle of an element.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let place = self.place(selector);
        self.drag(place, place);
    }

    /// Turns the wheel at a place.
    pub(crate) fn wheel(&self, (x, y): (f64, f64), down: f64) {
        let event = json!({"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": down});
        self.call("Input.dispatchMouseEvent", &event);
    }

    /// Presses a key: a character, or a name such as `Enter`.
    pub(crate) fn press(&self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "Tab" => (9, ""),
            _ => (0, key),
        };
        let event = json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", &event);
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}));
    }

    /// Types text where the focus is.
    pub(crate) fn type_text(&self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Makes the page believe that its reader likes it dark.
    pub(crate) fn prefer_dark(&self) {
        let features = json!([{"name": "prefers-color-scheme", "value": "dark"}]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Everything that the browser complained about since the page was opened.
    pub(crate) fn complaints(&self) -> Vec<Value> {
        self.events(|event| match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => true,
            "Runtime.consoleAPICalled" => true,
            "Log.entryAdded" => true,
            method => method.starts_with("Network.loadingFailed"),
        })
    }

    /// Addresses of all requests since the page was opened.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.events(|event| event["method"] == "Network.requestWillBeSent");
        requests.iter().map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    fn events(&self, is_wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        // An answer comes after all events before it.
        self.value("1");
        let wire = self.browser.wire.borrow();
        wire.events.iter().filter(|event| event["sessionId"] == *self.session && is_wanted(event)).cloned().collect()
    }
}
