//! Flags, summaries and bodies by UID FETCH, in batches of which two are under way.
//!
//! What does not come is not received, whatever the tagged reply says. A batch that ends in NO is halved until
//! only the message that the server cannot give is left out.

use posthorn_model::{ErrorClass, ModSeq, Uid, UidSet};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::{ANSWER, Reply};
use super::code::{self, Verdict};
use super::fetched::Fetched;
use super::guard::Literals;
use super::search::{insert, union};
use super::select::report;
use super::{Body, FlagReport, SET_LENGTH, Session, Summary};
use crate::Error;

/// Header fields that a list, threading and mailing lists need.
const FIELDS: &str = "DATE FROM SENDER REPLY-TO TO CC BCC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE \
    LIST-ID LIST-POST LIST-UNSUBSCRIBE LIST-UNSUBSCRIBE-POST";
/// The header field that tells messages apart.
const IDENTITY: &str = " BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]";
/// Messages in one command for bodies, and in one for summaries.
const BODIES: u64 = 100;
const SUMMARIES: u64 = 500;
/// Announced bytes in one command for bodies: a server that waits on our disk too long hangs up.
const BATCH: u64 = 8 << 20;
/// Bodies that are handed over together, their bytes, and how long they wait for one more.
const HELD: usize = 16;
const HELD_BYTES: u64 = 512 << 10;
const PAUSE: Duration = Duration::from_millis(5);
/// Commands under way.
const IN_FLIGHT: usize = 2;
/// The slowest link that is borne, in bytes a second.
pub(super) const SLOWEST: u64 = 2048;
/// How far a body may exceed its announced size: twice, and this many bytes.
pub(super) const LIE: u64 = 16 << 20;
/// For messages of unknown size, and for all.
const LARGEST: u64 = 4 << 30;

const NOT_READ: &str = "the messages could not be read";

struct Batch {
    uids: UidSet,
    /// Announced.
    bytes: u64,
}

/// What a FETCH brought.
#[derive(Default)]
struct Got {
    received: UidSet,
    /// Came without being readable.
    damaged: UidSet,
    /// The server did not understand what it was asked.
    refused: Option<Error>,
}

/// Where fetched messages go.
enum Sink<'a> {
    Summaries {
        each: &'a mut (dyn FnMut(Summary) + Send),
        /// Without a header, as asked or on a second try, a message is listed all the same.
        bare: bool,
        /// Labels are UTF-8 (RFC 6855).
        utf8: bool,
    },
    Previews {
        each: &'a mut (dyn FnMut(Uid, String) + Send),
    },
    Bodies {
        out: &'a mpsc::Sender<Body>,
        sizes: &'a HashMap<u32, u64>,
        /// Here whole, and handed over together: each handing over wakes somebody.
        held: Vec<Body>,
        bytes: u64,
    },
}

impl Session {
    /// Flags of `uids`, or only of those that changed after `changed_since` (RFC 7162; passed over where the
    /// server cannot). Give `UidSet::range(1, u32::MAX)` for all.
    ///
    /// # Errors
    /// Where a command does not end in OK.
    pub async fn fetch_flags(
        &mut self,
        uids: &UidSet,
        changed_since: Option<ModSeq>,
        each: &mut (dyn FnMut(FlagReport) + Send),
    ) -> Result<(), Error> {
        let changed_since = changed_since.filter(|_| self.condstore);
        let modifier =
            changed_since.map_or_else(String::new, |modseq| format!(" (CHANGEDSINCE {})", modseq.0));
        let items = if self.condstore {
            "(UID FLAGS MODSEQ)"
        } else {
            "(UID FLAGS)"
        };
        for set in uids.split_for_wire(SET_LENGTH) {
            let command = format!("UID FETCH {set} {items}{modifier}");
            let patience = self.client.patience() * 4;
            let done = self
                .client
                .run(&command, patience, &mut |reply| {
                    if let Reply::Fetch(fetched) = reply
                        && let Some(report) = report(fetched).filter(|report| set.contains(report.uid))
                    {
                        each(report);
                    }
                })
                .await?;
            done.demand_ok(self.client.host(), "the flags could not be read")?;
        }
        self.doubt_modseq();
        Ok(())
    }

