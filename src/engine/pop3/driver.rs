//! Carries out one POP3 check: list, plan, download, and only then delete what is durable and verified here.

use std::collections::BTreeSet;
use std::time::Duration;

use posthorn_model::{
    AccountConfig, AccountId, ErrorClass, LedgerRow, MailboxId, Remedy, SpecialUse, Timestamp, Uidl,
};
use posthorn_net::pop3::{Quirk, Session, Wishes};
use posthorn_store::Durability;
use posthorn_store::write::Write;

use super::plan::{self, Act, Ledger, Listed, Plan, Situation, Told};
use super::{delete, listing};
use crate::Error;
use crate::account::Post;
use crate::event::Doing;
use crate::ops::wish::accept_key;
use crate::problem::Topic;
use crate::report::AccountReport;
use crate::schedule::Pause;
use crate::shared::Core;

/// Connections of one check that bring nothing new before it gives up …
const IDLE_TRIES: u32 = 2;
/// … and connections of one check altogether.
const TRIES: u32 = 12;

/// How long a server may need to notice that a connection is gone, at first.
const LOCKED: Duration = Duration::from_millis(100);

/// How long another program is given to finish with the maildrop, at first …
const IN_USE: Duration = Duration::from_millis(700);
/// … and how often we come back.
const RETURNS: u32 = 3;

/// Ledger rows written in one transaction.
const ROWS: usize = 2000;

/// The setting that says that the circuit breaker is open.
pub(super) fn tripped_key(account: AccountId) -> String {
    format!("pop3-stopped/{account}")
}

/// The setting that says when the maildrop was last listed to the end.
pub(super) fn checked_key(account: AccountId) -> String {
    format!("pop3-checked/{account}")
}

/// The setting that says since when this server's TOP is known to show messages in part, or its sizes to be wrong.
fn by_retr_key(account: AccountId) -> String {
    format!("pop3-by-retr/{account}")
}

/// Days after which that is tried again.
const BY_RETR: u16 = 30;

/// One check of the maildrop.
///
/// # Errors
/// Where the server cannot be reached or broke off; what came whole until then is kept.
pub async fn check(post: &Post, report: &mut AccountReport) -> Result<(), Error> {
    let core = &post.core;
    core.progress(post.id, Doing::Connecting, 0, 0);
    let _turn = core.take_maildrop(&post.config).await;
    let mut session = connect_patiently(post, report).await?;
    // So that no check fetches a message twice to learn it anew.
    let by_retr = core.store.setting(&by_retr_key(post.id)).await?;
    let by_retr = by_retr.and_then(|since| Timestamp::parse_rfc3339(&since));
    if by_retr.is_some_and(|since| since.plus_days(BY_RETR) > core.now()) {
        session.expect([Quirk::PartialTop].into());
    }
    let known = session.quirks().clone();
    let rows = core.store.ledger(post.id).await?;
    let ledger: Ledger = rows.into_iter().map(|row| (row.uidl.clone(), row)).collect();
    let mut check = Check {
        post,
        inbox: find_inbox(post).await?,
        situation: Situation {
            policy: post.config.pop3,
            now: core.now(),
            accepted: core.store.setting(&accept_key(post.id)).await?.is_some(),
            tripped: core.store.setting(&tripped_key(post.id)).await?.is_some(),
            hides_fetched: hides_mail(&session),
        },
        session,
        report,
        ledger,
        listed: Vec::new(),
        told: Told::default(),
        kept: 0,
        failed: BTreeSet::new(),
        asked: Vec::new(),
    };
    let result = check.run().await;
    check.count_traffic();
    check.say_what_failed();
    let accepted = check.situation.accepted;
    if check.session.quirks().contains(&Quirk::PartialTop) && !known.contains(&Quirk::PartialTop) {
        let note = Write::PutSetting {
            key: by_retr_key(post.id),
            value: Some(core.now().to_string()),
        };
        core.apply(post.id, vec![note], Durability::Normal).await?;
    }
    match result {
        Ok(()) => check.leave().await?,
        Err(error) => return Err(error),
    }
    let mut last = vec![Write::PutSetting {
        key: checked_key(post.id),
        value: Some(core.now().to_string()),
    }];
    if accepted {
        last.push(Write::PutSetting {
            key: accept_key(post.id),
            value: None,
        });
    }
    core.apply(post.id, last, Durability::Normal).await?;
    Ok(())
}

