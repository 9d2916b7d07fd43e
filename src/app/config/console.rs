//! `[console]`: what agents find on their page.

use super::section::Section;
use crate::domain::conversation::check_content;
use crate::domain::segments::MAX_CONTENT_UNITS;
use crate::http::CannedReply;

const MAX_TITLE_CHARS: usize = 60;

#[derive(Clone, Debug)]
pub struct Console {
    pub canned_replies: Vec<CannedReply>,
}

impl Console {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let replies = section.sections("canned_replies");
        let canned_replies = replies.into_iter().filter_map(canned_reply).collect();
        section.finish();
        Self { canned_replies }
    }
}

fn canned_reply(mut section: Section<'_>) -> Option<CannedReply> {
    let title: Option<String> = section.required("title", "write what agents find it by");
    let content: Option<String> = section.required("content", "write the text");
    if title.as_ref().is_some_and(|title| title.trim().is_empty() || title.chars().count() > MAX_TITLE_CHARS)
    {
        section.refuse("title", format!("needs 1 to {MAX_TITLE_CHARS} characters"));
    }
    if let Some(Err(wrong)) = content.as_ref().map(|content| check_content(content, MAX_CONTENT_UNITS)) {
        section.refuse("content", wrong);
    }
    section.finish();
    Some(CannedReply { title: title?, content: content? })
}
