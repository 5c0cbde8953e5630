//! The data at rest: sealed under a key that nobody stores.

use std::ops::Deref;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use bytes::{BufMut, Bytes};
use zeroize::Zeroizing;

use crate::data::Data;
use crate::event::Refusal;
use crate::keyring::{KeyId, KeyRole, Keyring, Keys};
use crate::lineage::{Lineage, Sealed32};
use crate::owner::Owner;
use crate::random::{RandomError, random_bytes};
use crate::record::{Lifetime, Record};
use crate::session_id::SessionId;
use crate::token::TokenSecret;
use crate::wiped::Wiped;

/// Whether the data is sealed at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sealing {
    /// AES-256-GCM under a key derived from the keyring *and* the browser's secret: a dump of the
    /// database opens no session's data, not even together with the application's secret.
    #[default]
    Sealed,
    /// Plain JSON in the store, for those who share it with other programs.
    Plain,
}

/// Why stored data could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// Sealed under a key that this keyring does not hold.
    UnknownKey,
    /// Not what was sealed for this record: changed, moved, or written by another program.
    Rejected,
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::UnknownKey => Self::UnknownKey,
            OpenError::Rejected => Self::Tampered,
        }
    }
}

const VERSION: u8 = 1;
const KEY_ID_AT: usize = 1;
const NONCE_AT: usize = KEY_ID_AT + KeyId::LENGTH;
const CIPHERTEXT_AT: usize = NONCE_AT + NONCE_LEN;
const TAG_LENGTH: usize = 16;

/// How many bytes sealing adds.
pub(crate) const OVERHEAD: usize = CIPHERTEXT_AT + TAG_LENGTH;

/// Data that was opened, with the key that opened it, so that what is written in its place need not derive it again.
pub(crate) struct Unsealed {
    data: Data,
    key: Option<DataKey>,
}

/// The key that a secret's data is sealed under by a keyring's current key.
struct DataKey {
    key: LessSafeKey,
    secret: TokenSecret,
    keyring: u64,
}

impl Unsealed {
    fn key(&self, secret: &TokenSecret, keyring: &Keyring) -> Option<&LessSafeKey> {
        let known = self.key.as_ref()?;
        (known.keyring == keyring.serial() && known.secret.is(secret)).then_some(&known.key)
    }
}

/// Without the key, for a copy may live on under another secret.
impl Clone for Unsealed {
    fn clone(&self) -> Self {
        self.data.clone().into()
    }
}

impl From<Data> for Unsealed {
    fn from(data: Data) -> Self {
        Self { data, key: None }
    }
}

impl Deref for Unsealed {
    type Target = Data;

    fn deref(&self) -> &Data {
        &self.data
    }
}

impl Sealing {
    /// The stored form of `data`, bound to the other fields of `record` as they are now. What was opened `before` may
    /// spare some work.
    pub(crate) fn close(
        self,
        data: &Data,
        record: &Record,
        secret: &TokenSecret,
        keyring: &Keyring,
        before: Option<&Unsealed>,
    ) -> Result<Bytes, RandomError> {
        let (plain, keys) = (data.json().as_bytes(), keyring.current());
        if self == Self::Plain {
            return Ok(Bytes::copy_from_slice(plain));
        }
        match before.and_then(|before| before.key(secret, keyring)) {
            Some(key) => seal(plain, record, keys, key),
            None => seal(plain, record, keys, &data_key(keys, secret)),
        }
    }

    /// The data of `record`, and the key it is sealed under. Plain data where sealed is expected is rejected: it may
    /// be anybody's.
    pub(crate) fn open(
        self,
        record: &Record,
        secret: &TokenSecret,
        keyring: &Keyring,
    ) -> Result<(Unsealed, KeyRole), OpenError> {
        let (json, role, key) = match self {
            Self::Plain => (record.data.to_vec(), KeyRole::Current, None),
            Self::Sealed => {
                unseal(record, secret, keyring).map(|(json, role, key)| (json, role, Some(key)))?
            }
        };
        let json = String::from_utf8(json).map_err(|_| OpenError::Rejected)?;
        let data = Data::parse(json).map_err(|_| OpenError::Rejected)?;
        let key = key.filter(|_| role == KeyRole::Current).map(|key| DataKey {
            key,
            secret: secret.clone(),
            keyring: keyring.serial(),
        });
        Ok((Unsealed { data, key }, role))
    }
}

