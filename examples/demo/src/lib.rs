//! A small web app on Tenure, to look at and to start from: accounts, sessions, and an account page
//! that lists a user's devices and signs them out.
//!
//! [`app`] makes the whole of it from a session manager and accounts, so that a test can bring its own;
//! `main.rs` makes it from the command line.

mod api;
mod assets;
pub mod cli;
mod credentials;
mod devices;
mod ended;
mod failure;
mod headers;
pub mod metrics;
mod pages;
pub mod secret_file;
mod times;
pub mod users;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use tenure::axum::{SessionLayer, SessionRoutes};
use tenure::{Key, LoginThrottle, Sessions};

use crate::users::Users;

/// How often the button was pressed.
pub(crate) const COUNT: Key<u64> = Key::new("count");
/// What the visitor wrote down.
pub(crate) const NOTE: Key<String> = Key::new("note");

/// Far more than any form here has.
const LONGEST_BODY: usize = 16 * 1024;

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    pub(crate) sessions: Sessions,
    pub(crate) users: Users,
    pub(crate) throttle: LoginThrottle,
    pub(crate) clears_site_data: bool,
}

impl App {
    /// An application of these sessions and accounts.
    #[must_use]
    pub fn new(sessions: Sessions, users: Users) -> Self {
        Self {
            throttle: LoginThrottle::new(&sessions),
            sessions,
            users,
            clears_site_data: false,
        }
    }

    /// Whether signing out has the browser drop what it keeps of the site.
    #[must_use]
    pub fn clear_site_data(self, clear: bool) -> Self {
        Self {
            clears_site_data: clear,
            ..self
        }
    }
}

/// The application's routes.
pub fn app(app: App) -> Router {
    let sessions = SessionLayer::new(app.sessions.clone());
    let about_the_session = SessionRoutes::new().clear_site_data(app.clears_site_data);
    Router::new()
        .merge(pages::routes())
        .merge(api::routes())
        .nest("/session", about_the_session.into_router())
        .layer(sessions)
        // Outside the layer: a style sheet has no use for a session.
        .merge(assets::routes())
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(map_response(headers::secure))
        .with_state(app)
}
