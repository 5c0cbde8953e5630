//! The official SDK against moto, which implements the API of Secrets Manager.

use std::time::{Duration, Instant};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
use tenure_secrets::{AwsSource, FetchError, RotateError, SecretSource, Stage};
use tenure_testkit::servers::{FaultProxy, MotoServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{
    FIRST, FOURTH, SECOND, THIRD, assert_error_silent, assert_silent, assert_text_silent, ids_of, key_ids,
    logged, names, new_secret, stages,
};

const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_KEY: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEYa";

async fn config(url: &str, access_key: &str, secret_key: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            access_key, secret_key, None, None, "test",
        )))
        .load()
        .await
}

async fn client(url: &str) -> Client {
    Client::new(&config(url, ACCESS_KEY, SECRET_KEY).await)
}

/// A secret that had these values, one after the other. Gives the ids of its versions.
async fn with_values(client: &Client, values: &[&str]) -> Vec<String> {
    let (first, later) = values.split_first().unwrap();
    let made = client
        .create_secret()
        .name("shop/session")
        .secret_string(*first)
        .send()
        .await
        .unwrap();
    let mut ids = vec![made.version_id().unwrap().to_owned()];
    for value in later {
        let put = client
            .put_secret_value()
            .secret_id("shop/session")
            .secret_string(*value)
            .send();
        ids.push(put.await.unwrap().version_id().unwrap().to_owned());
    }
    ids
}

#[tokio::test]
async fn the_current_version_comes_first_then_the_previous_and_those_that_have_lost_their_labels() {
    let server = MotoServer::start().unwrap();
    let client = client(&server.url()).await;
    let ids = with_values(&client, &[FIRST, SECOND, THIRD, &format!("{FOURTH}\n")]).await;
    let source = AwsSource::with_client(client.clone(), "shop/session");
    assert_eq!(source.name(), "aws:shop/session");
    let fetched = source.fetch().await.unwrap();
    assert_eq!(names(&fetched)[..2], [ids[3].as_str(), &ids[2]]);
    assert_eq!(key_ids(&fetched)[..2], ids_of(&[FOURTH, THIRD]));
    // Both were made in the same second, which is as fine as moto's clock is.
    let mut older = key_ids(&fetched)[2..].to_vec();
    older.sort();
    let mut expected = ids_of(&[FIRST, SECOND]);
    expected.sort();
    assert_eq!(older, expected);
    assert_eq!(stages(&fetched), [Stage::Active; 4]);
    let created = fetched.versions[0].created_at.unwrap();
    assert!(created.until(std::time::SystemTime::now().into()) < Duration::from_secs(60));
    assert_silent(&source, &[FIRST, SECOND, THIRD, FOURTH, SECRET_KEY]);

    let labelled = AwsSource::with_client(client, "shop/session").keep_unlabelled_for(Duration::ZERO);
    assert_eq!(
        key_ids(&labelled.fetch().await.unwrap()),
        ids_of(&[FOURTH, THIRD])
    );
}

#[tokio::test]
async fn a_pending_version_is_given_and_does_not_sign_until_it_is_current() {
    let server = MotoServer::start().unwrap();
    let client = client(&server.url()).await;
    let ids = with_values(&client, &[FIRST]).await;
    let put = client
        .put_secret_value()
        .secret_id("shop/session")
        .secret_string(SECOND);
    let pending = put
        .version_stages("AWSPENDING")
        .send()
        .await
        .unwrap()
        .version_id()
        .unwrap()
        .to_owned();
    let source = AwsSource::with_client(client.clone(), "shop/session");
    let fetched = source.fetch().await.unwrap();
    assert_eq!(key_ids(&fetched), ids_of(&[FIRST, SECOND]));
    assert_eq!(stages(&fetched), [Stage::Active, Stage::Pending]);

    let label = client
        .update_secret_version_stage()
        .secret_id("shop/session")
        .version_stage("AWSCURRENT");
    label
        .move_to_version_id(&pending)
        .remove_from_version_id(&ids[0])
        .send()
        .await
        .unwrap();
    let fetched = source.fetch().await.unwrap();
    assert_eq!(names(&fetched), [pending.as_str(), &ids[0]]);
    assert_eq!(stages(&fetched), [Stage::Active, Stage::Active]);
}

#[tokio::test]
async fn rotation_makes_the_new_version_the_current_one() {
    let server = MotoServer::start().unwrap();
    let client = client(&server.url()).await;
    with_values(&client, &[FIRST]).await;
    let source = AwsSource::with_client(client, "shop/session");
    let new = new_secret();
    let name = source.rotate(&new).await.unwrap();
    let fetched = source.fetch().await.unwrap();
    assert_eq!(names(&fetched)[0], name);
    assert_eq!(key_ids(&fetched), ids_of(&[new.expose(), FIRST]));
}

