//! `[store]`: which engine keeps everything, and where.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::secret::{Secret, Sources};
use super::section::Section;
use super::tree::Node;
use super::values::{ByteSize, Setting, choice};

#[derive(Clone, Debug)]
pub struct StoreSettings {
    pub engine: Engine,
    /// The folder that the engine has for itself; from the working directory unless absolute.
    pub path: PathBuf,
    pub cache_bytes: u64,
    /// How long to wait for another daemon to let go of the folder.
    pub lock_wait: Duration,
    /// How much room the folder's file system keeps.
    pub min_free_bytes: u64,
    /// Where the database is; there if the engine is one.
    pub postgres: Option<PostgresSettings>,
}

/// The database that several daemons share.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// The connection string, which may hold a password.
    pub url: Secret,
    /// Those who may vouch for the server; none: those whom the system trusts.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// How many connections write, and how many read.
    pub writers: usize,
    pub readers: usize,
}

const URL: Sources = Sources { inline: "url", list: None, file: "url_file" };
const HOW_TO_WRITE_IT: &str = "write \"postgres://user:password@host/database\"";

/// Less would only make the engine read everything twice; sled refuses to open with next to nothing.
const LEAST_CACHE_BYTES: u64 = 1 << 20;
/// More would wait for each other in the database.
const MOST_CONNECTIONS: usize = 64;

/// The engines of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sled,
    Fjall,
    Postgres,
}

impl Setting for Engine {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("sled", Self::Sled), ("fjall", Self::Fjall), ("postgres", Self::Postgres)])
    }
}

impl StoreSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let path = section.or("path", "data".to_owned());
        if path.trim().is_empty() {
            section.refuse("path", "is empty; write the folder to keep everything in");
        }
        let cache_bytes = section.or("cache", ByteSize(256 << 20)).0;
        if cache_bytes < LEAST_CACHE_BYTES {
            section.refuse("cache", "is too small to work with; write 1MB or more");
        }
        let engine = section.or("engine", Engine::Sled);
        let postgres = PostgresSettings::read(&mut section, engine);
        let store = Self {
            engine,
            path: path.into(),
            cache_bytes,
            lock_wait: section.or("lock_wait", Duration::from_secs(10)),
            min_free_bytes: section.or("min_free", ByteSize(64 << 20)).0,
            postgres,
        };
        section.finish();
        store
    }
}

impl PostgresSettings {
    fn read(section: &mut Section<'_>, engine: Engine) -> Option<Self> {
        let url = URL.read(section).into_iter().next();
        let authorities = read_authorities(section);
        let writers = connections(section, "writers", 1);
        let readers = connections(section, "readers", 4);
        if engine != Engine::Postgres {
            let url = URL.any_in(section).then(|| URL.used_in(section));
            for key in url.into_iter().chain(["ca_file"].into_iter().filter(|key| section.has(key))) {
                section
                    .refuse(key, "is of no use to this engine; write engine = \"postgres\", or leave it out");
            }
            return None;
        }
        if !URL.any_in(section) {
            section.refuse(URL.inline, format!("is missing; {HOW_TO_WRITE_IT}"));
        }
        let url = url?;
        if let Err(wrong) = check(url.expose()) {
            section.refuse(URL.used_in(section), wrong);
        }
        Some(Self { url, authorities, writers, readers })
    }
}

/// What is wrong with a connection string, without a word of it: any of them might be the password.
fn check(url: &str) -> Result<(), String> {
    let has = |part| url.contains(part);
    let Ok(database) = url.parse::<tokio_postgres::Config>() else {
        return Err(if has("sslmode=verify") || has("sslrootcert=") {
            "asks for a certificate to be checked, which it always is; leave sslmode and sslrootcert out, and write who may \
             vouch for the server into store.ca_file"
                .into()
        } else if has("sslcert=") || has("sslkey=") {
            "names a certificate of ours, which is not spoken for here; leave sslcert and sslkey out, and write a password"
                .into()
        } else {
            format!("is no connection string; {HOW_TO_WRITE_IT}")
        });
    };
    // Split at the wrong place, a password becomes part of a name, which is said.
    let of_url = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let is_torn = of_url.is_some_and(|rest| {
        let before_path = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.rfind('@').is_some_and(|at| at > before_path || rest.find('@') != Some(at))
    });
    if is_torn {
        Err("has an @ where none may be; in a password write @ as %40, / as %2F and ? as %3F".into())
    } else if !database.get_hostaddrs().is_empty() {
        Err("has a hostaddr; write the address as the host".into())
    } else if database.get_hosts().is_empty() {
        Err(format!("names no host; {HOW_TO_WRITE_IT}"))
    } else {
        Ok(())
    }
}

fn connections(section: &mut Section<'_>, key: &'static str, default: usize) -> usize {
    let number: Option<std::num::NonZeroUsize> = section.optional(key);
    let number = number.map_or(default, std::num::NonZeroUsize::get);
    if number > MOST_CONNECTIONS {
        section.refuse(key, format!("is {number}; write {MOST_CONNECTIONS} or less"));
    }
    number
}

fn read_authorities(section: &mut Section<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let path: String = section.optional("ca_file")?;
    let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(authorities) if authorities.is_empty() => {
            section.refuse("ca_file", format!("names \"{path}\", which holds no certificate in PEM"));
            None
        }
        Ok(authorities) => Some(authorities),
        Err(error) => {
            section.refuse("ca_file", format!("names \"{path}\", which cannot be read: {error}"));
            None
        }
    }
}
