//! Texts that come late because the provider could not deliver them: what they say was said then, not now. Decides
//! which of it still counts.

use super::InboundText;
use crate::domain::consent::LastWords;
use crate::domain::keywords::Keyword;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;

/// When a text was said, and what its number has said since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub at: Timestamp,
    /// It is a recovered one, and its number has opted in since.
    opted_in_since: bool,
    /// It is no recovered one, or else it is certain that its number opted out before, if it ever did.
    after_opt_outs: bool,
}

impl Said {
    pub fn of(text: &InboundText, last_words: &LastWords, now: Timestamp) -> Self {
        if !text.recovered {
            return Self { at: now, opted_in_since: false, after_opt_outs: true };
        }
        let at = text.sent_at.unwrap_or(now).min(now);
        Self {
            at,
            opted_in_since: last_words.opted_in_since(at),
            after_opt_outs: last_words.opted_out_before(at),
        }
    }

    /// Whether a keyword still changes anything: the customer's last word counts, in the order in which they said it.
    /// Where it cannot be told whether they opted in after they opted out, the opt-out wins.
    pub fn counts(self, keyword: Keyword) -> bool {
        match keyword {
            Keyword::Stop => !self.opted_in_since,
            Keyword::Start => !self.opted_in_since && self.after_opt_outs,
            Keyword::Help => true,
        }
    }
}

