//! The message that comes back when nobody here has the address (RFC 3464).

use posthorn_model::Timestamp;

use super::session::rfc2822;

/// Bytes of the original that are sent back.
const EXCERPT: usize = 16 * 1024;

/// A delivery report to `sender` about `strangers`.
pub fn build(sender: &str, strangers: &[&str], original: &[u8], date: &str, now: Timestamp) -> Vec<u8> {
    let list: String = strangers
        .iter()
        .map(|address| format!("    {address}\r\n"))
        .collect();
    let boundary = format!("bounce-{}", now.0);
    let mut out = format!(
        "Return-Path: <>\r\n\
         From: Sandbox postmaster <postmaster@sandbox.example.org>\r\n\
         To: <{sender}>\r\n\
         Subject: Not delivered: nobody here has that address\r\n\
         Date: {date}\r\n\
         Message-ID: <bounce.{}.{}@sandbox.example.org>\r\n\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"{boundary}\"\r\n\
         \r\n\
         --{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         \r\n\
         Your message was sent, and this is what a real server would have told you.\r\n\
         Nothing leaves this sandbox, and nobody in it has this address:\r\n\
         \r\n{list}\r\n\
         --{boundary}\r\n\
         Content-Type: message/delivery-status\r\n\
         \r\n\
         Reporting-MTA: dns; sandbox.example.org\r\n\
         Arrival-Date: {}\r\n",
        now.0,
        original.len(),
        rfc2822(now),
    );
    for address in strangers {
        out.push_str(&format!(
            "\r\nFinal-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        ));
    }
    out.push_str(&format!(
        "\r\n--{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    ));
    let mut out = out.into_bytes();
    for line in original
        .get(..EXCERPT.min(original.len()))
        .unwrap_or_default()
        .split_inclusive(|byte| *byte == b'\n')
    {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    out
}
