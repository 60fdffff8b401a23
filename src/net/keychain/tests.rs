use super::*;
use std::process::Command;
use std::time::{Duration, Instant};

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

/// What every place must do.
fn exercise(store: &dyn SecretStore) {
    assert_eq!(store.load("account/1").expect("empty"), None);
    store.remove("account/1").expect("nothing to remove");
    store.save("account/1", &secret("pass")).expect("save");
    store
        .save("account/2", &secret(&"t".repeat(8000)))
        .expect("a long token");
    store
        .save("account/1", &secret("pässwörd \u{1f511}"))
        .expect("again");
    assert_eq!(
        store.load("account/1").expect("load"),
        Some(secret("pässwörd \u{1f511}"))
    );
    assert_eq!(
        store.load("account/2").expect("load"),
        Some(secret(&"t".repeat(8000)))
    );
    store.remove("account/2").expect("remove");
    assert_eq!(store.load("account/2").expect("load"), None);
    assert_eq!(
        store.load("account/1").expect("load"),
        Some(secret("pässwörd \u{1f511}"))
    );
}

#[test]
fn a_session_keeps_secrets() {
    exercise(&SessionSecrets::default());
}

#[test]
fn a_sealed_file_keeps_secrets_across_openings() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("deep/secrets.sealed");
    let store = SealedFile::open(&path, secret("open sesame")).expect("new");
    assert!(!path.exists(), "opening writes nothing");
    exercise(&store);
    let again = SealedFile::open(&path, secret("open sesame")).expect("again");
    assert_eq!(
        again.load("account/1").expect("load"),
        Some(secret("pässwörd \u{1f511}"))
    );
    let text = std::fs::read_to_string(&path).expect("file");
    assert!(!text.contains("account") && !text.contains("sesame"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).expect("file").permissions().mode() & 0o777,
            0o600
        );
    }
    let beside = std::fs::read_dir(path.parent().expect("dir"))
        .expect("dir")
        .count();
    assert_eq!(beside, 1, "no temporary file stays");
}

#[test]
fn wrong_passphrases_and_damage_are_told_apart_and_harm_nothing() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("secrets.sealed");
    let store = SealedFile::open(&path, secret("right")).expect("new");
    store.save("k", &secret("v")).expect("save");
    let whole = std::fs::read(&path).expect("file");
    let class = |passphrase: &str| {
        SealedFile::open(&path, secret(passphrase))
            .err()
            .map(|error| error.class)
    };
    assert_eq!(class("right"), None);
    assert_eq!(class("wrong"), Some(ErrorClass::Auth));
    assert_eq!(class(""), Some(ErrorClass::Config));
    let body = whole.len() - 10;
    let change = |at: usize, to: u8| {
        let mut bytes = whole.clone();
        bytes[at] = to;
        bytes
    };
    let text = String::from_utf8(whole.clone()).expect("text");
    let greedy = text.replace("m=19456", "m=4000000000").into_bytes();
    let weaker = text.replace("t=2", "t=0").into_bytes();
    for damaged in [
        change(0, b'X'),
        change(body, b'!'),
        Vec::new(),
        whole[..body].to_vec(),
        greedy,
        weaker,
    ] {
        std::fs::write(&path, &damaged).expect("damage");
        assert_eq!(class("right"), Some(ErrorClass::Corrupt));
        let error = store
            .save("k", &secret("new"))
            .expect_err("not over a damaged file");
        assert_eq!(error.class, ErrorClass::Corrupt);
        assert_eq!(std::fs::read(&path).expect("file"), damaged, "left as it was");
    }
    // One bit of the sealed part: the seal tells.
    let sealed = change(body, if whole[body] == b'A' { b'B' } else { b'A' });
    std::fs::write(&path, &sealed).expect("damage");
    assert_eq!(class("right"), Some(ErrorClass::Corrupt));
}

const INSIDE: &str = "POSTHORN_TEST_INSIDE_A_DBUS_SESSION";

