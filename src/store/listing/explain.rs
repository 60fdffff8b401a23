//! The hot queries walk indexes: no scan of a table, no sorting.

use rusqlite::{Connection, StatementStatus};

use crate::db::{Access, open_file};
use crate::error::File;
use crate::identity;
use crate::message::{BODIES_MISSING, BY_HASH, BY_MESSAGE_ID, WITHOUT_BODY};
use crate::migrate::{INDEX, MESSAGES, migrate};
use crate::raw::HAS_PROVENANCE;
use crate::search::{MATCH, SCAN};

fn explain(index: &Connection, sql: &str) -> Vec<String> {
    let mut explain = index.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let nulls = vec![rusqlite::types::Null; explain.parameter_count()];
    let rows = explain
        .query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>(3))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn hot_queries_use_their_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open_file(dir.path(), File::Index, Access::Write).unwrap();
    migrate(&mut index, dir.path(), File::Index, INDEX).unwrap();
    let check = |sql: &str, expect: &str| {
        let plan = explain(&index, sql);
        assert!(
            plan.iter().any(|line| line.contains(expect)),
            "{expect} not in {plan:#?} of {sql}"
        );
        for line in &plan {
            assert!(!line.contains("TEMP B-TREE"), "{line} in {sql}");
            assert!(
                !line.starts_with("SCAN") || line.contains("VIRTUAL TABLE"),
                "{line} in {sql}"
            );
        }
    };
    check(
        super::MAILBOX_KEYS,
        "SEARCH placement USING PRIMARY KEY (mailbox=? AND message<?)",
    );
    check(
        super::ACCOUNT_KEYS,
        "SEARCH m USING COVERING INDEX message_by_account (account=? AND rowid<?)",
    );
    check(
        super::ACCOUNT_KEYS,
        "SEARCH p USING COVERING INDEX placement_by_message (message=?)",
    );
    check(super::ALL_KEYS, "SEARCH m USING INTEGER PRIMARY KEY (rowid<?)");
    check(super::ROW, "SEARCH p USING PRIMARY KEY (mailbox=? AND message=?)");
    check(super::ROW, "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)");
    check(super::ROW, "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)");
    check(WITHOUT_BODY, "message_without_body (account=?)");
    check(
        SCAN,
        "SEARCH message USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    );
    check(MATCH, "VIRTUAL TABLE INDEX");
    for (sql, expect) in [
        (
            "SELECT min(mailbox) FROM placement WHERE message = ?1",
            "placement_by_message",
        ),
        (
            "SELECT id FROM message WHERE thread = ?1 ORDER BY id DESC LIMIT ?2",
            "message_by_thread",
        ),
        (BY_HASH, "message_by_hash"),
        (BY_MESSAGE_ID, "message_by_thread"),
        (BODIES_MISSING, "message_without_body (account=?"),
        (identity::ADRIFT, "placement_adrift"),
        (identity::ADRIFT_COUNTS, "placement_adrift"),
        (identity::BY_OBJECT, "message_by_object"),
        (identity::BY_MESSAGE_ID, "message_by_thread"),
        ("SELECT state FROM ledger WHERE message = ?1", "ledger_by_message"),
        (
            "SELECT message FROM placement WHERE mailbox = ?1 AND uid = ?2",
            "placement_by_uid",
        ),
        (
            "SELECT uid FROM placement WHERE mailbox = ?1 AND uid IS NOT NULL ORDER BY uid",
            "placement_by_uid",
        ),
        (
            "SELECT coalesce(sum(total), 0) FROM mailbox_span WHERE mailbox = ?1 AND span > ?2",
            "PRIMARY KEY",
        ),
        (
            "SELECT count(*) FROM placement WHERE mailbox = ?1 AND message BETWEEN ?2 AND ?3",
            "PRIMARY KEY",
        ),
    ] {
        check(sql, expect);
    }
}

#[test]
fn where_a_message_came_from_is_found_by_the_message() {
    let dir = tempfile::tempdir().unwrap();
    let mut messages = open_file(dir.path(), File::Messages, Access::Write).unwrap();
    migrate(&mut messages, dir.path(), File::Messages, MESSAGES).unwrap();
    let plan = explain(&messages, HAS_PROVENANCE);
    assert!(
        plan.iter().any(|line| line.contains("provenance_by_raw")),
        "{plan:#?}"
    );
}

#[test]
fn a_cached_statement_is_not_prepared_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open_file(dir.path(), File::Index, Access::Write).unwrap();
    migrate(&mut index, dir.path(), File::Index, INDEX).unwrap();
    for sql in [
        super::ROW,
        super::MAILBOX_KEYS,
        super::ACCOUNT_KEYS,
        BY_HASH,
        WITHOUT_BODY,
    ] {
        let mut select = index.prepare(sql).unwrap();
        for value in 0..5_i64 {
            let values = vec![value; select.parameter_count()];
            let mut rows = select.query(rusqlite::params_from_iter(values)).unwrap();
            assert!(rows.next().unwrap().is_none());
        }
        assert_eq!(select.get_status(StatementStatus::RePrepare), 0, "{sql}");
    }
}
