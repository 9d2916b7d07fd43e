//! Fields that hold one word of a few, as the documentation lists them.

use utoipa::openapi::{Object, ObjectBuilder, Type};

use crate::domain::delivery::{ErrorClass, Status};
use crate::domain::message::Role;
use crate::domain::segments::Encoding;
use crate::store::TokenRole;

fn one_of<const N: usize>(words: [&'static str; N], description: &str) -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    text.description((!description.is_empty()).then_some(description)).build()
}

pub fn content_type() -> Object {
    one_of(["text"], "Only `text`.")
}

pub fn sender_role() -> Object {
    let roles = [Role::EndUser, Role::Agent, Role::Init].map(Role::as_str);
    one_of(roles, "The customer, a human at the brand, or the bot.")
}

pub fn token_role() -> Object {
    one_of([TokenRole::Agent, TokenRole::Bot, TokenRole::Admin].map(TokenRole::as_str), "")
}

pub fn encoding() -> Object {
    one_of([Encoding::Gsm7, Encoding::Ucs2].map(Encoding::as_str), "The alphabet that it travels in.")
}

pub fn status() -> Object {
    let statuses = [
        Status::Queued,
        Status::Sending,
        Status::Sent,
        Status::Delivered,
        Status::Undelivered,
        Status::Failed,
        Status::Canceled,
        Status::Expired,
        Status::Unknown,
    ];
    let description = "Where it stands. `unknown`: it may or may not have left; evidence will tell.";
    one_of(statuses.map(Status::as_str), description)
}

pub fn error_class() -> Object {
    let classes = [
        ErrorClass::Permanent,
        ErrorClass::Transient,
        ErrorClass::OptedOut,
        ErrorClass::Credentials,
        ErrorClass::Configuration,
        ErrorClass::Throttled,
        ErrorClass::Content,
        ErrorClass::Unknown,
    ];
    one_of(classes.map(ErrorClass::as_str), "What kind of thing went wrong, and so what helps.")
}
