//! A window on a virtual screen, driven by WebKit's own driver: a blocking client in plain `std`.
//!
//! A client from a registry would bring features into the build that the product does not have,
//! and everything would be compiled twice.

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// The name of an element's id in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that have no character (WebDriver, "keyboard actions").
pub mod key {
    #[cfg(target_os = "linux")]
    pub const BACKSPACE: &str = "\u{E003}";
    pub const TAB: &str = "\u{E004}";
    pub const ENTER: &str = "\u{E007}";
    pub const SHIFT: &str = "\u{E008}";
    pub const CONTROL: &str = "\u{E009}";
    pub const ESCAPE: &str = "\u{E00C}";
    pub const END: &str = "\u{E010}";
    pub const HOME: &str = "\u{E011}";
    pub const RIGHT: &str = "\u{E014}";
}

/// A process that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The running program. Dropped, it is gone: the next one on its data folder must be the first.
pub struct Window {
    port: u16,
    session: String,
    display: String,
    driver: Ended,
    screen: Ended,
}

impl Drop for Window {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.request("DELETE", &format!("/session/{}", self.session), None);
        }
        for process in [&mut self.driver, &mut self.screen] {
            let _ = process.0.kill();
            let _ = process.0.wait();
        }
        // Without its screen the program ends, in its own time.
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let left = on_screen(&self.display);
            if left.is_empty() {
                break;
            }
            if begun.elapsed() > Duration::from_secs(5) {
                for pid in left {
                    let _ = Command::new("kill").args(["-9", &pid]).status();
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The processes that were started for a screen, where the system tells.
fn on_screen(display: &str) -> Vec<String> {
    let wanted = format!("DISPLAY={display}");
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_screen = entries.filter(|entry| {
        std::fs::read(entry.path().join("environ"))
            .is_ok_and(|all| all.split(|&b| b == 0).any(|one| one == wanted.as_bytes()))
    });
    let names = of_screen.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.parse::<u32>().is_ok()).collect()
}

/// Whether a window can be opened here; says what is missing.
pub fn possible() -> bool {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: windows are driven on Linux only");
        return false;
    }
    for (program, package) in [("Xvfb", "xvfb"), ("WebKitWebDriver", "webkit2gtk-driver")] {
        let found = std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        });
        if !found {
            eprintln!("skipped: no {program} (Debian package {package})");
            return false;
        }
    }
    if !e2e::root().join("ui/dist/assets").is_dir() {
        eprintln!("skipped: the window's pages are not built (npm --prefix ui run build)");
        return false;
    }
    true
}

impl Window {
    /// Starts `program` on a virtual screen of `size`, with further environment variables.
    pub fn open(
        program: &Path,
        size: (u32, u32),
        environment: &[(&str, &std::ffi::OsStr)],
    ) -> anyhow::Result<Self> {
        let mut screen = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{}x{}x24", size.0, size.1))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb cannot be started")?;
        let mut number = String::new();
        BufReader::new(screen.stdout.take().context("Xvfb has no output")?)
            .read_line(&mut number)?;
        let screen = Ended(screen);
        let display = format!(":{}", number.trim());
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let driver = Command::new("WebKitWebDriver")
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            // Without it the webview does not let itself be driven, and `POST /session` never answers.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("DISPLAY", &display)
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("LC_ALL", "C.UTF-8")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .context("WebKitWebDriver cannot be started")?;
        let mut window = Self {
            port,
            session: String::new(),
            display,
            driver: Ended(driver),
            screen,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(
                begun.elapsed() < PATIENCE,
                "WebKitWebDriver does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let answer = window.post(
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "webkitgtk:browserOptions": {"binary": program, "args": []}}}}),
        )?;
        window.session = answer["sessionId"]
            .as_str()
            .with_context(|| format!("no session: {answer}"))?
            .to_owned();
        Ok(window)
    }

    /// The screen that it is on, as the environment names it.
    pub fn display(&self) -> &str {
        &self.display
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .with_context(|| format!("{method} {path} is not answered"))?;
        let answer = String::from_utf8(answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
        let value: Value = serde_json::from_str(body.trim()).unwrap_or(Value::Null);
        let ok = head.split(' ').nth(1) == Some("200");
        ensure!(ok, "{method} {path}: {}", value["value"]);
        Ok(value["value"].clone())
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let path = if self.session.is_empty() {
            path.to_owned()
        } else {
            format!("/session/{}{path}", self.session)
        };
        self.request("POST", &path, Some(body))
    }

    /// Runs a function body in the page.
    pub fn script(&self, body: &str) -> anyhow::Result<Value> {
        self.post("/execute/sync", &json!({"script": body, "args": []}))
    }

    /// Waits until the expression is true in the page.
    pub fn wait(&self, what: &str, expression: &str, patience: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            // While the page is being loaned to a navigation there is nothing to ask yet.
            let answer = self.script(&format!("return Boolean({expression})"));
            if matches!(answer, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if begun.elapsed() > patience {
                let text = self.script("return document.body.innerText")?;
                bail!("waited for {what} in vain ({answer:?}); the window shows: {text}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits for the element and clicks on it, with a real pointer.
    pub fn click(&self, selector: &str) -> anyhow::Result<()> {
        let found = format!(
            "(e => e && !e.disabled)(document.querySelector({}))",
            json!(selector)
        );
        self.wait(selector, &found, PATIENCE)?;
        let element = self.post(
            "/element",
            &json!({"using": "css selector", "value": selector}),
        )?;
        let id = element[ELEMENT].as_str().context("no element")?;
        self.post(&format!("/element/{id}/click"), &json!({}))?;
        Ok(())
    }

    /// Presses keys together and lets them go in reverse order.
    pub fn press(&self, keys: &[&str]) -> anyhow::Result<()> {
        let down = keys.iter().map(|k| json!({"type": "keyDown", "value": k}));
        let up = keys
            .iter()
            .rev()
            .map(|k| json!({"type": "keyUp", "value": k}));
        let actions: Vec<Value> = down.chain(up).collect();
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}),
        )?;
        Ok(())
    }

    /// Tabs on until the element has the focus.
    pub fn tab_to(&self, selector: &str) -> anyhow::Result<()> {
        let focused = format!(
            "return document.activeElement?.matches({})",
            json!(selector)
        );
        for _ in 0..60 {
            if self.script(&focused)? == Value::Bool(true) {
                return Ok(());
            }
            self.press(&[key::TAB])?;
        }
        bail!("{selector} is not reached with the tab key");
    }

    /// The visible text of an element.
    pub fn text(&self, selector: &str) -> anyhow::Result<String> {
        let text = self.script(&format!(
            "return document.querySelector({})?.innerText ?? ''",
            json!(selector)
        ))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Saves what the window shows.
    pub fn screenshot(&self, path: &Path) -> anyhow::Result<()> {
        let path_of = format!("/session/{}/screenshot", self.session);
        let answer = self.request("GET", &path_of, None)?;
        let png = decode_base64(answer.as_str().context("no picture")?)?;
        ensure!(png.starts_with(b"\x89PNG"), "no PNG");
        std::fs::write(path, png).with_context(|| path.display().to_string())
    }
}

/// RFC 4648, section 4.
fn decode_base64(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for symbol in text.bytes().filter(|b| !matches!(b, b'=' | b'\n' | b'\r')) {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => bail!("not base64"),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Ok(bytes)
}
