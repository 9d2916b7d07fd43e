//! Writes the lines, counting and hashing as it goes.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::read::Frame;
use super::{Header, KINDS, Record, Summary, Trailer};
use crate::store::StoreError;

/// Puts one export into lines: begun with its header, ended with its trailer.
pub struct Writer {
    header: Header,
    counts: BTreeMap<String, u64>,
    sha256: Sha256,
}

impl Writer {
    /// Writes the header.
    pub fn begin(header: Header, out: &mut Vec<u8>) -> Result<Self, StoreError> {
        let counts = KINDS.iter().map(|kind| ((*kind).to_owned(), 0)).collect();
        let mut writer = Self { header: header.clone(), counts, sha256: Sha256::new() };
        writer.line(&Frame::Header(header), out)?;
        Ok(writer)
    }

    pub fn record(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<(), StoreError> {
        if let Some(count) = self.counts.get_mut(record.kind()) {
            *count += 1;
        }
        self.line(record, out)
    }

    /// Writes the trailer.
    pub fn end(mut self, out: &mut Vec<u8>) -> Result<Summary, StoreError> {
        let sha256 = self.sha256.finalize_reset().into();
        let trailer = Trailer { counts: std::mem::take(&mut self.counts), sha256 };
        self.line(&Frame::End(trailer.clone()), out)?;
        Ok(Summary { header: self.header, trailer })
    }

    fn line(&mut self, line: &impl Serialize, out: &mut Vec<u8>) -> Result<(), StoreError> {
        let start = out.len();
        // serde's own words may quote what is stored.
        serde_json::to_writer(&mut *out, line)
            .map_err(|_| StoreError::Corrupt("a record cannot be written as JSON".into()))?;
        out.push(b'\n');
        self.sha256.update(&out[start..]);
        Ok(())
    }
}
