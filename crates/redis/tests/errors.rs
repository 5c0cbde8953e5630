//! What goes wrong is told by its cause, and without a secret.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use tenure_core::Store;
use tenure_core::store::{Inserted, Touch, Updated};
use tenure_redis::{ConnectError, RedisOptions, RedisStore};
use tenure_testkit::servers::redis::{REDIS_PASSWORD_IN_URL, RedisCluster, RedisSentinel, RedisServer};
use tenure_testkit::servers::{Certificates, StartError, free_port};

async fn refused(url: &str) -> (ConnectError, String) {
    let error = RedisStore::connect(url).await.expect_err("a refusal");
    let told = told(&error);
    (error, told)
}

#[tokio::test]
async fn tls_works_with_the_authority_that_signed_and_with_no_other() {
    let server = server();
    let options = || RedisStore::options(server.tls_url());
    let trusting = options().certificate_authority(server.certificates().authority.as_str());
    let store = trusting.connect().await.unwrap();
    insert(&store, &session(1)).await;
    assert_eq!(
        look(&store, id(1)).await,
        Some(look(&connected(&server.url()).await, id(1)).await.unwrap())
    );

    let other = Certificates::generate().unwrap();
    let error = options()
        .certificate_authority(other.authority)
        .connect()
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{}", told(&error));
    // The operating system's authorities did not sign it either.
    let error = options().connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{}", told(&error));
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let server = server();
    let url = server.tls_url().replace("localhost", "127.0.0.1");
    let options = RedisStore::options(url).certificate_authority(server.certificates().authority.as_str());
    let error = options.connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{}", told(&error));
}

