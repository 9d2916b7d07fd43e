//! The bot's turns: what is open and what is over, and which of a session's may be handed out.

use std::mem::take;

use super::{Index, Tx, entry};
use crate::domain::ids::SessionId;
use crate::domain::turn::{Turn, TurnState};
use crate::store::StoreError;
use crate::store::apply::missing;
use crate::store::embedded::keys::{
    ClosedTurnKey, DueTurnKey, FailedTurnKey, Family, OpenTurnKey, TurnAtKey, TurnInHandKey,
};
use crate::store::embedded::tables::TurnAt;

impl Tx<'_, '_> {
    /// Replaces the turn with that id, or else adds it.
    pub fn put_turn(&mut self, turn: &Turn) -> Result<(), StoreError> {
        self.touch_turn(turn)?;
        if let Some(at) = self.tables().turn_at(turn.id)? {
            return self.keep_turn(at.order, turn);
        }
        let order = self.next_order()?;
        self.place_turn(order, turn)
    }

    fn keep_turn(&mut self, order: u64, turn: &Turn) -> Result<(), StoreError> {
        self.touch_turns(turn.session_id)?;
        let (session, place) = (turn.session_id, turn.place);
        if turn.has_failed() {
            self.put_entry(&FailedTurnKey { order }, &turn.id);
        }
        let in_hand = TurnInHandKey { turn: turn.id };
        match turn.state {
            TurnState::InFlight { .. } => self.put_entry(&in_hand, &()),
            _ if self.tables().holds(&in_hand)? => self.remove(&in_hand),
            _ => {}
        }
        if turn.is_open() {
            self.put_record(&OpenTurnKey { session, place }, turn)
        } else {
            self.remove(&OpenTurnKey { session, place });
            self.put_record(&ClosedTurnKey { session, place }, turn)
        }
    }

    /// Adds the turn at that place in the order of queueing.
    pub fn place_turn(&mut self, order: u64, turn: &Turn) -> Result<(), StoreError> {
        self.keep_order(order)?;
        let at = TurnAt { session: turn.session_id, place: turn.place, order };
        self.put_record(&TurnAtKey { turn: turn.id }, &at)?;
        self.keep_turn(order, turn)
    }

    /// Removes what of the session's turns is still to be told or answered.
    pub fn remove_open_turns(&mut self, session: SessionId) -> Result<(), StoreError> {
        self.touch_turns(session)?;
        for turn in self.tables().open_turns(session).collect::<Result<Vec<Turn>, _>>()? {
            self.turn_is_gone(turn.id);
            self.remove(&TurnInHandKey { turn: turn.id });
            self.remove(&TurnAtKey { turn: turn.id });
            self.remove(&OpenTurnKey { session, place: turn.place });
        }
        Ok(())
    }

    /// Removes turns of the session that are over, `limit` at the most; how many.
    pub fn remove_closed_turns(&mut self, session: SessionId, limit: usize) -> Result<usize, StoreError> {
        let closed = self.tables().records(&ClosedTurnKey::within(&session)).take(limit);
        let closed: Vec<Turn> = closed.collect::<Result<_, _>>()?;
        for turn in &closed {
            // One that failed stays so, and no other is listed.
            if turn.has_failed()
                && let Some(at) = self.tables().turn_at(turn.id)?
            {
                self.remove(&FailedTurnKey { order: at.order });
            }
            self.remove(&TurnAtKey { turn: turn.id });
            self.remove(&ClosedTurnKey { session, place: turn.place });
        }
        Ok(closed.len())
    }

    fn touch_turns(&mut self, session: SessionId) -> Result<(), StoreError> {
        if !self.turns.contains_key(&session) {
            let due = self.due(session)?;
            self.turns.insert(session, due);
        }
        Ok(())
    }

    /// Brings the turns that may be handed out in line with what was changed so far.
    pub fn finish_turns(&mut self) -> Result<(), StoreError> {
        for (session, before) in take(&mut self.turns) {
            let after = self.due(session)?;
            self.reindex(&before, after);
        }
        Ok(())
    }

    /// The entry, among what may be handed out, of a session's first open turn.
    fn due(&self, session: SessionId) -> Result<Index, StoreError> {
        match self.tables().open_turns(session).next().transpose()? {
            Some(turn) if turn.state == TurnState::Pending => {
                let at = self.tables().turn_at(turn.id)?.ok_or_else(|| missing("a turn"))?;
                Ok(Index::from([entry(&DueTurnKey { due_at: turn.due_at, order: at.order }, &turn.id)]))
            }
            Some(_) | None => Ok(Index::new()),
        }
    }
}
