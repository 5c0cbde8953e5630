//! OpenBao, which is Vault's open fork and speaks its protocol.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tenure_secrets::{
    FetchError, RotateError, SecretSource, SetupError, VaultBuilder, VaultLogin, VaultSource,
};
use tenure_testkit::servers::{Certificates, FaultProxy, OpenBaoServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::{
    FIRST, SECOND, THIRD, assert_error_silent, assert_silent, assert_text_silent, ids_of, key_ids, logged,
    names, new_secret,
};

/// Asks the server as its operator does.
async fn operate(server: &OpenBaoServer, method: Method, path: &str, body: Value) -> Value {
    let answer = reqwest::Client::new()
        .request(method, format!("{}/v1/{path}", server.address()))
        .header("X-Vault-Token", OpenBaoServer::ROOT_TOKEN)
        .json(&body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

async fn put(server: &OpenBaoServer, fields: Value) {
    operate(
        server,
        Method::POST,
        "secret/data/shop",
        json!({ "data": fields }),
    )
    .await;
}

async fn with_policy(server: &OpenBaoServer, rules: &str) {
    operate(
        server,
        Method::PUT,
        "sys/policies/acl/shop",
        json!({ "policy": rules }),
    )
    .await;
}

const READ: &str = r#"path "secret/data/shop" { capabilities = ["read"] }"#;
const READ_AND_WRITE: &str = r#"path "secret/data/shop" { capabilities = ["read", "create", "update"] }"#;

async fn token(server: &OpenBaoServer, options: Value) -> String {
    let answer = operate(server, Method::POST, "auth/token/create", options).await;
    answer["auth"]["client_token"].as_str().unwrap().to_owned()
}

fn builder(server: &OpenBaoServer) -> VaultBuilder {
    VaultSource::builder("secret", "shop")
        .address(server.address())
        .field("session")
}

fn by_root(server: &OpenBaoServer) -> VaultSource {
    builder(server)
        .login(VaultLogin::token(OpenBaoServer::ROOT_TOKEN))
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_versions_of_an_entry_are_given_from_the_newest_on_without_the_deleted_and_destroyed() {
    let server = OpenBaoServer::start().unwrap();
    let source = by_root(&server);
    let error = source.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::NotFound { reason, .. } if reason.contains("vault kv put")),
        "{error}"
    );

    let texts = [FIRST, SECOND, THIRD, FIRST, SECOND];
    for text in texts {
        put(&server, json!({ "session": format!(" {text}\n") })).await;
    }
    let fetched = source.fetch().await.unwrap();
    assert_eq!(names(&fetched), ["5", "4", "3", "2", "1"]);
    assert_eq!(key_ids(&fetched), ids_of(&[SECOND, FIRST, THIRD, SECOND, FIRST]));
    let times: Vec<_> = fetched
        .versions
        .iter()
        .map(|version| version.created_at.unwrap())
        .collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
    let age = times[0].until(std::time::SystemTime::now().into());
    assert!(age < Duration::from_secs(60), "{age:?}");
    assert_eq!(fetched.look_again_in, None);

    operate(
        &server,
        Method::POST,
        "secret/delete/shop",
        json!({ "versions": [5, 3] }),
    )
    .await;
    operate(
        &server,
        Method::PUT,
        "secret/destroy/shop",
        json!({ "versions": [1] }),
    )
    .await;
    assert_eq!(names(&source.fetch().await.unwrap()), ["4", "2"]);
    operate(
        &server,
        Method::POST,
        "secret/undelete/shop",
        json!({ "versions": [5] }),
    )
    .await;
    assert_eq!(names(&source.fetch().await.unwrap()), ["5", "4", "2"]);

    operate(
        &server,
        Method::POST,
        "secret/delete/shop",
        json!({ "versions": [5, 4, 2] }),
    )
    .await;
    let error = source.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::NotFound { reason, .. } if reason.contains("deleted")),
        "{error}"
    );
    assert_silent(&source, &[FIRST, SECOND, THIRD, OpenBaoServer::ROOT_TOKEN]);
}

