//! Several processes of an application, each with a pool of its own, on one server.

mod common;

use std::sync::Arc;

use common::*;
use tenure_core::Session;
use tokio::task::JoinSet;

const PROCESSES: usize = 3;

async fn apps(database: &MongoDatabase) -> Vec<Arc<App>> {
    let mut apps = Vec::new();
    for _ in 0..PROCESSES {
        apps.push(Arc::new(App::over(database.store().await)));
    }
    apps
}

async fn joined(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_in_many_processes_loses_nothing_that_was_answered() {
    let database = MongoDatabase::new();
    let apps = apps(&database).await;
    let mut browser = Browser::default();
    apps[0].visit(&mut browser, increment).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..6 {
        let (app, mut tab) = (Arc::clone(&apps[task % PROCESSES]), browser.clone());
        tasks.spawn(async move {
            for _ in 0..20 {
                // A request that gave up after many conflicts has counted nothing.
                while app.visit(&mut tab, increment).await.is_err() {}
            }
        });
    }
    joined(tasks).await;
    let mut count = None;
    let look = |session: &Session| count = session.get(COUNT).unwrap();
    apps[1].visit(&mut browser, look).await.unwrap();
    assert_eq!(count, Some(121));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_in_one_process_ends_the_session_under_the_writes_of_others() {
    let database = MongoDatabase::new();
    let apps = apps(&database).await;
    for round in 0..20 {
        let browser = apps[0].signed_in("alice").await;
        let mut tasks = JoinSet::new();
        for task in 0..4 {
            let (app, mut tab) = (Arc::clone(&apps[task % PROCESSES]), browser.clone());
            tasks.spawn(async move {
                for _ in 0..5 {
                    // It may be dropped, or find that the session has ended.
                    let _ = app.visit(&mut tab.clone(), increment).await;
                    let _ = app.visit(&mut tab, |_| {}).await;
                }
            });
        }
        let (app, mut tab) = (Arc::clone(&apps[round % PROCESSES]), browser.clone());
        tasks.spawn(async move {
            for _ in 0..round % 5 {
                tokio::task::yield_now().await;
            }
            app.visit(&mut tab, Session::sign_out).await.unwrap();
        });
        joined(tasks).await;
        assert_eq!(apps[1].owner(&browser).await, None, "round {round}");
        let left = apps[2].sessions.of(owner("alice")).list(None).await.unwrap();
        assert_eq!(left, [], "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_the_sessions_of_every_process() {
    let database = MongoDatabase::new();
    let apps = apps(&database).await;
    let mut browsers = Vec::new();
    for app in apps.iter().cycle().take(9) {
        browsers.push(app.signed_in("alice").await);
    }
    let bystander = apps[0].signed_in("bob").await;
    let listed = apps[1].sessions.of(owner("alice")).list(None).await;
    assert_eq!(listed.unwrap().len(), 9);

    let mut tasks = JoinSet::new();
    for (at, browser) in browsers.iter().enumerate() {
        let (app, mut tab) = (Arc::clone(&apps[(at + 1) % PROCESSES]), browser.clone());
        tasks.spawn(async move {
            for _ in 0..5 {
                let _ = app.visit(&mut tab, increment).await;
            }
        });
    }
    let ended = apps[2].sessions.of(owner("alice")).revoke_all().await.unwrap();
    joined(tasks).await;
    assert_eq!(ended, 9);
    for (at, browser) in browsers.iter().enumerate() {
        assert_eq!(apps[at % PROCESSES].owner(browser).await, None);
    }
    assert_eq!(apps[1].owner(&bystander).await.as_deref(), Some("bob"));
}
