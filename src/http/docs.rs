//! The documentation that the program carries with it: the OpenAPI document at `/openapi.json`, and pages to read and
//! try it at `/docs`. Nothing of it is fetched from anywhere.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{HttpState, api, health, problem, receive};

/// What stands above the endpoints.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "switchboard",
        description = "Between a brand's phone numbers, its bot and its human agents.\n\n\
            A **customer** texts; that starts a **session**, which either the bot or the agents have \
            (`need_attention`), never both. **Messages** of agents and of the bot are queued durably, and leave in \
            order at the pace of their number.\n\n\
            Times are RFC 3339 in UTC with milliseconds. Ids are UUIDs. What is absent is `null`. Lists are arrays; \
            where the next page is stands in the header `Link`. Every refusal is `application/problem+json` \
            (RFC 9457) with a `type` that never changes.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    security(("bearer" = [])),
    tags(
        (name = "Messages", description = "Texts, and what became of them on their way."),
        (name = "Sessions", description = "Conversations, and who has them."),
        (name = "Customers", description = "Who texts, and whether they may be texted."),
        (name = "Events", description = "What happens, as it happens, and who outside is told."),
        (name = "Bot", description = "What the bot was told, and what came of it."),
        (name = "Tokens", description = "Access, for admins."),
        (name = "Backup", description = "Everything, for admins."),
        (name = "Receive", description = "What providers and bots call."),
        (name = "Health", description = "For whoever runs it."),
    )
)]
struct Document;

/// Every endpoint, with its description.
pub fn documented() -> OpenApiRouter<HttpState> {
    let mut document = Document::openapi();
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of role agent, bot or admin. `Token <token>` is taken, too."))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.schemas.extend(problem::document::schemas());
    describe_itself(&mut document);
    OpenApiRouter::with_openapi(document)
        .merge(api::routes())
        .merge(receive::routes())
        .merge(health::routes())
}

/// The documentation stands in the documentation, too.
fn describe_itself(document: &mut utoipa::openapi::OpenApi) {
    let pages = [
        ("/openapi.json", "openapi", "This document", "OpenAPI 3.1, in JSON."),
        (
            "/docs",
            "docs",
            "These pages",
            "HTML, to read and to try it. Nothing of it is fetched from anywhere else.",
        ),
    ];
    for (path, name, summary, description) in pages {
        let operation = OperationBuilder::new()
            .operation_id(Some(name))
            .summary(Some(summary))
            .tag("Health")
            .securities(Some([SecurityRequirement::default()]))
            .response("200", ResponseBuilder::new().description(description));
        document.paths.add_path_operation(path, vec![HttpMethod::Get], operation.build());
    }
}

pub fn render(document: &utoipa::openapi::OpenApi) -> String {
    // Plain data with text keys always serializes.
    document.to_pretty_json().unwrap_or_default()
}

/// `/openapi.json` and `/docs`.
pub fn pages(document: &utoipa::openapi::OpenApi) -> Router<HttpState> {
    let json = Bytes::from(render(document));
    let serve = move || async move { ([(CONTENT_TYPE, "application/json")], json) };
    // Without this the page would ask an online validator about the document.
    let config = Config::from("/openapi.json").validator_url("none").persist_authorization(false);
    let pages = Router::from(SwaggerUi::new("/docs").config(config));
    Router::new().route("/openapi.json", get(serve)).merge(pages.layer(middleware::from_fn(hardened)))
}

async fn hardened(request: Request, next: Next) -> Response {
    harden(next.run(request).await)
}

/// The headers of a page: nothing from elsewhere, in nobody's frame.
pub fn harden(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
