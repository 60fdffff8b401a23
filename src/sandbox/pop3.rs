//! POP3 (RFC 1939) with CAPA, STLS, AUTH PLAIN, pipelining and response codes. The maildrop is the INBOX.

pub(crate) mod session;
