//! The echo: says what it was told. For trying the product out without a bot; must not depend on anything outside.

use std::time::Duration;

use async_trait::async_trait;

use super::{Bot, BotError};
use crate::domain::conversation::{Answer, AnswerText};
use crate::domain::message::Message;
use crate::domain::segments::MAX_CONTENT_UNITS;
use crate::domain::turn::TurnWork;

/// Answers each text of a customer with the same text.
#[derive(Clone, Copy, Debug, Default)]
pub struct EchoBot;

#[async_trait]
impl Bot for EchoBot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn is_present(&self) -> bool {
        true
    }

    async fn take_turn(&self, work: &TurnWork, _transcript: &[Message]) -> Result<Answer, BotError> {
        let texts = Some(work)
            .filter(|work| work.turn.kind.may_be_answered())
            .and_then(echo_of)
            .map(|content| AnswerText { content, delay: Duration::ZERO, valid_for: None });
        Ok(Answer { texts: texts.into_iter().collect(), ..Answer::default() })
    }
}

fn echo_of(work: &TurnWork) -> Option<String> {
    let heard = work.heard();
    match (heard.trim().is_empty(), work.messages().map(|message| message.media.len()).sum::<usize>()) {
        (false, _) => Some(as_much_as_fits(&heard)),
        (true, 0) => None,
        (true, 1) => Some("I got 1 file and no text.".to_owned()),
        (true, count) => Some(format!("I got {count} files and no text.")),
    }
}

/// Customers may write longer texts than one message of ours may be.
fn as_much_as_fits(content: &str) -> String {
    let mut units = 0;
    content
        .chars()
        .take_while(|character| {
            units += character.len_utf16();
            units <= MAX_CONTENT_UNITS
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::fixtures::{media, work};
    use crate::domain::turn::TurnKind;

    async fn said(work: &TurnWork) -> Vec<String> {
        EchoBot.take_turn(work, &[]).await.unwrap().texts.into_iter().map(|text| text.content).collect()
    }

    #[tokio::test]
    async fn a_text_comes_back_as_it_was() {
        assert_eq!(said(&work(TurnKind::MessageReceived, "Hi  there")).await, ["Hi  there"]);
    }

    #[tokio::test]
    async fn media_without_a_text_are_counted() {
        let mut work = work(TurnKind::MessageReceived, "");
        assert!(said(&work).await.is_empty());
        work.message.as_mut().unwrap().media = vec![media(), media()];
        assert_eq!(said(&work).await, ["I got 2 files and no text."]);
    }

    #[tokio::test]
    async fn nothing_is_said_where_nothing_is_expected() {
        for kind in [TurnKind::MessageCreated, TurnKind::SessionUpdated] {
            assert!(said(&work(kind, "Hi")).await.is_empty(), "{kind:?}");
        }
    }
}
