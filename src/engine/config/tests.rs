use super::*;
use posthorn_model::{AuthMethod, Endpoint, ErrorClass, Identity, KeepAtMost, LeaveOnServer, SecretPlace};

fn account(name: &str, protocol: Protocol) -> AccountConfig {
    let endpoint = |port| Endpoint {
        host: "mail.example.org".into(),
        port,
        security: Security::Tls,
    };
    AccountConfig {
        name: name.into(),
        protocol,
        username: "ada".into(),
        auth: AuthMethod::Password,
        client_certificate: None,
        secrets: SecretPlace::File,
        allow_cleartext: false,
        connections: None,
        pop3: Pop3Policy::default(),
        identity: Identity {
            name: "Ada".into(),
            email: "ada@example.org".into(),
            signature: "Ada\n-- \n\"quoted\"".into(),
        },
        incoming: endpoint(993),
        outgoing: Some(endpoint(465)),
    }
}

#[test]
fn reads_back_what_it_wrote_and_never_reuses_an_id() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let mut accounts = Accounts::load(dir.path()).expect("empty");
    let imap = account("work", Protocol::Imap);
    let pop3 = AccountConfig {
        pop3: Pop3Policy {
            keep_at_most: Some(KeepAtMost::Bytes(200_000_000)),
            headers_first: true,
            body_cap: Some(5_000_000),
            per_session: Some(250),
            ..Pop3Policy::leaving(LeaveOnServer::Days(14))
        },
        outgoing: None,
        ..account("home", Protocol::Pop3)
    };
    let first = accounts.add(imap.clone()).expect("added");
    let second = accounts.add(pop3.clone()).expect("added");
    let mut again = Accounts::load(dir.path()).expect("readable");
    let all: Vec<_> = again.iter().map(|(id, config)| (id, config.clone())).collect();
    assert_eq!(all, [(first, imap), (second, pop3)]);
    again.remove(second).expect("removed");
    let mut again = Accounts::load(dir.path()).expect("readable");
    let third = again.add(account("third", Protocol::Imap)).expect("added");
    assert!(third > second);
    assert_eq!(fs::read_dir(dir.path()).expect("directory").count(), 1);
}

#[test]
fn reads_a_file_from_before_there_was_more_than_one_rule() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let text = "next_id = 2\n[[account]]\nid = 1\nname = \"home\"\nprotocol = \"pop3\"\nusername = \"ada\"\n\
                [account.leave_on_server]\ndays = 14\n[account.identity]\nemail = \"ada@example.org\"\n\
                [account.incoming]\nhost = \"pop.example.org\"\nport = 995\nsecurity = \"tls\"\n";
    fs::write(dir.path().join("accounts.toml"), text).expect("written");
    let accounts = Accounts::load(dir.path()).expect("readable");
    let config = accounts.find(AccountId(1)).expect("the account");
    assert_eq!(config.pop3, Pop3Policy::leaving(LeaveOnServer::Days(14)));
}

#[test]
fn keeps_a_damaged_file_as_it_is() {
    for text in [
        "next_id = \"one\"",
        "next_id = 1\n[[account]]\nid = 1\nname = \"x\"",
        "\u{0}",
        "next_id = 5\nsurprise = 1",
    ] {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("accounts.toml");
        fs::write(&path, text).expect("written");
        let error = Accounts::load(dir.path()).expect_err("damaged");
        assert_eq!(error.class(), ErrorClass::Config, "{text:?}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), text);
    }
}

#[test]
fn refuses_accounts_that_cannot_work() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let mut accounts = Accounts::load(dir.path()).expect("empty");
    accounts.add(account("work", Protocol::Imap)).expect("added");
    let mut check = |what: &str, change: &dyn Fn(&mut AccountConfig)| {
        let mut config = account("other", Protocol::Imap);
        change(&mut config);
        let error = accounts.add(config).expect_err(what);
        assert_eq!(error.class(), ErrorClass::Config, "{what}");
    };
    check("name taken", &|config| config.name = "Work".into());
    check("empty name", &|config| config.name.clear());
    check("slash", &|config| config.name = "a/b".into());
    check("address", &|config| config.identity.email = "ada".into());
    check("user name", &|config| config.username.clear());
    check("cleartext", &|config| config.incoming.security = Security::None);
    check("policy", &|config| config.pop3.leave = LeaveOnServer::Never);
    let mut clear = account("clear", Protocol::Imap);
    clear.incoming.security = Security::None;
    clear.incoming.host = "127.0.0.1".into();
    accounts.add(clear).expect("loopback may be in clear");
}
