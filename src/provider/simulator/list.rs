//! Owns the list of texts: its filters, its pages and the addresses of the pages before and after.

use serde_json::{Value, json};

use super::dates;
use super::errors::ApiError;
use super::form::Form;
use super::history::History;
use super::message::{API_VERSION, Message};
use crate::domain::time::Timestamp;

const DEFAULT_PAGE: usize = 50;
const LARGEST_PAGE: usize = 1000;
/// Comes before the id of the text that a page starts after.
const TOKEN: &str = "PA";

/// One request to list.
#[derive(Debug)]
pub(super) struct ListRequest {
    to: Option<String>,
    from: Option<String>,
    /// First and last second between which a text was sent, both included.
    sent: (i64, i64),
    size: usize,
    page: usize,
    after: Option<String>,
    /// The filters as they came, for the addresses of the other pages.
    filters: Vec<(String, String)>,
}

impl ListRequest {
    pub(super) fn read(query: &Form) -> Result<Self, ApiError> {
        let number = |name, default: usize| match query.filled(name) {
            Some(text) => text.parse().map_err(|_| invalid(name, text)),
            None => Ok(default),
        };
        let filter = |(name, _): &(&str, &str)| !matches!(*name, "PageSize" | "Page" | "PageToken");
        Ok(Self {
            to: query.filled("To").map(str::to_owned),
            from: query.filled("From").map(str::to_owned),
            sent: sent_between(query)?,
            size: number("PageSize", DEFAULT_PAGE)?.clamp(1, LARGEST_PAGE),
            page: number("Page", 0)?,
            after: page_token(query)?,
            filters: query.pairs().filter(filter).map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        })
    }

    /// The page that was asked for. Texts created after `newest` are not in the list yet.
    pub(super) fn page(
        &self,
        history: &History,
        account: &str,
        newest: Timestamp,
    ) -> Result<Value, ApiError> {
        let texts = history
            .newest_first(self.after.as_deref())
            .ok_or_else(|| invalid("PageToken", self.after.as_deref().unwrap_or_default()))?;
        let skipped = if self.after.is_some() { 0 } else { self.page.saturating_mul(self.size) };
        let mut rest =
            texts.filter(|text| text.created_at <= newest && self.matches(text)).skip(skipped).peekable();
        let shown: Vec<&Message> = rest.by_ref().take(self.size).collect();
        let next = rest.peek().and_then(|_| shown.last()).map(|last| format!("{TOKEN}{}", last.sid));
        let start = self.page.saturating_mul(self.size);
        let token = self.after.as_ref().map(|sid| format!("{TOKEN}{sid}"));
        Ok(json!({
            "messages": shown.iter().map(|text| text.resource(account)).collect::<Vec<_>>(),
            "page": self.page,
            "page_size": self.size,
            "start": start,
            "end": start + shown.len().saturating_sub(1),
            "uri": self.uri(account, self.page, token.as_deref()),
            "first_page_uri": self.uri(account, 0, None),
            "next_page_uri": next.map(|token| self.uri(account, self.page + 1, Some(&token))),
            "previous_page_uri": self.page.checked_sub(1).map(|page| self.uri(account, page, None)),
        }))
    }

    fn matches(&self, text: &Message) -> bool {
        let listed_s = text.listed_at().as_secs();
        self.to.as_ref().is_none_or(|to| *to == text.to)
            && self.from.as_ref().is_none_or(|from| *from == text.from)
            && (self.sent.0..=self.sent.1).contains(&listed_s)
    }

    fn uri(&self, account: &str, page: usize, token: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.filters);
        query.append_pair("PageSize", &self.size.to_string()).append_pair("Page", &page.to_string());
        if let Some(token) = token {
            query.append_pair("PageToken", token);
        }
        format!("/{API_VERSION}/Accounts/{account}/Messages.json?{}", query.finish())
    }
}

/// `DateSent`, `DateSent<` and `DateSent>`, the latter two also written with an equals sign in the name. All of
/// them include the day or second that they name.
fn sent_between(query: &Form) -> Result<(i64, i64), ApiError> {
    let (mut first, mut last) = (i64::MIN, i64::MAX);
    for (name, value) in query.pairs().filter(|(_, value)| !value.is_empty()) {
        let Some(comparison) = name.strip_prefix("DateSent") else {
            continue;
        };
        let (start, end) = dates::span(value).ok_or_else(|| invalid("DateSent", value))?;
        match comparison {
            "" => (first, last) = (first.max(start), last.min(end)),
            "<" | "<=" => last = last.min(end),
            ">" | ">=" => first = first.max(start),
            _ => {}
        }
    }
    Ok((first, last))
}

fn page_token(query: &Form) -> Result<Option<String>, ApiError> {
    let Some(token) = query.filled("PageToken") else {
        return Ok(None);
    };
    token.strip_prefix(TOKEN).map(|sid| Some(sid.to_owned())).ok_or_else(|| invalid("PageToken", token))
}

fn invalid(name: &str, value: &str) -> ApiError {
    ApiError::new(20001, format!("{name}: {value} is not valid"))
}