#[tokio::test]
async fn only_as_many_versions_are_given_as_the_entry_keeps_and_each_until_its_deletion() {
    let server = OpenBaoServer::start().unwrap();
    let settings = json!({ "max_versions": 2, "delete_version_after": "1h" });
    operate(&server, Method::POST, "secret/metadata/shop", settings).await;
    for text in [FIRST, SECOND, THIRD] {
        put(&server, json!({ "session": text })).await;
    }
    let fetched = by_root(&server).fetch().await.unwrap();
    assert_eq!(names(&fetched), ["3", "2"]);
    let left = fetched.look_again_in.unwrap();
    assert!(
        left > Duration::from_secs(3_500) && left <= Duration::from_secs(3_600),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_change_of_another_field_is_no_new_version() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "other": "1" })).await;
    put(&server, json!({ "other": "1", "session": FIRST })).await;
    put(&server, json!({ "other": "2", "session": FIRST })).await;
    put(&server, json!({ "other": "2", "session": SECOND })).await;
    let fetched = by_root(&server).fetch().await.unwrap();
    assert_eq!(names(&fetched), ["4", "2"]);
    assert_eq!(key_ids(&fetched), ids_of(&[SECOND, FIRST]));
}

#[tokio::test]
async fn without_a_field_the_only_one_is_taken() {
    let server = OpenBaoServer::start().unwrap();
    let login = VaultLogin::token(OpenBaoServer::ROOT_TOKEN);
    let source = VaultSource::builder("secret", "shop")
        .address(server.address())
        .login(login)
        .build()
        .unwrap();
    source.rotate(&new_secret()).await.unwrap();
    assert_eq!(names(&source.fetch().await.unwrap()), ["1"]);
    put(&server, json!({ "session": FIRST, "other": SECOND })).await;
    let error = source.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Unusable { reason, .. } if reason.contains("#FIELD")),
        "{error}"
    );
    assert_error_silent(&error, &[FIRST, SECOND]);
}

#[tokio::test]
async fn what_can_not_be_a_secret_is_refused_and_not_shown() {
    let server = OpenBaoServer::start().unwrap();
    let source = by_root(&server);
    for fields in [
        json!({ "session": "" }),
        json!({ "session": " \n" }),
        json!({ "session": { "nested": FIRST } }),
        json!({ "session": [FIRST] }),
        json!({ "session": 42_424_242 }),
    ] {
        put(&server, fields.clone()).await;
        let error = source.fetch().await.unwrap_err();
        assert!(matches!(error, FetchError::Unusable { .. }), "{fields}: {error}");
        assert_error_silent(&error, &[FIRST, "42424242"]);
    }
    put(&server, json!({ "other": FIRST })).await;
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::NotFound { .. }), "{error}");

    operate(
        &server,
        Method::POST,
        "sys/mounts/old",
        json!({ "type": "kv", "options": { "version": "1" } }),
    )
    .await;
    operate(
        &server,
        Method::POST,
        "old/data/shop",
        json!({ "data": { "session": FIRST } }),
    )
    .await;
    let login = VaultLogin::token(OpenBaoServer::ROOT_TOKEN);
    let old = VaultSource::builder("old", "shop")
        .address(server.address())
        .login(login)
        .build()
        .unwrap();
    let error = old.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Unusable { reason, .. } if reason.contains("version 2")),
        "{error}"
    );
    assert_error_silent(&error, &[FIRST]);
}

