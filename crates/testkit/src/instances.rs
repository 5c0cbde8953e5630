//! Several processes of an application on one database: each has a store of its own.

use std::num::NonZeroU32;
use std::sync::Arc;

use tenure_core::{CommitError, Owner, Session, SessionLimit, Store};
use tokio::task::{JoinSet, yield_now};

use crate::application::{Application, RequestError, increment};
use crate::browser::Browser;

/// The owner whose sessions end.
const OWNER: &str = "alice";

/// How often a race is run. Each run interleaves differently.
const ROUNDS: usize = 10;

/// Tabs of one browser count at all of them.
///
/// # Panics
/// If a count is lost.
pub async fn lose_no_count<S: Store>(stores: impl IntoIterator<Item = S>) {
    const TABS: usize = 12;
    const COUNTS: usize = 10;
    let applications = applications(stores);
    let mut browser = Browser::default();
    let first = applications[0].visit(&mut browser, increment).await;
    first.expect("a request");
    let mut tabs = JoinSet::new();
    for (application, tab) in applications.iter().cycle().zip(0..TABS) {
        let (application, mut browser) = (application.clone(), browser.clone());
        tabs.spawn(async move {
            for _ in 0..COUNTS {
                count_once(&application, &mut browser, tab).await;
            }
        });
    }
    tabs.join_all().await;
    for application in &applications {
        assert_eq!(
            application.count(&browser).await,
            Some(1 + (TABS * COUNTS) as u64)
        );
    }
}

/// One that gave up after many conflicts has counted nothing.
async fn count_once(application: &Application, browser: &mut Browser, tab: usize) {
    loop {
        match application.visit(browser, increment).await {
            Ok(()) => return,
            Err(RequestError::Commit(CommitError::Contended { .. })) => {}
            Err(error) => panic!("tab {tab}: {error:?}"),
        }
    }
}

/// Among requests to all of them that count, one signs out.
///
/// # Panics
/// If the session lives on.
pub async fn sign_out_finally<S: Store>(stores: impl IntoIterator<Item = S>) {
    let applications = applications(stores);
    for round in 0..ROUNDS {
        let browser = applications[0].signed_in(OWNER).await;
        let mut tabs = JoinSet::new();
        for (application, _) in applications.iter().cycle().zip(0..4) {
            count_and_look(&mut tabs, application, &browser);
        }
        let application = applications[round % applications.len()].clone();
        let mut tab = browser.clone();
        tabs.spawn(async move {
            for _ in 0..round % 5 {
                yield_now().await;
            }
            let signed_out = application.visit(&mut tab, Session::sign_out).await;
            signed_out.expect("a sign-out");
        });
        tabs.join_all().await;
        for application in &applications {
            assert_eq!(application.owner(&browser).await, None, "round {round}");
            assert_eq!(application.sessions_of(OWNER).await, 0, "round {round}");
        }
    }
}

/// While requests to all of them count in an owner's sessions, all of these are revoked.
///
/// # Panics
/// If one of the sessions lives on, or another owner's ends.
pub async fn revoke_finally<S: Store>(stores: impl IntoIterator<Item = S>) {
    const BROWSERS: usize = 6;
    let applications = applications(stores);
    let bystander = applications[0].signed_in("bob").await;
    for round in 0..ROUNDS {
        let mut browsers = Vec::new();
        for (application, _) in applications.iter().cycle().zip(0..BROWSERS) {
            browsers.push(application.signed_in(OWNER).await);
        }
        let revoking = &applications[round % applications.len()];
        assert_eq!(revoking.sessions_of(OWNER).await, BROWSERS, "round {round}");

        let mut tabs = JoinSet::new();
        for (application, browser) in applications.iter().cycle().skip(1).zip(&browsers) {
            count_and_look(&mut tabs, application, browser);
        }
        let owner = Owner::new(OWNER).expect("a fitting owner");
        let ended = revoking.sessions.of(owner).revoke_all().await;
        tabs.join_all().await;
        assert_eq!(ended.expect("a revocation"), BROWSERS as u64, "round {round}");
        for (application, browser) in applications.iter().cycle().zip(&browsers) {
            assert_eq!(application.owner(browser).await, None, "round {round}");
        }
        assert_eq!(revoking.sessions_of(OWNER).await, 0, "round {round}");
    }
    for application in &applications {
        assert_eq!(application.owner(&bystander).await.as_deref(), Some("bob"));
    }
}

/// One user signs in at all of them at once, many times over, with a limit.
///
/// # Panics
/// If another number of sessions is left than the limit, or those that were told so can't be used.
pub async fn keep_to_the_limit<S: Store>(stores: impl IntoIterator<Item = S>) {
    const LIMIT: NonZeroU32 = NonZeroU32::new(5).expect("five is not zero");
    const SIGN_INS: usize = 64;
    let stores: Vec<_> = stores.into_iter().map(Arc::new).collect();
    for limit in [
        SessionLimit::EvictOldest(LIMIT),
        SessionLimit::RefuseNewest(LIMIT),
    ] {
        let limited = |store: &Arc<S>| Application::limited(Arc::clone(store), limit);
        let applications: Vec<_> = stores.iter().map(limited).collect();
        let bystander = applications[0].signed_in("bob").await;
        let mut sign_ins = JoinSet::new();
        for (application, _) in applications.iter().cycle().zip(0..SIGN_INS) {
            let application = application.clone();
            sign_ins.spawn(async move {
                let mut browser = Browser::default();
                let sign_in = |session: &Session| session.sign_in(OWNER).expect("a fitting owner");
                match application.visit(&mut browser, sign_in).await {
                    Ok(()) | Err(RequestError::Commit(CommitError::TooManySessions { .. })) => browser,
                    Err(error) => panic!("{limit:?}: {error:?}"),
                }
            });
        }
        let browsers = sign_ins.join_all().await;
        let left = usize::try_from(LIMIT.get()).expect("a small number");
        assert_eq!(applications[0].sessions_of(OWNER).await, left, "{limit:?}");
        let mut signed_in = 0;
        for browser in &browsers {
            signed_in += usize::from(applications[0].owner(browser).await.is_some());
        }
        assert_eq!(signed_in, left, "{limit:?}");
        assert_eq!(applications[0].owner(&bystander).await.as_deref(), Some("bob"));
        for (name, sessions) in [(OWNER, u64::from(LIMIT.get())), ("bob", 1)] {
            let owner = Owner::new(name).expect("a fitting owner");
            let ended = applications[0].sessions.of(owner).revoke_all().await;
            assert_eq!(ended.expect("a revocation"), sessions, "{name}");
        }
    }
}

fn applications<S: Store>(stores: impl IntoIterator<Item = S>) -> Vec<Application> {
    stores.into_iter().map(Application::patient).collect()
}

/// In a tab of its own. A write may be dropped, for the session may end meanwhile.
fn count_and_look(tabs: &mut JoinSet<()>, application: &Application, browser: &Browser) {
    let (application, mut tab) = (application.clone(), browser.clone());
    tabs.spawn(async move {
        for _ in 0..5 {
            for handler in [increment, |_: &Session| {}] {
                let answered = application.visit(&mut tab.clone(), handler).await;
                answered.expect("a request");
            }
        }
        application.visit(&mut tab, increment).await.expect("a request");
    });
}
