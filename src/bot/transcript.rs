//! The conversation as a bot has to see it that remembers nothing by itself. Must not leave the turn's own text out, nor
//! tell what the customer never got.

use crate::domain::delivery::Status;
use crate::domain::message::Message;
use crate::domain::turn::TurnWork;

/// What was said, oldest first, and last the texts that the turn is about.
/// * What the customer wrote after it is left to its own turn.
/// * What did not reach the customer was not said.
/// * What the gateway says by itself is nobody's part of the conversation, and may be a code that proves a number.
pub fn conversation<'a>(work: &'a TurnWork, transcript: &'a [Message]) -> Vec<&'a Message> {
    let is_asked = |message: &Message| work.messages().any(|asked| asked.id == message.id);
    let last = work.messages().map(|asked| asked.place).max();
    let is_later = |message: &Message| message.is_inbound() && last.is_some_and(|last| message.place > last);
    let said = |message: &&Message| {
        !is_asked(message) && !is_later(message) && !message.author.is_gateway() && may_have_arrived(message)
    };
    transcript.iter().filter(said).chain(work.messages()).collect()
}

fn may_have_arrived(message: &Message) -> bool {
    match message.delivery.status {
        Status::Queued | Status::Sending | Status::Sent | Status::Delivered | Status::Unknown => true,
        Status::Undelivered | Status::Failed | Status::Canceled | Status::Expired => false,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::bot::fixtures::{message, work};
    use crate::domain::ids::MessageId;
    use crate::domain::message::{Author, Role};
    use crate::domain::turn::TurnKind;

    fn at(place: u64, author: Author, content: &str) -> Message {
        let id = MessageId(Uuid::from_u128(100 + u128::from(place)));
        Message { id, place, author, ..message(content) }
    }

    fn bot() -> Author {
        Author { role: Role::Init, name: "bot".into() }
    }

    #[test]
    fn the_turns_own_text_comes_last_and_later_ones_wait_for_their_turn() {
        let mut work = work(TurnKind::MessageReceived, "second");
        work.message = Some(at(1, Author::customer(), "second"));
        let told = [
            at(0, Author::customer(), "first"),
            at(1, Author::customer(), "second"),
            at(2, bot(), "answer to the first"),
            at(3, Author::customer(), "third"),
        ];
        let said: Vec<_> =
            conversation(&work, &told).iter().map(|message| message.content.as_str()).collect();
        assert_eq!(said, ["first", "answer to the first", "second"]);
        let said = conversation(&work, &[]);
        assert_eq!(said.len(), 1, "also where the transcript does not reach back to it");
    }

    #[test]
    fn what_never_arrived_and_what_the_gateway_says_is_left_out() {
        let work = work(TurnKind::MessageReceived, "now");
        let mut told: Vec<_> = (0..5)
            .map(|place| at(place, bot(), "said"))
            .chain([at(9, Author::gateway(), "123456")])
            .collect();
        let states = [Status::Canceled, Status::Failed, Status::Expired, Status::Undelivered, Status::Sent];
        told.iter_mut().zip(states).for_each(|(message, status)| message.delivery.status = status);
        assert_eq!(conversation(&work, &told).len(), 2);
    }
}
