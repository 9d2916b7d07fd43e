//! Customers, and what is on record for their numbers.

use super::{Index, Tx, entry};
use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::ids::CustomerId;
use crate::domain::phone::Address;
use crate::domain::search::words_of;
use crate::store::StoreError;
use crate::store::change::IdempotencyName;
use crate::store::embedded::keys::{
    ConsentKey, CustomerKey, CustomerNumberKey, CustomerOrderKey, SuppressedKey, Word, WordKey,
};
use crate::store::embedded::tables::CustomerRow;

impl Tx<'_, '_> {
    pub fn add_customer(
        &mut self,
        customer: &Customer,
        idempotency: Option<IdempotencyName>,
    ) -> Result<(), StoreError> {
        let order = self.next_order()?;
        self.touch_customer(customer.id, None, Some(customer));
        self.place_customer(order, customer, idempotency)
    }

    /// Adds the customer at that place in the order.
    pub fn place_customer(
        &mut self,
        order: u64,
        customer: &Customer,
        idempotency: Option<IdempotencyName>,
    ) -> Result<(), StoreError> {
        self.keep_order(order)?;
        if let Some(key) = customer.address().map(number_key) {
            self.put_entry(&key, &customer.id);
        }
        self.put_entry(&CustomerOrderKey { order }, &customer.id);
        self.reindex(&Index::new(), word_index(customer));
        let row = CustomerRow { order, idempotency, customer: customer.clone() };
        self.put_record(&CustomerKey { customer: customer.id }, &row)
    }

    /// By which key it was created. `false`: there is none with this id.
    pub fn name_customer(&mut self, id: CustomerId, name: IdempotencyName) -> Result<bool, StoreError> {
        let Some(row) = self.tables().customer_row(id)? else { return Ok(false) };
        self.put_record(&CustomerKey { customer: id }, &CustomerRow { idempotency: Some(name), ..row })?;
        Ok(true)
    }

    /// Replaces the customer with that id, or else adds it. Their number stays what it was.
    pub fn put_customer(&mut self, customer: &Customer) -> Result<(), StoreError> {
        match self.tables().customer_row(customer.id)? {
            None => self.add_customer(customer, None),
            Some(row) if row.customer == *customer => Ok(()),
            Some(row) => {
                self.reindex(&word_index(&row.customer), word_index(customer));
                self.touch_customer(customer.id, Some(row.customer), Some(customer));
                let CustomerRow { order, idempotency, .. } = row;
                let row = CustomerRow { order, idempotency, customer: customer.clone() };
                self.put_record(&CustomerKey { customer: customer.id }, &row)
            }
        }
    }

    pub fn remove_customer(&mut self, row: &CustomerRow) {
        if let Some(key) = row.customer.address().map(number_key) {
            self.remove(&key);
        }
        self.remove(&CustomerOrderKey { order: row.order });
        self.reindex(&word_index(&row.customer), Index::new());
        self.touch_customer(row.customer.id, Some(row.customer.clone()), None);
        self.remove(&CustomerKey { customer: row.customer.id });
    }

    pub fn note_consent(
        &mut self,
        records: impl IntoIterator<Item = ConsentRecord>,
    ) -> Result<(), StoreError> {
        for record in records {
            let order = self.next_order()?;
            self.put_record(&ConsentKey { number: record.number, order }, &record)?;
        }
        Ok(())
    }

    /// The number's erased person had opted out: its next one has, too.
    pub fn suppress(&mut self, number: NumberHash) {
        self.put_entry(&SuppressedKey { number }, &());
    }

    /// Whether the number is suppressed. Its new customer will know from now on.
    pub fn take_suppression(&mut self, number: &Address) -> Result<bool, StoreError> {
        let key = SuppressedKey { number: NumberHash::of(number) };
        let suppressed = self.tables().holds(&key)?;
        if suppressed {
            self.remove(&key);
        }
        Ok(suppressed)
    }
}

/// By what a customer is found.
pub fn word_index(customer: &Customer) -> Index {
    let words = words_of(customer).into_iter().map(Word);
    words.map(|word| entry(&WordKey { word, customer: customer.id }, &())).collect()
}

fn number_key(number: &Address) -> CustomerNumberKey {
    CustomerNumberKey { number: number.as_str().to_owned() }
}