#[tokio::test]
async fn rotation_needs_its_permission_keeps_other_fields_and_does_not_overwrite() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST, "other": "stays" })).await;
    with_policy(&server, READ).await;
    let reader = token(&server, json!({ "policies": ["shop"] })).await;
    let source = builder(&server)
        .login(VaultLogin::token(&reader))
        .build()
        .unwrap();
    let new = new_secret();
    let refused = source.rotate(&new).await.unwrap_err();
    assert!(
        matches!(&refused, RotateError::Refused { reason, .. } if reason.contains("`update`")),
        "{refused}"
    );
    assert_error_silent(&refused, &[FIRST, new.expose(), &reader]);

    with_policy(&server, READ_AND_WRITE).await;
    assert_eq!(source.rotate(&new).await.unwrap(), "2");
    assert_eq!(
        key_ids(&source.fetch().await.unwrap()),
        ids_of(&[new.expose(), FIRST])
    );
    let entry = operate(&server, Method::GET, "secret/data/shop", Value::Null).await;
    assert_eq!(entry["data"]["data"]["other"], "stays");

    operate(
        &server,
        Method::POST,
        "secret/delete/shop",
        json!({ "versions": [2] }),
    )
    .await;
    assert_eq!(source.rotate(&new_secret()).await.unwrap(), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writers_at_the_same_time_each_either_wins_or_is_told_of_the_conflict() {
    const WRITERS: usize = 8;

    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(WRITERS));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (source, barrier) = (by_root(&server), barrier.clone());
            tokio::spawn(async move {
                source.fetch().await.unwrap();
                barrier.wait().await;
                source.rotate(&new_secret()).await
            })
        })
        .collect();
    let mut won = Vec::new();
    for writer in writers {
        match writer.await.unwrap() {
            Ok(name) => won.push(name),
            Err(error) => assert!(matches!(error, RotateError::Conflict { .. }), "{error}"),
        }
    }
    assert!(!won.is_empty());
    let fetched = by_root(&server).fetch().await.unwrap();
    assert_eq!(
        fetched.versions.len(),
        won.len() + 1,
        "each that won is a version, and nothing else is"
    );
}

#[tokio::test]
async fn a_write_between_reading_and_writing_is_a_conflict() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    // Between the two calls of a rotation somebody else writes.
    let proxy = Interposed::start(server.port(), {
        let address = server.address();
        move || {
            let url = format!("{address}/v1/secret/data/shop");
            async move {
                let body = json!({ "data": { "session": SECOND } });
                let put = reqwest::Client::new().post(url).json(&body);
                put.header("X-Vault-Token", OpenBaoServer::ROOT_TOKEN)
                    .send()
                    .await
                    .unwrap();
            }
        }
    })
    .await;
    let source = builder(&server).address(format!("http://127.0.0.1:{}", proxy.port));
    let source = source
        .login(VaultLogin::token(OpenBaoServer::ROOT_TOKEN))
        .build()
        .unwrap();
    let new = new_secret();
    let error = source.rotate(&new).await.unwrap_err();
    assert!(matches!(error, RotateError::Conflict { .. }), "{error}");
    assert_eq!(
        key_ids(&by_root(&server).fetch().await.unwrap()),
        ids_of(&[SECOND, FIRST])
    );
    assert_error_silent(&error, &[new.expose(), FIRST]);
}

/// Does something right before each POST reaches the server.
struct Interposed {
    port: u16,
    accepting: tokio::task::JoinHandle<()>,
}

impl Interposed {
    async fn start<F: Future<Output = ()> + Send>(
        server: u16,
        before_post: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepting = tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut upstream = tokio::net::TcpStream::connect(("127.0.0.1", server))
                    .await
                    .unwrap();
                let mut buffer = vec![0; 64 * 1024];
                let mut answer = vec![0; 64 * 1024];
                loop {
                    tokio::select! {
                        read = client.read(&mut buffer) => {
                            let Ok(length @ 1..) = read else { break };
                            if buffer.starts_with(b"POST") {
                                before_post().await;
                            }
                            upstream.write_all(&buffer[..length]).await.unwrap();
                        }
                        read = upstream.read(&mut answer) => {
                            let Ok(length @ 1..) = read else { break };
                            client.write_all(&answer[..length]).await.unwrap();
                        }
                    }
                }
            }
        });
        Self { port, accepting }
    }
}

impl Drop for Interposed {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[tokio::test]
async fn a_token_without_the_permission_or_of_nobody_is_denied_and_not_shown() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    let stranger = token(&server, json!({ "policies": ["default"] })).await;
    for token in [stranger.as_str(), "s.Yb0yP2kV9rT4nXwE6uLsJ1dH"] {
        let source = builder(&server).login(VaultLogin::token(token)).build().unwrap();
        let error = source.fetch().await.unwrap_err();
        assert!(
            matches!(&error, FetchError::Denied { reason, .. } if reason.contains("`read` on secret/data/shop")),
            "{error}"
        );
        assert_error_silent(&error, &[token, FIRST]);
        assert_silent(&source, &[token, FIRST]);
    }
}

