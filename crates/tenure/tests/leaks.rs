//! Everything that is written down anywhere in the lives of sessions, on every store, at the lowest level of every
//! library: no secret, no token, no data and no password is in it.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use base64ct::{Base64UrlUnpadded, Encoding};
use http::HeaderMap;
use http::header::COOKIE;
use tempfile::TempDir;
use tenure::secrets::{FollowOptions, FollowingKeyring, SecretText};
use tenure::store::{Touch, connect};
use tenure::{
    Environment, Event, Key, Keyring, LiveKeyring, ManualClock, Outgoing, Owner, Policy, Sealing, Secret,
    Session, Sessions, Store, Timestamp,
};
use tenure_testkit::Planted;
use tenure_testkit::servers::mariadb::MARIADB_PASSWORD;
use tenure_testkit::servers::postgres::POSTGRES_PASSWORD;
use tenure_testkit::servers::redis::{REDIS_PASSWORD, RedisServer};
use tenure_testkit::servers::{MariaDbServer, MongoServer, PostgresServer};

const SECRET: &str = "vX7qLw2NzR9tKc4HbY6mPd8GsJ3fQa5U";
const NEXT_SECRET: &str = "hT5rBn8WkE2xVf9LcM4yQs7ZpD3gJa6R";
const WEAK_SECRET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
const DATA: &str = "planted data 7f3a9c51e2: account DE89 3704 0044";
const NOTE: Key<String> = Key::new("note");
const HOUR: Duration = Duration::from_hours(1);

/// All that was written, by whomever.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }

    fn debug(&self, value: &dyn Debug) {
        let mut text = String::new();
        writeln!(text, "{value:?} {value:#?}").unwrap();
        self.bytes().extend_from_slice(text.as_bytes());
    }

    fn error(&self, error: &dyn Error) {
        self.debug(&error);
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.bytes().extend_from_slice(format!("{error}\n").as_bytes());
            cause = error.source();
        }
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An application, and what must not be seen of it.
struct Scene {
    sessions: Sessions,
    store: Arc<dyn Store>,
    clock: ManualClock,
    written: Written,
    planted: Vec<Planted>,
}

impl Scene {
    fn new(store: Arc<dyn Store>, sealing: Sealing, written: &Written) -> Self {
        let policy = Policy::default()
            .environment(Environment::Development)
            .sealing(sealing)
            .sweep_interval(None)
            .store_deadline(Duration::from_secs(10))
            .renew_every(Some(HOUR))
            .idle_timeout(4 * HOUR)
            .max_data_bytes(1_000);
        let clock = ManualClock::at(Timestamp::from(SystemTime::now()));
        let keyring = LiveKeyring::new(Keyring::new(Secret::new(SECRET)));
        let listener = written.clone();
        let sessions = Sessions::builder(policy, keyring, Arc::clone(&store))
            .clock(clock.clone())
            .listener(move |event: &Event| listener.debug(event))
            .build()
            .unwrap();
        Self {
            sessions,
            store,
            clock,
            written: written.clone(),
            planted: Vec::new(),
        }
    }

    /// A whole request. The cookie that the browser gets is planted, as a whole and its secret half.
    async fn visit(&mut self, cookie: &mut Option<String>, handler: impl FnOnce(&Session)) {
        let mut headers = HeaderMap::new();
        if let Some(cookie) = cookie {
            headers.insert(COOKIE, cookie.parse().unwrap());
        }
        let opened = self.sessions.open(&headers);
        let session = match opened.load().await {
            Ok(session) => session,
            Err(error) => return self.written.error(&error),
        };
        handler(&session);
        self.written.debug(&opened);
        self.written.debug(&session);
        self.written.debug(&session.expires());
        match self.sessions.commit(&opened).await {
            Ok(outgoing) => self.receive(outgoing, cookie),
            Err(error) => self.written.error(&error),
        }
        self.written.debug(&session);
        if let Some(id) = session.id() {
            match self.store.load(id, Touch::No).await {
                Ok(record) => self.written.debug(&record),
                Err(error) => self.written.error(&error),
            }
        }
    }