fn seal(plain: &[u8], record: &Record, keys: &Keys, key: &LessSafeKey) -> Result<Bytes, RandomError> {
    let nonce: [u8; NONCE_LEN] = random_bytes()?;
    let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
    sealed.push(VERSION);
    sealed.extend_from_slice(keys.id().as_bytes());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(BoundFields::of(record)),
            &mut sealed[CIPHERTEXT_AT..],
        )
        .expect("AES-256-GCM seals up to 64 GiB, and a session's data is a mebibyte at most");
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed.into())
}

fn unseal(
    record: &Record,
    secret: &TokenSecret,
    keyring: &Keyring,
) -> Result<(Vec<u8>, KeyRole, LessSafeKey), OpenError> {
    let stored = &record.data;
    if stored.len() < OVERHEAD || stored[0] != VERSION {
        return Err(OpenError::Rejected);
    }
    let mut key_id = [0; KeyId::LENGTH];
    key_id.copy_from_slice(&stored[KEY_ID_AT..NONCE_AT]);
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&stored[NONCE_AT..CIPHERTEXT_AT]);

    let bound = BoundFields::of(record);
    let mut failure = OpenError::UnknownKey;
    for (keys, role) in keyring.with_id(KeyId::from_bytes(key_id)) {
        let mut opened = stored[CIPHERTEXT_AT..].to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let key = data_key(keys, secret);
        match key.open_in_place(nonce, Aad::from(&bound), &mut opened) {
            Ok(plain) => {
                let length = plain.len();
                opened.truncate(length);
                return Ok((opened, role, key));
            }
            Err(_) => failure = OpenError::Rejected,
        }
    }
    Err(failure)
}

/// `successor`, sealed for whoever bears `secret`, the one before it.
pub(crate) fn seal_successor(
    successor: &TokenSecret,
    secret: &TokenSecret,
    id: SessionId,
    generation: u32,
    keyring: &Keyring,
) -> Result<Sealed32, RandomError> {
    let keys = keyring.current();
    let nonce: [u8; NONCE_LEN] = random_bytes()?;
    let mut sealed = [0; Sealed32::LENGTH];
    let (head, body) = sealed.split_at_mut(KeyId::LENGTH + NONCE_LEN);
    head[..KeyId::LENGTH].copy_from_slice(keys.id().as_bytes());
    head[KeyId::LENGTH..].copy_from_slice(&nonce);
    let (body, tag) = body.split_at_mut(TokenSecret::LENGTH);
    body.copy_from_slice(successor.expose());
    let bound = Aad::from(bound_succession(id, generation));
    let made = data_key(keys, secret)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound, body)
        .expect("AES-256-GCM seals up to 64 GiB, and these are 32 bytes");
    tag.copy_from_slice(made.as_ref());
    Ok(Sealed32(sealed))
}

/// The current secret of `record`, for whoever bears the one before.
pub(crate) fn open_successor(
    record: &Record,
    secret: &TokenSecret,
    keyring: &Keyring,
) -> Result<TokenSecret, OpenError> {
    let sealed = record.lineage.successor().ok_or(OpenError::Rejected)?;
    let (head, body) = sealed.0.split_at(KeyId::LENGTH + NONCE_LEN);
    let mut key_id = [0; KeyId::LENGTH];
    key_id.copy_from_slice(&head[..KeyId::LENGTH]);
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&head[KeyId::LENGTH..]);
    let bound = bound_succession(record.id, record.lineage.generation);
    let mut failure = OpenError::UnknownKey;
    for (keys, _) in keyring.with_id(KeyId::from_bytes(key_id)) {
        let mut opened = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        failure = OpenError::Rejected;
        if let Ok(plain) = data_key(keys, secret).open_in_place(nonce, Aad::from(bound), &mut opened) {
            let mut successor = [0; TokenSecret::LENGTH];
            successor.copy_from_slice(plain);
            let successor = TokenSecret::from_bytes(successor);
            // The record says which secret is current, whatever else could be opened.
            if record.secret_hash.matches(&successor.hash()) {
                return Ok(successor);
            }
        }
    }
    Err(failure)
}

