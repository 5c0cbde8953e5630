//! The versions of one field of an entry.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use tenure_core::Timestamp;
use zeroize::Zeroizing;

use super::client::{VaultError, WriteError};
use super::session::Session;
use crate::source::Fetched;
use crate::value::{name_by_value, trimmed};
use crate::version::{SecretVersion, Stage};

/// More are not read: each is a call.
const MOST_VERSIONS: u64 = 100;

/// The field that a new entry gets where none is named.
const FIELD_OF_NEW_ENTRY: &str = "secret";

#[derive(Debug)]
pub(super) struct KeyValue {
    session: Session,
    mount: String,
    path: String,
    /// Without one, the entry has to have a single field.
    field: Option<String>,
}

/// What is there under a version's number.
enum Reading {
    Here(Entry),
    /// Deleted or destroyed.
    Gone {
        version: u64,
    },
    /// Never written, or so long ago that it was dropped.
    Nothing,
}

struct Entry {
    version: u64,
    created_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    fields: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct ReadAnswer {
    data: Option<ReadData>,
}

#[derive(Deserialize)]
struct ReadData {
    data: Option<BTreeMap<String, Box<RawValue>>>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
    created_time: String,
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Deserialize)]
struct WriteAnswer {
    data: Metadata,
}

impl KeyValue {
    pub(super) fn new(session: Session, mount: String, path: String, field: Option<String>) -> Self {
        Self {
            session,
            mount,
            path,
            field,
        }
    }

    /// All versions that are there, from the newest on.
    pub(super) async fn versions(&self, now: Timestamp) -> Result<Fetched, VaultError> {
        let newest = self.read(None).await?;
        let newest_number = match &newest {
            Reading::Here(entry) => entry.version,
            Reading::Gone { version } => *version,
            Reading::Nothing => return Err(self.not_found()),
        };
        let mut versions: Vec<SecretVersion> = Vec::new();
        let mut look_again_in = None;
        let mut reading = newest;
        let mut number = newest_number;
        loop {
            match reading {
                Reading::Here(entry) => {
                    look_again_in = sooner(look_again_in, entry.deleted_at.map(|end| now.until(end)));
                    let version = self.version_of(&entry, number == newest_number)?;
                    push_unless_same(&mut versions, version);
                }
                Reading::Gone { .. } => {}
                Reading::Nothing => break,
            }
            number -= 1;
            if number == 0 {
                break;
            }
            if newest_number - number >= MOST_VERSIONS {
                return Err(VaultError::Unusable(format!(
                    "it has more than {MOST_VERSIONS} versions; set a lower `max_versions`"
                )));
            }
            reading = self.read(Some(number)).await?;
        }
        if versions.is_empty() {
            return Err(VaultError::NotFound(
                "all its versions are deleted; write a new one".to_owned(),
            ));
        }
        Ok(Fetched {
            versions,
            look_again_in,
        })
    }

