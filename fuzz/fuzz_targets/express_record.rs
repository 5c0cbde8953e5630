//! A stored session as an Express application writes it: no panic, and what is read and written is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_core::Timestamp;
use tenure_core::express::SessionRecord;

fuzz_target!(|json: &str| {
    let Ok(mut record) = SessionRecord::parse(json) else {
        return;
    };
    let again = SessionRecord::parse(&record.to_json()).expect("what was written is read");
    assert_eq!(again.to_json(), record.to_json());
    assert_eq!(again.cookie().expires_at(), record.cookie().expires_at());
    record.cookie_mut().touch(Timestamp::from_millis(1_767_225_600_000));
    SessionRecord::parse(&record.to_json()).expect("what was touched is read");
});
