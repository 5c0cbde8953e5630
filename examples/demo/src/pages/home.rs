//! The home page: who you are, a counter, a note, and the session that keeps them.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use tenure::axum::Session;

use super::frame::{self, Frame, Reason};
use super::render;
use crate::ended::Ended;
use crate::failure::Failure;
use crate::{App, COUNT, NOTE, times};

/// Room for a thought, not for a book: the session is read with every request.
const LONGEST_NOTE: usize = 500;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/count", post(count))
        .route("/note", post(keep_note))
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    count: u64,
    note: String,
    longest_note: usize,
    card: Option<SessionCard>,
}

/// The session, as its owner may see it.
struct SessionCard {
    id: String,
    started: String,
    idle: Bar,
    absolute: Bar,
}

/// A time that runs out.
struct Bar {
    left: u64,
    of: u64,
    words: String,
}

#[derive(Deserialize)]
struct Note {
    note: String,
}

async fn home(
    State(app): State<App>,
    session: Session,
    reason: Query<Reason>,
) -> Result<Html<String>, Failure> {
    render(&Home {
        frame: Frame::new(&session, &reason)?,
        count: session.get(COUNT)?.unwrap_or(0),
        note: session.get(NOTE)?.unwrap_or_default(),
        longest_note: LONGEST_NOTE,
        card: SessionCard::of(&session, &app),
    })
}

async fn count(session: Session) -> Result<Redirect, Failure> {
    // Who comes back to a page of yesterday hears that, instead of counting in a new session.
    if let Some(ended) = Ended::of(session.status()) {
        return Ok(ended.to_sign_in());
    }
    session.update(COUNT, |count| count.unwrap_or(0) + 1)?;
    Ok(Redirect::to("/"))
}

async fn keep_note(session: Session, Form(Note { note }): Form<Note>) -> Result<Redirect, Failure> {
    if let Some(ended) = Ended::of(session.status()) {
        return Ok(ended.to_sign_in());
    }
    let note = note.trim();
    if note.chars().count() > LONGEST_NOTE {
        frame::complain(&session, format!("A note has at most {LONGEST_NOTE} characters."))?;
    } else if note.is_empty() {
        session.remove(NOTE);
    } else {
        session.insert(NOTE, &note.to_owned())?;
        frame::praise(&session, "Your note is kept.")?;
    }
    Ok(Redirect::to("/"))
}

impl SessionCard {
    fn of(session: &Session, app: &App) -> Option<Self> {
        let (id, created_at, last_seen_at) = (session.id()?, session.created_at()?, session.last_seen_at()?);
        let expires = session.expires()?;
        let bar = |since: tenure::Timestamp, until| {
            let left = app.sessions.now().until(until);
            Bar {
                left: left.as_secs(),
                of: since.until(until).as_secs(),
                words: times::left(left),
            }
        };
        Some(Self {
            id: id.to_string().chars().take(8).collect(),
            started: times::ago(created_at.until(app.sessions.now())),
            idle: bar(last_seen_at, expires.idle),
            absolute: bar(session.signed_in_at().unwrap_or(created_at), expires.absolute),
        })
    }
}