/// Whether the conversation went on since a recovered text was sent: then it says nothing of how to answer now.
pub(super) fn is_overtaken(text: &InboundText, newest: Option<&Session>) -> bool {
    let sent_at = text.sent_at.filter(|_| text.recovered);
    sent_at.is_some_and(|sent_at| newest.is_some_and(|newest| newest.last_message_at > sent_at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::conversation::{
        InboundIds, KEYWORD_REPLY_LIFE, KeywordReplies, OnRecord, Received, receive,
    };
    use crate::domain::customer::ConsentRecord;
    use crate::domain::fixtures::policy;
    use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
    use crate::domain::message::Lane;
    use crate::domain::phone::Address;

    /// One number, and all that is on record of it.
    #[derive(Default)]
    struct Number {
        on_record: OnRecord,
        log: Vec<ConsentRecord>,
    }

    const SKEW_S: i64 = 300;

    fn pauses() -> impl Strategy<Value = i64> {
        prop_oneof![1..5i64, 2 * SKEW_S + 1..2 * SKEW_S + 5]
    }

    fn lane(sender: &str) -> Lane {
        Lane { channel: "main".into(), sender: sender.into() }
    }

    fn text(content: &str, sent_at: Timestamp, recovered: bool) -> InboundText {
        InboundText {
            lane: lane("+15550001111"),
            provider_id: "SM1".into(),
            from: Address::parse("+14155550101").unwrap(),
            content: content.into(),
            media: Vec::new(),
            sent_at: Some(sent_at),
            recovered,
            keyword: None,
            replies: KeywordReplies { stop: Some("Bye".into()), start: None, help: Some("Ask".into()) },
        }
    }

    fn at_s(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    impl Number {
        fn take(&mut self, text: &InboundText, now: Timestamp) -> Received {
            let id = Uuid::from_u128;
            let ids = InboundIds {
                customer: CustomerId(id(1)),
                session: SessionId(id(2)),
                message: MessageId(id(3)),
                turn: TurnId(id(4)),
                reply: MessageId(id(5)),
            };
            let received = receive(self.on_record.clone(), text, ids, &policy(), now);
            self.log.extend(received.consent.clone());
            let mut last_words = LastWords::default();
            self.log.iter().for_each(|line| last_words.note(line));
            self.on_record = OnRecord {
                last_turn: None,
                customer: Some(received.customer.clone()),
                newest: Some(received.session.clone()),
                suppressed: false,
                last_words,
            };
            received
        }

        fn hear(&mut self, content: &str, second: i64) -> Received {
            self.take(&text(content, at_s(second), false), at_s(second))
        }

        fn recover(&mut self, content: &str, sent_s: i64, now_s: i64) -> Received {
            self.take(&text(content, at_s(sent_s), true), at_s(now_s))
        }

        fn is_unsubscribed(&self) -> bool {
            self.on_record.customer.as_ref().unwrap().unsubscribed
        }
    }

    #[test]
    fn a_recovered_text_is_marked_and_keeps_its_time() {
        let mut number = Number::default();
        let received = number.recover("Hey", 5, 100);
        assert!(received.message.recovered && received.turn.is_some());
        assert_eq!((received.message.sent_at, received.message.created_at), (at_s(5), at_s(100)));
        assert_eq!((number.log[0].at, number.log[0].said_at), (at_s(100), Some(at_s(5))));
        assert!(!number.hear("Hey again", 101).message.recovered);
    }

    #[test]
    fn a_recovered_stop_counts_unless_the_number_came_back_since() {
        let mut silent = Number::default();
        silent.hear("Hey", 1);
        assert!(silent.recover("STOP", 5, 100).opted_out && silent.is_unsubscribed());
        let mut doubtful = Number::default();
        doubtful.hear("START", 5 + SKEW_S);
        assert!(doubtful.recover("STOP", 5, 1000).opted_out && doubtful.is_unsubscribed());
        let mut back = Number::default();
        back.hear("START", 6 + SKEW_S);
        let received = back.recover("STOP", 5, 1000);
        assert!(!received.opted_out && !back.is_unsubscribed() && received.reply.is_none());
        assert_eq!((received.message.keyword, received.consent), (Some(Keyword::Stop), Vec::new()));
    }

    #[test]
    fn the_mere_proof_of_a_number_takes_no_stop_back() {
        let mut number = Number::default();
        number.hear("Hey", 9);
        number.recover("STOP", 5, 100);
        assert!(number.is_unsubscribed());
    }

    #[test]
    fn in_the_same_second_the_opt_out_wins() {
        for (live, late) in [("START", "STOP"), ("STOP", "START")] {
            let mut number = Number::default();
            number.hear(live, 5);
            number.recover(late, 5, 100);
            assert!(number.is_unsubscribed(), "{live}, then {late}");
        }
    }

    #[test]
    fn a_recovered_yes_from_before_a_stop_is_an_answer_and_no_keyword() {
        let mut number = Number::default();
        number.hear("STOP", 9);
        let received = number.recover("yes", 5, 100);
        assert_eq!(received.message.keyword, None);
        assert!(received.turn.is_some() && number.is_unsubscribed());
        assert_eq!(number.recover("yes", 9 + SKEW_S, 1000).message.keyword, None);
        assert_eq!(number.recover("yes", 10 + SKEW_S, 1000).message.keyword, Some(Keyword::Start));
        assert!(!number.is_unsubscribed());
    }

    #[test]
    fn a_recovered_start_counts_where_no_clock_makes_it_doubtful() {
        for (after_s, counts) in [(1, false), (SKEW_S, false), (SKEW_S + 1, true)] {
            let mut number = Number::default();
            number.hear("STOP", 5);
            let received = number.recover("START", 5 + after_s, 10_000);
            assert_eq!((number.is_unsubscribed(), received.consent.len()), (!counts, usize::from(counts)));
        }
    }

    #[test]
    fn of_recovered_texts_one_clock_tells_the_order() {
        let mut number = Number::default();
        number.recover("STOP", 5, 100);
        number.recover("START", 6, 100);
        assert!(!number.is_unsubscribed());
    }

    #[test]
    fn a_start_is_compared_with_every_opt_out_not_with_the_last_line_alone() {
        let mut number = Number::default();
        number.hear("STOP", 1000);
        number.recover("STOP", 900, 2000);
        assert!(number.recover("START", 1010, 2000).consent.is_empty());
        assert!(number.is_unsubscribed());
    }

    #[test]
    fn a_keyword_is_answered_only_while_that_is_worth_it() {
        let life_s = i64::try_from(KEYWORD_REPLY_LIFE.as_secs()).unwrap();
        let soon = Number::default().recover("STOP", 0, life_s - 1).reply.unwrap();
        assert_eq!(soon.delivery.valid_until, Some(at_s(life_s)));
        for late in ["STOP", "HELP"] {
            assert!(Number::default().recover(late, 0, life_s).reply.is_none(), "{late}");
        }
    }

    #[test]
    fn answers_go_on_by_the_number_that_was_used_since() {
        let mut number = Number::default();
        number.hear("Hey", 9);
        let mut earlier = text("Hello", at_s(5), true);
        earlier.lane = lane("+15550002222");
        assert_eq!(number.take(&earlier, at_s(100)).customer.lane, Some(lane("+15550001111")));
        earlier.sent_at = Some(at_s(150));
        assert_eq!(number.take(&earlier, at_s(200)).customer.lane, Some(lane("+15550002222")));
    }

    proptest! {
        /// Whatever was lost, in whichever order it is recovered, and whatever our clock says of what is heard: the last word
        /// that the customer said counts, where that is certain; a last STOP in any case.
        #[test]
        fn the_last_word_counts_whenever_it_comes(
            said in prop::collection::vec((prop::bool::ANY, prop::bool::ANY, pauses()), 1..12),
            order in prop::collection::vec(0..1000u32, 12),
            ahead_s in -SKEW_S..=SKEW_S,
        ) {
            let mut number = Number::default();
            let (mut second, mut lost, mut stopped, mut certain) = (0, Vec::new(), false, true);
            for (is_stop, is_lost, pause) in said {
                second += pause;
                certain &= pause > 2 * SKEW_S;
                stopped = is_stop;
                let word = if is_stop { "STOP" } else { "START" };
                if is_lost { lost.push((word, second)) } else { number.hear(word, second + ahead_s); }
            }
            let mut shuffled: Vec<_> = lost.into_iter().zip(order).collect();
            shuffled.sort_by_key(|(_, place)| *place);
            for ((word, sent_s), _) in shuffled {
                number.recover(word, sent_s, 1_000_000);
            }
            prop_assert!(number.is_unsubscribed() == stopped || (!certain && !stopped));
        }
    }
}