const SUCCESSION: &[u8; 19] = b"tenure succession 1";

fn bound_succession(id: SessionId, generation: u32) -> [u8; SUCCESSION.len() + SessionId::LENGTH + 4] {
    let mut bound = [0; SUCCESSION.len() + SessionId::LENGTH + 4];
    let (label, rest) = bound.split_at_mut(SUCCESSION.len());
    let (named, numbered) = rest.split_at_mut(SessionId::LENGTH);
    label.copy_from_slice(SUCCESSION);
    named.copy_from_slice(id.as_bytes());
    numbered.copy_from_slice(&generation.to_be_bytes());
    bound
}

fn data_key(keys: &Keys, secret: &TokenSecret) -> LessSafeKey {
    let mut key = Wiped::<32>::zero();
    hmac::sign_to_buffer(keys.seal(), secret.expose(), &mut *key)
        .expect("the buffer is as long as an HMAC-SHA-256");
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("AES-256 takes a key of 32 bytes"))
}

/// The fields that the data is bound to, in an encoding that reads one way only. All that grants
/// something is among them; `last_seen_at` is not, for it slides without a new seal, and the
/// device is a label.
struct BoundFields {
    bytes: [u8; Self::MAX_BYTES],
    length: usize,
}

impl BoundFields {
    const LABEL: &[u8; 13] = b"tenure data 1";
    const MAX_BYTES: usize = Self::LABEL.len()
        + SessionId::LENGTH
        + 4 * size_of::<u64>()
        + 1
        + (1 + size_of::<u64>())
        + Lineage::MAX_BYTES
        + (1 + Owner::MAX_BYTES);

    fn of(record: &Record) -> Self {
        let mut fields = Self {
            bytes: [0; Self::MAX_BYTES],
            length: 0,
        };
        let mut rest = &mut fields.bytes[..];
        rest.put_slice(Self::LABEL);
        rest.put_slice(record.id.as_bytes());
        rest.put_u64(record.version);
        rest.put_u64(record.created_at.as_millis());
        rest.put_u64(record.absolute_deadline.as_millis());
        rest.put_u64(crate::clock::whole_millis(record.idle_timeout));
        rest.put_u8(match record.lifetime {
            Lifetime::Standard => 0,
            Lifetime::Remembered => 1,
        });
        match record.signed_in_at {
            None => rest.put_u8(0),
            Some(moment) => {
                rest.put_u8(1);
                rest.put_u64(moment.as_millis());
            }
        }
        record.lineage.append_to(&mut rest);
        // Last, because it is the one whose length nothing before it tells.
        match &record.owner {
            None => rest.put_u8(0),
            Some(owner) => {
                rest.put_u8(1);
                rest.put_slice(owner.as_str().as_bytes());
            }
        }
        fields.length = Self::MAX_BYTES - rest.len();
        fields
    }
}

impl AsRef<[u8]> for BoundFields {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::device::Device;
    use crate::secret::Secret;
    use crate::session_id::SessionId;
    use proptest::prelude::*;
    use std::time::Duration;

    fn keyring() -> Keyring {
        Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"))
    }

