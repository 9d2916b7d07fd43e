//! `[[tokens]]`: who may call the API. Those minted at run time live in the store instead.

use sha2::{Digest, Sha256};

use super::secret::{Secret, Sources};
use super::section::Section;
use super::tree::Node;
use super::values::{Setting, choice, text};
use crate::gateway::access::check_token_name;
use crate::store::TokenRole;

/// The secrets of the default file. Public, so good for trying out only.
pub const DEMO_TOKENS: [&str; 3] = ["demo-agent", "demo-admin", "demo-bot"];

#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Recorded as the author of what it writes.
    pub name: String,
    pub role: TokenRole,
    /// Of its secret.
    pub sha256: [u8; 32],
    /// Unless only its hash is configured.
    pub secret: Option<Secret>,
    /// The secret, if it is one of the public ones of the default file.
    pub demo: Option<&'static str>,
}

impl Setting for TokenRole {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("agent", Self::Agent), ("bot", Self::Bot), ("admin", Self::Admin)])
    }
}

struct Hash([u8; 32]);

impl Setting for Hash {
    fn read(node: &Node) -> Result<Self, String> {
        const WANTED: &str = "the SHA-256 of the token in 64 hexadecimal digits, as `sha256sum` prints it";
        let wrong = || format!("is no hash; write {WANTED}");
        let digits = text(node, WANTED)?;
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(wrong());
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(hash))
    }
}

const SECRET: Sources = Sources { inline: "secret", list: None, file: "secret_file" };

/// Reads all tokens. A wrong one is reported and left out. `exposed`: why demo tokens will not do, if they won't.
pub(super) fn read_all(sections: Vec<Section<'_>>, exposed: Option<&str>) -> Vec<AccessToken> {
    let mut tokens: Vec<AccessToken> = Vec::new();
    for mut section in sections {
        let name: Option<String> = section.required("name", "write whose token it is, such as \"desk\"");
        let role = section.required("role", "write \"agent\", \"bot\" or \"admin\"");
        let (sha256, secret) = credentials(&mut section);
        if let Some(wrong) = name.as_deref().and_then(|name| wrong_name(name, &tokens)) {
            section.refuse("name", wrong);
        }
        let key = if section.has("secret_sha256") { "secret_sha256" } else { SECRET.used_in(&section) };
        if sha256.is_some_and(|sha256| tokens.iter().any(|token| token.sha256 == sha256)) {
            section.refuse(key, "is the same as another token's; give each its own");
        }
        let demo = DEMO_TOKENS.into_iter().find(|demo| sha256 == Some(digest(demo)));
        if let (Some(_), Some(why)) = (demo, exposed) {
            section.refuse(key, format!("is a public demo token, and {why}; set your own"));
        }
        section.finish();
        if let (Some(name), Some(role), Some(sha256)) = (name, role, sha256) {
            tokens.push(AccessToken { name, role, sha256, secret, demo });
        }
    }
    tokens
}

fn wrong_name(name: &str, tokens: &[AccessToken]) -> Option<String> {
    if tokens.iter().any(|token| token.name == name) {
        return Some(format!("is \"{name}\", and so is another token's; give each its own"));
    }
    check_token_name(name).err()
}

/// The hash that a caller's token has to have, and the token itself where it is known.
fn credentials(section: &mut Section<'_>) -> (Option<[u8; 32]>, Option<Secret>) {
    let hash: Option<Hash> = section.optional("secret_sha256");
    let clear = SECRET.any_in(section);
    let secret = SECRET.read(section).pop();
    match (section.has("secret_sha256"), clear) {
        (true, true) => {
            let other = SECRET.used_in(section);
            section.refuse(other, "and secret_sha256 are both set; keep one of them");
        }
        (false, false) => {
            section.refuse("secret", "is missing; write it, its secret_sha256, or a secret_file");
        }
        _ => {}
    }
    let sha256 = hash.map(|hash| hash.0).or_else(|| secret.as_ref().map(|secret| digest(secret.expose())));
    (sha256, secret)
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