#[tokio::test]
async fn a_key_of_a_json_object_is_taken_and_rotated_and_the_others_stay() {
    let server = MotoServer::start().unwrap();
    let client = client(&server.url()).await;
    with_values(
        &client,
        &[&format!(r#"{{"session":"{FIRST}","other":"stays","number":7}}"#)],
    )
    .await;
    let source = AwsSource::with_client(client.clone(), "shop/session").json_key("session");
    assert_eq!(source.name(), "aws:shop/session#session");
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[FIRST]));
    let new = new_secret();
    source.rotate(&new).await.unwrap();
    assert_eq!(
        key_ids(&source.fetch().await.unwrap()),
        ids_of(&[new.expose(), FIRST])
    );
    let value = client
        .get_secret_value()
        .secret_id("shop/session")
        .send()
        .await
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(value.secret_string().unwrap()).unwrap();
    assert_eq!(
        (value["other"].as_str(), value["number"].as_i64()),
        (Some("stays"), Some(7))
    );

    for key in ["number", "missing"] {
        let error = AwsSource::with_client(client.clone(), "shop/session")
            .json_key(key)
            .fetch()
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Unusable { .. }), "{error}");
        assert_error_silent(&error, &[FIRST, new.expose()]);
    }
}

#[tokio::test]
async fn bytes_are_a_secret_as_well_and_nothing_is_none() {
    let server = MotoServer::start().unwrap();
    let client = client(&server.url()).await;
    let binary = aws_sdk_secretsmanager::primitives::Blob::new(SECOND.as_bytes());
    client
        .create_secret()
        .name("binary")
        .secret_binary(binary)
        .send()
        .await
        .unwrap();
    let source = AwsSource::with_client(client.clone(), "binary");
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[SECOND]));
    client
        .create_secret()
        .name("blank")
        .secret_string(" \n")
        .send()
        .await
        .unwrap();
    let error = AwsSource::with_client(client.clone(), "blank")
        .fetch()
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Unusable { .. }), "{error}");

    with_values(&client, &[FIRST]).await;
    let whole = AwsSource::with_client(client, "shop/session").json_key("session");
    let error = whole.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Unusable { reason, .. } if reason.contains("no JSON object")),
        "{error}"
    );
    assert_error_silent(&error, &[FIRST]);
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_marked_for_deletion_is_not_found() {
    let server = MotoServer::start().unwrap();
    let client = client(&server.url()).await;
    let source = AwsSource::with_client(client.clone(), "shop/session");
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::NotFound { .. }), "{error}");
    let refused = source.rotate(&new_secret()).await.unwrap_err();
    assert!(
        matches!(refused, RotateError::Fetch(FetchError::NotFound { .. })),
        "{refused}"
    );

    with_values(&client, &[FIRST]).await;
    source.fetch().await.unwrap();
    client
        .delete_secret()
        .secret_id("shop/session")
        .send()
        .await
        .unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::NotFound { reason, .. } if reason.contains("deletion")),
        "{error}"
    );
}

/// A user of AWS who may do this and nothing else, and is checked from now on: its access key and secret key.
async fn only_user_allowed(server: &MotoServer, action: &str) -> (String, String) {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{action},"Resource":"*"}}]}}"#
    );
    let ask = |query: Vec<(&'static str, String)>| {
        let credential = format!("{ACCESS_KEY}/20261122/us-east-1/iam/aws4_request");
        let signature = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let body = query
            .iter()
            .fold(String::from("Version=2010-05-08"), |body, (key, value)| {
                let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
                format!("{body}&{key}={value}")
            });
        let request = reqwest::Client::new().post(server.url()).body(body);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        async move {
            let answer = request.header("Authorization", signature).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
            answer.text().await.unwrap()
        }
    };
    let user = || ("UserName", "shop".to_owned());
    ask(vec![("Action", "CreateUser".to_owned()), user()]).await;
    let name = ("PolicyName", "shop".to_owned());
    ask(vec![
        ("Action", "PutUserPolicy".to_owned()),
        user(),
        name,
        ("PolicyDocument", policy),
    ])
    .await;
    let keys = ask(vec![("Action", "CreateAccessKey".to_owned()), user()]).await;
    let within = |tag: &str| {
        let (_, rest) = keys.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    let checking = reqwest::Client::new()
        .post(format!("{}/moto-api/reset-auth", server.url()))
        .body("0");
    assert!(checking.send().await.unwrap().status().is_success());
    (within("AccessKeyId"), within("SecretAccessKey"))
}