    fn receive(&mut self, outgoing: Outgoing, cookie: &mut Option<String>) {
        let mut response = HeaderMap::new();
        outgoing.apply(&mut response);
        let Some(sent) = response.get("set-cookie") else {
            return;
        };
        let pair = sent.to_str().unwrap().split(';').next().unwrap();
        let value = pair.split_once('=').unwrap().1;
        if value.is_empty() {
            *cookie = None;
            return;
        }
        let bytes = Base64UrlUnpadded::decode_vec(value).unwrap();
        self.planted.push(Planted::new("a cookie", value));
        self.planted
            .push(Planted::new("a cookie's secret", &bytes[25..57]));
        *cookie = Some(pair.to_owned());
    }

    /// Everything that can happen to sessions while the store works.
    async fn live(&mut self) {
        let mut browser = None;
        self.visit(&mut browser, |session| {
            session.insert(NOTE, &DATA.to_owned()).unwrap();
        })
        .await;
        let planted_before_the_sign_in = browser.clone();
        self.visit(&mut browser, |session| session.sign_in("ada").unwrap())
            .await;
        let retired = browser.clone();
        let token = self.csrf_token(&browser).await;
        self.planted.push(Planted::new("a CSRF token", token));

        // What does not fit, by size and by type; its error is read, and the request goes on.
        let written = self.written.clone();
        self.visit(&mut browser, |session| {
            let too_much = format!("{DATA}{}", "x".repeat(2_000));
            written.error(&session.insert(NOTE, &too_much).unwrap_err());
            written.error(&session.get(Key::<u64>::new("note")).unwrap_err());
        })
        .await;

        // Two at once, of which one is replayed.
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, browser.clone().unwrap().parse().unwrap());
        let slow = self.sessions.open(&headers);
        let late = slow.load().await.unwrap();
        late.update(NOTE, |note| note.unwrap_or_default()).unwrap();
        self.visit(&mut browser, |session| {
            session.insert(Key::new("other"), &DATA).unwrap();
        })
        .await;
        late.insert(NOTE, &format!("{DATA} again")).unwrap();
        drop(self.sessions.commit(&slow).await.unwrap());

        // Keys rotate, the secret is renewed, and what was replaced or retired is used.
        let both = || Keyring::new(Secret::new(NEXT_SECRET)).with_older(Secret::new(SECRET));
        let keyring = self.sessions.keyring().clone();
        keyring.replace(both()).unwrap();
        self.written.debug(&both());
        self.written.error(
            &keyring
                .replace(Keyring::new(Secret::new(WEAK_SECRET)))
                .unwrap_err(),
        );
        for _ in 0..2 {
            self.clock.advance(HOUR);
            for _ in 0..3 {
                self.visit(&mut browser, |_| ()).await;
            }
        }
        self.visit(&mut planted_before_the_sign_in.clone(), |_| ()).await;
        self.list().await;
        self.visit(&mut retired.clone(), |_| ()).await;
        self.visit(&mut browser, |_| ()).await;