async fn with_app_role(server: &OpenBaoServer, settings: Value) -> VaultLogin {
    operate(
        server,
        Method::POST,
        "sys/auth/approle",
        json!({ "type": "approle" }),
    )
    .await;
    operate(server, Method::POST, "auth/approle/role/shop", settings).await;
    let role = operate(server, Method::GET, "auth/approle/role/shop/role-id", Value::Null).await;
    let secret = operate(
        server,
        Method::POST,
        "auth/approle/role/shop/secret-id",
        json!({}),
    )
    .await;
    VaultLogin::app_role(
        role["data"]["role_id"].as_str().unwrap(),
        secret["data"]["secret_id"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn an_app_role_logs_in_and_again_when_its_token_is_revoked() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    with_policy(&server, READ).await;
    let login = with_app_role(&server, json!({ "token_policies": "shop", "token_ttl": "1h" })).await;
    let source = builder(&server).login(login).build().unwrap();
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[FIRST]));
    operate(
        &server,
        Method::PUT,
        "sys/leases/revoke-prefix/auth/approle/login",
        json!({ "sync": true }),
    )
    .await;
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[FIRST]));

    let wrong = VaultLogin::app_role("8c6b2f4e-0000-1111-2222-333344445555", "bcd1-Yb0yP2kV9rT4nXw");
    let source = builder(&server).login(wrong).build().unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Denied { reason, .. } if reason.contains("secret id")),
        "{error}"
    );
    assert_error_silent(&error, &["bcd1-Yb0yP2kV9rT4nXw"]);
}

/// Asks the server until it says so. Its clock is real, and can't be moved.
async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let began = Instant::now();
    while !is_so().await {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "not within 30 seconds: {what}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_lease_is_renewed_before_it_ends_without_a_look_at_the_secret() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    with_policy(&server, READ).await;
    let short = token(&server, json!({ "policies": ["shop"], "period": "3s" })).await;
    let source = builder(&server).login(VaultLogin::token(&short)).build().unwrap();
    source.fetch().await.unwrap();
    let began = Instant::now();
    until("the token was renewed", || async {
        let found = operate(
            &server,
            Method::POST,
            "auth/token/lookup",
            json!({ "token": short }),
        )
        .await;
        found["data"]["last_renewal_time"].is_number()
    })
    .await;
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "not before a good part of it is over"
    );
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[FIRST]));
    // Nobody renews it when nobody follows the source.
    drop(source);
    until("the token ended", || async {
        let found = reqwest::Client::new()
            .get(format!("{}/v1/auth/token/lookup-self", server.address()))
            .header("X-Vault-Token", &short)
            .send();
        found.await.unwrap().status() == 403
    })
    .await;
}

#[tokio::test]
async fn where_a_lease_can_not_be_renewed_there_is_another_login() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    with_policy(&server, READ).await;
    // Batch tokens can't be renewed.
    let settings = json!({ "token_policies": "shop", "token_ttl": "3s", "token_type": "batch" });
    let login = with_app_role(&server, settings).await;
    let source = builder(&server).login(login).build().unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(7) {
        source.fetch().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_token_file_is_read_again_when_its_token_has_gone() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    with_policy(&server, READ).await;
    let folder = tempfile::tempdir().unwrap();
    let sink = folder.path().join("token");
    let first = token(&server, json!({ "policies": ["shop"] })).await;
    fs::write(&sink, format!("{first}\n")).unwrap();
    let source = builder(&server)
        .login(VaultLogin::token_file(&sink))
        .build()
        .unwrap();
    source.fetch().await.unwrap();
    operate(
        &server,
        Method::POST,
        "auth/token/revoke",
        json!({ "token": first }),
    )
    .await;
    fs::write(&sink, token(&server, json!({ "policies": ["shop"] })).await).unwrap();
    source.fetch().await.unwrap();
    fs::remove_file(&sink).unwrap();
    let source = builder(&server)
        .login(VaultLogin::token_file(&sink))
        .build()
        .unwrap();
    assert!(matches!(
        source.fetch().await.unwrap_err(),
        FetchError::Denied { .. }
    ));
}

