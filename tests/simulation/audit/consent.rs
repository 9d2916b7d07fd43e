//! Who may be texted, as the auditor knows it: from what people said and did, not from what the store keeps of it.

use switchboard::domain::customer::Customer;
use switchboard::domain::delivery::{ErrorClass, Exemption};
use switchboard::domain::ids::CustomerId;
use switchboard::domain::message::Message;
use switchboard::store::{
    ConfirmError, CreateCustomer, CreateCustomerError, CustomerError, Fresh, Inbound, RecordInbound,
    SetSubscription, Store, StoreError, Subscription,
};

use super::{Audit, Book, at_once};
use crate::people::About;

#[derive(Clone, Copy, Default)]
pub struct Consent {
    confirmed: bool,
    unsubscribed: bool,
    /// When they last said so, in seconds: as finely as providers tell it.
    said_s: i64,
}

impl Consent {
    fn say(&mut self, unsubscribed: bool, said_s: i64) {
        self.unsubscribed = unsubscribed;
        self.said_s = self.said_s.max(said_s);
    }

    /// They said it then, and it is heard of only now. Where clocks disagree, what they said last cannot be known: then
    /// the auditor forbids nothing.
    fn recover(&mut self, unsubscribed: bool, said_s: i64, clocks_agree: bool) {
        match clocks_agree {
            false => self.unsubscribed = false,
            true if unsubscribed && said_s >= self.said_s => self.say(true, said_s),
            true if !unsubscribed && said_s > self.said_s => self.say(false, said_s),
            true => {}
        }
    }
}

impl Audit {
    pub fn saw_inbound(&self, answer: &Result<Inbound, StoreError>, command: &RecordInbound) {
        let Ok(inbound) = answer else { return };
        let mut book = self.book();
        let id = &command.text.provider_id;
        let heard = book.heard.get_mut(id).unwrap();
        let (message, session, reply) = match inbound {
            Inbound::Recorded { message, session, reply, .. } => (message, session, reply),
            Inbound::Duplicate { message_id } => {
                if heard.message != Some(*message_id) {
                    self.journal.broken(format!("{id} is a repeat of a text that never came"));
                }
                self.journal.saw("inbound repeat taken once");
                return;
            }
        };
        let how = if command.text.recovered { "is recovered" } else { "is taken" };
        self.journal.note(|| format!("{id} {how}"));
        if heard.message.replace(message.id).is_some() && !heard.removed {
            self.journal.broken(format!("{id} was taken twice"));
        }
        if heard.removed {
            (heard.erased, heard.removed) = (false, false);
        }
        heard.session = Some(session.id);
        let about = heard.about;
        heard.customer = Some(session.customer_id);
        let number = command.text.from.as_str();
        book.know(session.customer_id, number);
        let consent = book.consent.entry(number.to_owned()).or_default();
        match about {
            About::Stop | About::Start if command.text.recovered => {
                let said = command.text.sent_at.unwrap_or(command.now).min(command.now);
                consent.recover(about == About::Stop, said.as_secs(), self.clocks_agree);
            }
            About::Stop | About::Start => consent.say(about == About::Stop, command.now.as_secs()),
            About::Help => {}
            // To text is to prove the number.
            About::Anything | About::NearStop => consent.confirmed = true,
        }
        if about == About::Stop {
            self.journal.saw("opt-out by text");
        }
        if command.text.recovered {
            self.journal.saw("text recovered");
        }
        if let Some(reply) = reply {
            book.create(reply, &self.journal);
        }
        self.look_at_session(&mut book, session.id);
    }

    pub fn saw_customer(
        &self,
        answer: &Result<Fresh<Customer>, CreateCustomerError>,
        command: &CreateCustomer,
    ) {
        let Ok(Fresh { value, .. }) = answer else { return };
        let mut book = self.book();
        let number = command.number.as_str();
        book.know(value.id, number);
        let consent = book.consent.entry(number.to_owned()).or_default();
        consent.confirmed |= command.confirmed.is_some();
    }

    pub fn saw_confirmation(&self, answer: &Result<Customer, ConfirmError>) {
        let Ok(customer) = answer else { return };
        self.journal.saw("confirmed by code");
        let number = customer.address().unwrap().as_str().to_owned();
        self.book().consent.entry(number).or_default().confirmed = true;
    }

    pub fn saw_subscription(&self, answer: &Result<Subscription, CustomerError>, command: &SetSubscription) {
        // Who says what is so already has said nothing new.
        if matches!(answer, Ok(Subscription::Changed)) {
            self.unsubscribe(command.customer_id, command.unsubscribed);
        }
    }

    fn unsubscribe(&self, customer: CustomerId, unsubscribed: bool) {
        let Some(customer) = at_once(self.disk.customer(customer)).unwrap() else { return };
        let number = customer.address().unwrap().as_str().to_owned();
        let now_s = self.time.now().as_secs();
        self.book().consent.entry(number).or_default().say(unsubscribed, now_s);
    }

    /// The provider says, for one message, that its customer opted out with it.
    pub(super) fn heed(&self, message: &Message, class: Option<ErrorClass>) {
        if class == Some(ErrorClass::OptedOut) {
            self.journal.saw("opt-out by the provider");
            self.unsubscribe(message.customer_id, true);
        }
    }

    /// An attempt was begun: at this very moment its customer may be texted.
    pub(super) fn check_consent(&self, book: &Book, message: &Message) {
        let consent = book.consent.get(&message.delivery.to).copied().unwrap_or_default();
        let forbidden = match message.delivery.exemption {
            Exemption::KeywordReply => false,
            Exemption::Confirmation => consent.unsubscribed,
            Exemption::None => consent.unsubscribed || !consent.confirmed,
        };
        if forbidden {
            let (confirmed, unsubscribed) = (consent.confirmed, consent.unsubscribed);
            let title = &book.texts[&message.id].title();
            self.journal.broken(format!(
                "{title} is sent to somebody with confirmed={confirmed}, unsubscribed={unsubscribed}"
            ));
        }
    }

    /// The person is forgotten, and that they proved their number; not that they opted out.
    pub fn saw_erasure(&self, answer: &Result<(), CustomerError>, id: CustomerId) {
        if answer.is_err() {
            return;
        }
        self.journal.saw("customer erased");
        let mut book = self.book();
        let known = book.customers.iter().position(|(known, _)| *known == id).unwrap();
        let (_, number) = book.customers.remove(known);
        book.consent.entry(number).or_default().confirmed = false;
        book.texts.values_mut().filter(|text| text.customer == id).for_each(|text| text.erased = true);
        book.heard
            .values_mut()
            .filter(|heard| heard.customer == Some(id))
            .for_each(|heard| heard.erased = true);
    }
}

impl Book {
    fn know(&mut self, customer: CustomerId, number: &str) {
        if !self.customers.iter().any(|(known, _)| *known == customer) {
            self.customers.push((customer, number.to_owned()));
        }
    }
}