        // Forged, malformed and of nobody; then signed out, ended elsewhere, and expired.
        for value in ["%", "AAAA", &"A".repeat(98)] {
            self.visit(&mut Some(format!("__Host-session={value}")), |_| ())
                .await;
        }
        let ends: [fn(&Session); 3] = [Session::sign_out, |_| (), |_| ()];
        for (number, end) in ends.into_iter().enumerate() {
            let mut browser = None;
            let sign_in = |session: &Session| {
                session.insert(NOTE, &DATA.to_owned()).unwrap();
                session.sign_in("ada").unwrap();
                session.remember();
            };
            self.visit(&mut browser, sign_in).await;
            let bystander = browser.clone();
            self.visit(&mut browser, end).await;
            match number {
                1 => drop(
                    self.sessions
                        .of(Owner::new("ada").unwrap())
                        .revoke_all()
                        .await
                        .unwrap(),
                ),
                2 => self.clock.advance(1_000 * HOUR),
                _ => {}
            }
            self.visit(&mut bystander.clone(), |session| {
                session.insert(NOTE, &DATA.to_owned()).unwrap();
            })
            .await;
        }
        self.written.debug(&self.sessions);
        assert!(self.sessions.flush_events(Duration::from_secs(30)));
    }

    async fn csrf_token(&self, browser: &Option<String>) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, browser.clone().unwrap().parse().unwrap());
        let session = self.sessions.open(&headers).load().await.unwrap();
        let token = session.csrf_token().await.unwrap();
        self.written.debug(&token);
        token.as_str().to_owned()
    }

    async fn list(&self) {
        let owner = Owner::new("ada").unwrap();
        match self.sessions.of(owner).list(None).await {
            Ok(sessions) => self.written.debug(&sessions),
            Err(error) => self.written.error(&error),
        }
    }

    /// What a store says that is gone.
    async fn fail(&mut self) {
        self.visit(&mut None, |session| {
            session.insert(NOTE, &DATA.to_owned()).unwrap();
        })
        .await;
        self.list().await;
        if let Err(error) = self.sessions.ping().await {
            self.written.error(&error);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_written_down_holds_a_secret_a_token_data_or_a_password() {
    let written = Written::default();
    let sink = written.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || sink.clone())
        .init();
    let mut planted = vec![
        Planted::new("the secret", SECRET),
        Planted::new("the next secret", NEXT_SECRET),
        Planted::new("a weak secret", WEAK_SECRET),
        Planted::new("data", DATA),
        Planted::new("the password of Redis", REDIS_PASSWORD),
        Planted::new("the password of PostgreSQL", POSTGRES_PASSWORD),
        Planted::new("the password of MariaDB", MARIADB_PASSWORD),
    ];

    let folder = TempDir::new().unwrap();
    let mut redis = RedisServer::standalone().unwrap();
    let mut mongo = MongoServer::start().unwrap();
    let (postgres, mariadb) = (
        PostgresServer::start(&[]).unwrap(),
        MariaDbServer::start(&[]).unwrap(),
    );
    let urls = [
        "memory:".to_owned(),
        format!("sqlite:{}", folder.path().join("sessions.db").display()),
        redis.url(),
        postgres.url(&postgres.create_database()),
        mariadb.url(&mariadb.create_database()),
        mongo.url("leaks"),
    ];
    let mut scenes = Vec::new();
    for url in &urls {
        for sealing in [Sealing::Sealed, Sealing::Plain] {
            let store = connect(url)
                .await
                .unwrap_or_else(|error| panic!("{url}: {error:?}"));
            let mut scene = Scene::new(store, sealing, &written);
            scene.live().await;
            scenes.push(scene);
        }
    }

    redis.kill();
    mongo.kill();
    postgres.kill();
    mariadb.kill();
    for scene in &mut scenes {
        scene.fail().await;
        planted.append(&mut scene.planted);
    }
    for url in &urls[2..] {
        if let Err(error) = connect(url).await {
            written.error(&error);
        }
    }
    follow_a_file(&written, &mut planted).await;

    let text = String::from_utf8_lossy(&written.bytes()).into_owned();
    for expected in [
        "session_created",
        "authn_token_reuse",
        "secret_fetch_failed",
        "TRACE",
        "sqlx",
    ] {
        assert!(text.contains(expected), "{expected} is not in what was captured");
    }
    assert!(text.len() > 100_000, "{} bytes were captured", text.len());
    let mut found: Vec<_> = planted
        .iter()
        .flat_map(|planted| planted.found_in(&text))
        .collect();
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "in {} bytes: {found:#?}", text.len());
}

/// A source with good, weak and unreadable content.
async fn follow_a_file(written: &Written, planted: &mut Vec<Planted>) {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let file = folder.path().join("session");
    let put = |content: &str, mode| {
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let fresh = SecretText::generate().unwrap();
    planted.push(Planted::new("a new secret", fresh.expose()));
    written.debug(&fresh);
    put(&format!("{}\n{SECRET}\n", fresh.expose()), 0o600);
    let source = tenure::secrets::connect(&format!("file:{}", file.display()))
        .await
        .unwrap();
    written.debug(&source);
    written.debug(&source.fetch().await.unwrap());
    let keyring = FollowingKeyring::start(source, FollowOptions::for_policy(&Policy::default()))
        .await
        .unwrap();
    for (content, mode) in [
        (WEAK_SECRET, 0o600),
        (NEXT_SECRET, 0o644),
        ("", 0o600),
        (SECRET, 0o600),
    ] {
        put(content, mode);
        if let Err(error) = keyring.refresh().await {
            written.error(&error);
        }
        written.debug(&keyring);
        written.debug(&keyring.status());
    }
}
