//! A message that comes back from a backup.

use super::Status;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;

/// In whose hand a message counts that another store has had since its backup.
const ELSEWHERE: &str = "elsewhere";

impl Message {
    /// It waits in a backup of `since`, and whoever went on after that may have sent it: from then on it counts as in
    /// their hand, so that the next process to start finds it abandoned, and looks for it. Whether it may have left.
    pub fn doubt(&mut self, since: Timestamp, now: Timestamp) -> bool {
        let waited = self.delivery.status == Status::Queued && self.delivery.ready_at <= now;
        if waited {
            self.begin_attempt(ELSEWHERE, since);
        }
        waited
    }
}