    fn record(secret: &TokenSecret) -> Record {
        Record {
            id: SessionId::from_bytes([7; 16]),
            version: 3,
            secret_hash: secret.hash(),
            previous_secret_hash: None,
            lineage: Lineage::begun(Timestamp::from_millis(1_000)),
            owner: Some(Owner::new("ada").unwrap()),
            created_at: Timestamp::from_millis(1_000),
            signed_in_at: Some(Timestamp::from_millis(2_000)),
            last_seen_at: Timestamp::from_millis(3_000),
            idle_timeout: Duration::from_secs(60),
            absolute_deadline: Timestamp::from_millis(900_000),
            lifetime: Lifetime::Standard,
            device: Device::default(),
            data: Bytes::new(),
        }
    }

    fn sealed(secret: &TokenSecret, json: &str) -> Record {
        let record = record(secret);
        let data = Sealing::Sealed
            .close(&Data::parse(json).unwrap(), &record, secret, &keyring(), None)
            .unwrap();
        Record { data, ..record }
    }

    fn opened(record: &Record, secret: &TokenSecret) -> Result<String, OpenError> {
        Sealing::Sealed
            .open(record, secret, &keyring())
            .map(|(data, _)| data.json().to_owned())
    }

    #[test]
    fn what_is_sealed_opens_with_the_secret_and_the_keyring() {
        let secret = TokenSecret::generate().unwrap();
        assert_eq!(
            opened(&sealed(&secret, r#"{"a":1}"#), &secret).unwrap(),
            r#"{"a":1}"#
        );
    }

    #[test]
    fn another_secret_or_another_keyring_opens_nothing() {
        let secret = TokenSecret::generate().unwrap();
        let record = sealed(&secret, r#"{"a":1}"#);
        assert_eq!(
            opened(&record, &TokenSecret::generate().unwrap()),
            Err(OpenError::Rejected)
        );
        let other = Keyring::new(Secret::new("Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7"));
        assert_eq!(
            Sealing::Sealed.open(&record, &secret, &other).err(),
            Some(OpenError::UnknownKey)
        );
    }

    #[test]
    fn data_opens_under_no_other_metadata() {
        let secret = TokenSecret::generate().unwrap();
        let record = sealed(&secret, "{}");
        let other = |change: fn(&mut Record)| {
            let mut changed = record.clone();
            change(&mut changed);
            opened(&changed, &secret)
        };
        let changes: [fn(&mut Record); 10] = [
            |record| record.id = SessionId::from_bytes([8; 16]),
            |record| record.version = 4,
            |record| record.lineage.replace(Timestamp::from_millis(1_000)),
            |record| record.owner = Some(Owner::new("eve").unwrap()),
            |record| record.owner = None,
            |record| record.created_at = Timestamp::from_millis(1),
            |record| record.signed_in_at = None,
            |record| record.idle_timeout = Duration::from_secs(61),
            |record| record.absolute_deadline = Timestamp::from_millis(900_001),
            |record| record.lifetime = Lifetime::Remembered,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_eq!(other(change), Err(OpenError::Rejected), "change {number}");
        }
        assert!(other(|record| record.last_seen_at = Timestamp::from_millis(3_001)).is_ok());
    }

    #[test]
    fn plain_data_is_rejected_where_sealed_is_expected() {
        let secret = TokenSecret::generate().unwrap();
        let planted = Record {
            data: Bytes::from_static(br#"{"admin":true}"#),
            ..record(&secret)
        };
        assert_eq!(opened(&planted, &secret), Err(OpenError::Rejected));
    }

    proptest! {
        #[test]
        fn any_stored_bytes_are_survived_and_rejected(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let secret = TokenSecret::generate().unwrap();
            let planted = Record { data: data.into(), ..record(&secret) };
            prop_assert!(opened(&planted, &secret).is_err());
        }

        #[test]
        fn every_flipped_bit_is_rejected(bit in 0usize..(OVERHEAD + 7) * 8) {
            let secret = TokenSecret::generate().unwrap();
            let record = sealed(&secret, r#"{"a":1}"#);
            let mut data = record.data.to_vec();
            data[bit / 8] ^= 1 << (bit % 8);
            let damaged = Record { data: data.into(), ..record };
            prop_assert!(opened(&damaged, &secret).is_err());
        }
    }
}
