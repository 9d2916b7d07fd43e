//! Records are written as lists of their fields' values ([`super::super::codec`]): a field that changed its place would be read
//! as another one. `tests/fixtures/stores/fields.txt` has the order in which they stand; it only ever gets longer, at the ends of
//! its lines, and what is added has a default, since the records that are there do not have it.

use std::cell::RefCell;

use serde::de::value::Error;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::tables::{CustomerRow, MessageAt, ParkedRow, Remains, TurnAt};
use crate::domain::{customer, delivery, endpoint, event, message, pause, segments, session, turn};
use crate::store::change::{Created, Remembered};
use crate::store::{Alive, Receipt, Token};

const FIELDS: &str = include_str!("../../../../tests/fixtures/stores/fields.txt");

/// Asks a type for its fields, instead of giving it values.
#[derive(Clone, Copy)]
struct Probe<'s> {
    seen: &'s RefCell<Seen>,
    /// Which of an enum's variants is asked.
    variant: usize,
}

#[derive(Default)]
struct Seen {
    name: &'static str,
    variants: &'static [&'static str],
    lines: Vec<String>,
}

impl Probe<'_> {
    fn note(self, name: &str, fields: &[&str]) -> Error {
        self.seen.borrow_mut().lines.push(format!("{name}: {}", fields.join(" ")));
        Error::custom("it has no value")
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("it has no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(self.note(name, fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        (self.seen.borrow_mut().name, self.seen.borrow_mut().variants) = (name, variants);
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Probe<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = self.seen.borrow().variants[self.variant];
        Ok((seed.deserialize(variant.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Probe<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(Error::custom("it has no value"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("it has no value"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        let name = {
            let seen = self.seen.borrow();
            format!("{}::{}", seen.name, seen.variants[self.variant])
        };
        Err(self.note(&name, fields))
    }
}

/// A struct's fields in their order, or those of each of an enum's variants that has some.
fn fields<T: DeserializeOwned>() -> Vec<String> {
    let seen = RefCell::default();
    let mut variant = 0;
    loop {
        T::deserialize(Probe { seen: &seen, variant }).err();
        variant += 1;
        if variant >= seen.borrow().variants.len() {
            return seen.into_inner().lines;
        }
    }
}

#[test]
fn every_field_stands_where_it_stood() {
    let fields = [
        fields::<customer::Customer>(),
        fields::<customer::Confirmation>(),
        fields::<customer::ConsentRecord>(),
        fields::<customer::ConsentEvidence>(),
        fields::<session::Session>(),
        fields::<session::Asked>(),
        fields::<session::Suggestion>(),
        fields::<message::Message>(),
        fields::<message::Author>(),
        fields::<message::Media>(),
        fields::<message::Lane>(),
        fields::<delivery::Delivery>(),
        fields::<delivery::DeliveryError>(),
        fields::<delivery::Attempt>(),
        fields::<delivery::ProviderStatus>(),
        fields::<delivery::ReceiptStatus>(),
        fields::<segments::Segmentation>(),
        fields::<turn::Turn>(),
        fields::<turn::TurnState>(),
        fields::<turn::TurnKind>(),
        fields::<turn::Reply>(),
        fields::<event::Event>(),
        fields::<event::What>(),
        fields::<event::CustomerChange>(),
        fields::<event::SessionChange>(),
        fields::<event::MessageChange>(),
        fields::<event::MessageNow>(),
        fields::<endpoint::Endpoint>(),
        fields::<endpoint::Disabled>(),
        fields::<endpoint::Delivery>(),
        fields::<pause::Pause>(),
        fields::<Receipt>(),
        fields::<Token>(),
        fields::<Alive>(),
        fields::<Remembered>(),
        fields::<Created>(),
        fields::<Remains>(),
        fields::<CustomerRow>(),
        fields::<MessageAt>(),
        fields::<TurnAt>(),
        fields::<ParkedRow>(),
    ]
    .concat();
    let stood: Vec<&str> = FIELDS.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(stood.len() > 30, "{} lines", stood.len());
    for (fields, stood) in fields.iter().zip(&stood) {
        assert!(
            fields.starts_with(stood),
            "a stored field is gone or has another place, and what is stored would be read wrongly:\n  {fields}\nstood as\n  {stood}"
        );
    }
    assert_eq!(fields, stood, "there is something new: add it to tests/fixtures/stores/fields.txt");
}
