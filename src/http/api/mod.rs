//! The API, one endpoint a file; these lines are the router and the documentation at once.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::HttpState;

pub(super) mod channels;
pub(super) mod customers;
pub(super) mod export;
pub(super) mod messages;
pub(super) mod sessions;
pub(super) mod tokens;

/// Calls `visit::<Body>()` for every body that a call of the API takes.
#[cfg(any(fuzzing, test))]
macro_rules! for_every_body {
    ($visit:ident($($given:expr),*)) => {{
        use $crate::http::api;
        $visit::<api::messages::create::NewMessage>($($given),*);
        $visit::<api::sessions::update::SessionUpdate>($($given),*);
        $visit::<api::customers::create::NewCustomer>($($given),*);
        $visit::<api::customers::update::CustomerUpdate>($($given),*);
        $visit::<api::customers::confirm::Confirmation>($($given),*);
        $visit::<api::tokens::mint::NewToken>($($given),*);
        $visit::<api::channels::recover::Recover>($($given),*);
    }};
}
#[cfg(any(fuzzing, test))]
pub(super) use for_every_body;

/// In the order in which the documentation shows them: the conversation first.
pub fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .merge(conversation())
        .routes(routes!(sessions::inbox::list_sessions))
        .routes(routes!(messages::retrieve::get_message))
        .routes(routes!(messages::delivery::get_delivery))
        .routes(routes!(messages::cancel::cancel_message))
        .routes(routes!(messages::held::list_held_messages))
        .routes(routes!(messages::resend::resend_message))
        .merge(customers())
        .routes(routes!(tokens::mint::mint_token, tokens::list::list_tokens))
        .routes(routes!(tokens::revoke::revoke_token))
        .routes(routes!(channels::recover::recover_texts))
        .routes(routes!(export::export))
}

fn conversation() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(
            messages::create::create_message,
            messages::list::list_messages,
            sessions::update::update_session_at_messages
        ))
        .routes(routes!(
            sessions::retrieve::get_session,
            sessions::update::update_session,
            sessions::update::update_session_by_post
        ))
        .routes(routes!(sessions::list_of_customer::list_sessions_of_customer))
}

fn customers() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(customers::create::create_customer, customers::list::list_customers))
        .routes(routes!(
            customers::retrieve::get_customer,
            customers::update::update_customer,
            customers::erase::erase_customer
        ))
        .routes(routes!(customers::confirm::confirm_customer))
        .routes(routes!(customers::generate_confirmation::generate_confirmation))
        .routes(routes!(customers::send_confirmation::send_confirmation))
        .routes(routes!(customers::subscribe::subscribe_customer))
        .routes(routes!(customers::unsubscribe::unsubscribe_customer))
}
