use super::*;

const OUTSIDE: &str = "Received: from out.example.org (out.example.org [192.0.2.1])\r\n\tby mx.home.example (Postfix) with ESMTPS id 1;\r\n\tMon, 3 Mar 2025 10:00:00 +0000\r\n";
const AUTHOR: &str = "From: Ada <ada@example.org>\r\nSubject: x\r\nDate: y\r\n";

fn learnt() -> Trusted {
    Trusted {
        ids: vec!["home.example".to_owned()],
        strips: false,
    }
}

fn judge(trusted: &Trusted, fields: &[&str]) -> Verdict {
    let raw = format!("{}{AUTHOR}\r\nbody", fields.concat());
    verdict(raw.as_bytes(), trusted, "example.org")
}

fn results(server: &str, what: &str) -> String {
    format!("Authentication-Results: {server};\r\n\t{what}\r\n")
}

#[test]
fn believes_what_stands_above_the_way_in() {
    let good = results(
        "mx.home.example",
        "spf=pass smtp.mailfrom=bounce@mail.example.org;\r\n\tdkim=pass (ok) header.d=example.org; dmarc=pass header.from=example.org",
    );
    let read = judge(&learnt(), &[&good, OUTSIDE]);
    assert_eq!(read.mark, Mark::Verified("example.org".to_owned()));
    assert_eq!(
        (read.spf, read.dkim, read.dmarc),
        (Outcome::Pass, Outcome::Pass, Outcome::Pass)
    );
    assert_eq!(
        (read.server.as_deref(), read.spf_domain.as_deref()),
        (Some("mx.home.example"), Some("mail.example.org"))
    );
    assert!(read.aligned && read.ignored == 0);
    let delivered = "Received: from mx.home.example\r\n\tby imap.home.example with LMTP\r\n\tid 1; now\r\n";
    let filtered = "Received: from mx.home.example ([127.0.0.1])\r\n\tby localhost (mx.home.example [127.0.0.1]) (filter, port 10024)\r\n\twith ESMTP id 2; now\r\n";
    let read = judge(&learnt(), &[delivered, filtered, &good, OUTSIDE]);
    assert_eq!(read.mark, Mark::Verified("example.org".to_owned()));
}

#[test]
fn believes_nobody_else() {
    let good = results(
        "mx.home.example",
        "dkim=pass header.d=example.org; dmarc=pass header.from=example.org",
    );
    let other = results("mx.attacker.example", "dmarc=pass header.from=example.org");
    let unknown = |trusted: &Trusted, fields: &[&str]| {
        let read = judge(trusted, fields);
        assert_eq!(read.mark, Mark::Unknown, "{fields:?}");
        assert!(read.ignored > 0, "{fields:?}");
    };
    // Below the way in, it came with the message.
    unknown(&learnt(), &[OUTSIDE, &good]);
    unknown(
        &learnt(),
        &[OUTSIDE, &good, "Received: from x by mx.home.example; now\r\n"],
    );
    unknown(&learnt(), &[&good]);
    unknown(
        &learnt(),
        &[
            &good,
            "Received: from x (x [192.0.2.9]) by mx.attacker.example; now\r\n",
        ],
    );
    unknown(&learnt(), &[&other, OUTSIDE]);
    unknown(&Trusted::default(), &[&good, OUTSIDE]);
    unknown(&learnt(), &[&results("nothome.example", "dmarc=pass"), OUTSIDE]);
    unknown(
        &learnt(),
        &[&results("home.example.attacker.example", "dmarc=pass"), OUTSIDE],
    );
    // Below the author's own fields, no server wrote it.
    let raw = format!("{AUTHOR}{good}\r\nbody");
    for trusted in [learnt(), Trusted::named(&["mx.home.example".to_owned()])] {
        assert_eq!(
            verdict(raw.as_bytes(), &trusted, "example.org").mark,
            Mark::Unknown
        );
    }
}

#[test]
fn a_greeting_proves_nothing() {
    let good = results("mx.home.example", "dmarc=pass header.from=example.org");
    let forged = "Received: from a (a [192.0.2.9]) by mx.home.example; now\r\n";
    for from in [
        "mx.home.example (unknown [192.0.2.1])",
        "unknown (HELO mx.home.example) (192.0.2.1)",
        "unknown (HELO 127.0.0.1) (192.0.2.1)",
        "[192.0.2.1] (helo=[127.0.0.1])",
        "[192.0.2.1] (helo=mx.home.example)",
        "mx.home.example (mx.home.example [192.0.2.1] (may be forged))",
        "mx.home.example",
        "localhost",
    ] {
        let way_in = format!("Received: from {from} by mx.home.example with ESMTP; now\r\n");
        let read = judge(&learnt(), &[&way_in, &good, forged]);
        assert_eq!(read.mark, Mark::Unknown, "{from}");
    }
    for from in [
        "x (mx2.home.example [192.0.2.1])",
        "x (localhost [127.0.0.1])",
        "x ([10.0.0.1])",
    ] {
        let inner = format!("Received: from {from} by mx.home.example with ESMTP; now\r\n");
        let read = judge(&learnt(), &[&inner, &good, OUTSIDE]);
        assert_eq!(read.mark, Mark::Verified("example.org".to_owned()), "{from}");
    }
}

