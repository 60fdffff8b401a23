//! Message submission (RFC 6409): ESMTP with AUTH, STARTTLS, SIZE, 8BITMIME, SMTPUTF8 and pipelining. What is
//! submitted lands in the INBOX of the sandbox's users; nothing leaves the process.

mod bounce;
pub(crate) mod session;
