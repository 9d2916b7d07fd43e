//! Customers as the brand keeps them: created, changed, confirmed, subscribed, erased.

use crate::domain::conversation::Refusal;
use crate::domain::customer::{ConsentEvidence, ConsentSource, Customer};
use crate::domain::ids::CustomerId;
use crate::domain::message::Author;
use crate::domain::phone::PhoneNumber;
use crate::store::{
    ConfirmError, CreateCustomer, CreateCustomerError, CreateMessageError, CustomerError, CustomerPatch,
    Fresh, Idempotency, SetSubscription, Subscription,
};

use super::Gateway;
use super::conversation::Say;

/// What is known of a new customer.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    pub number: PhoneNumber,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// IANA name; UTC where it is not known.
    pub time_zone: Option<String>,
    /// Whoever creates them vouches for the number.
    pub confirmed: bool,
    pub idempotency: Option<Idempotency>,
}

#[derive(Debug, thiserror::Error)]
pub enum SendConfirmationError {
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    #[error(transparent)]
    Text(#[from] CreateMessageError),
}

impl Gateway {
    /// `by`: the name of the token that asks for it; it stands in the consent log if the customer starts confirmed.
    pub async fn create_customer(
        &self,
        new: NewCustomer,
        by: &str,
    ) -> Result<Fresh<Customer>, CreateCustomerError> {
        let now = self.now();
        let command = CreateCustomer {
            id: CustomerId(self.new_id(now)),
            country_code: new.number.country_code(),
            number: crate::domain::phone::Address::Phone(new.number),
            email: new.email,
            first_name: new.first_name,
            last_name: new.last_name,
            time_zone: new.time_zone.unwrap_or_else(|| "UTC".into()),
            confirmed: new.confirmed.then(|| evidence(by)),
            token: (!new.confirmed).then(|| self.entropy.six_digits()),
            idempotency: new.idempotency,
            now,
        };
        let created = self.store.create_customer(command).await?;
        if !created.replayed {
            tracing::info!(customer = %created.value.id, confirmed = created.value.is_confirmed(), "a customer was created");
        }
        Ok(created)
    }

    pub async fn update_customer(
        &self,
        id: CustomerId,
        patch: CustomerPatch,
    ) -> Result<Customer, CustomerError> {
        self.store.update_customer(id, patch, self.now()).await
    }

    /// Puts a new confirmation token out; older ones no longer count.
    pub async fn generate_confirmation(&self, id: CustomerId) -> Result<Customer, ConfirmError> {
        self.store.begin_confirmation(id, self.entropy.six_digits(), self.now()).await
    }

    /// Texts the token that is out (a new one where there is none that is still good), if there is a text for it.
    pub async fn send_confirmation(&self, id: CustomerId) -> Result<(), SendConfirmationError> {
        let customer =
            self.store.customer(id).await.map_err(ConfirmError::from)?.ok_or(ConfirmError::NotFound)?;
        if self.settings.confirmation_text.is_some()
            && customer.lane.is_none()
            && self.channels.default_lane().is_none()
        {
            return Err(CreateMessageError::Refused(Refusal::NoLane).into());
        }
        let now = self.now();
        let good = |customer: &Customer| {
            customer.confirmation.as_ref().is_some_and(|out| out.expires_at > now && out.tries_left > 0)
        };
        let customer = if good(&customer) && !customer.is_confirmed() {
            customer
        } else {
            self.generate_confirmation(id).await?
        };
        let token = customer.confirmation.map(|out| out.token).unwrap_or_default();
        if let Some(text) = &self.settings.confirmation_text {
            self.say(Say {
                customer_id: id,
                author: Author::gateway(),
                // Who reads the conversation must not learn what only the customer's phone can show.
                content: text.replace("{token}", "******"),
                confirmation: Some(text.replace("{token}", &token)),
                valid_for: None,
                turn_id: None,
                unprompted: false,
                idempotency: None,
            })
            .await?;
        }
        Ok(())
    }

    /// Takes the token back from the customer.
    pub async fn confirm_customer(
        &self,
        id: CustomerId,
        token: String,
        by: &str,
    ) -> Result<Customer, ConfirmError> {
        let customer = self.store.confirm_customer(id, token, evidence(by), self.now()).await?;
        tracing::info!(customer = %id, "a customer was confirmed");
        Ok(customer)
    }

    pub async fn set_subscription(
        &self,
        customer_id: CustomerId,
        unsubscribed: bool,
        by: &str,
    ) -> Result<Subscription, CustomerError> {
        let command = SetSubscription { customer_id, unsubscribed, evidence: evidence(by), now: self.now() };
        let changed = self.store.set_subscription(command).await?;
        if unsubscribed {
            self.outbound.in_flight.stop_all_to(customer_id);
            self.until_none_leaves_elsewhere(customer_id).await;
        }
        tracing::info!(customer = %customer_id, unsubscribed, "a subscription was set");
        self.outbound.wake_all();
        Ok(changed)
    }

    /// Erases the person; what they forbade stays forbidden.
    pub async fn erase_customer(&self, id: CustomerId) -> Result<(), CustomerError> {
        self.until_none_leaves_elsewhere(id).await;
        self.store.erase_customer(id, self.now()).await?;
        self.outbound.in_flight.stop_all_to(id);
        self.until_none_can_leave_elsewhere().await;
        tracing::info!(customer = %id, "a customer was erased");
        Ok(())
    }
}

fn evidence(by: &str) -> ConsentEvidence {
    ConsentEvidence { source: ConsentSource::Api, lane: None, message_id: None, detail: by.to_owned() }
}