#[test]
fn a_provider_that_strips_is_believed_below_its_trace() {
    let google = learn_trusted("imap.gmail.com", "me@gmail.com", &[]);
    let trace = "Received: by 2002:a05:6a11:1::1 with SMTP id x; now\r\nX-Received: by 2002:a05:1::1; now\r\nARC-Seal: i=1\r\nReturn-Path: <ada@example.org>\r\nReceived: from out.example.org (out.example.org. [192.0.2.1]) by mx.google.com with ESMTPS id 1; now\r\n";
    let good = results(
        "mx.google.com",
        "dkim=pass header.i=@example.org; spf=fail; dmarc=pass (p=NONE) header.from=example.org",
    );
    let read = judge(&google, &[trace, &good]);
    assert_eq!(read.mark, Mark::Verified("example.org".to_owned()));
    // A second one below has no trace of ours under it.
    let failed = results("mx.google.com", "dmarc=fail header.from=example.org");
    let read = judge(
        &google,
        &[
            trace,
            &failed,
            &good,
            "Received: from x by mx.google.com; now\r\n",
        ],
    );
    assert_eq!((read.mark, read.ignored), (Mark::Failed, 1));
    let microsoft = learn_trusted("outlook.office365.com", "me@x.example", &[]);
    let read = judge(
        &microsoft,
        &[
            "Received: from a.outlook.com (2603:10a6::1) by b.prod.outlook.com (2603::2); now\r\n",
            "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=pass header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass\r\n",
        ],
    );
    assert_eq!(read.mark, Mark::Verified("example.org".to_owned()));
}

#[test]
fn fields_of_one_server_count_together() {
    let dkim = results("mx.home.example", "dkim=pass header.d=example.org");
    let spf = results("mx.home.example", "spf=softfail smtp.mailfrom=x@example.org");
    let read = judge(&learnt(), &[&dkim, &spf, OUTSIDE]);
    assert_eq!((read.dkim, read.spf), (Outcome::Pass, Outcome::Fail));
    // Without DMARC an aligned signature says enough.
    assert_eq!(read.mark, Mark::Verified("example.org".to_owned()));
}

#[test]
fn a_verdict_is_about_the_author() {
    let check = |what: &str, mark: Mark| {
        let read = judge(&learnt(), &[&results("mx.home.example", what), OUTSIDE]);
        assert_eq!(read.mark, mark, "{what}");
    };
    let verified = || Mark::Verified("example.org".to_owned());
    check("dkim=pass header.d=attacker.example", Mark::Unknown);
    check("spf=pass smtp.mailfrom=example.org", Mark::Unknown);
    check("dmarc=pass header.from=attacker.example", Mark::Unknown);
    check(
        "dmarc=fail header.from=example.org; dkim=pass header.d=example.org",
        Mark::Failed,
    );
    check("dkim=pass header.d=mail.example.org", verified());
    check("dkim=fail header.d=example.org", Mark::Unknown);
    check("none", Mark::Unknown);
    check("dmarc=none; spf=none; dkim=none", Mark::Unknown);
}

#[test]
fn a_sealed_verdict_counts_where_the_seal_holds() {
    let check = |arc: &str, sealer: &str, mark: Mark| {
        let sealed =
            format!("ARC-Authentication-Results: i=1; {sealer}; dmarc=pass header.from=example.org\r\n");
        let own = results(
            "mx.home.example",
            &format!("arc={arc}; dmarc=fail header.from=example.org"),
        );
        assert_eq!(
            judge(&learnt(), &[&own, OUTSIDE, &sealed]).mark,
            mark,
            "{arc} {sealer}"
        );
    };
    check(
        "pass",
        "mx2.home.example",
        Mark::Verified("example.org".to_owned()),
    );
    check("pass", "lists.example", Mark::Unknown);
    check("fail", "mx2.home.example", Mark::Failed);
    check("none", "lists.example", Mark::Failed);
}

#[test]
fn learns_whom_to_trust() {
    let received = |raw: &str| topmost_received(raw.as_bytes()).into_iter().collect::<Vec<_>>();
    let mine = learn_trusted(
        "imap.home.example",
        "me@home.example",
        &received("Received: from x (y [192.0.2.1])\r\n by mx7.home.example with ESMTP; now\r\n\r\n"),
    );
    assert_eq!(mine.ids, ["home.example", "mx7.home.example"]);
    assert!(!mine.strips);
    let forged = learn_trusted(
        "imap.home.example",
        "me@home.example",
        &received("Received: from x by mx.attacker.example; now\r\n\r\n"),
    );
    assert_eq!(forged.ids, ["home.example"]);
    assert!(
        learn_trusted("imap.gmail.com", "me@own.example", &[])
            .ids
            .contains(&"mx.google.com".to_owned())
    );
    let local = learn_trusted("127.0.0.1", "me@home.example", &[]);
    assert_eq!(local.ids, ["home.example"]);
}

#[test]
fn one_click_needs_a_signature_that_covers_it() {
    let signed = |headers: &str| {
        let good = results("mx.home.example", "dkim=pass header.d=example.org");
        let signature = format!("DKIM-Signature: v=1; d=example.org; h=From:\r\n\t{headers}; b=x\r\n");
        judge(&learnt(), &[&good, OUTSIDE, &signature]).signs_unsubscribe
    };
    assert!(signed("List-Unsubscribe:List-Unsubscribe-Post"));
    assert!(!signed("List-Unsubscribe"));
}

#[test]
fn hostile_headers_are_bounded() {
    let many = results("mx.home.example", &"dkim=pass header.d=x;".repeat(10_000)).repeat(100);
    let read = judge(&learnt(), &[&many, OUTSIDE]);
    assert!(read.results.len() <= 100);
    let _ = judge(
        &learnt(),
        &[
            "Authentication-Results: ((((\r\n",
            "Received: ((((by (x\r\n",
            OUTSIDE,
        ],
    );
}
