//! Customers: created, read, changed, confirmed, subscribed, erased.

pub mod confirm;
pub mod create;
pub mod erase;
pub mod generate_confirmation;
pub mod list;
pub mod retrieve;
pub mod send_confirmation;
pub mod subscribe;
pub mod unsubscribe;
pub mod update;

use crate::http::json::Fields;

const MAX_NAME_CHARS: usize = 100;
/// The longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3, without the brackets).
const MAX_EMAIL_CHARS: usize = 254;

/// Complains about an email address that cannot be one.
fn check_email(fields: &mut Fields, email: Option<&str>) {
    let good = |email: &str| {
        let around = email.split_once('@');
        let both = around.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        both && email.chars().count() <= MAX_EMAIL_CHARS
            && !email.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if email.is_some_and(|email| !good(email)) {
        fields.refuse("email", "is not an email address");
    }
}

fn check_name(fields: &mut Fields, field: &'static str, name: Option<&str>) {
    let good = |name: &str| {
        (1..=MAX_NAME_CHARS).contains(&name.chars().count())
            && !name.trim().is_empty()
            && !name.chars().any(char::is_control)
    };
    if name.is_some_and(|name| !good(name)) {
        fields.refuse(field, format!("needs 1 to {MAX_NAME_CHARS} visible characters"));
    }
}

/// The time zone as the IANA database writes it.
fn time_zone(fields: &mut Fields) -> Option<String> {
    let name: String = fields.optional("time_zone")?;
    let known = jiff::tz::TimeZone::get(&name).ok().and_then(|zone| zone.iana_name().map(str::to_owned));
    if known.is_none() {
        fields.refuse("time_zone", "is not a time zone of the IANA database, such as Europe/Berlin");
    }
    known
}
