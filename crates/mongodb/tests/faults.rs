//! Servers that die, hang, refuse, or are not there.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::*;
use mongodb::Client;
use mongodb::bson::doc;
use tenure_core::{Session, Store};
use tenure_mongodb::{ConnectError, Failure, MongoStore};
use tenure_testkit::ledger::survives;
use tenure_testkit::servers::{Certificates, FaultProxy, MongoServer, MongoServerOptions, free_port};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The engine's deadline for the store calls of a load or of a commit.
const DEADLINE: Duration = Duration::from_secs(2);

/// SecantusDB acknowledges a journaled write when it is in the log that it reads again at its start.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_with_all_that_was_acknowledged() {
    let mut server = server(MongoServerOptions::default());
    let store = MongoStore::connect(&server.url("tenure")).await.unwrap();
    let ledgers = survives(store.clone(), async || {
        for _ in 0..2 {
            server.kill();
            server.restart(false).unwrap();
            recovered(&store).await;
        }
    })
    .await;
    println!("kill -9 and restart: {ledgers}");
    ledgers.assert_noticed();
    ledgers.assert_kept(store).await;
}

/// A store that reaches the server by a proxy.
async fn proxied(server: &MongoServer) -> (FaultProxy, MongoStore) {
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    let url = format!("mongodb://127.0.0.1:{}/tenure", proxy.port());
    let store = MongoStore::connect(&url).await.unwrap();
    (proxy, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_in_mid_command_cost_errors_and_no_session() {
    let server = server(MongoServerOptions::default());
    let (proxy, store) = proxied(&server).await;
    let ledgers = survives(store.clone(), async || {
        proxy
            .cut_commands_and_answers(&[0, 1, 50, 200, 300, 1000, 2000, 3000])
            .await;
    })
    .await;
    println!("connections cut: {ledgers}");
    ledgers.assert_kept(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_lost_the_way_costs_the_deadline_and_no_session() {
    let server = server(MongoServerOptions::default());
    let (proxy, store) = proxied(&server).await;
    let ledgers = survives(store.clone(), async || {
        proxy.stall();
        sleep(Duration::from_secs(3)).await;
        proxy.heal();
    })
    .await;
    println!("network stalled: {ledgers}");
    ledgers.assert_noticed();
    ledgers.assert_kept(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_an_error_within_the_deadline_and_is_used_again_when_it_thaws() {
    let server = server(MongoServerOptions::default());
    let app = Arc::new(Application::over(
        MongoStore::connect(&server.url("tenure")).await.unwrap(),
    ));
    let browser = app.signed_in("alice").await;

    server.process().freeze();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (app, mut tab) = (Arc::clone(&app), browser.clone());
        requests.spawn(async move {
            let started = Instant::now();
            let failed = app.visit(&mut tab, increment).await.is_err();
            (failed, started.elapsed())
        });
    }
    for (failed, took) in requests.join_all().await {
        assert!(failed);
        assert!(took < DEADLINE + Duration::from_secs(1), "{took:?}");
    }
    server.process().thaw();

    let thawed = Instant::now();
    let mut tab = browser.clone();
    while app.visit(&mut tab, |_| {}).await.is_err() {
        assert!(thawed.elapsed() < Duration::from_secs(15), "it does not recover");
    }
    println!("recovered in {:?}", thawed.elapsed());
    assert_eq!(app.owner(&browser).await.as_deref(), Some("alice"));
    app.visit(&mut tab, Session::sign_out).await.unwrap();
    assert_eq!(app.owner(&browser).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named_and_no_password() {
    let port = free_port().unwrap();
    let url = format!("mongodb://shop:{PASSWORD_IN_URL}@127.0.0.1:{port}/shop");
    let started = Instant::now();
    let error = MongoStore::connect(&url).await.unwrap_err();
    assert!(started.elapsed() < DEADLINE, "{:?}", started.elapsed());
    assert!(
        matches!(error, ConnectError::Server(Failure::NoServer(_))),
        "{error:?}"
    );
    assert!(told(&error).contains(&format!("127.0.0.1:{port}")));
    let options = MongoStore::options(&url);
    assert!(!format!("{options:?}").contains(PASSWORD_IN_URL));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_went_away_is_named_by_operation_and_cause() {
    let mut server = server(MongoServerOptions::default());
    let store = MongoStore::connect(&server.url("tenure")).await.unwrap();
    server.kill();
    let error = store.remove(id(1)).await.unwrap_err();
    assert!(
        told(&error).contains("the mongodb store failed to remove"),
        "{error}"
    );
    let error = store.ping().await.unwrap_err();
    assert!(
        told(&error).contains("no server that takes writes was found"),
        "{error:?}"
    );
}

/// A server that asks for a password, and knows `shop` with [`PASSWORD`] and this role on `shop`.
async fn guarded(role: &str) -> MongoServer {
    let mut server = server(MongoServerOptions::default());
    let client = Client::with_uri_str(server.url("shop")).await.unwrap();
    let user = doc! { "createUser": "shop", "pwd": PASSWORD, "roles": [{ "role": role, "db": "shop" }] };
    client.database("shop").run_command(user).await.unwrap();
    // A journaled write, and with it the user, is there after a kill.
    insert(
        &MongoStore::connect(&server.url("shop")).await.unwrap(),
        &session(200),
    )
    .await;
    server.restart(true).unwrap();
    server
}

/// This server does not tell the driver which mechanisms a user has.
fn url_of(server: &MongoServer, password: &str) -> String {
    let port = server.port();
    format!("mongodb://shop:{password}@127.0.0.1:{port}/shop?authMechanism=SCRAM-SHA-256")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_may_read_and_write_needs_no_more() {
    let server = guarded("readWrite").await;
    let store = MongoStore::connect(&url_of(&server, PASSWORD_IN_URL))
        .await
        .unwrap();
    insert(&store, &session(1)).await;
    assert!(look(&store, id(1)).await.is_some());
    store.ping().await.unwrap();
    assert!(!format!("{store:?}").contains(PASSWORD));

    let wrong = MongoStore::connect(&url_of(&server, "wr0ng-word"))
        .await
        .unwrap_err();
    assert!(
        matches!(wrong, ConnectError::Server(Failure::Authentication)),
        "{wrong:?}"
    );
    assert!(!told(&wrong).contains("wr0ng-word"));
    let nobody = MongoStore::connect(&server.url("shop")).await.unwrap_err();
    assert!(
        matches!(nobody, ConnectError::Server(Failure::Unauthorized)),
        "{nobody:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_may_only_read_is_told_what_is_missing() {
    let server = guarded("read").await;
    let error = MongoStore::connect(&url_of(&server, PASSWORD_IN_URL))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::Server(Failure::Unauthorized)),
        "{error:?}"
    );
    assert!(told(&error).contains("readWrite"));
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_repeating_it() {
    for url in [
        "",
        "redis://shop:p@ss-w0rd@127.0.0.1",
        "mongodb://shop:p@ss-w0rd@127.0.0.1:27017",
        "mongodb://shop:27017/p@ss-w0rd@127.0.0.1",
    ] {
        let error = MongoStore::connect(url).await.unwrap_err();
        assert!(matches!(error, ConnectError::Url), "{url}: {error:?}");
        assert!(told(&error).contains("percent-encoded"));
    }
    let no_connection = MongoStore::options("mongodb://127.0.0.1")
        .pool_size(0)
        .connect()
        .await;
    assert!(
        matches!(no_connection, Err(ConnectError::Options)),
        "{no_connection:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_answers_linearizable_reads() {
    let options = MongoServerOptions {
        replica_set: Some("rs"),
        ..Default::default()
    };
    let server = server(options);
    let url = format!("{}?replicaSet=rs", server.url("tenure"));
    let store = MongoStore::options(&url)
        .linearizable_reads(true)
        .connect()
        .await
        .unwrap();
    insert(&store, &session(1)).await;
    save(&store, &next(&session(1), "1")).await;
    assert!(store.load(id(1), active()).await.unwrap().is_some());
    assert!(store.remove(id(1)).await.unwrap());
    assert_eq!(look(&store, id(1)).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_used_over_tls_and_only_if_its_certificate_is_trusted() {
    let certificates = Arc::new(Certificates::generate().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("trusted.pem");
    std::fs::write(&trusted, &certificates.authority).unwrap();
    let untrusted = folder.path().join("untrusted.pem");
    std::fs::write(&untrusted, Certificates::generate().unwrap().authority).unwrap();
    let options = MongoServerOptions {
        tls: Some(certificates),
        ..Default::default()
    };
    let guarded = server(options);
    let plain = server(MongoServerOptions::default());
    let url = |server: &MongoServer, host: &str, authority: &Path| {
        let (port, authority) = (server.port(), authority.display());
        format!("mongodb://{host}:{port}/shop?tls=true&tlsCAFile={authority}")
    };

    let store = MongoStore::connect(&url(&guarded, "localhost", &trusted))
        .await
        .unwrap();
    insert(&store, &session(1)).await;
    for (why, refused) in [
        ("another authority", url(&guarded, "localhost", &untrusted)),
        ("another name", url(&guarded, "127.0.0.1", &trusted)),
        ("plain text", url(&plain, "localhost", &trusted)),
    ] {
        let error = MongoStore::connect(&refused).await.expect_err(why);
        assert!(
            matches!(error, ConnectError::Server(Failure::NoServerByTls(_))),
            "{why}: {error:?}"
        );
        assert!(told(&error).contains("TLS handshake"), "{why}: {error:?}");
    }
    let error = MongoStore::connect(&guarded.url("shop")).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Server(Failure::NoServerInPlainText(_))),
        "{error:?}"
    );
    assert!(told(&error).contains("tls=true"), "{error:?}");
    let nobody = format!("mongodb://localhost:{}/shop?tls=true", free_port().unwrap());
    let error = MongoStore::connect(&nobody).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Server(Failure::NoServer(_))),
        "{error:?}"
    );
    let no_file = MongoStore::connect(&url(&guarded, "localhost", Path::new("no-such-file"))).await;
    assert!(
        matches!(no_file, Err(ConnectError::Server(Failure::Tls))),
        "{no_file:?}"
    );
}