    /// Zoho gives messages the modification sequences 0 and -1: what changed cannot be asked by them.
    fn doubt_modseq(&mut self) {
        if self.client.has_odd_modseq() && self.condstore {
            log::debug!("The server has the quirk zoho-modseq-below-one.");
            self.condstore = false;
            self.qresync = false;
        }
    }

    /// What a list shows of `uids`, in whatever order the server sends it. Returns what came.
    ///
    /// # Errors
    /// Where the connection or the protocol fails; a message that the server cannot give is merely missing.
    pub async fn fetch_summaries(
        &mut self,
        uids: &UidSet,
        each: &mut (dyn FnMut(Summary) + Send),
    ) -> Result<UidSet, Error> {
        self.summarise(uids, &format!(" {} BODYSTRUCTURE", fields()), each)
            .await
    }

    /// The same without what the structure would say: `attachments` is `None`. Of all that is asked it costs a server
    /// most: it may have to read each message for it.
    ///
    /// # Errors
    /// As [`Self::fetch_summaries`].
    pub async fn fetch_headers(
        &mut self,
        uids: &UidSet,
        each: &mut (dyn FnMut(Summary) + Send),
    ) -> Result<UidSet, Error> {
        self.summarise(uids, &format!(" {}", fields()), each).await
    }

    /// Flags, dates and sizes of messages that are about to be fetched whole. `header` is empty, or where they are to
    /// be `recognised` nothing but the Message-ID.
    ///
    /// # Errors
    /// As [`Self::fetch_summaries`].
    pub async fn fetch_outlines(
        &mut self,
        uids: &UidSet,
        recognised: bool,
        each: &mut (dyn FnMut(Summary) + Send),
    ) -> Result<UidSet, Error> {
        let shown = if recognised { IDENTITY } else { "" };
        self.summarise(uids, shown, each).await
    }

    /// `shown` is asked for beside what names and dates a message, a space before it.
    async fn summarise(
        &mut self,
        uids: &UidSet,
        shown: &str,
        each: &mut (dyn FnMut(Summary) + Send),
    ) -> Result<UidSet, Error> {
        let utf8 = self.utf8;
        self.client.set_literals(Literals::default());
        let mut sink = Sink::Summaries {
            each,
            bare: shown.is_empty(),
            utf8,
        };
        let items = format!("({}{}{shown})", self.basic_items(), self.identifying_items());
        let mut fetched = self.fetch(split(uids, SUMMARIES), &items, &mut sink).await?;
        let mut received = std::mem::take(&mut fetched.received);
        if let Some(error) = fetched.refused {
            // It claimed more than it can do; without the extensions every server can.
            if self.identifying_items().is_empty() {
                return Err(self.client.give_up(error));
            }
            self.capabilities.remove("OBJECTID");
            self.capabilities.remove("X-GM-EXT-1");
            let left = uids.minus(&received);
            let items = format!("({}{shown})", self.basic_items());
            let again = self.fetch(split(&left, SUMMARIES), &items, &mut sink).await?;
            if let Some(error) = again.refused {
                return Err(self.client.give_up(error));
            }
            received = union(&received, &again.received);
            fetched.damaged = union(&fetched.damaged, &again.damaged);
        }
        self.doubt_modseq();
        let damaged = fetched.damaged.minus(&received);
        if !damaged.is_empty() {
            // A body structure or a header that cannot be read: ask for less of those.
            let items = format!("({} BODY.PEEK[HEADER])", self.basic_items());
            let mut sink = Sink::Summaries {
                each,
                bare: true,
                utf8,
            };
            let more = self.fetch(split(&damaged, SUMMARIES), &items, &mut sink).await?;
            if let Some(error) = more.refused {
                return Err(self.client.give_up(error));
            }
            received = union(&received, &more.received);
        }
        Ok(received)
    }

    fn basic_items(&self) -> String {
        let modseq = if self.condstore { " MODSEQ" } else { "" };
        format!("UID FLAGS INTERNALDATE RFC822.SIZE{modseq}")
    }

