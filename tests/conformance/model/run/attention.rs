//! Sessions that agents have: taken on, reminded of, given back; and what the bot proposes in them.

use switchboard::domain::ids::TurnId;
use switchboard::store::{AssignSession, Store};

use super::super::command::Command;
use super::super::world::{AGENTS, World, picked, same};
use super::{Ran, note};

impl World {
    pub(super) async fn run_attention(&mut self, command: &Command) -> Ran {
        let now = self.now;
        match *command {
            Command::Assign { customer, assignee, caller, force } => {
                let Some(customer_id) = picked(&self.customers, customer) else { return Ok(()) };
                let command = AssignSession {
                    customer_id,
                    assignee: assignee.map(|which| AGENTS[which].to_owned()),
                    caller: AGENTS[caller].to_owned(),
                    force,
                    now,
                };
                both!(self.assign_session(command.clone())).ok();
            }
            Command::UseSuggestion { suggestion } => {
                let Some(id) = picked(&self.suggestions, suggestion) else { return Ok(()) };
                both!(self.use_suggestion(id, now)).ok();
            }
            Command::Attend { most } => {
                let ids: Vec<TurnId> = (0..most).map(|_| TurnId(self.id())).collect();
                if both!(self.attend(ids.clone(), now)).is_ok() {
                    note(&mut self.turns, ids);
                }
            }
            _ => {}
        }
        Ok(())
    }
}