#[tokio::test]
async fn a_server_that_speaks_plain_text_is_refused_where_tls_is_asked_for() {
    let server = server();
    let cluster = RedisCluster::shared();
    let sentinel = RedisSentinel::shared();
    for url in [server.url(), cluster.url(), sentinel.url()] {
        let (error, told) = refused(&url.replacen("redis", "rediss", 1)).await;
        assert!(matches!(error, ConnectError::NoTls { .. }), "{told}");
        assert!(
            told.contains("TLS handshake") && told.contains("plain text"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_server_that_speaks_tls_is_named_where_plain_text_is_asked_for() {
    let server = server();
    let cluster = RedisCluster::shared_with_tls();
    let sentinel = RedisSentinel::shared_with_tls();
    for url in [server.tls_url(), cluster.url(), sentinel.url()] {
        let (error, told) = refused(&url.replacen("rediss", "redis", 1)).await;
        assert!(matches!(error, ConnectError::TlsOnly { .. }), "{told}");
        assert!(told.contains("rediss://"), "{told}");
    }
}

#[tokio::test]
async fn certificates_of_a_cluster_and_of_sentinels_are_checked() {
    let other = Certificates::generate().unwrap();
    for url in [
        RedisCluster::shared_with_tls().url(),
        RedisSentinel::shared_with_tls().url(),
    ] {
        let options = RedisStore::options(url).certificate_authority(other.authority.as_str());
        let error = options.connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::Tls { .. }), "{}", told(&error));
    }
}

#[tokio::test]
async fn a_server_that_asks_clients_for_certificates_gets_one() {
    let server = RedisServer::with(&["--tls-auth-clients", "yes"]).unwrap();
    let certificates = server.certificates();
    let options = || {
        let options = RedisStore::options(server.tls_url());
        options.certificate_authority(certificates.authority.as_str())
    };
    let showing = |certificates: &Certificates| {
        let (certificate, key) = (certificates.client.as_str(), certificates.client_key.as_str());
        options().client_certificate(certificate, key)
    };
    let store = showing(certificates).connect().await.unwrap();
    insert(&store, &session(1)).await;

    let other = Certificates::generate().unwrap();
    for refused in [options(), showing(&other)] {
        let error = refused.connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::Tls { .. }), "{}", told(&error));
        assert!(told(&error).contains("client_certificate"), "{}", told(&error));
    }
    let swapped = options().client_certificate(certificates.client_key.as_str(), "hunter2");
    let error = swapped.connect().await.unwrap_err();
    assert!(
        matches!(error, ConnectError::ClientCertificate { .. }),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn an_authority_that_is_none_is_refused() {
    for pem in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let options = RedisStore::options("rediss://localhost").certificate_authority(pem);
        let error = options.connect().await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Certificate { .. }),
            "{}",
            told(&error)
        );
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() -> Result<(), StartError> {
    let url = format!("redis://:hunter2@127.0.0.1:{}", free_port()?);
    let (error, told) = refused(&url).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{told}");
    assert!(told.contains("refused"), "{told}");
    let (error, told) = refused(&url.replace("redis:", "redis-cluster:")).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{told}");
    let url = url.replace("redis:", "redis+sentinel:") + "/main";
    let (error, told) = refused(&url).await;
    assert!(matches!(error, ConnectError::NoMaster { .. }), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_denied() {
    let server = server();
    for login in [":hunter2", "app:hunter2", ""] {
        let url = format!("redis://{login}@127.0.0.1:{}", server.port());
        let (error, told) = refused(&url.replace("//@", "//")).await;
        assert!(matches!(error, ConnectError::Denied { .. }), "{told}");
    }
}

/// As the documentation of the store lists them.
const RIGHTS: &str = "+eval +evalsha +exists +hmget +hget +hset +hdel +del +pexpire +pttl +scan +time +zadd +zcard +zrange \
                      +zscore +zrem +select +ping";

/// Does everything, as a user that has the documented rights and these on the keys of one prefix.
async fn do_everything_with<'a>(
    servers: impl IntoIterator<Item = &'a RedisServer>,
    options: impl FnOnce(RedisOptions) -> RedisOptions,
    url: String,
    more: &str,
) {
    let mut command = vec!["ACL", "SETUSER", "app", "reset", "on", ">p@ss", "~rights:*"];
    command.extend(RIGHTS.split_whitespace().chain(more.split_whitespace()));
    let mut indexes = Vec::new();
    for server in servers {
        assert_eq!(server.ask(&command).unwrap(), "OK");
        indexes.push(server);
    }
    let url = url.replace(&format!(":{REDIS_PASSWORD_IN_URL}@"), "app:p%40ss@");
    let options = options(RedisStore::options(url).key_prefix("rights"));
    let store = options.connect().await.unwrap();
    let record = owned(1, "alice");
    insert(&store, &record).await;
    save(&store, &next(&record, "1")).await;
    assert!(store.load(id(1), active()).await.unwrap().is_some());
    let index = "rights:owner:alice";
    for server in &indexes {
        // But one, these are replicas or have other keys.
        server.ask(&["ZADD", index, "1", &id(2).to_string()]).unwrap();
    }
    assert_eq!(
        store.list_by_owner(&owner("alice"), now()).await.unwrap().len(),
        1
    );
    let left = indexes
        .iter()
        .map(|server| server.ask(&["ZCARD", index]).unwrap());
    assert!(left.into_iter().any(|left| left == "1"), "it may clean, too");
    assert_eq!(store.remove_by_owner(&owner("alice"), None).await.unwrap(), 1);
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_do_everything() {
    let wait = |options: RedisOptions| options.wait_for_replicas(1, Duration::from_secs(1));
    let server = server();
    do_everything_with([&server], |options| options, server.url(), "").await;
    let sentinel = RedisSentinel::shared();
    do_everything_with(sentinel.servers(), wait, sentinel.url(), "+role +wait").await;
    let cluster = RedisCluster::shared();
    let more = "+cluster|slots +asking +wait";
    do_everything_with(cluster.nodes(), wait, cluster.url(), more).await;
}

#[tokio::test]
async fn a_denied_command_or_key_is_named() {
    let server = server();
    let url = format!("redis://app:hunter2@127.0.0.1:{}", server.port());
    server
        .ask(&[
            "ACL",
            "SETUSER",
            "app",
            "on",
            ">hunter2",
            "~tenure:*",
            "+@all",
            "-evalsha",
        ])
        .unwrap();
    let store = connected(&url).await;
    let error = store.insert(&session(1)).await.unwrap_err();
    assert!(
        told(&error).contains("ACL") && told(&error).contains("evalsha"),
        "{}",
        told(&error)
    );

    server
        .ask(&["ACL", "SETUSER", "app", "+evalsha", "-hset"])
        .unwrap();
    let error = store.insert(&session(1)).await.unwrap_err();
    assert!(told(&error).contains("ACL"), "{}", told(&error));

    server
        .ask(&["ACL", "SETUSER", "app", "+hset", "resetkeys", "~shop:*"])
        .unwrap();
    let error = store.load(id(1), Touch::No).await.unwrap_err();
    assert!(told(&error).contains("ACL"), "{}", told(&error));
    let (error, told) = refused(&url).await;
    assert!(matches!(error, ConnectError::Denied { .. }), "{told}");
}

#[tokio::test]
async fn a_full_memory_is_named_and_sessions_can_still_be_read_and_ended() {
    let server = server();
    let store = connected(&server.url()).await;
    let record = session(1);
    insert(&store, &record).await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]).unwrap();
    for error in [
        store.insert(&session(2)).await.map(drop).unwrap_err(),
        store
            .update(&next(&record, "1"), 1, now())
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert!(told(&error).contains("memory is full"), "{}", told(&error));
    }
    assert_eq!(
        store.load(id(1), active()).await.unwrap(),
        Some(Arc::new(record.clone()))
    );
    assert!(store.remove(id(1)).await.unwrap());
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    assert_eq!(store.insert(&record).await.unwrap(), Inserted::New);
}

#[tokio::test]
async fn a_full_disk_is_named_and_sessions_can_still_be_read() {
    let mut server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "everysec"]).unwrap();
    server.kill();
    // Whatever is written to this device, the disk is full.
    let log = server.folder().join("appendonlydir/appendonly.aof.1.incr.aof");
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    server.restart().unwrap();

    let store = connected(&server.url()).await;
    let record = session(1);
    // With `everysec`, the server acknowledges before it is on the disk, and learns of it with the first write.
    insert(&store, &record).await;
    for error in [
        store.insert(&session(2)).await.map(drop).unwrap_err(),
        store
            .update(&next(&record, "1"), 1, now())
            .await
            .map(drop)
            .unwrap_err(),
        store.remove(id(1)).await.map(drop).unwrap_err(),
    ] {
        let told = told(&error);
        assert!(told.contains("can't write to its disk"), "{told}");
        assert!(told.contains("No space left on device"), "{told}");
    }
    assert_eq!(store.load(id(1), active()).await.unwrap(), Some(Arc::new(record)));
}

