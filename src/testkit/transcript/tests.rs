use super::*;

async fn talk(script: &str, sends: &str) -> Result<Vec<String>, Mismatch> {
    let (mut client, task) = serve(script);
    // A server that closed already must not stop us.
    let _ = client.write_all(sends.as_bytes()).await;
    drop(client);
    task.await.unwrap()
}

#[tokio::test]
async fn plays_and_remembers_the_tag() {
    let (mut client, task) =
        serve("S: * OK\n# a comment\nC: {tag} LOGIN {*}\nS: {tag} OK \\x41\\\\\nC: {tag} BYE\n-- close");
    client.write_all(b"x1 LOGIN a b\r\nx2 BYE\r\n").await.unwrap();
    let mut seen = String::new();
    client.read_to_string(&mut seen).await.unwrap();
    assert_eq!(seen, "* OK\r\nx1 OK A\\\r\n");
    assert_eq!(task.await.unwrap().unwrap(), ["x1 LOGIN a b", "x2 BYE"]);
}

#[tokio::test]
async fn says_where_the_talk_left_the_script() {
    for (script, sends, line) in [
        ("C: a\nC: b", "a\r\nc\r\n", Some(2)),
        ("C: a\nC: b", "a\r\n", Some(2)),
        ("C: a", "a\r\nmore", Some(2)),
        ("C: a", "a\n", Some(1)),
        ("C+ 3\nC: x", "abcx\r\n", None),
        ("C+ 3", "ab", Some(1)),
        ("what", "", Some(1)),
    ] {
        let outcome = talk(script, sends).await;
        assert_eq!(
            outcome.as_ref().err().map(|mismatch| mismatch.line),
            line,
            "{script:?} {outcome:?}"
        );
    }
}

#[test]
fn fits_patterns() {
    for (pattern, line, expect) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a{*}", "ab", true),
        ("{*}b", "ab", true),
        ("a{*}c{*}e", "abcde", true),
        ("a{*}c{*}e", "abde", false),
        ("a{*}c{*}e", "abcdef", false),
        ("{tag} X", "t X", true),
        ("{tag} X", "t Y", false),
        ("{tag} X", "X", false),
    ] {
        assert_eq!(fits(pattern, line).is_some(), expect, "{pattern} {line}");
    }
}
