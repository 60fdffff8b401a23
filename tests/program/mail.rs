//! Messages to test with.

/// A plain message; its Message-ID follows from the subject.
pub fn message(subject: &str, text: &str) -> Vec<u8> {
    let id = subject
        .to_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    format!(
        "From: Robin <robin@example.org>\r\nTo: alice@example.test\r\nSubject: {subject}\r\n\
         Date: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <{id}@tests.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

/// What is easily changed on its way into a store: bare dots, 8-bit bytes, long lines, no text at all.
pub fn odd_messages() -> Vec<Vec<u8>> {
    let odd: [&[u8]; 6] = [
        b".\r\n..\r\n.dot at the start\r\n",
        b"From the start of a line\r\n",
        b"\xe9\xff\xfe\x80 undeclared bytes\r\n",
        &[b'x'; 3_000],
        b"",
        b"ends without a line end",
    ];
    odd.iter()
        .enumerate()
        .map(|(number, text)| {
            let mut raw = message(&format!("Odd {number}"), "");
            raw.truncate(raw.len() - 2);
            raw.extend_from_slice(text);
            raw
        })
        .collect()
}
