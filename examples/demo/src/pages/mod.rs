//! The pages. All that changes something is a form that posts and then redirects, so that going
//! back or reloading never does it twice.

mod account;
mod frame;
mod home;
mod password;
mod sign_in;

use askama::Template;
use axum::Router;
use axum::response::Html;

use crate::App;
use crate::failure::Failure;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .merge(home::routes())
        .merge(sign_in::routes())
        .merge(account::routes())
        .merge(password::routes())
}

fn render(page: &impl Template) -> Result<Html<String>, Failure> {
    page.render().map(Html).map_err(Failure::Page)
}