/// Another program of the user's often has the maildrop open for a moment only.
async fn connect_patiently(post: &Post, report: &mut AccountReport) -> Result<Session, Error> {
    let mut wait = IN_USE;
    for _ in 0..RETURNS {
        match connect(post, report).await {
            Err(error) if error.pause == Pause::Locked && !post.core.is_stopping() => {
                log::info!("The maildrop is in use: {error}.");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            other => return other,
        }
    }
    connect(post, report).await
}

async fn connect(post: &Post, report: &mut AccountReport) -> Result<Session, Error> {
    let session = sign_in(&post.core, post.id, &post.config).await?;
    report.connections += 1;
    post.note_login_delay(session.capabilities().login_delay);
    Ok(session)
}

/// Signs in to an account's maildrop.
pub(super) async fn sign_in(core: &Core, id: AccountId, config: &AccountConfig) -> Result<Session, Error> {
    let (dialer, credentials) = core.sign_in(id, config).await?;
    let wishes = Wishes {
        apop: config.pop3.apop,
        // Messages come as they were sent, not rewritten for those who read no UTF-8 (RFC 6856, section 5).
        utf8: true,
        by_top: true,
    };
    Ok(Session::connect_with(&dialer, &config.incoming, &credentials, wishes).await?)
}

/// Whether this provider's silence about a message says nothing of it.
pub(super) fn hides_mail(session: &Session) -> bool {
    let quirks = session.quirks();
    quirks.contains(&Quirk::HidesFetched) || quirks.contains(&Quirk::RecentOnly)
}

async fn find_inbox(post: &Post) -> Result<(MailboxId, String), Error> {
    let mailboxes = post.core.store.mailboxes(Some(post.id)).await?;
    let inbox = mailboxes
        .into_iter()
        .find(|mailbox| mailbox.special_use == Some(SpecialUse::Inbox));
    let inbox = inbox.ok_or_else(|| Error::bug("a POP3 account without an inbox"))?;
    Ok((inbox.id, inbox.name.path))
}

/// One check while it runs.
pub(super) struct Check<'a> {
    pub post: &'a Post,
    pub inbox: (MailboxId, String),
    pub session: Session,
    pub report: &'a mut AccountReport,
    pub situation: Situation,
    pub ledger: Ledger,
    pub listed: Vec<Listed>,
    pub told: Told,
    /// Messages that came at this check.
    pub kept: u64,
    /// Messages that did not come whole at this check: asked for last, and not again on the same connection.
    pub failed: BTreeSet<Uidl>,
    /// Deletions that the server has said yes to, believed when QUIT is answered.
    pub asked: Vec<(Uidl, String)>,
}

