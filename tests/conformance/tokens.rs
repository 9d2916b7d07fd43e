//! Access tokens, minted at run time.

use switchboard::domain::ids::TokenId;
use switchboard::store::{Token, TokenRole};
use uuid::Uuid;

use crate::engines::Open;
use crate::fixture::{Fixture, at};

on_every_engine! {
    a_token_is_found_by_its_hash,
    a_revoked_token_is_found_no_more_but_listed,
    a_token_stays_revoked_since_its_first_revocation,
    tokens_are_listed_in_the_order_of_their_ids,
}

fn token(id: u8) -> Token {
    Token {
        id: TokenId(Uuid::from_u128(u128::from(id))),
        name: format!("token {id}"),
        role: TokenRole::Agent,
        sha256: [id; 32],
        created_at: at(0),
        revoked_at: None,
    }
}

async fn a_token_is_found_by_its_hash(open: Open) {
    let f = Fixture::new(open);
    f.mint_token(token(1)).await.unwrap();
    f.mint_token(token(2)).await.unwrap();
    assert_eq!(f.token_by_hash([2; 32]).await.unwrap(), Some(token(2)));
    assert_eq!(f.token_by_hash([3; 32]).await.unwrap(), None);
}

async fn a_revoked_token_is_found_no_more_but_listed(open: Open) {
    let f = Fixture::new(open);
    f.mint_token(token(1)).await.unwrap();
    assert!(f.revoke_token(token(1).id, at(1)).await.unwrap());
    assert!(!f.revoke_token(token(2).id, at(1)).await.unwrap());
    assert_eq!(f.token_by_hash([1; 32]).await.unwrap(), None);
    assert_eq!(f.tokens().await.unwrap(), [Token { revoked_at: Some(at(1)), ..token(1) }]);
}

async fn a_token_stays_revoked_since_its_first_revocation(open: Open) {
    let f = Fixture::new(open);
    f.mint_token(token(1)).await.unwrap();
    f.revoke_token(token(1).id, at(1)).await.unwrap();
    assert!(f.revoke_token(token(1).id, at(2)).await.unwrap());
    assert_eq!(f.tokens().await.unwrap()[0].revoked_at, Some(at(1)));
}

async fn tokens_are_listed_in_the_order_of_their_ids(open: Open) {
    let f = Fixture::new(open);
    for id in [2, 3, 1] {
        f.mint_token(token(id)).await.unwrap();
    }
    assert_eq!(f.tokens().await.unwrap(), [token(1), token(2), token(3)]);
}
