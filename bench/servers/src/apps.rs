//! The application, on each library and on bare drivers.

pub mod actix;
pub mod axum_session;
pub mod postgres;
pub mod redis;
pub mod tenure;
pub mod tower_sessions;

/// 64 bytes, for libraries that take their keys so.
const KEY: &[u8; 64] = b"k5Vn2qXc8RzT1yLw4BsJ7hDgF0mPaE3uQ9tYxN6vCbKZiHoSdGfMjUrWlAeOpI1z";

/// Connections, where a driver takes several; as many as sqlx opens by default.
const CONNECTIONS: u32 = 10;

/// What a bare application looks up: as large as a record of Tenure's.
const BARE_BYTES: usize = 250;
