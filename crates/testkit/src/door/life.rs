//! One life of a session, and what is told of it.

use std::time::Duration;

use super::Door;
use super::setup::Setup;
use super::visitor::SESSION_COOKIE;

/// Each thing once, in order, whatever the door.
pub async fn a_life_is_told_event_by_event<D: Door>() {
    let setup = Setup::new::<D>().await;
    let visitor = setup.visitor();
    // Arrives, looks around, fills a cart, signs in; the other tab comes late.
    visitor.get("/read").await;
    visitor.post("/count").await;
    let late = visitor.copy();
    visitor.post("/sign-in").await;
    late.post("/count").await;
    // Another site has the browser post.
    visitor
        .post_with("/count", &[("sec-fetch-site", "cross-site")], "")
        .await;
    // Changes the password, then signs out; an old tab comes back.
    visitor.post("/renew").await;
    let old_tab = visitor.copy();
    visitor.post("/sign-out").await;
    old_tab.get("/read").await;
    // Somebody guesses.
    let guesser = setup.visitor();
    guesser.plant(SESSION_COOKIE, "guess");
    guesser.get("/static").await;
    // A session that the application ends, and one that nobody ends.
    let destroyed = setup.visitor();
    destroyed.post("/count").await;
    destroyed.post("/destroy").await;
    let forgotten = setup.visitor();
    forgotten.post("/count").await;
    setup.clock.advance(Duration::from_secs(24 * 60 * 60));
    forgotten.get("/read").await;
    assert_eq!(
        setup.events.names(),
        [
            "session_created",
            "session_signed_in",
            "session_renewed",
            "session_cookie_superseded",
            "session_write_dropped",
            "session_csrf_refused",
            "session_renewed",
            "session_signed_out",
            "session_use_after_expire",
            "session_cookie_refused",
            "session_created",
            "session_destroyed",
            "session_created",
            "session_expired",
        ]
    );
}
