//! What somebody finds who gets hold of the file.

mod common;

use common::file::File;
use http::header::COOKIE;
use tenure_core::Key;
use tenure_testkit::{Application, Browser};

const NOTE: Key<String> = Key::new("note-KEY-MARKER");
const MARKER: &str = "MARKER-3f9a-what-nobody-else-may-read";

#[tokio::test]
async fn neither_the_secret_nor_the_data_is_in_the_file() {
    let file = File::new();
    let store = file.store().await;
    let application = Application::over(store.clone());
    let mut browser = Browser::default();
    let note = application.visit(&mut browser, |session| {
        session.insert(NOTE, &MARKER.to_owned()).unwrap();
        session.sign_in("alice").unwrap();
    });
    note.await.unwrap();
    let note_again = application.visit(&mut browser, |session| {
        assert_eq!(session.get(NOTE).unwrap().as_deref(), Some(MARKER));
        session.insert(NOTE, &format!("{MARKER} again")).unwrap();
    });
    note_again.await.unwrap();
    let cookie = browser.request()[COOKIE]
        .to_str()
        .unwrap()
        .split_once('=')
        .unwrap()
        .1
        .to_owned();
    let token = decoded(&cookie);
    let (id, secret) = (&token[5..21], &token[21..53]);

    let dump = all_bytes_in(&file);
    assert!(contains(&dump, id), "the dump holds the session");
    assert!(contains(&dump, b"alice"), "the dump holds the session");
    assert!(!contains(&dump, secret));
    assert!(!contains(&dump, cookie.as_bytes()));
    assert!(!contains(&dump, hexadecimal(secret).as_bytes()));
    assert!(!contains(&dump, MARKER.as_bytes()));
    assert!(!contains(&dump, b"KEY-MARKER"));
    store.close().await;
    let closed = all_bytes_in(&file);
    assert!(contains(&closed, id));
    assert!(!contains(&closed, secret) && !contains(&closed, MARKER.as_bytes()));
}

/// The database and the files beside it.
fn all_bytes_in(file: &File) -> Vec<u8> {
    let entries = std::fs::read_dir(file.directory()).unwrap();
    entries
        .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64url without padding, as the cookie is written.
fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = text
        .bytes()
        .map(|character| ALPHABET.iter().position(|other| *other == character).unwrap())
        .flat_map(|value| (0..6).rev().map(move |bit| (value >> bit & 1) as u8))
        .collect();
    bits.chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}
