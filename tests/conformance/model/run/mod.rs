//! Carries the commands out, each on the model and on the engine, and compares the answers.

use proptest::test_runner::TestCaseError;
use switchboard::domain::ids::TokenId;
use switchboard::domain::time::Timestamp;
use switchboard::store::{Alive, Store, Token, TokenRole};

use super::command::Command;
use super::world::{World, picked, same};

type Ran = Result<(), TestCaseError>;

/// Gives both the same command and compares the answers: the answer of both.
macro_rules! both {
    ($world:ident.$command:ident($($argument:expr),*)) => {{
        let model = $world.model.$command($($argument),*).await;
        let engine = $world.engine.$command($($argument),*).await;
        same(stringify!($command), model, engine)?
    }};
}

mod attention;
mod log;
mod people;
mod sending;
mod turns;

pub fn inbound_id(which: usize) -> String {
    // The first few are also ids of ours: the two never meet.
    if which < 2 { outbound_id(which) } else { format!("IN{which}") }
}

pub fn outbound_id(which: usize) -> String {
    format!("SM{which}")
}

pub fn token_hash(id: TokenId) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..16].copy_from_slice(id.0.as_bytes());
    hash
}

impl World {
    pub async fn run(&mut self, command: &Command) -> Ran {
        match command.clone() {
            Command::Wait { ms } => {
                self.wait(ms);
                Ok(())
            }
            Command::Text { .. } => self.run_text(command).await,
            Command::CreateCustomer { .. }
            | Command::UpdateCustomer { .. }
            | Command::Erase { .. }
            | Command::BeginConfirmation { .. }
            | Command::Confirm { .. }
            | Command::Subscribe { .. } => self.run_customers(command).await,
            Command::Say { .. } => self.run_say(command).await,
            Command::UpdateSession { customer, need_attention, labels } => {
                self.update_session(customer, need_attention, labels).await
            }
            Command::Assign { .. } | Command::UseSuggestion { .. } | Command::Attend { .. } => {
                self.run_attention(command).await
            }
            Command::PruneEvents { .. }
            | Command::Advance { .. }
            | Command::Switch { .. }
            | Command::KeepDelivery { .. }
            | Command::DropDelivery { .. } => self.run_log(command).await,
            Command::SendHead { .. }
            | Command::Send { .. }
            | Command::Begin { .. }
            | Command::Postpone { .. }
            | Command::Pause { .. }
            | Command::Settle { .. }
            | Command::Abandon { .. }
            | Command::Reclaim { .. }
            | Command::Look { .. }
            | Command::Resolve { .. }
            | Command::Cancel { .. }
            | Command::Resend { .. }
            | Command::ResendHeld
            | Command::AskAbout { .. } => self.run_sending(command).await,
            Command::Receipt { .. } => self.run_receipt(command).await,
            Command::Claim { .. }
            | Command::Ask { .. }
            | Command::Complete { .. }
            | Command::Fail { .. }
            | Command::ReplyTo { .. }
            | Command::Replay { .. }
            | Command::Release { .. } => self.run_turns(command).await,
            Command::Mint { role } => self.mint(role).await,
            Command::Prune { silent_s, from, limit } => {
                let before = self.in_seconds(-silent_s);
                let from = from.and_then(|pick| picked(&self.sessions, pick));
                both!(self.prune(before, from, limit, self.now)).ok();
                Ok(())
            }
            Command::MarkAlive { clean } => {
                let alive = Alive { at: self.now, clean };
                both!(self.mark_alive(alive)).ok();
                Ok(())
            }
            Command::Revoke { token } => {
                let Some(id) = picked(&self.tokens, token) else { return Ok(()) };
                both!(self.revoke_token(id, self.now)).ok();
                Ok(())
            }
            Command::NextDay { limit } => {
                self.wait(25 * 3_600_000);
                self.sweep(limit).await
            }
            Command::Sweep { limit } => self.sweep(limit).await,
        }
    }

    fn wait(&mut self, ms: i64) {
        self.now = Timestamp::from_millis(self.now.as_millis() + ms);
    }

    async fn sweep(&self, limit: usize) -> Ran {
        both!(self.sweep(self.now, limit)).ok();
        Ok(())
    }

    async fn mint(&mut self, role: TokenRole) -> Ran {
        let id = TokenId(self.id());
        let name = format!("token {}", self.tokens.len());
        let token = Token { id, name, role, sha256: token_hash(id), created_at: self.now, revoked_at: None };
        both!(self.mint_token(token.clone())).ok();
        note(&mut self.tokens, [id]);
        Ok(())
    }
}

/// Adds those that are new.
fn note<T: PartialEq>(created: &mut Vec<T>, ids: impl IntoIterator<Item = T>) {
    for id in ids {
        if !created.contains(&id) {
            created.push(id);
        }
    }
}

fn owned(labels: Option<Vec<&str>>) -> Option<Vec<String>> {
    labels.map(|labels| labels.into_iter().map(str::to_owned).collect())
}
