//! The bot as one life of the gateway hears it: late, broken, talkative, or calling for a human.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use switchboard::bot::{Bot, BotError};
use switchboard::domain::conversation::{Answer, AnswerText};
use switchboard::domain::message::Message;
use switchboard::domain::turn::TurnWork;

use crate::life::Life;
use crate::world::World;

pub struct MortalBot {
    world: Arc<World>,
    life: Arc<Life>,
}

impl MortalBot {
    pub fn new((world, life): (Arc<World>, Arc<Life>)) -> Self {
        Self { world, life }
    }

    fn answer(&self, work: &TurnWork) -> Result<Answer, BotError> {
        let world = &self.world;
        let dice = &world.dice.bot;
        if world.is_chaotic() && dice.chance(world.plan.bot_goes_wrong) {
            world.journal.saw("bot failed");
            let passes = dice.chance(8_500);
            let words = "as the dice say".to_owned();
            return Err(if passes { BotError::unavailable(words) } else { BotError::Refused(words) });
        }
        if !work.turn.kind.expects_reply() && dice.chance(8_000) {
            return Ok(Answer::default());
        }
        let texts = (0..dice.weighted(&[(2, 0), (6, 1), (2, 2), (1, 3)])).map(|_| {
            let delay = Duration::from_millis(dice.weighted(&[(6, 0), (1, 700), (1, 5_000)]));
            let valid_for = dice.chance(500).then_some(Duration::from_secs(10));
            AnswerText { content: world.words(dice, "bot"), delay, valid_for }
        });
        let mut answer = Answer { texts: texts.collect(), ..Answer::default() };
        if dice.chance(1_200) {
            world.journal.saw("bot handed off");
            answer.handoff = Some("a human is needed".into());
        }
        if dice.chance(1_000) {
            answer.tags = Some(vec!["tagged".into()]);
        }
        Ok(answer)
    }
}

#[async_trait]
impl Bot for MortalBot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn is_present(&self) -> bool {
        self.world.plan.settings.policy.has_bot
    }

    async fn take_turn(&self, work: &TurnWork, _transcript: &[Message]) -> Result<Answer, BotError> {
        let crash = self.world.plan.crash;
        self.life.boundary(&self.world, ("before the bot is told", ""), crash).await;
        self.world.audit.bot_was_told(work);
        let dice = &self.world.dice.bot;
        let longest_ms = dice.weighted(&[(6, 50), (4, 1_000), (1, 20_000)]);
        let answer = self.answer(work);
        tokio::time::sleep(Duration::from_millis(dice.between(0..=longest_ms))).await;
        self.life.boundary(&self.world, ("when the bot has answered", ""), crash).await;
        answer
    }
}
