//! What people call the browser that a user agent stands for.

/// A browser and the system it runs on, as an account page names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeviceName {
    pub(crate) browser: &'static str,
    pub(crate) system: Option<&'static str>,
    pub(crate) kind: DeviceKind,
}

/// Which picture stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceKind {
    Computer,
    Handheld,
    Program,
}

/// A mark in the user agent and what it stands for. The first that is found counts, for browsers
/// name those that they want to be taken for as well: every one of them says "Safari".
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Headless Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const PROGRAMS: &[(&str, &str)] = &[
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("HTTPie/", "HTTPie"),
    ("python-requests/", "Python"),
];

/// Android says "Linux" and the iPhone says "Mac OS X", so they come first.
const SYSTEMS: &[(&str, &str, DeviceKind)] = &[
    ("iPhone", "iPhone", DeviceKind::Handheld),
    ("iPad", "iPad", DeviceKind::Handheld),
    ("Android", "Android", DeviceKind::Handheld),
    ("Windows", "Windows", DeviceKind::Computer),
    ("Macintosh", "macOS", DeviceKind::Computer),
    ("CrOS", "ChromeOS", DeviceKind::Computer),
    ("Linux", "Linux", DeviceKind::Computer),
];

impl DeviceName {
    /// Names the device by what its browser said of itself. A label for people; it proves nothing.
    pub(crate) fn of(user_agent: Option<&str>) -> Self {
        let user_agent = user_agent.unwrap_or_default();
        let known = |names: &'static [(&str, &str)]| {
            names
                .iter()
                .find(|(mark, _)| user_agent.contains(mark))
                .map(|(_, name)| *name)
        };
        if let Some(browser) = known(PROGRAMS) {
            return Self {
                browser,
                system: None,
                kind: DeviceKind::Program,
            };
        }
        let system = SYSTEMS.iter().find(|(mark, _, _)| user_agent.contains(mark));
        Self {
            browser: known(BROWSERS).unwrap_or("Unknown browser"),
            system: system.map(|(_, name, _)| *name),
            kind: system.map_or(DeviceKind::Program, |(_, _, kind)| *kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_named(user_agent: &str, browser: &str, system: &str, kind: DeviceKind) {
        let name = DeviceName::of(Some(user_agent));
        assert_eq!(
            (name.browser, name.system.unwrap_or_default(), name.kind),
            (browser, system, kind)
        );
    }

    #[test]
    fn common_browsers_are_named() {
        use DeviceKind::{Computer, Handheld};

        for (user_agent, browser, system, kind) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox",
                "Linux",
                Computer,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome",
                "Windows",
                Computer,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge",
                "Windows",
                Computer,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari",
                "macOS",
                Computer,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari",
                "iPhone",
                Handheld,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0 Mobile/15E148 Safari/604.1",
                "Chrome",
                "iPhone",
                Handheld,
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
                Handheld,
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet",
                "Android",
                Handheld,
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome",
                "ChromeOS",
                Computer,
            ),
        ] {
            assert_named(user_agent, browser, system, kind);
        }
    }

    #[test]
    fn programs_are_named() {
        assert_named("curl/8.14.1", "curl", "", DeviceKind::Program);
    }

    #[test]
    fn a_stranger_is_an_unknown_browser() {
        assert_named(
            "<script>alert(1)</script>",
            "Unknown browser",
            "",
            DeviceKind::Program,
        );
        assert_eq!(DeviceName::of(None).browser, "Unknown browser");
    }

    #[test]
    fn what_is_known_of_a_stranger_is_said() {
        assert_named(
            "Ladybird/1.0 (Linux)",
            "Unknown browser",
            "Linux",
            DeviceKind::Computer,
        );
    }
}
