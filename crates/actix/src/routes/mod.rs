//! Routes about the session itself, which any application can mount.

mod clear_site_data;
mod session_routes;

pub use clear_site_data::ClearSiteData;
pub use session_routes::{SessionRoutes, session_routes};
