//! A full disk is told in plain words, and nothing is half done. SQLite's own limit on pages answers as a full
//! disk does.

use posthorn_model::{AccountId, ErrorClass, Flags};

use crate::raw::wrap;
use crate::{Durability, Error, Provenance, RawInput, RawSource, Store, Write};

#[path = "../tests/store/waiting.rs"]
mod waiting;
use waiting::wait;

fn input(bytes: &[u8]) -> RawInput {
    RawInput {
        source: RawSource::Bytes(bytes.to_vec()),
        provenance: Provenance {
            account: AccountId(1),
            mailbox: "INBOX".into(),
            uid: None,
            uidl: None,
            received: None,
            flags: Flags::default(),
        },
    }
}

fn limit(store: &Store, pages: i64) {
    let sql = format!("PRAGMA max_page_count = {pages}");
    let index = sql.clone();
    wait(store.write(move |writer| Ok(writer.index.query_row(&index, [], |_| Ok(()))?))).unwrap();
    wait(store.keep(move |keeper| keeper.messages.query_row(&sql, [], |_| Ok(())).map_err(wrap))).unwrap();
}

#[test]
fn a_full_disk_loses_nothing_that_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let before = wait(store.keep_raw(vec![input(b"before")])).unwrap();
    limit(&store, 1);
    let noise: Vec<u8> = (0..225_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let big = || vec![input(b"small"), input(&noise)];
    let writes = || -> Vec<Write> {
        let put = |number| Write::PutSetting {
            key: format!("key {number}"),
            value: Some("x".repeat(1000)),
        };
        (0..400).map(put).collect()
    };
    for error in [
        wait(store.keep_raw(big())).unwrap_err(),
        wait(store.apply(writes(), Durability::Full)).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Full(_)), "{error:?}");
        assert_eq!(error.class(), ErrorClass::Disk);
        assert!(error.to_string().starts_with("the disk is full"), "{error}");
    }
    assert_eq!(wait(store.verify_raw(before)).unwrap(), [true]);
    assert!(wait(store.settings()).unwrap().is_empty());
    assert_eq!(wait(store.raw_totals()).unwrap().0, 1);
    // Room again: the same goes through.
    limit(&store, 1_000_000);
    assert_eq!(wait(store.keep_raw(big())).unwrap().len(), 2);
    wait(store.apply(writes(), Durability::Full)).unwrap();
    assert_eq!(wait(store.settings()).unwrap().len(), 400);
}
