//! Events, told to a function of the application's.

use napi::Status;
use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use tenure::{Device, EventKind, Listener};

/// A function of the application's, which keeps no process alive.
pub(super) type EventFunction =
    ThreadsafeFunction<Event, Unknown<'static>, Event, Status, false, true, QUEUE>;

/// How many events wait for the function in Node; the rest waits in the engine, whose queue is counted.
const QUEUE: usize = 64;

/// What happened.
#[napi(object, object_from_js = false)]
pub struct Event {
    /// Milliseconds since the Unix epoch.
    pub at: f64,
    pub name: String,
    pub reason: Option<String>,
    pub session: Option<String>,
    pub owner: Option<String>,
    pub device: Option<DeviceInfo>,
    pub client: Option<DeviceInfo>,
    /// How many sessions were revoked.
    pub sessions: Option<f64>,
    /// How many attempts to sign in have failed in a row.
    pub failures: Option<u32>,
}

/// A device, as far as it is known.
#[napi(object, object_from_js = false)]
pub struct DeviceInfo {
    pub user_agent: Option<String>,
    pub address: Option<String>,
}

impl From<&Device> for DeviceInfo {
    fn from(device: &Device) -> Self {
        Self {
            user_agent: device.user_agent().map(str::to_owned),
            address: device.address().map(|address| address.to_string()),
        }
    }
}

impl From<&tenure::Event> for Event {
    fn from(event: &tenure::Event) -> Self {
        Self {
            at: millis(event.at),
            name: event.kind.name().to_owned(),
            reason: event.kind.reason().map(str::to_owned),
            session: event.session.map(|id| id.to_string()),
            owner: event.owner.as_ref().map(|owner| owner.as_str().to_owned()),
            device: event.device.as_ref().map(DeviceInfo::from),
            client: event.client.as_ref().map(DeviceInfo::from),
            sessions: match event.kind {
                EventKind::Revoked { sessions } => Some(sessions as f64),
                _ => None,
            },
            failures: match event.kind {
                EventKind::LoginFailed { failures } | EventKind::LoginSucceededAfterFailures { failures } => {
                    Some(failures)
                }
                _ => None,
            },
        }
    }
}

/// Milliseconds since the Unix epoch, as JavaScript counts them.
pub(super) fn millis(at: tenure::Timestamp) -> f64 {
    at.as_millis() as f64
}

pub(super) fn listener(function: EventFunction) -> impl Listener {
    move |event: &tenure::Event| {
        // Blocking holds up the engine's own thread for events alone. A process that is about to end takes no more.
        let _ = function.call(Event::from(event), ThreadsafeFunctionCallMode::Blocking);
    }
}
