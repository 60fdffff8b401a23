use posthorn_model::filter::{Action, Condition, Matching, Rule};
use posthorn_model::{AccountId, Address, Envelope};

use super::{Destination, Letter, decide};

fn rule(name: &str, matching: Matching, conditions: &[&str], actions: &[&str]) -> Rule {
    Rule {
        name: name.into(),
        enabled: true,
        account: None,
        matching,
        conditions: conditions
            .iter()
            .map(|text| Condition::parse(text).expect("a condition"))
            .collect(),
        actions: actions
            .iter()
            .map(|text| Action::parse(text).expect("an action"))
            .collect(),
    }
}

const HEADER: &[u8] =
    b"List-Id: Rust users <users.rust.example.org>\r\nX-Loop: one\r\nX-Loop: two\r\nSubject: x\r\n\r\nX-Body: no\r\n";

fn envelope() -> Envelope {
    Envelope {
        subject: "Grüße aus Köln".into(),
        from: vec![Address::new("Ada Lovelace", "Ada@Example.org")],
        to: vec![Address::bare("me@example.org"), Address::bare("list@example.org")],
        cc: vec![Address::new("Grace", "grace@navy.example")],
        ..Envelope::default()
    }
}

fn verdict(rules: &[Rule]) -> super::Verdict {
    let envelope = envelope();
    decide(
        rules,
        &Letter {
            account: AccountId(1),
            envelope: &envelope,
            header: HEADER,
            size: 5000,
            has_attachments: true,
        },
    )
}

#[test]
fn conditions_look_at_what_they_name() {
    let check = |condition: &str, expect: bool| {
        let rules = [rule("r", Matching::All, &[condition], &["star"])];
        assert_eq!(!verdict(&rules).is_empty(), expect, "{condition}");
    };
    check("from contains example.org", true);
    check("from is ada@example.org", true);
    check("from is ada lovelace", true);
    check("from is ada", false);
    check("from begins ada l", true);
    check("from ends @example.org", true);
    check("from not contains example.org", false);
    check("to contains list@", true);
    check("to is grace", true);
    check("to not is nobody@example.org", true);
    check("subject contains GRÜSSE", false);
    check("subject contains KÖLN", true);
    check("subject begins grüße", true);
    check("list-id is users.rust.example.org", true);
    check("list-id contains rust users", true);
    check("list-id not contains perl", true);
    check("header x-loop is two", true);
    check("header x-loop not is three", true);
    check("header x-loop not is two", false);
    check("header x-body contains no", false);
    check("header x-absent not contains a", true);
    check("size > 4kB", true);
    check("size > 5000", false);
    check("size < 5001", true);
    check("attachment yes", true);
    check("attachment no", false);
}

#[test]
fn all_any_and_none() {
    let (yes, no) = ("size > 1", "size < 1");
    let check = |matching: Matching, conditions: &[&str], expect: bool| {
        let rules = [rule("r", matching, conditions, &["star"])];
        assert_eq!(!verdict(&rules).is_empty(), expect, "{matching:?} {conditions:?}");
    };
    check(Matching::All, &[yes, yes], true);
    check(Matching::All, &[yes, no], false);
    check(Matching::Any, &[no, yes], true);
    check(Matching::Any, &[no, no], false);
    check(Matching::All, &[], true);
    check(Matching::Any, &[], true);
}

#[test]
fn actions_add_up_and_the_first_move_counts() {
    let check = |rules: &[Rule], flags: &[&str], to: Option<Destination>, names: &[&str]| {
        let verdict = verdict(rules);
        assert_eq!(verdict.change.add.names(), flags);
        assert_eq!(
            (verdict.to, verdict.rules.as_slice()),
            (to, names.map_names().as_slice())
        );
    };
    let lists = || Some(Destination::Mailbox("Lists".into()));
    let one = |actions| rule("one", Matching::All, &[], actions);
    let two = |actions| rule("two", Matching::All, &[], actions);
    check(&[one(&["read", "star"])], &["seen", "flagged"], None, &["one"]);
    check(
        &[one(&["tag work"]), two(&["tag home"])],
        &["home", "work"],
        None,
        &["one", "two"],
    );
    check(
        &[one(&["move Lists"]), two(&["junk"])],
        &[],
        lists(),
        &["one", "two"],
    );
    check(
        &[one(&["junk"]), two(&["move Lists"])],
        &[],
        Some(Destination::Junk),
        &["one", "two"],
    );
    check(
        &[one(&["stop", "star"]), two(&["read"])],
        &["flagged"],
        None,
        &["one"],
    );
    let mut off = one(&["stop"]);
    off.enabled = false;
    check(&[off, two(&["read"])], &["seen"], None, &["two"]);
    let mut other = one(&["stop"]);
    other.account = Some(AccountId(2));
    check(&[other, two(&["read"])], &["seen"], None, &["two"]);
    let mut own = one(&["star", "stop"]);
    own.account = Some(AccountId(1));
    check(&[own, two(&["read"])], &["flagged"], None, &["one"]);
}

trait MapNames {
    fn map_names(&self) -> Vec<String>;
}
impl MapNames for [&str] {
    fn map_names(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}