impl Check<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        self.list().await?;
        let mut plan = self.settle_names().await?;
        self.situation.tripped = plan.suspicion.is_some();
        let fetches = |step: &plan::Step| matches!(step.act, Act::Download | Act::Headers);
        // Where nothing comes, nothing has changed since: a maildrop of many thousand is not gone through twice.
        if plan.steps.iter().any(fetches) {
            self.fetch(plan).await?;
            self.told.full = true;
            // What came meanwhile was verified meanwhile.
            self.situation.now = self.post.core.now();
            plan = self.plan();
            self.record(std::mem::take(&mut plan.ledger), Durability::Normal)
                .await?;
        }
        self.say_suspicion(&plan).await?;
        self.delete(&plan).await?;
        let memory = listing::remember(self.post.id, &self.listed);
        self.post
            .core
            .apply(self.post.id, vec![memory], Durability::Normal)
            .await?;
        Ok(())
    }

    async fn list(&mut self) -> Result<(), Error> {
        let core = &self.post.core;
        core.progress(self.post.id, Doing::Listing, 0, 0);
        self.listed = listing::list(&mut self.session, core, self.post.id, &self.ledger).await?;
        Ok(())
    }

    fn plan(&self) -> Plan {
        plan::plan(&self.listed, &self.ledger, &self.situation, &self.told)
    }

    /// Plans; looks at the headers of what may be here under another name; plans again with what that told.
    async fn settle_names(&mut self) -> Result<Plan, Error> {
        loop {
            let mut plan = self.plan();
            if plan.to(Act::Compare).next().is_none() {
                self.record(std::mem::take(&mut plan.ledger), Durability::Normal)
                    .await?;
                return Ok(plan);
            }
            self.compare(&plan).await?;
        }
    }

    /// Downloads what the plan says, over as many connections as it takes while each of them brings something.
    async fn fetch(&mut self, mut plan: Plan) -> Result<(), Error> {
        let (mut tries, mut idle) = (1, 0);
        loop {
            let (kept, known) = (self.kept, self.session.quirks().len());
            let result = match self.fetch_headers(&plan).await {
                Ok(()) => self.download(&plan).await,
                Err(error) => Err(error),
            };
            let Err(error) = result else {
                return Ok(());
            };
            // What was learnt of the server's ways is as good as a message: the next connection reads it otherwise.
            let fruitful = self.kept > kept || self.session.quirks().len() > known;
            idle = if fruitful { 0 } else { idle + 1 };
            let broke = matches!(error.class, ErrorClass::Network | ErrorClass::Protocol);
            // A server that wants a pause between logins gets one.
            let may_return = self.session.capabilities().login_delay.unwrap_or(0) == 0;
            if !broke || !may_return || idle >= IDLE_TRIES || tries >= TRIES || self.post.core.is_stopping() {
                return Err(error);
            }
            tries += 1;
            log::info!("The connection is opened anew: {error}.");
            if self.connect_again().await.is_err() {
                return Err(error);
            }
            plan = self.settle_names().await?;
        }
    }

    async fn connect_again(&mut self) -> Result<(), Error> {
        self.count_traffic();
        let known = self.session.quirks().clone();
        // The maildrop is locked for as long as the server believes in the old connection.
        self.session.hang_up().await;
        let mut wait = LOCKED;
        self.session = loop {
            match connect(self.post, self.report).await {
                Err(error) if error.class == ErrorClass::Network && wait < LOCKED * 16 => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                other => break other?,
            }
        };
        self.session.expect(known);
        // Numbers are those of a session.
        self.told.fetched.clear();
        self.list().await
    }

    fn count_traffic(&mut self) {
        let traffic = self.session.traffic();
        self.report.mailboxes = 1;
        self.report.bytes_in += traffic.bytes_in;
        self.report.bytes_out += traffic.bytes_out;
        self.report.round_trips += traffic.round_trips;
    }

    /// Each row says all about its message, so that a maildrop of many thousand needs no transaction as large.
    pub(super) async fn record(
        &mut self,
        mut rows: Vec<LedgerRow>,
        durability: Durability,
    ) -> Result<(), Error> {
        let (mut done, mut result) = (0, Ok(()));
        for part in rows.chunks(ROWS) {
            let writes = part.iter().map(|row| Write::PutLedger {
                account: self.post.id,
                row: Box::new(row.clone()),
            });
            let applied = self.post.core.apply(self.post.id, writes.collect(), durability);
            if let Err(error) = applied.await {
                result = Err(error);
                break;
            }
            done += part.len();
        }
        rows.truncate(done);
        let rows = rows.into_iter().map(|row| (row.uidl.clone(), row));
        if self.ledger.is_empty() {
            // Made at once, a map takes half of the memory.
            self.ledger = rows.collect();
        } else {
            self.ledger.extend(rows);
        }
        result
    }

    /// The circuit breaker stays open until everything is back, or the user has looked.
    async fn say_suspicion(&mut self, plan: &Plan) -> Result<(), Error> {
        let core = &self.post.core;
        let topic = Topic::Vanished(self.post.id, None);
        let explained = plan.suspicion.as_ref().map(plan::Suspicion::explain);
        match &explained {
            Some(words) => core.raise(
                topic,
                &Error {
                    remedies: vec![Remedy::ReviewAndContinue],
                    ..Error::new(ErrorClass::Suspicious, words)
                },
            ),
            None => core.clear(topic),
        }
        let key = tripped_key(self.post.id);
        if core.store.setting(&key).await? != explained {
            let note = Write::PutSetting {
                key,
                value: explained,
            };
            core.apply(self.post.id, vec![note], Durability::Normal).await?;
        }
        Ok(())
    }

    fn say_what_failed(&self) {
        let topic = Topic::Unread(self.post.id);
        if self.failed.is_empty() {
            self.post.core.clear(topic);
            return;
        }
        let what = match self.failed.len() {
            1 => "one message could not be read whole; it is left on the server and tried again".to_owned(),
            count => format!(
                "{count} messages could not be read whole; they are left on the server and tried again"
            ),
        };
        let error = Error {
            remedies: vec![Remedy::TryAgain],
            ..Error::new(ErrorClass::Protocol, what)
        };
        self.post.core.raise(topic, &error);
    }

    /// QUIT: only its +OK makes deletions true. Without it, they stay wanted and the next listing tells.
    async fn leave(self) -> Result<(), Error> {
        let Self {
            post,
            session,
            ledger,
            asked,
            report,
            ..
        } = self;
        let reply = match session.quit().await {
            Ok(reply) => reply,
            Err(error) if asked.is_empty() => {
                log::info!("The server did not take leave: {error}.");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for part in asked.chunks(ROWS) {
            let rows = delete::confirmed(part, &ledger, &reply, (post.id, post.core.now()));
            report.gone += rows.len() as u64;
            post.core.apply(post.id, rows, Durability::Full).await?;
        }
        Ok(())
    }
}
