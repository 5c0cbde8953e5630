//! What a user recognises a device by on an account page.

use std::net::IpAddr;

use http::HeaderValue;

/// The device that a session was created or signed in on: its user agent and, only if the
/// [policy asks for it](crate::Policy::record_client_address), its address.
///
/// Both are what the client said or where it came from at that moment: a label for people, never
/// a proof. The user agent is cut to [`Device::MAX_USER_AGENT_BYTES`] and stripped of control
/// characters; escape it like any other foreign text when you show it.
///
/// ```
/// use tenure_core::Device;
///
/// let device = Device::new(Some("Firefox/140.0\u{7}"), None);
/// assert_eq!(device.user_agent(), Some("Firefox/140.0"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    user_agent: Option<Box<str>>,
    address: Option<IpAddr>,
}

impl Device {
    /// The most that is kept of a user agent, in bytes. A longer one is cut.
    pub const MAX_USER_AGENT_BYTES: usize = 256;

    /// A label from a user agent and an address.
    #[must_use]
    pub fn new(user_agent: Option<&str>, address: Option<IpAddr>) -> Self {
        Self {
            user_agent: user_agent.map(printable).filter(|kept| !kept.is_empty()),
            address,
        }
    }

    pub(crate) fn from_header(user_agent: Option<&HeaderValue>, address: Option<IpAddr>) -> Self {
        let text = user_agent.map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self::new(text.as_deref(), address)
    }

    /// The user agent, as the browser named itself.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// The client's address, if the policy records it.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

fn printable(user_agent: &str) -> Box<str> {
    // Nearly all are so, and every load of a session comes by here.
    let is_plain = user_agent.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain && user_agent.len() <= Device::MAX_USER_AGENT_BYTES {
        return user_agent.into();
    }
    let mut kept = String::with_capacity(user_agent.len().min(Device::MAX_USER_AGENT_BYTES));
    for character in user_agent.chars().filter(|character| !character.is_control()) {
        if kept.len() + character.len_utf8() > Device::MAX_USER_AGENT_BYTES {
            break;
        }
        kept.push(character);
    }
    kept.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(user_agent: &str) -> Option<String> {
        Device::new(Some(user_agent), None)
            .user_agent()
            .map(str::to_owned)
    }

    #[test]
    fn a_user_agent_is_kept_without_control_characters() {
        for name in ["Firefox/140.0", "Ünï 🦊", "~ "] {
            assert_eq!(kept(name).as_deref(), Some(name));
        }
        assert_eq!(kept("a\u{7f}b\u{0}\r\nc\u{85}d").as_deref(), Some("abcd"));
        assert_eq!(kept("\u{1b}"), None);
        assert_eq!(kept(""), None);
    }

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        let most = Device::MAX_USER_AGENT_BYTES;
        assert_eq!(kept(&"x".repeat(most)), Some("x".repeat(most)));
        assert_eq!(kept(&"x".repeat(most + 1)), Some("x".repeat(most)));
        let odd = format!("x{}", "ü".repeat(most));
        assert_eq!(kept(&odd), Some(format!("x{}", "ü".repeat((most - 1) / 2))));
    }
}
