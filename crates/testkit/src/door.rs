//! What every door into a web framework does, seen from outside: the same checks, over TCP, for each of them.
//!
//! A door serves the application that [`DoorApp`] describes and names itself in [`door_suite!`](crate::door_suite).
//! Each check becomes a test of its own, with a server of its own. Time is what the checks say it is.

pub mod csrf_cases;
mod ends;
mod failures;
mod forgeries;
mod life;
mod requests;
mod setup;
mod time;
mod visitor;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenure_core::{Key, Sessions, TrustProxy};
use tokio::sync::Semaphore;

pub use ends::*;
pub use failures::*;
pub use forgeries::*;
pub use life::*;
pub use requests::*;
pub use time::*;

/// What `/count` counts, and `/read` and `/peek` show.
pub const COUNT: Key<u64> = Key::new("count");
/// What `/grow` makes too large.
pub const NOTE: Key<String> = Key::new("note");
/// How large `/grow` makes it, in bytes: more than a session may have.
pub const TOO_LARGE: usize = 70_000;
/// The cookie of the layer further out.
pub const OUTER_COOKIE: &str = "__Host-outer";
/// What an application says that renders failures its own way, before the status.
pub const OWN_WORDS: &str = "In our own words: ";

/// A door into a web framework.
pub trait Door {
    /// Serves the application on a free port of the loopback, to the end of the process, and says where: `http://…`.
    fn serve(app: DoorApp) -> impl Future<Output = String> + Send;
}

/// An application with these routes, inside a session layer of `sessions`, which is inside one of `outer`. Both trust
/// `trust_proxy`. What a handler shows is the body, as text. Where nothing else is said, a handler takes the `Session`
/// extractor.
///
/// | route | what it does |
/// | --- | --- |
/// | `GET /static` | shows `static`, and does not ask for a session |
/// | `GET /read` | shows [`COUNT`], or `none` |
/// | `GET /peek` | the same by `PassiveSession` |
/// | `GET /me` | shows the owner, by `SignedIn` |
/// | `GET /maybe` | shows the owner or `nobody`, by `Option<SignedIn>` |
/// | `GET /sensitive`, `/very-sensitive` | as `/me`, by `RecentlyAuthenticated<5>` and `RecentlyAuthenticated<5, 2>` |
/// | `POST /confirm`, `/confirm-twice` | steps up to AAL1, to AAL2 |
/// | `GET /client` | shows address and scheme, each by `Debug`, with a blank between |
/// | `GET /token` | shows a token, by `CsrfToken` |
/// | `GET /own-headers` | writes 1 to [`COUNT`], and answers with `Set-Cookie: theme=dark` and `Cache-Control: private` |
/// | `POST /count` | adds 1 to [`COUNT`] by `update`, and shows it |
/// | `POST /slow-count` | the same, but calls [`Gate::pass`] between loading and adding |
/// | `POST /count-and-redirect` | the same as `/count`, and answers 303 to `/read` |
/// | `POST /grow` | writes [`TOO_LARGE`] bytes to [`NOTE`], and fails as that does |
/// | `POST /sign-in`, `/renew`, `/sign-out`, `/destroy` | do so; the owner is `ada` |
/// | `POST /renew-and-fail`, `/sign-out-and-fail` | do so, and fail with an error of the application's own, 500 |
/// | `POST /form` | shows the field `amount` of a URL-encoded form |
/// | `POST /guarded-form` | the same by `CsrfForm` |
/// | `POST /outer-count`, `GET /outer-read` | as `/count` and `/read`, by `NamedSession` of [`OUTER_COOKIE`] |
/// | `/session/…` | the session routes |
/// | anything else, by any method | [`DoorApp::reached`] |
#[derive(Clone, Debug)]
pub struct DoorApp {
    /// The sessions of the layer.
    pub sessions: Sessions,
    /// Those of the layer further out.
    pub outer: Sessions,
    /// Whom both believe.
    pub trust_proxy: TrustProxy,
    /// Who renders failures.
    pub rendering: Rendering,
    /// Where `/slow-count` waits.
    pub gate: Gate,
    reached: Arc<AtomicUsize>,
}

/// Who renders failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// The door.
    Default,
    /// The application: the failure's status, with [`OWN_WORDS`] and the status' number as the body.
    Own,
}

/// Where a handler waits until the test lets it go on.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    opened: Arc<Semaphore>,
}

impl DoorApp {
    /// What the handler of any other request calls.
    pub fn reached(&self) {
        self.reached.fetch_add(1, Ordering::SeqCst);
    }

    fn times_reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
}

impl Gate {
    fn new() -> Self {
        Self {
            arrived: Arc::new(Semaphore::new(0)),
            opened: Arc::new(Semaphore::new(0)),
        }
    }

    /// What a handler calls to wait.
    pub async fn pass(&self) {
        self.arrived.add_permits(1);
        take(&self.opened).await;
    }

    async fn until_somebody_waits(&self) {
        take(&self.arrived).await;
    }

    fn open(&self) {
        self.opened.add_permits(1);
    }
}

async fn take(permits: &Semaphore) {
    permits.acquire().await.expect("nobody closes it").forget();
}

/// Makes a test of each check, for the given [`Door`].
#[macro_export]
macro_rules! door_suite {
    ($door:ty) => {
        $crate::door_suite!(@tests $door:
            a_write_makes_a_session_and_a_cookie_that_the_next_request_uses
            a_request_that_only_reads_sets_no_cookie
            a_handler_that_does_not_ask_causes_no_store_call
            nobody_is_signed_in_until_somebody_signs_in
            looking_is_no_activity
            a_forged_cookie_is_removed_even_if_nobody_asks_for_the_session
            a_planted_cookie_never_becomes_a_session
            hostile_cookie_headers_cost_no_store_call_and_no_server_error
            the_handlers_own_headers_stay
            the_client_is_whom_a_trusted_proxy_names
            layers_with_different_cookies_work_one_inside_another
            requests_at_once_lose_no_count
            a_sign_out_ends_the_session_and_its_cookie
            a_renewal_survives_an_error
            a_sign_out_before_an_error_is_a_sign_out
            a_write_that_comes_after_a_sign_out_is_dropped_without_a_cookie
            nothing_written_late_brings_a_session_back_after_sign_out
            the_page_after_a_redirect_sees_the_write_however_slow_the_store
            a_failing_store_is_503_for_each_operation_and_nothing_is_lost
            a_failing_store_makes_no_stranger_of_a_user
            a_hanging_store_is_503_within_the_deadline
            the_application_renders_failures_its_own_way
            a_session_that_outgrows_the_limit_is_413
            what_is_refused_as_a_forgery_has_no_effect_and_an_event
            a_demanded_token_is_taken_from_the_header
            a_demanded_token_is_taken_from_a_form_which_arrives_whole
            a_form_that_asks_for_a_token_gets_none_without_one
            a_token_dies_with_its_session
            both_timeouts_are_kept_to_the_millisecond
            sensitive_routes_want_a_recent_proof_strong_enough
            the_session_routes_tell_extend_and_sign_out
            the_session_routes_refuse_other_sites
            a_life_is_told_event_by_event
        );
    };
    (@tests $door:ty: $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                $crate::door::$check::<$door>().await;
            }
        )*
    };
}