/// Runs one test of this binary again, inside a message bus of its own. False: that cannot be had here.
fn runs_inside_a_session(test: &str, daemon: &str) -> bool {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !has("dbus-run-session") || !has("gnome-keyring-daemon") {
        println!("skipped: dbus-run-session and gnome-keyring-daemon are not both here");
        return false;
    }
    let home = tempfile::tempdir().expect("dir");
    let program = std::env::current_exe().expect("this binary");
    let run = format!("{daemon} exec \"$0\" --exact {test} --nocapture");
    // The bus starts no services of its own accord: no prompt can appear.
    let config = home.path().join("bus.conf");
    std::fs::write(
        &config,
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context=\"default\">\
         <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>\
         </policy></busconfig>",
    )
    .expect("bus");
    let output = Command::new("dbus-run-session")
        .arg(format!("--config-file={}", config.display()))
        .args(["--", "sh", "-c", &run])
        .arg(program)
        .env(INSIDE, home.path())
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("dbus-run-session");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    true
}

const UNLOCKED: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1;";

#[test]
fn a_real_keychain_keeps_the_key() {
    let Some(home) = std::env::var_os(INSIDE).map(PathBuf::from) else {
        runs_inside_a_session("keychain::tests::a_real_keychain_keeps_the_key", UNLOCKED);
        return;
    };
    let dir = home.join("profile");
    let keychain = Keychain::open("test profile", &dir).expect("open");
    exercise(&keychain);
    let path = dir.join("keychain.sealed");
    assert!(path.exists());
    // From inside a runtime's blocking thread, as the program does it.
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let again = Keychain::open("test profile", &dir).expect("open");
    let found =
        runtime.block_on(async { tokio::task::spawn_blocking(move || again.load("account/1")).await });
    assert_eq!(
        found.expect("task").expect("load"),
        Some(secret("pässwörd \u{1f511}"))
    );
    // Another profile's key opens nothing, and is not taken for a damaged file.
    let other = Keychain::open("another profile", &dir).expect("open");
    assert_eq!(
        other.load("account/1").expect_err("no key").class,
        ErrorClass::Auth
    );
    let before = std::fs::read(&path).expect("file");
    other.save("account/1", &secret("new")).expect("begins anew");
    assert_eq!(other.load("account/1").expect("load"), Some(secret("new")));
    let aside = dir.join("keychain.sealed.unreadable-1");
    assert_eq!(std::fs::read(aside).expect("set aside"), before);
    assert_eq!(
        keychain.load("account/1").expect_err("another key").class,
        ErrorClass::Auth
    );
    // Locked, and nobody there to ask: a word to the user, and no new key over the old one.
    let locked = Command::new("dbus-send")
        .args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.secrets",
            "/org/freedesktop/secrets",
        ])
        .args([
            "org.freedesktop.Secret.Service.Lock",
            "array:objpath:/org/freedesktop/secrets/collection/login",
        ])
        .output()
        .expect("dbus-send");
    assert!(locked.status.success(), "{locked:?}");
    let late = Keychain::open("another profile", &dir).expect("open");
    for error in [
        late.load("account/1").err(),
        late.save("account/1", &secret("x")).err(),
    ] {
        let error = error.expect("locked");
        assert!(
            error.class == ErrorClass::Auth && error.what.contains("locked"),
            "{error}"
        );
    }
}

#[test]
fn no_keychain_service_is_a_plain_word() {
    let Some(home) = std::env::var_os(INSIDE).map(PathBuf::from) else {
        runs_inside_a_session("keychain::tests::no_keychain_service_is_a_plain_word", "");
        return;
    };
    let keychain = Keychain::open("test profile", &home).expect("open");
    assert_eq!(keychain.load("account/1").expect("nothing was ever kept"), None);
    let error = keychain.save("account/1", &secret("x")).expect_err("no service");
    assert_eq!(error.class, ErrorClass::Config, "{error}");
    assert!(error.what.contains("no keychain service answers"), "{error}");
    assert!(!home.join("keychain.sealed").exists());
    // The user starts one: the next try finds it, without a restart.
    let started = Command::new("sh")
        .args(["-c", UNLOCKED])
        .status()
        .expect("daemon");
    assert!(started.success());
    // It says that it has started before the bus knows it.
    let until = Instant::now() + Duration::from_secs(30);
    let mut saved = keychain.save("account/1", &secret("x"));
    while saved.is_err() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
        saved = keychain.save("account/1", &secret("x"));
    }
    saved.expect("found now");
    assert_eq!(keychain.load("account/1").expect("load"), Some(secret("x")));
}