    /// Writes the secret if nobody else has written since, and gives the version's name.
    pub(super) async fn write(&self, secret: &str) -> Result<String, WriteError> {
        let (read, mut fields) = match self.read(None).await? {
            Reading::Here(entry) => (entry.version, entry.fields),
            Reading::Gone { version } => (version, BTreeMap::new()),
            Reading::Nothing => (0, BTreeMap::new()),
        };
        let field = match self.field_of(&fields) {
            Some(field) => field.to_owned(),
            None if fields.is_empty() => FIELD_OF_NEW_ENTRY.to_owned(),
            None => return Err(self.several_fields(&fields).into()),
        };
        let value = serde_json::value::to_raw_value(secret).map_err(|_| VaultError::garbage())?;
        fields.insert(field, value);
        let fields = serde_json::to_string(&fields).map(Zeroizing::new);
        let fields = fields.map_err(|_| VaultError::garbage())?;
        let body = Zeroizing::new(format!(r#"{{"options":{{"cas":{read}}},"data":{}}}"#, *fields));

        let path = self.data_path();
        let answer = self.session.call(&Method::POST, &path, None, Some(&body)).await?;
        match answer.status.as_u16() {
            200 => {
                let written: WriteAnswer =
                    serde_json::from_slice(&answer.body).map_err(|_| VaultError::garbage())?;
                Ok(written.data.version.to_string())
            }
            400 if says(&answer.body, b"check-and-set parameter did not match") => Err(WriteError::Conflict),
            400 | 404 | 405 => Err(WriteError::Refused(format!(
                "status {}; {}",
                answer.status.as_u16(),
                self.wants_version_2()
            ))),
            403 => Err(WriteError::Refused(format!(
                "the token's policy has to allow `create` and `update` on {path}"
            ))),
            _ => Err(VaultError::by_status(answer.status).into()),
        }
    }

    async fn read(&self, version: Option<u64>) -> Result<Reading, VaultError> {
        let path = self.data_path();
        let answer = self.session.call(&Method::GET, &path, version, None).await?;
        match answer.status.as_u16() {
            200 | 404 => {}
            400 | 405 => return Err(VaultError::Unusable(self.wants_version_2())),
            403 => {
                return Err(VaultError::Denied(format!(
                    "the token has ended, or its policy does not allow `read` on {path}"
                )));
            }
            _ => return Err(VaultError::by_status(answer.status)),
        }
        let parsed: ReadAnswer = serde_json::from_slice(&answer.body).map_err(|_| VaultError::garbage())?;
        let Some(data) = parsed.data else {
            return if answer.status.as_u16() == 404 {
                Ok(Reading::Nothing)
            } else {
                Err(VaultError::garbage())
            };
        };
        // An engine of version 1 gives an entry without these.
        let metadata = data
            .metadata
            .ok_or_else(|| VaultError::Unusable(self.wants_version_2()))?;
        let Some(fields) = data.data.filter(|_| !metadata.destroyed) else {
            return Ok(Reading::Gone {
                version: metadata.version,
            });
        };
        Ok(Reading::Here(Entry {
            version: metadata.version,
            created_at: time(&metadata.created_time),
            deleted_at: time(&metadata.deletion_time),
            fields,
        }))
    }

    /// None where an older version does not have the field.
    fn version_of(&self, entry: &Entry, is_newest: bool) -> Result<Option<SecretVersion>, VaultError> {
        let Some(field) = self.field_of(&entry.fields) else {
            return if is_newest {
                Err(self.several_fields(&entry.fields))
            } else {
                Ok(None)
            };
        };
        let Some(value) = entry.fields.get(field) else {
            return if is_newest {
                Err(VaultError::NotFound(format!(
                    "version {} has no field {field:?}; name one that it has behind the #",
                    entry.version
                )))
            } else {
                Ok(None)
            };
        };
        // Without the parser's words, which quote what they have found.
        let text: Zeroizing<String> =
            serde_json::from_str(value.get())
                .map(Zeroizing::new)
                .map_err(|_| {
                    VaultError::Unusable(format!("field {field:?} of version {} is no text", entry.version))
                })?;
        let secret = trimmed(text.as_bytes()).ok_or_else(|| {
            VaultError::Unusable(format!("field {field:?} of version {} is empty", entry.version))
        })?;
        Ok(Some(SecretVersion {
            name: entry.version.to_string(),
            secret,
            stage: Stage::Active,
            created_at: entry.created_at,
        }))
    }

    /// The field that is named, or else the only one.
    fn field_of<'a>(&'a self, fields: &'a BTreeMap<String, Box<RawValue>>) -> Option<&'a str> {
        match &self.field {
            Some(field) => Some(field),
            None if fields.len() == 1 => fields.keys().next().map(String::as_str),
            None => None,
        }
    }

    fn data_path(&self) -> String {
        format!("{}/data/{}", self.mount, self.path)
    }

    fn not_found(&self) -> VaultError {
        VaultError::NotFound(format!(
            "there is nothing at {} in the engine {}; write it with `vault kv put -mount={} {} secret=-`, and check \
             that it is an engine of the kind KV version 2",
            self.path, self.mount, self.mount, self.path
        ))
    }

    fn several_fields(&self, fields: &BTreeMap<String, Box<RawValue>>) -> VaultError {
        VaultError::Unusable(format!(
            "the entry has {} fields; name one of them, as in vault:{}/{}#FIELD",
            fields.len(),
            self.mount,
            self.path
        ))
    }

    fn wants_version_2(&self) -> String {
        format!("the engine at {} has to be of the kind KV version 2", self.mount)
    }
}

/// Where only another field of the entry was changed, the secret is as old as its first version. They come from newest
/// to oldest.
fn push_unless_same(versions: &mut Vec<SecretVersion>, version: Option<SecretVersion>) {
    let Some(version) = version else { return };
    match versions.last_mut() {
        Some(newer) if name_by_value(&newer.secret) == name_by_value(&version.secret) => *newer = version,
        _ => versions.push(version),
    }
}

fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    [one, other].into_iter().flatten().min()
}

fn time(rfc3339: &str) -> Option<Timestamp> {
    humantime::parse_rfc3339(rfc3339).ok().map(Timestamp::from)
}

fn says(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}
