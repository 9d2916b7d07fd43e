//! `GET /problems/{slug}`: what a problem's `type` leads to, in words.

use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, extract::rejection::PathRejection};

use crate::http::HttpState;
use crate::http::docs::harden;

use super::{Kind, Problem};

pub fn routes() -> Router<HttpState> {
    Router::new().route("/problems/{slug}", get(explain))
}

async fn explain(slug: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let kind = slug.ok().and_then(|Path(slug)| Kind::of_slug(&slug));
    let kind = kind.ok_or_else(|| Problem::new(Kind::NotFound, "There is no problem of this type."))?;
    Ok(harden(Html(page(kind)).into_response()))
}

/// All of it comes from the table, nothing from the caller: nothing needs escaping.
fn page(kind: Kind) -> String {
    let (slug, title, status, meaning) = (kind.slug(), kind.title(), kind.status(), kind.meaning());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{slug}</title>\n<h1>{title}</h1>\n\
         <p><code>{slug}</code>, answered with {status}.</p>\n<p>{meaning}</p>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_explains_itself() {
        let page = page(Kind::SessionHeld);
        assert!(page.contains("<code>session-held</code>, answered with 409 Conflict."));
        assert!(page.contains("only agents speak"));
    }
}