    /// What names messages across mailboxes, where the server has such: RFC 8474 section 5, and Gmail's own.
    fn identifying_items(&self) -> &'static str {
        match (
            self.capabilities.has("OBJECTID"),
            self.capabilities.has("X-GM-EXT-1"),
        ) {
            (true, true) => " EMAILID THREADID X-GM-LABELS",
            (true, false) => " EMAILID THREADID",
            (false, true) => " X-GM-MSGID X-GM-THRID X-GM-LABELS",
            (false, false) => "",
        }
    }

    /// Short texts of messages, where the server has them at hand (RFC 8970); none where it does not offer that.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn fetch_previews(
        &mut self,
        uids: &UidSet,
        each: &mut (dyn FnMut(Uid, String) + Send),
    ) -> Result<(), Error> {
        if !self.capabilities.has("PREVIEW") {
            return Ok(());
        }
        self.client.set_literals(Literals::default());
        let mut sink = Sink::Previews { each };
        // RFC 8970 section 3.1: LAZY, so that the server makes none for our sake.
        let fetched = self
            .fetch(split(uids, SUMMARIES), "(UID PREVIEW (LAZY))", &mut sink)
            .await?;
        if fetched.refused.is_some() {
            self.capabilities.remove("PREVIEW");
        }
        Ok(())
    }

    /// What tells messages apart, and no more: `size`, and a `header` of nothing but the Message-ID. For a look
    /// before something is done to them that cannot be taken back.
    ///
    /// # Errors
    /// Where the connection or the protocol fails.
    pub async fn fetch_identities(
        &mut self,
        uids: &UidSet,
        each: &mut (dyn FnMut(Summary) + Send),
    ) -> Result<UidSet, Error> {
        self.client.set_literals(Literals::default());
        let items = format!("(UID RFC822.SIZE{IDENTITY})");
        let mut sink = Sink::Summaries {
            each,
            bare: false,
            utf8: self.utf8,
        };
        let fetched = self.fetch(split(uids, SUMMARIES), &items, &mut sink).await?;
        match fetched.refused {
            Some(error) => Err(self.client.give_up(error)),
            None => Ok(fetched.received),
        }
    }

    /// Whole messages, raw, with the sizes that were announced for them (0 where unknown). Each goes out as soon
    /// as it is whole, large ones as a file. Returns what came; a body that the server gives as NIL, or as empty
    /// where it is not, has not come.
    ///
    /// # Errors
    /// Where the connection, the protocol or the disk fails, or nobody takes the messages any more.
    pub async fn fetch_bodies(
        &mut self,
        uids: &[(Uid, u64)],
        out: &mpsc::Sender<Body>,
    ) -> Result<UidSet, Error> {
        let sizes: HashMap<u32, u64> = uids.iter().map(|(uid, size)| (uid.value(), *size)).collect();
        let largest = sizes.values().copied().max().unwrap_or_default();
        let unknown = sizes.values().any(|size| *size == 0);
        let most = if unknown {
            LARGEST
        } else {
            (largest.saturating_mul(2) + LIE).min(LARGEST)
        };
        self.client.set_literals(Literals::Whole {
            memory: self.memory_limit,
            most,
        });
        let mut sink = Sink::Bodies {
            out,
            sizes: &sizes,
            held: Vec::new(),
            bytes: 0,
        };
        let fetched = self.fetch(batches(uids), "(UID BODY.PEEK[])", &mut sink).await;
        self.client.set_literals(Literals::default());
        // What came before the connection broke is here all the same.
        let handed_over = sink.hand_over().await;
        let fetched = fetched?;
        handed_over.map_err(|error| self.client.give_up(error))?;
        match fetched.refused {
            Some(error) => Err(self.client.give_up(error)),
            None => Ok(fetched.received),
        }
    }

    async fn fetch(
        &mut self,
        mut waiting: VecDeque<Batch>,
        items: &str,
        sink: &mut Sink<'_>,
    ) -> Result<Got, Error> {
        let mut got = Got::default();
        let mut flying: VecDeque<(String, Batch)> = VecDeque::new();
        let mut until = Instant::now();
        loop {
            while flying.len() < IN_FLIGHT
                && let Some(batch) = waiting.pop_front()
            {
                if !flying.is_empty() {
                    self.client.allow_pipelining();
                }
                let tag = self
                    .client
                    .send(&format!("UID FETCH {} {items}", batch.uids))
                    .await?;
                if flying.is_empty() {
                    until = Instant::now() + self.patience_for(&batch);
                }
                flying.push_back((tag, batch));
            }
            if flying.is_empty() {
                return Ok(got);
            }
            let reply = match sink.pause(until) {
                None => self.client.next(until).await?,
                Some(pause) => match self.client.next_within(pause, ANSWER).await? {
                    Some(reply) => reply,
                    None => {
                        let since = Instant::now();
                        let handed_over = sink.hand_over().await;
                        until += since.elapsed();
                        handed_over.map_err(|error| self.client.give_up(error))?;
                        continue;
                    }
                },
            };
            match reply {
                Reply::Fetch(fetched) => {
                    let Some(uid) = fetched.uid else { continue };
                    let asked = flying.iter().any(|(_, batch)| batch.uids.contains(uid));
                    if !asked || got.received.contains(uid) {
                        continue;
                    }
                    let since = Instant::now();
                    let accepted = sink.accept(uid, fetched).await;
                    // Waiting for our own disk is not the server's silence.
                    until += since.elapsed();
                    if accepted.map_err(|error| self.client.give_up(error))? {
                        got.received.insert(uid);
                    } else {
                        got.damaged.insert(uid);
                    }
                }
                Reply::Done(tag, done) => {
                    let Some(at) = flying.iter().position(|(found, _)| *found == tag) else {
                        continue;
                    };
                    let Some((_, batch)) = flying.remove(at) else {
                        continue;
                    };
                    if let Some((_, next)) = flying.front() {
                        until = Instant::now() + self.patience_for(next);
                    } else {
                        self.client.settled();
                    }
                    match done.verdict {
                        Verdict::Ok => {}
                        Verdict::No if !is_hopeless(&done) => {
                            let missing = batch.uids.minus(&got.received);
                            waiting.extend(halve(&batch, &missing));
                        }
                        Verdict::Bad => {
                            // What is under way is waited for; nothing more is asked.
                            got.refused = Some(done.refusal(self.client.host(), NOT_READ));
                            waiting.clear();
                        }
                        Verdict::No => {
                            let error = done.refusal(self.client.host(), NOT_READ);
                            return Err(self.client.give_up(error));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn patience_for(&self, batch: &Batch) -> Duration {
        self.client.patience() + Duration::from_secs(batch.bytes / SLOWEST)
    }
}

/// Refusals that asking for less does not cure.
fn is_hopeless(done: &code::Done) -> bool {
    matches!(
        done.status.code.as_str(),
        "UNAVAILABLE" | "LIMIT" | "NOPERM" | "EXPIRED"
    )
}

impl Sink<'_> {
    /// Whether this was what was asked for.
    async fn accept(&mut self, uid: Uid, fetched: Fetched) -> Result<bool, Error> {
        match self {
            Self::Previews { each } => {
                if let Some(preview) = fetched.preview {
                    each(uid, preview);
                }
                Ok(true)
            }
            Self::Summaries { each, bare, utf8 } => {
                let header = match fetched.header {
                    Some(header) => header,
                    // Flags alone may be another client's doing, told unasked.
                    None if *bare && (fetched.size.is_some() || fetched.internal_date.is_some()) => {
                        Vec::new()
                    }
                    None => return Ok(false),
                };
                each(Summary {
                    uid,
                    flags: fetched.flags.unwrap_or_default(),
                    modseq: fetched.modseq,
                    internal_date: fetched.internal_date,
                    size: fetched.size.unwrap_or_default(),
                    header,
                    attachments: fetched.attachments,
                    email_id: fetched.email_id,
                    thread_id: fetched.thread_id,
                    labels: fetched.labels.map(|labels| {
                        let read = |label: &Vec<u8>| super::name::read_label(label, *utf8);
                        labels.iter().map(read).collect()
                    }),
                });
                Ok(true)
            }
            Self::Bodies {
                sizes, held, bytes, ..
            } => {
                let announced = sizes.get(&uid.value()).copied().unwrap_or_default();
                let Some(payload) = fetched.body.filter(|body| !body.is_empty() || announced == 0) else {
                    return Ok(false);
                };
                *bytes += payload.len();
                held.push(Body { uid, payload });
                if held.len() >= HELD || *bytes >= HELD_BYTES {
                    self.hand_over().await?;
                }
                Ok(true)
            }
        }
    }

    /// How long to wait for more before what is held is handed over.
    fn pause(&self, until: Instant) -> Option<Instant> {
        let Self::Bodies { held, .. } = self else {
            return None;
        };
        let pause = Instant::now() + PAUSE;
        (!held.is_empty() && pause < until).then_some(pause)
    }

    async fn hand_over(&mut self) -> Result<(), Error> {
        if let Self::Bodies { out, held, bytes, .. } = self {
            *bytes = 0;
            for body in held.drain(..) {
                let taken = out.send(body).await;
                taken.map_err(|_| Error::new(ErrorClass::Network, "", "the download was stopped"))?;
            }
        }
        Ok(())
    }
}

fn fields() -> String {
    format!("BODY.PEEK[HEADER.FIELDS ({FIELDS})]")
}

fn split(uids: &UidSet, most: u64) -> VecDeque<Batch> {
    let mut batches = VecDeque::new();
    for set in uids.split_for_wire(SET_LENGTH) {
        let mut batch = UidSet::default();
        for &(first, last) in set.ranges() {
            let mut first = u64::from(first);
            while first <= u64::from(last) {
                let room = most - batch.len();
                let end = u64::from(last).min(first + room - 1);
                insert(&mut batch, first, end);
                first = end + 1;
                if batch.len() >= most {
                    batches.push_back(std::mem::take(&mut batch));
                }
            }
        }
        if !batch.is_empty() {
            batches.push_back(batch);
        }
    }
    let sized = |uids: UidSet| Batch {
        bytes: uids.len().saturating_mul(4096),
        uids,
    };
    batches.into_iter().map(sized).collect()
}

fn batches(uids: &[(Uid, u64)]) -> VecDeque<Batch> {
    let mut batches = VecDeque::new();
    let mut batch = Batch {
        uids: UidSet::default(),
        bytes: 0,
    };
    let mut length = 0;
    for &(uid, size) in uids {
        let full = batch.uids.len() >= BODIES || batch.bytes + size > BATCH || length + 11 > SET_LENGTH;
        if full && !batch.uids.is_empty() {
            batches.push_back(std::mem::replace(
                &mut batch,
                Batch {
                    uids: UidSet::default(),
                    bytes: 0,
                },
            ));
            length = 0;
        }
        batch.uids.insert(uid);
        batch.bytes += size;
        length += 11;
    }
    if !batch.uids.is_empty() {
        batches.push_back(batch);
    }
    batches
}

/// Both halves of what a refused batch lacks; nothing where a message was refused by itself.
fn halve(batch: &Batch, missing: &UidSet) -> Vec<Batch> {
    if batch.uids.len() <= 1 || missing.is_empty() {
        return Vec::new();
    }
    split(missing, missing.len().div_ceil(2))
        .into_iter()
        .map(|half| Batch {
            bytes: batch.bytes,
            ..half
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uids(text: &str) -> UidSet {
        UidSet::parse(text).expect("a set")
    }

    #[test]
    fn batches_are_bounded() {
        let many: Vec<(Uid, u64)> = (1..=1000).filter_map(|n| Some((Uid::new(n)?, 1 << 20))).collect();
        let batches = batches(&many);
        assert!(
            batches
                .iter()
                .all(|batch| batch.bytes <= BATCH && batch.uids.len() <= BODIES)
        );
        assert_eq!(batches.iter().map(|batch| batch.uids.len()).sum::<u64>(), 1000);
        let split = split(&uids("1:1200,2000"), SUMMARIES);
        let shown: Vec<String> = split.iter().map(|batch| batch.uids.to_string()).collect();
        assert_eq!(shown, ["1:500", "501:1000", "1001:1200,2000"]);
        let halved = |batch: &str, missing: &str| -> Vec<String> {
            let batch = Batch {
                uids: uids(batch),
                bytes: 0,
            };
            let halves = halve(&batch, &uids(missing));
            halves.iter().map(|half| half.uids.to_string()).collect()
        };
        assert_eq!(halved("1:5", "1:3"), ["1:2", "3"]);
        assert_eq!(halved("1:2", "2"), ["2"]);
        assert_eq!(halved("1", "1"), [""; 0]);
    }
}