#[tokio::test]
async fn a_read_only_replica_is_named() {
    let server = server();
    let store = connected(&server.url()).await;
    insert(&store, &session(1)).await;
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    let error = store.insert(&session(2)).await.unwrap_err();
    assert!(told(&error).contains("read-only replica"), "{}", told(&error));
    let error = store.load(id(1), active()).await.unwrap_err();
    assert!(told(&error).contains("read-only replica"), "{}", told(&error));
    server.ask(&["REPLICAOF", "NO", "ONE"]).unwrap();
    assert!(store.load(id(1), active()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_url_of_another_arrangement_is_told() {
    let cluster = RedisCluster::shared();
    let sentinel = RedisSentinel::shared();
    let server = server();
    let node = cluster.nodes()[0].url();
    let on_another_node = async || {
        let store = connected(&node).await;
        for number in 0..50 {
            if let Err(error) = store.insert(&session(number)).await {
                return told(&error);
            }
        }
        panic!("a cluster with a single node");
    };
    if RedisStore::connect(&node).await.is_ok() {
        assert!(on_another_node().await.contains("redis-cluster://"));
    }
    let (error, told) = refused(&server.url().replace("redis:", "redis-cluster:")).await;
    assert!(
        matches!(
            error,
            ConnectError::Unusable { .. } | ConnectError::Unreachable { .. }
        ),
        "{told}"
    );
    assert!(
        told.contains("redis-cluster://") || told.contains("cluster support disabled"),
        "{told}"
    );
    let (error, told) = refused(&sentinel.url().replace("/sessions", "/orders")).await;
    assert!(matches!(error, ConnectError::NoMaster { .. }), "{told}");
    assert!(told.contains("orders"), "{told}");
}

#[tokio::test]
async fn writes_that_too_few_replicas_have_are_told() {
    let server = server();
    let timeout = std::time::Duration::from_millis(50);
    let options = RedisStore::options(server.url()).wait_for_replicas(1, timeout);
    let store = options.connect().await.unwrap();
    let error = store.insert(&session(1)).await.unwrap_err();
    assert!(told(&error).contains("too few replicas"), "{}", told(&error));

    let sentinel = RedisSentinel::shared();
    let options = RedisStore::options(sentinel.url())
        .key_prefix("waiting")
        .wait_for_replicas(2, timeout * 20);
    let store = options.connect().await.unwrap();
    let record = owned(1, "alice");
    insert(&store, &record).await;
    assert_eq!(
        store.update(&next(&record, "1"), 1, now()).await.unwrap(),
        Updated::Saved
    );
    assert_eq!(store.remove_by_owner(&owner("alice"), None).await.unwrap(), 1);

    let cluster = RedisCluster::shared();
    let options = RedisStore::options(cluster.url())
        .key_prefix("waiting")
        .wait_for_replicas(1, timeout * 20);
    let store = options.connect().await.unwrap();
    for number in 0..8 {
        insert(&store, &session(number)).await;
        assert!(store.remove(id(number)).await.unwrap());
    }
}

#[tokio::test]
async fn nothing_shows_the_password() {
    let server = server();
    let store = connected(&server.url()).await;
    let shown = format!("{:?} {store:?}", RedisStore::options(server.url()));
    assert!(!shown.contains(REDIS_PASSWORD_IN_URL), "{shown}");
}