#[tokio::test]
async fn where_listing_is_denied_the_labelled_versions_are_given() {
    let server = MotoServer::start().unwrap();
    let operator = client(&server.url()).await;
    with_values(&operator, &[FIRST, SECOND, THIRD]).await;
    let put = operator
        .put_secret_value()
        .secret_id("shop/session")
        .secret_string(FOURTH);
    put.version_stages("AWSPENDING").send().await.unwrap();
    let (access, secret) = only_user_allowed(&server, r#"["secretsmanager:GetSecretValue"]"#).await;
    let client = Client::new(&config(&server.url(), &access, &secret).await);
    let source = AwsSource::with_client(client, "shop/session");
    let fetched = source.fetch().await.unwrap();
    assert_eq!(key_ids(&fetched), ids_of(&[THIRD, SECOND, FOURTH]));
    assert_eq!(stages(&fetched), [Stage::Active, Stage::Active, Stage::Pending]);
    let refused = source.rotate(&new_secret()).await.unwrap_err();
    assert!(
        matches!(&refused, RotateError::Refused { reason, .. } if reason.contains("PutSecretValue")),
        "{refused}"
    );
    assert_error_silent(&refused, &[&secret, THIRD]);
}

#[tokio::test]
async fn who_may_not_read_or_is_unknown_is_denied_and_nothing_is_shown() {
    let server = MotoServer::start().unwrap();
    with_values(&client(&server.url()).await, &[FIRST]).await;
    let (access, secret) = only_user_allowed(&server, r#"["s3:GetObject"]"#).await;
    for (access, secret) in [
        (access.as_str(), secret.as_str()),
        (ACCESS_KEY, SECRET_KEY),
        (&access, SECRET_KEY),
    ] {
        let client = Client::new(&config(&server.url(), access, secret).await);
        let error = AwsSource::with_client(client, "shop/session")
            .fetch()
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Denied { .. }), "{error}");
        assert_error_silent(&error, &[secret, FIRST]);
    }
}

#[tokio::test]
async fn without_credentials_it_is_denied_with_the_variables_to_set() {
    let server = MotoServer::start().unwrap();
    // A profile that is nowhere, however the tests' own environment is.
    let nobody = ProfileFileCredentialsProvider::builder()
        .profile_name("nobody-of-the-tests")
        .build();
    let config = config(&server.url(), ACCESS_KEY, SECRET_KEY).await.into_builder();
    let config = config
        .credentials_provider(SharedCredentialsProvider::new(nobody))
        .build();
    let error = AwsSource::with_client(Client::new(&config), "shop/session")
        .fetch()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, FetchError::Denied { reason, .. } if reason.contains("AWS_ACCESS_KEY_ID")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_gone_or_silent_is_unreachable_within_the_timeout() {
    let mut server = MotoServer::start().unwrap();
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    let client = client(&format!("http://127.0.0.1:{}", proxy.port())).await;
    with_values(&client, &[FIRST]).await;
    let source = AwsSource::with_client(client.clone(), "shop/session").timeout(Duration::from_millis(500));
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
    assert_error_silent(&error, &[FIRST, SECRET_KEY]);
}

/// Answers every call with the same.
async fn answering(status: &'static str, body: String) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let _ = client.read(&mut [0; 16 * 1024]).await;
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            let _ = client.write_all(answer.as_bytes()).await;
        }
    });
    (url, serving)
}

#[tokio::test]
async fn an_answer_that_is_not_of_secrets_manager_is_unreachable_and_not_shown() {
    for (status, body) in [
        ("200 OK", format!("<html>{FIRST}")),
        ("200 OK", format!(r#"{{"VersionId":["{FIRST}"]}}"#)),
        ("500 Oh", format!(r#"{{"__type":"{FIRST}","message":"{FIRST}"}}"#)),
        ("404 No", FIRST.to_owned()),
    ] {
        let (url, serving) = answering(status, body).await;
        let error = AwsSource::with_client(client(&url).await, "shop/session")
            .fetch()
            .await
            .unwrap_err();
        assert!(
            matches!(error, FetchError::Unreachable { .. }),
            "{status}: {error}"
        );
        assert_error_silent(&error, &[FIRST]);
        serving.abort();
    }
}

/// As the documentation has them; moto answers denials in another form.
#[tokio::test]
async fn the_codes_that_aws_itself_answers_with_are_understood() {
    for (code, kind) in [
        ("AccessDeniedException", "denied"),
        ("UnrecognizedClientException", "denied"),
        ("ExpiredTokenException", "denied"),
        ("DecryptionFailure", "denied"),
        ("ResourceNotFoundException", "not found"),
        ("InvalidRequestException", "not found"),
        ("InvalidParameterException", "unusable"),
        ("ThrottlingException", "unreachable"),
        ("InternalServiceError", "unreachable"),
    ] {
        let body = format!(r#"{{"__type":"{code}","Message":"of {FIRST}"}}"#);
        let (url, serving) = answering("400 Bad Request", body).await;
        let error = AwsSource::with_client(client(&url).await, "shop/session")
            .fetch()
            .await
            .unwrap_err();
        let found = match &error {
            FetchError::Denied { .. } => "denied",
            FetchError::NotFound { .. } => "not found",
            FetchError::Unusable { .. } => "unusable",
            _ => "unreachable",
        };
        assert_eq!(found, kind, "{code}: {error}");
        assert_error_silent(&error, &[FIRST]);
        serving.abort();
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() {
    let server = MotoServer::start().unwrap();
    let client = client(&server.url()).await;
    with_values(&client, &[FIRST]).await;
    let new = new_secret();
    let log = logged(async {
        let source = AwsSource::with_client(client.clone(), "shop/session");
        source.fetch().await.unwrap();
        source.rotate(&new).await.unwrap();
        AwsSource::with_client(client.clone(), "shop/session")
            .json_key("a")
            .fetch()
            .await
            .unwrap_err();
    })
    .await;
    assert!(!log.is_empty());
    assert_text_silent(&log, &[FIRST, new.expose(), SECRET_KEY]);
}
