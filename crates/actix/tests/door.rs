//! The actix-web door, by the suite that all doors pass.

use std::sync::mpsc;

use actix_web::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use actix_web::web::{Data, Form, get, post, to};
use actix_web::{App, HttpResponse, HttpServer, ResponseError};
use serde::Deserialize;
use tenure_actix::{
    Client, CsrfForm, CsrfToken, NamedSession, PassiveSession, PlainFailure, RecentlyAuthenticated,
    RenderFailure, Session, SessionError, SessionLayer, SessionName, SignedIn, session_routes,
};
use tenure_core::AssuranceLevel;
use tenure_testkit::door::{COUNT, Door, DoorApp, NOTE, OUTER_COOKIE, OWN_WORDS, Rendering, TOO_LARGE};

/// As a macro, since the application's type has no name.
macro_rules! application {
    ($app:expr) => {{
        let inner = SessionLayer::new($app.sessions.clone())
            .trust_proxy($app.trust_proxy.clone())
            .render_failures(Failures($app.rendering));
        let outer = SessionLayer::new($app.outer.clone()).trust_proxy($app.trust_proxy.clone());
        App::new()
            .app_data(Data::new($app.clone()))
            .wrap(inner)
            .wrap(outer)
            .route("/static", get().to(async || "static"))
            .route("/read", get().to(async |session: Session| shown(&session)))
            .route("/peek", get().to(async |session: PassiveSession| shown(&session)))
            .route("/me", get().to(async |user: SignedIn| user.owner().to_string()))
            .route("/maybe", get().to(maybe))
            .route(
                "/sensitive",
                get().to(async |user: RecentlyAuthenticated<5>| user.owner().to_string()),
            )
            .route(
                "/very-sensitive",
                get().to(async |user: RecentlyAuthenticated<5, 2>| user.owner().to_string()),
            )
            .route("/confirm", post().to(confirm))
            .route("/confirm-twice", post().to(confirm_twice))
            .route("/client", get().to(client))
            .route("/token", get().to(async |token: CsrfToken| token.to_string()))
            .route("/own-headers", get().to(own_headers))
            .route("/count", post().to(async |session: Session| count(&session)))
            .route("/slow-count", post().to(slow_count))
            .route("/count-and-redirect", post().to(count_and_redirect))
            .route("/grow", post().to(grow))
            .route("/sign-in", post().to(sign_in))
            .route("/renew", post().to(renew))
            .route("/sign-out", post().to(sign_out))
            .route("/destroy", post().to(destroy))
            .route("/renew-and-fail", post().to(renew_and_fail))
            .route("/sign-out-and-fail", post().to(sign_out_and_fail))
            .route(
                "/form",
                post().to(async |transfer: Form<Transfer>| transfer.into_inner().amount),
            )
            .route(
                "/guarded-form",
                post().to(async |CsrfForm(transfer): CsrfForm<Transfer>| transfer.amount),
            )
            .route(
                "/outer-count",
                post().to(async |session: NamedSession<Outer>| count(&session)),
            )
            .route(
                "/outer-read",
                get().to(async |session: NamedSession<Outer>| shown(&session)),
            )
            .service(session_routes("/session"))
            .default_service(to(anything))
    }};
}

tenure_testkit::door_suite!(Actix);

struct Actix;

impl Door for Actix {
    async fn serve(app: DoorApp) -> String {
        let (tell, told) = mpsc::channel();
        // actix-web has a runtime of its own.
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || application!(app))
                    .workers(2)
                    .disable_signals()
                    .bind(("127.0.0.1", 0))
                    .unwrap();
                tell.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        format!("http://{}", told.recv().unwrap())
    }
}

struct Outer;

impl SessionName for Outer {
    const COOKIE: &'static str = OUTER_COOKIE;
}

#[derive(Deserialize)]
struct Transfer {
    amount: String,
}

/// The application failed after it had used the session.
#[derive(Debug, thiserror::Error)]
#[error("the application failed")]
struct Broken;

impl ResponseError for Broken {}

#[derive(Clone)]
struct Failures(Rendering);

impl RenderFailure for Failures {
    fn render(&self, error: &SessionError) -> HttpResponse {
        match self.0 {
            Rendering::Default => PlainFailure.render(error),
            Rendering::Own => {
                let status = error.status_code();
                HttpResponse::build(status).body(format!("{OWN_WORDS}{}", status.as_u16()))
            }
        }
    }
}

fn shown(session: &tenure_core::Session) -> String {
    let count = session.get(COUNT).unwrap();
    count.map_or_else(|| "none".to_owned(), |count| count.to_string())
}

fn count(session: &tenure_core::Session) -> Result<String, SessionError> {
    Ok(session.update(COUNT, |count| count.unwrap_or(0) + 1)?.to_string())
}

async fn maybe(user: Option<SignedIn>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.owner().to_string())
}

async fn client(client: Client) -> String {
    format!("{:?} {:?}", client.address, client.scheme)
}

async fn own_headers(session: Session) -> Result<HttpResponse, SessionError> {
    session.insert(COUNT, &1)?;
    Ok(HttpResponse::Ok()
        .insert_header((SET_COOKIE, "theme=dark"))
        .insert_header((CACHE_CONTROL, "private"))
        .finish())
}

async fn slow_count(app: Data<DoorApp>, session: Session) -> Result<String, SessionError> {
    app.gate.pass().await;
    count(&session)
}

async fn count_and_redirect(session: Session) -> Result<HttpResponse, SessionError> {
    count(&session)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, "/read"))
        .finish())
}

async fn grow(session: Session) -> Result<&'static str, SessionError> {
    session.insert(NOTE, &"x".repeat(TOO_LARGE))?;
    Ok("")
}

async fn sign_in(session: Session) -> Result<&'static str, SessionError> {
    session.sign_in("ada")?;
    Ok("")
}

async fn confirm(session: Session) -> &'static str {
    session.step_up(AssuranceLevel::Aal1);
    ""
}

async fn confirm_twice(session: Session) -> &'static str {
    session.step_up(AssuranceLevel::Aal2);
    ""
}

async fn renew(session: Session) -> &'static str {
    session.renew();
    ""
}

async fn sign_out(session: Session) -> &'static str {
    session.sign_out();
    ""
}

async fn destroy(session: Session) -> &'static str {
    session.destroy();
    ""
}

async fn renew_and_fail(session: Session) -> Result<&'static str, Broken> {
    session.renew();
    Err(Broken)
}

async fn sign_out_and_fail(session: Session) -> Result<&'static str, Broken> {
    session.sign_out();
    Err(Broken)
}

async fn anything(app: Data<DoorApp>) -> &'static str {
    app.reached();
    ""
}
