//! The API, one endpoint a file; these lines are the router and the documentation at once.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::HttpState;

pub(super) mod bot;
pub(super) mod canned_replies;
pub(super) mod channels;
pub(super) mod customers;
pub(super) mod events;
pub(super) mod export;
pub(super) mod me;
pub(super) mod messages;
pub(super) mod sessions;
pub(super) mod tokens;
pub(super) mod webhooks;

/// Calls `visit::<Body>()` for every body that a call of the API takes.
#[cfg(any(fuzzing, test))]
macro_rules! for_every_body {
    ($visit:ident($($given:expr),*)) => {{
        use $crate::http::api;
        $visit::<api::messages::create::NewMessage>($($given),*);
        $visit::<api::sessions::update::SessionUpdate>($($given),*);
        $visit::<api::sessions::assign::Assignment>($($given),*);
        $visit::<api::sessions::typing::TypingNow>($($given),*);
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
        .routes(routes!(sessions::suggested::use_suggested_message))
        .routes(routes!(messages::retrieve::get_message))
        .routes(routes!(messages::delivery::get_delivery))
        .routes(routes!(messages::cancel::cancel_message))
        .routes(routes!(messages::held::list_held_messages))
        .routes(routes!(messages::resend::resend_message))
        .routes(routes!(canned_replies::list_canned_replies))
        .merge(customers())
        .routes(routes!(events::follow_events))
        .merge(webhooks())
        .merge(bot())
        .routes(routes!(me::get_me))
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
        .routes(routes!(sessions::assign::assign_session))
        .routes(routes!(sessions::typing::type_in_session))
}

fn webhooks() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::list_webhooks))
        .routes(routes!(webhooks::enable_webhook))
        .routes(routes!(webhooks::list_webhook_deliveries))
        .routes(routes!(webhooks::replay_webhook_delivery))
}

fn bot() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(bot::status::get_bot))
        .routes(routes!(bot::enable::enable_bot))
        .routes(routes!(bot::turns::list_failed_turns))
        .routes(routes!(bot::turns::get_turn))
        .routes(routes!(bot::reply::reply_to_turn))
        .routes(routes!(bot::replay::replay_turn))
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
