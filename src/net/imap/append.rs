//! APPEND (RFC 9051 section 6.3.12), written by ourselves so that APPENDUID, TRYCREATE and OVERQUOTA are not lost.

use posthorn_model::{ErrorClass, Flags, MailboxName, Timestamp, Uid, UidValidity};
use std::time::Duration;
use tokio::time::Instant;

use super::change::wire_flags;
use super::client::Reply;
use super::code::{Done, ResponseCode};
use super::{Session, date};
use crate::Error;

/// Bytes that are sent without waiting where that is allowed: of a larger message, a refusal should come first.
const MODEST: usize = 1 << 20;
/// Bytes that LITERAL- allows without waiting (RFC 7888 section 5).
const SHORT: usize = 4096;
/// The slowest link that is borne, in bytes a second.
const SLOWEST: u64 = 2048;

impl Session {
    /// Puts a message into a mailbox, which is made where it is missing. `raw` is sent as it is; it should have
    /// CRLF line ends. Returns where it went, where the server says so (RFC 4315).
    ///
    /// # Errors
    /// Refused or Quota with the server's words: nothing was put there. After any other error it may or may not
    /// have been: look with [`Session::find_message_id`] before trying again.
    pub async fn append(
        &mut self,
        mailbox: &MailboxName,
        flags: &Flags,
        received: Option<Timestamp>,
        raw: &[u8],
    ) -> Result<Option<(UidValidity, Uid)>, Error> {
        if raw.is_empty() {
            let what = "an empty message cannot be put into a mailbox";
            return Err(Error::new(ErrorClass::Bug, self.client.host(), what));
        }
        if let Some(limit) = self.append_limit().filter(|limit| raw.len() as u64 > *limit) {
            let what = format!("the server takes no message above {limit} bytes");
            let error = Error::new(ErrorClass::Refused, self.client.host(), what);
            return Err(error.permanently(true).coded(Some(ResponseCode::TooBig)));
        }
        let mut done = self.append_once(mailbox, flags, received, raw).await?;
        if done.status.is("TRYCREATE") {
            self.create(mailbox, None).await?;
            done = self.append_once(mailbox, flags, received, raw).await?;
        }
        let what = "the message could not be put into the mailbox";
        let status = done.demand_ok(self.client.host(), what)?;
        if !status.is("APPENDUID") {
            return Ok(None);
        }
        let mut numbers = status.arguments.split_ascii_whitespace().map(str::parse::<u32>);
        let mut next = || numbers.next()?.ok();
        Ok(next().and_then(UidValidity::new).zip(next().and_then(Uid::new)))
    }

    /// The largest message that the server takes, where it says so for all mailboxes (RFC 7889).
    #[must_use]
    pub fn append_limit(&self) -> Option<u64> {
        let limits = self
            .capabilities
            .iter()
            .filter_map(|name| name.strip_prefix("APPENDLIMIT="));
        limits.filter_map(|limit| limit.parse().ok()).min()
    }

    async fn append_once(
        &mut self,
        mailbox: &MailboxName,
        flags: &Flags,
        received: Option<Timestamp>,
        raw: &[u8],
    ) -> Result<Done, Error> {
        let at_once = (self.capabilities.has("LITERAL+") && raw.len() <= MODEST)
            || (self.capabilities.has("LITERAL-") && raw.len() <= SHORT);
        let mut command = format!("APPEND {}", self.argument(mailbox)?);
        command.push_str(&format!(" ({})", wire_flags(flags)));
        if let Some(received) = received {
            command.push(' ');
            command.push_str(&date::format(received));
        }
        let plus = if at_once { "+" } else { "" };
        // RFC 6855 section 4: with UTF8=ACCEPT, raw 8-bit headers need the UTF8 form.
        let eight_bit = self.utf8_append && !raw.is_ascii();
        // RFC 3516 section 4.4: a NUL needs a binary literal. It is all that BINARY is good for here, since what is
        // fetched must be the message as it is, and not decoded.
        let binary = raw.contains(&0) && self.capabilities.has("BINARY");
        let (open, close) = match (eight_bit, binary) {
            (true, _) => ("UTF8 (~", ")"),
            (false, true) => ("~", ""),
            (false, false) => ("", ""),
        };
        command.push_str(&format!(" {open}{{{}{plus}}}", raw.len()));
        let until = Instant::now() + self.client.patience() + Duration::from_secs(raw.len() as u64 / SLOWEST);
        let tag = self.client.send(&command).await?;
        if !at_once && let Some(done) = self.await_invitation(&tag, until).await? {
            return Ok(done);
        }
        self.client.send_raw(raw).await?;
        self.client.send_raw(format!("{close}\r\n").as_bytes()).await?;
        self.client.finish(&tag, until, &mut |_| {}).await
    }

    /// Waits for `+`; the command's end where it comes instead.
    async fn await_invitation(&mut self, tag: &str, until: Instant) -> Result<Option<Done>, Error> {
        loop {
            match self.client.next(until).await? {
                Reply::Continue(_) => return Ok(None),
                Reply::Done(found, done) if found == tag => {
                    self.client.settled();
                    return Ok(Some(done));
                }
                _ => {}
            }
        }
    }
}
