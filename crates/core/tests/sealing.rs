//! What somebody with the database, and even with the application's secret, can read or change: nothing.

mod common;

use bytes::Bytes;
use common::*;
use tenure_core::{
    Absence, Dropped, EventKind, Keyring, Lifetime, Owner, Record, Refusal, Sealing, Secret, SecretHash,
    Session, SessionId, Status,
};

const CONFIDENTIAL: &str = "the launch is on tuesday";

/// Two sessions with data of their own.
async fn two_sessions(app: &App) -> [(Browser, Record); 2] {
    let mut sessions = Vec::new();
    for owner in ["ada", "eve"] {
        let mut browser = Browser::new();
        app.visit(&mut browser, |session| {
            session
                .insert(LEFT, &format!("{CONFIDENTIAL}, says {owner}"))
                .unwrap();
            session.sign_in(owner).unwrap();
        })
        .await;
        let record = app.record(app.id(&browser).await).await.unwrap();
        sessions.push((browser, record));
    }
    sessions.try_into().unwrap()
}

/// Puts the record into the store, and checks that the browser which bears the right secret is refused.
async fn assert_refused(app: &App, browser: &Browser, planted: &Record, expected: Refusal, what: &str) {
    app.plant(planted).await;
    app.events.clear();
    let mut browser = browser.clone();
    let (status, sent) = app.visit_and_tell(&mut browser, Session::status).await;
    assert_eq!(status, Status::Absent(Absence::Refused(expected)), "{what}");
    assert_eq!(app.events.kinds(), [EventKind::CookieRefused(expected)], "{what}");
    sent.removal();
    assert_eq!(app.record(planted.id).await.as_ref(), Some(planted), "{what}");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn nothing_of_the_data_is_readable_in_the_store() {
    let app = App::new();
    for (_, record) in two_sessions(&app).await {
        assert!(!contains(&record.data, b"launch"));
        assert!(!contains(&record.data, b"left"));
        let shown = format!("{record:?}");
        assert!(!shown.contains("launch"), "{shown}");
    }
    let plain = App::with_policy(policy().sealing(Sealing::Plain));
    for (browser, record) in two_sessions(&plain).await {
        assert!(contains(&record.data, CONFIDENTIAL.as_bytes()));
        assert!(plain.load(&browser).await.1.contains(LEFT));
    }
}

#[tokio::test]
async fn the_applications_secret_and_a_dump_open_no_session() {
    let app = App::new();
    let [(_, adas), (eves_browser, eves)] = two_sessions(&app).await;
    // The attacker has the secret, the dump, and a session of their own, and runs the engine.
    let attacker = App::new();
    let mut own = Browser::new();
    attacker
        .visit(&mut own, |session| session.sign_in("eve").unwrap())
        .await;
    let own_record = attacker.record(attacker.id(&own).await).await.unwrap();
    let dump = [adas, eves];
    for stolen in &dump {
        // The dump's data behind a secret that the attacker bears: the seal needs the victim's.
        let moved = Record {
            secret_hash: own_record.secret_hash,
            id: own_record.id,
            ..stolen.clone()
        };
        assert_refused(
            &attacker,
            &own,
            &moved,
            Refusal::Tampered,
            "under an id of one's own",
        )
        .await;
    }
    // Without a cookie for the record's own id there is nothing to present: a tag covers id and secret.
    let forged = Browser::with_cookie("__Host-session", &"A".repeat(92));
    assert_eq!(attacker.load(&forged).await.1.id(), None);
    assert_eq!(app.owner(&eves_browser).await.as_deref(), Some("eve"));
}

#[tokio::test]
async fn a_record_that_was_changed_in_the_store_is_refused_and_left_as_it_is() {
    type Change = (&'static str, fn(&mut Record, &Record));
    let changes: [Change; 13] = [
        ("data of another session", |record, other| {
            record.data = other.data.clone();
        }),
        ("another owner", |record, other| {
            record.owner = other.owner.clone();
        }),
        ("no owner", |record, _| record.owner = None),
        ("unsealed JSON", |record, _| {
            record.data = Bytes::from_static(br#"{"admin":true}"#);
        }),
        ("no data", |record, _| record.data = Bytes::new()),
        ("cut data", |record, _| {
            record.data.truncate(record.data.len() - 1);
        }),
        ("a flipped bit", |record, _| {
            let mut data = record.data.to_vec();
            if let Some(byte) = data.last_mut() {
                *byte ^= 1;
            }
            record.data = data.into();
        }),
        ("a later version", |record, _| record.version += 1),
        ("a longer idle timeout", |record, _| record.idle_timeout += DAY),
        ("a later absolute deadline", |record, _| {
            record.absolute_deadline = record.absolute_deadline.plus(DAY);
        }),
        ("remembered", |record, _| record.lifetime = Lifetime::Remembered),
        ("another creation", |record, _| {
            record.created_at = record.created_at.plus(SECOND);
        }),
        ("another sign-in", |record, _| record.signed_in_at = None),
    ];
    for (what, change) in changes {
        let app = App::new();
        let [(browser, record), (_, other)] = two_sessions(&app).await;
        let mut changed = record.clone();
        change(&mut changed, &other);
        assert_ne!(changed, record, "{what}");
        assert_refused(&app, &browser, &changed, Refusal::Tampered, what).await;
    }
}

#[tokio::test]
async fn owners_that_are_swapped_are_both_refused() {
    let app = App::new();
    let [(ada, adas), (eve, eves)] = two_sessions(&app).await;
    let swapped = Record {
        owner: eves.owner.clone(),
        ..adas.clone()
    };
    assert_refused(&app, &ada, &swapped, Refusal::Tampered, "ada").await;
    let swapped = Record {
        owner: adas.owner.clone(),
        ..eves
    };
    assert_refused(&app, &eve, &swapped, Refusal::Tampered, "eve").await;
}

#[tokio::test]
async fn a_record_copied_onto_another_id_is_refused() {
    let app = App::new();
    let [(ada, adas), (_, eves)] = two_sessions(&app).await;
    let copied = Record {
        id: adas.id,
        secret_hash: adas.secret_hash,
        ..eves
    };
    assert_refused(&app, &ada, &copied, Refusal::Tampered, "eve's over ada's").await;
}

#[tokio::test]
async fn an_older_version_of_the_data_is_refused_under_the_newer_version() {
    let app = App::new();
    let mut browser = app.visitor().await;
    let older = app.record(app.id(&browser).await).await.unwrap();
    app.visit(&mut browser, |session| session.insert(COUNT, &2).unwrap())
        .await;
    let newer = app.record(older.id).await.unwrap();
    let replayed = Record {
        data: older.data.clone(),
        ..newer.clone()
    };
    assert_refused(&app, &browser, &replayed, Refusal::Tampered, "old data").await;

    // The older row as a whole: its data opens, for it is what the store once held. From before a
    // renewal it does not, for the browser's secret is another by then.
    app.plant(&newer).await;
    app.visit(&mut browser, Session::renew).await;
    app.plant(&older).await;
    assert_eq!(app.load(&browser).await.1.id(), None);
}

#[tokio::test]
async fn a_planted_secret_hash_opens_nothing() {
    let app = App::new();
    let [(eve, eves), (_, adas)] = two_sessions(&app).await;
    for hash in [SecretHash::from_bytes([0; 32]), adas.secret_hash] {
        let planted = Record {
            secret_hash: hash,
            ..eves.clone()
        };
        app.plant(&planted).await;
        let (_, session) = app.load(&eve).await;
        assert_eq!((session.id(), session.owner()), (None, None));
    }
}

#[tokio::test]
async fn a_record_that_is_changed_while_a_request_runs_is_not_written_over() {
    let app = App::new();
    let [(mut browser, record), (_, other)] = two_sessions(&app).await;
    let (opened, session) = app.load(&browser).await;
    session.insert(COUNT, &9).unwrap();
    let changed = Record {
        version: record.version + 1,
        data: other.data.clone(),
        ..record
    };
    app.plant(&changed).await;
    app.events.clear();
    assert_eq!(app.answer(&opened, &mut browser).await, SentCookie::None);
    assert_eq!(app.events.kinds(), [EventKind::WriteDropped(Dropped::Unreadable)]);
    assert_eq!(app.record(changed.id).await, Some(changed));
}

#[tokio::test]
async fn renewing_and_every_write_seal_anew() {
    let app = App::new();
    let mut browser = app.signed_in("ada").await;
    let id = app.id(&browser).await;
    let mut seen: Vec<Bytes> = vec![app.record(id).await.unwrap().data];
    let acts: [Act; 4] = [
        Session::renew,
        |session| session.sign_in("ada").unwrap(),
        Session::remember,
        |session| session.insert(COUNT, &2).unwrap(),
    ];
    for act in acts {
        app.visit(&mut browser, act).await;
        let data = app.record(id).await.unwrap().data;
        assert!(!seen.contains(&data));
        assert_ne!(data[5..17], seen.last().unwrap()[5..17], "a fresh nonce");
        seen.push(data);
    }
}

#[tokio::test]
async fn sealed_data_is_not_read_as_plain_and_plain_not_as_sealed() {
    let app = App::new();
    let plain = app.beside(policy().sealing(Sealing::Plain), keyring());
    for (writes, reads) in [(&app, &plain), (&plain, &app)] {
        let browser = writes.visitor().await;
        let (_, session) = reads.load(&browser).await;
        assert_eq!(
            session.status(),
            Status::Absent(Absence::Refused(Refusal::Tampered))
        );
        assert_eq!(session.get(COUNT).unwrap(), None);
    }
}

#[tokio::test]
async fn debug_output_shows_no_secret_and_no_data() {
    let app = App::new();
    let [(browser, record), _] = two_sessions(&app).await;
    let (opened, session) = app.load(&browser).await;
    session.renew();
    session.insert(RIGHT, &CONFIDENTIAL.to_owned()).unwrap();
    let infos = app
        .sessions
        .of(Owner::new("ada").unwrap())
        .list(Some(&session))
        .await
        .unwrap();
    let id: SessionId = session.id().unwrap();
    let mut shown = format!(
        "{opened:?} {session:?} {:?} {record:?} {infos:?} {:?} {:?} {id:?} {:?}",
        app.sessions,
        Keyring::new(Secret::new(SECRET)).with_older(Secret::new(OTHER_SECRET)),
        Secret::new(SECRET),
        app.store,
    );
    let outgoing = app.sessions.commit(&opened).await.unwrap();
    shown += &format!("{outgoing:?} {opened:?} {session:?}");
    let headers = response(outgoing);
    shown += &format!("{headers:?} {:?}", app.events.take());

    let mut renewed = browser.clone();
    renewed.receive(&headers).new_cookie();
    for secret in [SECRET, OTHER_SECRET, "launch", browser.value(), renewed.value()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    // Neither what a secret is hashed to, in any spelling that a derived Debug has.
    let hash = record.secret_hash.as_bytes();
    let spelled = format!("{}, {}, {}", hash[0], hash[1], hash[2]);
    assert!(!shown.contains(&spelled), "{shown}");
}