/// The part of Kubernetes that OpenBao asks whether a service account's token is good.
async fn token_review(good: &'static str) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = vec![0; 16 * 1024];
            while !request.windows(2).any(|end| end == b"}}") {
                let Ok(length @ 1..) = client.read(&mut buffer).await else {
                    break;
                };
                request.extend_from_slice(&buffer[..length]);
            }
            let request = String::from_utf8_lossy(&request);
            assert!(
                request.starts_with("POST /apis/authentication.k8s.io/v1/tokenreviews"),
                "{request}"
            );
            let is_good = request.contains(good);
            let review = json!({
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenReview",
                "status": {
                    "authenticated": is_good,
                    "audiences": ["https://kubernetes.default.svc"],
                    "user": { "username": "system:serviceaccount:web:shop", "uid": "u-1", "groups": [] },
                },
            })
            .to_string();
            let answer = format!(
                "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{review}",
                review.len()
            );
            client.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, serving)
}

/// A token as Kubernetes makes them, but for the signature, which only Kubernetes could check.
fn service_account_token() -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};

    let header = json!({ "alg": "RS256", "kid": "k" }).to_string();
    let claims = json!({
        "aud": ["https://kubernetes.default.svc"],
        "exp": 4_000_000_000_u64,
        "iat": 1_700_000_000,
        "nbf": 1_700_000_000,
        "iss": "https://kubernetes.default.svc",
        "kubernetes.io": { "namespace": "web", "serviceaccount": { "name": "shop", "uid": "u-1" } },
        "sub": "system:serviceaccount:web:shop",
    })
    .to_string();
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    format!(
        "{}.{}.{}",
        part(&header),
        part(&claims),
        part("signature-of-the-tests")
    )
}

#[tokio::test]
async fn a_service_account_of_kubernetes_logs_in() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    with_policy(&server, READ).await;
    let account: &'static str = service_account_token().leak();
    let (kubernetes, serving) = token_review(account).await;
    operate(
        &server,
        Method::POST,
        "sys/auth/cluster",
        json!({ "type": "kubernetes" }),
    )
    .await;
    let config = json!({
        "kubernetes_host": format!("http://127.0.0.1:{kubernetes}"),
        "token_reviewer_jwt": account,
        "disable_local_ca_jwt": true,
        "kubernetes_ca_cert": Certificates::generate().unwrap().authority,
    });
    operate(&server, Method::POST, "auth/cluster/config", config).await;
    let role = json!({
        "bound_service_account_names": "shop",
        "bound_service_account_namespaces": "web",
        "token_policies": "shop",
        "token_ttl": "1h",
    });
    operate(&server, Method::POST, "auth/cluster/role/shop", role).await;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, account).unwrap();
    let login = |role: &str| {
        VaultLogin::kubernetes(role)
            .mounted_at("cluster")
            .service_account_file(&file)
    };
    let source = builder(&server).login(login("shop")).build().unwrap();
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[FIRST]));

    let source = builder(&server).login(login("another")).build().unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Denied { reason, .. } if reason.contains("service account")),
        "{error}"
    );
    assert_error_silent(&error, &[account]);
    serving.abort();
}

#[tokio::test]
async fn tls_is_checked_against_the_authority_that_is_named() {
    let server = OpenBaoServer::start_with_tls().unwrap();
    let login = VaultLogin::token(OpenBaoServer::ROOT_TOKEN);
    let trusting = builder(&server)
        .ca_file(server.ca_file())
        .login(login.clone())
        .build()
        .unwrap();
    trusting.rotate(&new_secret()).await.unwrap();
    assert_eq!(names(&trusting.fetch().await.unwrap()), ["1"]);
    let doubting = builder(&server).login(login.clone()).build().unwrap();
    let error = doubting.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert_error_silent(&error, &[OpenBaoServer::ROOT_TOKEN]);
    let nowhere = builder(&server)
        .ca_file("/no/such/ca.pem")
        .login(login)
        .build()
        .unwrap_err();
    assert!(
        matches!(
            nowhere,
            SetupError::File {
                setting: "ca_file",
                ..
            }
        ),
        "{nowhere}"
    );
}

