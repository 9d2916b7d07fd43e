//! Access tokens that were minted at run time.

use crate::domain::ids::TokenId;
use crate::store::embedded::keys::{TokenHashKey, TokenKey};
use crate::store::embedded::tx::Tx;
use crate::store::{StoreError, Token};

pub fn mint(tx: &mut Tx<'_, '_>, token: &Token) -> Result<(), StoreError> {
    tx.put_entry(&TokenHashKey { sha256: token.sha256 }, &token.id);
    tx.put_record(&TokenKey { token: token.id }, token)
}

pub fn revoke(tx: &mut Tx<'_, '_>, id: TokenId) -> Result<bool, StoreError> {
    let Some(mut token) = tx.tables().token(id)? else { return Ok(false) };
    token.revoked_at.get_or_insert(tx.now);
    tx.put_record(&TokenKey { token: id }, &token)?;
    Ok(true)
}
