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
    let mut kept = String::with_capacity(user_agent.len().min(Device::MAX_USER_AGENT_BYTES));
    for character in user_agent.chars().filter(|character| !character.is_control()) {
        if kept.len() + character.len_utf8() > Device::MAX_USER_AGENT_BYTES {
            break;
        }
        kept.push(character);
    }
    kept.into_boxed_str()
}
