//! Cursors: the list's own byte, then the place of the last item that was given. One of another list is refused.

use super::part::Part;
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::session::InboxQueue;
use crate::domain::time::Timestamp;
use crate::store::{Cursor, ListError, PageRequest};

/// A place in a list.
pub trait Position: Part {
    const LIST: u8;
}

macro_rules! positions {
    ($($(#[$doc:meta])* $list:literal $name:ident { $($field:ident: $type:ty),* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $(pub $field: $type),* }

        impl Position for $name {
            const LIST: u8 = $list;
        }

        impl Part for $name {
            fn write(&self, key: &mut Vec<u8>) {
                $(self.$field.write(key);)*
            }

            fn read(key: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: Part::read(key)?),* })
            }
        }
    )*};
}

positions! {
    1 CustomersAt { order: u64 }
    2 SessionsAt { customer: CustomerId, order: u64 }
    3 InboxAt { queue: InboxQueue, since: Timestamp, session: SessionId }
    4 MessagesAt { session: SessionId, place: u64 }
    5 HeldAt { order: u64 }
    6 FailedTurnsAt { order: u64 }
    7 DeliveriesAt { endpoint: String, place: u64 }
}

pub fn write<P: Position>(position: &P) -> Cursor {
    let mut bytes = vec![P::LIST];
    position.write(&mut bytes);
    Cursor(bytes)
}

/// Where the page starts; none for the first.
pub fn read<P: Position>(request: &PageRequest) -> Result<Option<P>, ListError> {
    let Some(Cursor(bytes)) = &request.after else { return Ok(None) };
    let (list, mut rest) = bytes.split_first().ok_or(ListError::InvalidCursor)?;
    let position = P::read(&mut rest).filter(|_| *list == P::LIST && rest.is_empty());
    position.map(Some).ok_or(ListError::InvalidCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cursor: Cursor) -> PageRequest {
        PageRequest { after: Some(cursor), limit: 1 }
    }

    #[test]
    fn a_cursor_reads_back_in_its_own_list_only() {
        let position = CustomersAt { order: 7 };
        assert_eq!(read(&request(write(&position))).unwrap(), Some(position.clone()));
        assert!(read::<MessagesAt>(&request(write(&position))).is_err());
        assert!(read::<SessionsAt>(&request(write(&position))).is_err());
    }

    #[test]
    fn what_was_never_a_cursor_is_refused() {
        for bytes in [vec![], vec![1], vec![1, 2, 3], vec![1; 30], vec![255; 9]] {
            assert!(matches!(read::<CustomersAt>(&request(Cursor(bytes))), Err(ListError::InvalidCursor)));
        }
    }
}