#[tokio::test]
async fn a_server_that_is_gone_or_silent_is_unreachable_within_the_timeout() {
    let mut server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    let source = builder(&server)
        .address(format!("http://localhost:{}", proxy.port()))
        .login(VaultLogin::token(OpenBaoServer::ROOT_TOKEN))
        .timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    source.fetch().await.unwrap();
    proxy.stall();
    let began = Instant::now();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    proxy.heal();
    source.fetch().await.unwrap();
    server.kill();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert_error_silent(&error, &[FIRST, OpenBaoServer::ROOT_TOKEN]);
}

/// Answers every call with the same.
async fn answering(status: &'static str, body: String) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 16 * 1024];
            let _ = client.read(&mut buffer).await;
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = client.write_all(answer.as_bytes()).await;
        }
    });
    (port, serving)
}

#[tokio::test]
async fn an_answer_that_is_not_vaults_is_unreachable_and_not_shown() {
    for (status, body) in [
        ("200 OK", format!("<html>{FIRST}")),
        (
            "200 OK",
            format!("{{\"data\":{{\"data\":\"{FIRST}\",\"ttl\":\"{FIRST}\"}}}}"),
        ),
        ("200 OK", "{}".to_owned()),
        ("200 OK", format!("\"{}\"", FIRST.repeat(40_000))),
        ("500 Oh", FIRST.to_owned()),
        ("503 Sealed", FIRST.to_owned()),
    ] {
        let (port, serving) = answering(status, body).await;
        for login in [VaultLogin::token("t"), VaultLogin::app_role("role", "t0p")] {
            let source = VaultSource::builder("secret", "shop")
                .address(format!("http://127.0.0.1:{port}"))
                .login(login)
                .build()
                .unwrap();
            let error = source.fetch().await.unwrap_err();
            assert!(
                matches!(error, FetchError::Unreachable { .. }),
                "{status}: {error}"
            );
            assert_error_silent(&error, &[FIRST]);
            let error = source.rotate(&new_secret()).await.unwrap_err();
            assert_error_silent(&error, &[FIRST]);
        }
        serving.abort();
    }
}

#[tokio::test]
async fn settings_that_would_show_the_token_or_lead_elsewhere_are_refused() {
    let login = || VaultLogin::token("t");
    let build = |address: &str| {
        VaultSource::builder("secret", "shop")
            .address(address)
            .login(login())
            .build()
    };
    for address in [
        "http://vault.internal:8200",
        "ftp://vault",
        "vault:8200",
        "",
        "https://user:pass@vault",
    ] {
        assert!(
            matches!(
                build(address),
                Err(SetupError::Setting {
                    setting: "address",
                    ..
                })
            ),
            "{address}"
        );
    }
    for address in [
        "http://localhost:8200",
        "http://[::1]:8200",
        "http://127.0.0.1:8200",
        "https://vault",
    ] {
        assert!(build(address).is_ok(), "{address}");
    }
    let plain = VaultSource::builder("secret", "shop")
        .address("http://mesh:8200")
        .allow_plain_text(true);
    assert!(plain.login(login()).build().is_ok());
    for (mount, path) in [
        ("", "shop"),
        ("secret", ""),
        ("secret", "../sys"),
        ("a//b", "shop"),
        ("secret", "/shop"),
    ] {
        assert!(
            VaultSource::builder(mount, path).login(login()).build().is_err(),
            "{mount} {path}"
        );
    }
    assert!(
        VaultSource::builder("secret", "shop").build().is_err(),
        "no login"
    );
}

#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() {
    let server = OpenBaoServer::start().unwrap();
    put(&server, json!({ "session": FIRST })).await;
    let new = new_secret();
    let log = logged(async {
        let source = by_root(&server);
        source.fetch().await.unwrap();
        source.rotate(&new).await.unwrap();
        put(&server, json!({ "session": [FIRST] })).await;
        source.fetch().await.unwrap_err();
    })
    .await;
    assert!(!log.is_empty());
    assert_text_silent(&log, &[FIRST, new.expose(), OpenBaoServer::ROOT_TOKEN]);
}
