//! What is known of a session beside its data.

use napi_derive::napi;
use tenure::{AssuranceLevel, Lifetime, Session, SessionInfo, Status};

use super::event::{DeviceInfo, millis};

/// What a request knows of its session. All times are milliseconds since the Unix epoch.
#[napi(object, object_from_js = false)]
pub struct CurrentSession {
    pub status: String,
    pub id: Option<String>,
    pub owner: Option<String>,
    pub created_at: Option<f64>,
    pub signed_in_at: Option<f64>,
    pub last_seen_at: Option<f64>,
    pub idle_deadline: Option<f64>,
    pub absolute_deadline: Option<f64>,
    pub remembered: bool,
    pub assurance_level: Option<u8>,
}

impl CurrentSession {
    pub(super) fn of(session: &Session) -> Self {
        let expires = session.expires();
        Self {
            status: match session.status() {
                Status::Loaded => "loaded",
                Status::Renewed => "renewed",
                Status::Destroyed => "destroyed",
                _ => "absent",
            }
            .to_owned(),
            id: session.id().map(|id| id.to_string()),
            owner: session.owner().map(|owner| owner.as_str().to_owned()),
            created_at: session.created_at().map(millis),
            signed_in_at: session.signed_in_at().map(millis),
            last_seen_at: session.last_seen_at().map(millis),
            idle_deadline: expires.map(|expires| millis(expires.idle)),
            absolute_deadline: expires.map(|expires| millis(expires.absolute)),
            remembered: session.lifetime() == Some(Lifetime::Remembered),
            assurance_level: session.assurance_level().map(number_of),
        }
    }
}

/// The number that NIST SP 800-63B has for it.
fn number_of(level: AssuranceLevel) -> u8 {
    match level {
        AssuranceLevel::Aal1 => 1,
        AssuranceLevel::Aal2 => 2,
        AssuranceLevel::Aal3 => 3,
    }
}

/// A session in the list of its owner's.
#[napi(object, object_from_js = false)]
pub struct ListedSession {
    pub id: String,
    pub created_at: f64,
    pub signed_in_at: Option<f64>,
    pub last_seen_at: f64,
    pub idle_deadline: f64,
    pub absolute_deadline: f64,
    pub remembered: bool,
    pub device: DeviceInfo,
    pub is_current: bool,
}

impl From<SessionInfo> for ListedSession {
    fn from(session: SessionInfo) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: millis(session.created_at),
            signed_in_at: session.signed_in_at.map(millis),
            last_seen_at: millis(session.last_seen_at),
            idle_deadline: millis(session.expires.idle),
            absolute_deadline: millis(session.expires.absolute),
            remembered: session.lifetime == Lifetime::Remembered,
            device: DeviceInfo::from(&session.device),
            is_current: session.is_current,
        }
    }
}
