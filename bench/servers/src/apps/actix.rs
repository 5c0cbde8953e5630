//! actix-session, and its driver, on actix-web.

use std::net::TcpListener;

use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::error::ErrorInternalServerError;
use actix_web::web::{Data, get};
use actix_web::{App, HttpServer};
use measure::{next_number, served_here};
use redis_032::AsyncCommands;
use redis_032::aio::ConnectionManager;

use super::{BARE_BYTES, KEY};

const NAME: &str = "bare";

type Answer = actix_web::Result<&'static str>;

pub fn bare(url: &str) -> anyhow::Result<()> {
    let url = url.to_owned();
    actix_web::rt::System::new().block_on(async {
        let connection = ConnectionManager::new(redis_032::Client::open(url)?).await?;
        let app = move || {
            App::new()
                .app_data(Data::new(connection.clone()))
                .route("/read", get().to(read_bare))
                .route("/write", get().to(write_bare))
        };
        let listener = listener()?;
        Ok(HttpServer::new(app).listen(listener)?.run().await?)
    })
}

async fn read_bare(connection: Data<ConnectionManager>) -> Answer {
    let mut connection = connection.get_ref().clone();
    let _: Option<Vec<u8>> = connection.get(NAME).await.map_err(ErrorInternalServerError)?;
    Ok("x")
}

async fn write_bare(connection: Data<ConnectionManager>) -> Answer {
    read_bare(connection.clone()).await?;
    let mut connection = connection.get_ref().clone();
    let () = connection
        .set_ex(NAME, "x".repeat(BARE_BYTES), 3_600)
        .await
        .map_err(ErrorInternalServerError)?;
    Ok("x")
}

pub fn sessions(url: &str) -> anyhow::Result<()> {
    let url = url.to_owned();
    actix_web::rt::System::new().block_on(async {
        let store = RedisSessionStore::new(url).await?;
        let app = move || {
            App::new()
                .wrap(SessionMiddleware::new(store.clone(), Key::from(KEY)))
                .route("/read", get().to(read))
                .route("/write", get().to(write))
        };
        let listener = listener()?;
        Ok(HttpServer::new(app).listen(listener)?.run().await?)
    })
}

async fn read(session: Session) -> Answer {
    session.get::<u64>("n")?;
    Ok("x")
}

async fn write(session: Session) -> Answer {
    session.insert("n", next_number())?;
    Ok("x")
}

fn listener() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    served_here(listener.local_addr()?);
    Ok(listener)
}
