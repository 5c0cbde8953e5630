//! Chromium and its driver.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

const MISSING: &str =
    "the browser tests need Chromium and its driver: apt-get install chromium chromium-driver";

const ON_LINUX: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const ON_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// A running chromedriver; it and its browsers end when this is dropped.
pub(crate) struct Driver {
    process: Child,
    port: u16,
    profiles: TempDir,
    browsers: u32,
}

/// How a browser is set up.
pub(crate) struct Look {
    pub(crate) user_agent: &'static str,
    pub(crate) size: (u32, u32),
    pub(crate) is_phone: bool,
    pub(crate) is_dark: bool,
    pub(crate) has_scripts: bool,
}

pub(crate) const LAPTOP: Look = Look {
    user_agent: ON_LINUX,
    size: (1200, 900),
    is_phone: false,
    is_dark: false,
    has_scripts: true,
};

pub(crate) const PHONE: Look = Look {
    user_agent: ON_IPHONE,
    size: (375, 812),
    is_phone: true,
    ..LAPTOP
};

impl Driver {
    /// It takes a port that is free over IPv4 and ends when that is taken over IPv6, so it may have to start again.
    pub(crate) fn start() -> Self {
        let started = (0..10).find_map(|_| Self::started());
        started.unwrap_or_else(|| panic!("chromedriver did not start; {MISSING}"))
    }

    fn started() -> Option<Self> {
        let process = Command::new(installed("chromedriver"))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut driver = Self {
            process,
            port: 0,
            profiles: TempDir::new().unwrap(),
            browsers: 0,
        };
        let stdout = BufReader::new(driver.process.stdout.take().unwrap());
        // It says which port it took; it is silent after that.
        driver.port = stdout.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        })?;
        Some(driver)
    }

    /// A browser with a profile of its own, so with cookies of its own.
    pub(crate) async fn browser(&mut self, look: &Look) -> Client {
        self.browsers += 1;
        let profile = self.profiles.path().join(self.browsers.to_string());
        let (width, height) = look.size;
        let mut options = json!({
            "binary": installed("chromium"),
            "args": [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                format!("--user-data-dir={}", profile.display()),
                format!("--window-size={width},{height}"),
                format!("--user-agent={}", look.user_agent),
                format!("--blink-settings=preferredColorScheme={}", u8::from(!look.is_dark)),
            ],
        });
        if look.is_phone {
            options["mobileEmulation"] = json!({
                "deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0},
                "userAgent": look.user_agent,
            });
        }
        if !look.has_scripts {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let Value::Object(capabilities) = json!({"goog:chromeOptions": options}) else {
            unreachable!()
        };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Ends the browsers too, which a killed chromedriver would leave behind.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(
                stream,
                "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn installed(program: &str) -> PathBuf {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{program} was not found; {MISSING}"))
}
