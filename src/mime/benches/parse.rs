//! Whole messages and header blocks over a generated set that is the same on every machine.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthorn_mime::{parse, parse_header, survey};

/// One message in the shape of most mail: trace fields, an alternative, now and then an attachment.
fn message(n: u64) -> Vec<u8> {
    let mut raw = String::new();
    for hop in 0..4 {
        raw.push_str(&format!(
            "Received: from mx{hop}.example.org (mx{hop}.example.org [192.0.2.{hop}])\r\n\tby mail.example.net with ESMTPS id {n:x};\r\n\tFri, 22 Nov 2024 10:0{hop}:00 +0100\r\n"
        ));
    }
    raw.push_str(&format!(
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=a;\r\n\tb={}\r\n",
        "A".repeat(340)
    ));
    raw.push_str(&format!(
        "From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <joerg{n}@example.org>\r\nTo: Anna <anna@example.net>, list@example.net\r\n\
         Subject: Re: =?utf-8?B?R3LDvMOfZSBhdXMgQmVybGlu?= {n}\r\nDate: Fri, 22 Nov 2024 10:00:00 +0100\r\n\
         Message-ID: <{n}.abc@example.org>\r\nIn-Reply-To: <{}.abc@example.org>\r\nReferences: <1.abc@example.org> <{}.abc@example.org>\r\n",
        n / 2,
        n / 2
    ));
    raw.push_str("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"out\"\r\n\r\n--out\r\nContent-Type: multipart/alternative; boundary=\"in\"\r\n\r\n");
    let line = "Ein Satz mit =C3=BCblichen Worten, wie ihn Leute schreiben, wenn sie=\r\n schreiben.\r\n";
    raw.push_str("--in\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
    raw.push_str(&line.repeat(20));
    raw.push_str("\r\n--in\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
    raw.push_str(&format!("<p class=3D\"x\">{line}</p>\r\n").repeat(20));
    raw.push_str("\r\n--in--\r\n");
    if n.is_multiple_of(4) {
        raw.push_str("--out\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        raw.push_str(&format!("{}\r\n", "QUJD".repeat(19)).repeat(700));
    }
    raw.push_str("--out--\r\n");
    raw.into_bytes()
}

fn bench(criterion: &mut Criterion) {
    let messages: Vec<Vec<u8>> = (0..200).map(message).collect();
    let headers: Vec<&[u8]> = messages
        .iter()
        .map(|raw| {
            let end = raw
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
                .map_or(raw.len(), |at| at + 4);
            raw.get(..end).unwrap_or(raw)
        })
        .collect();
    let mut group = criterion.benchmark_group("mime");
    group.throughput(Throughput::Bytes(
        messages.iter().map(|raw| raw.len() as u64).sum(),
    ));
    group.bench_function("parse 200 messages", |bencher| {
        bencher.iter(|| {
            messages
                .iter()
                .map(|raw| black_box(parse(raw)).parts.len())
                .sum::<usize>()
        });
    });
    group.bench_function("survey 200 messages", |bencher| {
        bencher.iter(|| {
            messages
                .iter()
                .map(|raw| black_box(survey(raw)).parts.len())
                .sum::<usize>()
        });
    });
    group.throughput(Throughput::Elements(headers.len() as u64));
    group.bench_function("parse 200 header blocks", |bencher| {
        bencher.iter(|| {
            headers
                .iter()
                .map(|raw| black_box(parse_header(raw)).envelope.to.len())
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
