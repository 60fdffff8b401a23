//! `posthorn pop3-plan`: what the next check, and the next thirty days, would do to what is on a POP3 server.

use clap::Args;
use posthorn_engine::forecast::others::{Comparison, CountsFrom, compare};
use posthorn_engine::forecast::{Count, Forecast, Leaves, Line, Maildrop, Totals, forecast};
use posthorn_engine::pop3::plan::Act;
use posthorn_model::{Pop3Policy, Protocol, Timestamp};
use serde_json::{Value, json};

use crate::account::policy::{self, PolicyRequest};
use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};
use crate::table::{self, Column};

#[derive(Args, Debug)]
pub struct PlanRequest {
    account: String,
    /// Ask no server: plan from what the last check left
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    policy: PolicyRequest,
}

/// # Errors
/// Where there is no such account, it is not a POP3 account, or its server cannot be asked.
pub fn run(request: &PlanRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let purpose = if request.offline {
        Purpose::Read
    } else {
        Purpose::ReadAndSignIn
    };
    let session = context.open(purpose)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = resolve::account(&accounts, &request.account)?;
    if account.config.protocol != Protocol::Pop3 {
        return Err(Failure::usage(policy::FOR_POP3));
    }
    let id = account.id;
    let maildrop = if request.offline {
        session.ask(|catalog| async move { catalog.maildrop(id).await })?
    } else {
        session.wait(session.engine.look_at_maildrop(id))?
    };
    let policy = request.policy.apply(account.config.pop3);
    let planned = Planned {
        account: &account.config.name,
        policy,
        forecast: forecast(&maildrop, policy, date::now()),
        maildrop: &maildrop,
    };
    if output.is_json() {
        output.document(&planned.to_json())?;
    } else {
        planned.print(output)?;
    }
    Ok(if planned.forecast.suspicion.is_some() {
        Status::NeedsUser
    } else {
        Status::Done
    })
}

struct Planned<'a> {
    account: &'a str,
    policy: Pop3Policy,
    maildrop: &'a Maildrop,
    forecast: Forecast,
}

impl Planned<'_> {
    fn others(&self) -> Vec<Comparison> {
        compare(self.maildrop, &self.policy, &self.forecast)
    }

    fn to_json(&self) -> Value {
        let missing: Vec<Value> = self
            .forecast
            .missing
            .iter()
            .map(|missing| json!({ "uidl": missing.uidl.to_string(), "why": missing.reason.to_string() }))
            .collect();
        json!({
            "account": self.account,
            "policy": {
                "leave_on_server": self.policy.leave.to_string(),
                "keep_at_most": self.policy.keep_at_most.map(|limit| limit.to_string()),
                "headers_first": self.policy.headers_first,
                "size_cap": self.policy.body_cap,
                "newest_first": self.policy.newest_first,
                "per_session": self.policy.per_session,
            },
            "live": self.maildrop.live,
            "checked_at": self.maildrop.checked_at,
            "breaker": self.forecast.suspicion.as_ref().map(|suspicion| suspicion.explain()),
            "totals": self.forecast.totals,
            "messages": self.forecast.lines.iter().map(|line| self.line_to_json(line)).collect::<Vec<_>>(),
            "missing": missing,
            "others": self.others(),
        })
    }

    fn line_to_json(&self, line: &Line) -> Value {
        let on: Option<Timestamp> = match line.leaves {
            Leaves::Next => Some(self.forecast.now),
            Leaves::On(on) => Some(on),
            Leaves::Held | Leaves::Never => None,
        };
        let letter = self.maildrop.letters.get(&line.listed.uidl);
        json!({
            "uidl": line.listed.uidl.to_string(),
            "number": line.listed.number.0,
            "size": line.listed.size,
            "id": line.message,
            "subject": letter.map(|letter| &letter.subject),
            "first_seen": line.first_seen,
            "downloaded_at": line.downloaded_at,
            "next_check": line.act.name(),
            "why": line.reason.to_string(),
            "reason": line.reason.name(),
            "leaves": leaves_name(line.leaves),
            "leaves_on": on,
            "leaves_why": line.due.as_ref().map(|due| due.reason.to_string()),
        })
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        for (name, value) in policy::say(&self.policy) {
            output.line(&format!("{name:>13}  {value}"))?;
        }
        let checked = match (self.maildrop.live, self.maildrop.checked_at) {
            (true, _) => "as the server lists it now; nothing was changed there".to_owned(),
            (false, Some(at)) => format!("as the check of {} left it", date::say_in_full(at)),
            (false, None) => "never checked yet".to_owned(),
        };
        output.line(&format!("{:>13}  {checked}", "looked at"))?;
        output.line("")?;
        let columns = [
            ("uidl", Column::UpTo(20)),
            ("size", Column::Right),
            ("next check", Column::Left),
            ("leaves", Column::Left),
            ("subject", Column::UpTo(32)),
            ("why", Column::Rest),
        ];
        let lines = self.forecast.lines.iter().map(|line| {
            let letter = self.maildrop.letters.get(&line.listed.uidl);
            vec![
                line.listed.uidl.to_string(),
                line.listed.size.map(say_size).unwrap_or_default(),
                say_act(line.act).to_owned(),
                say_leaves(line.leaves),
                letter.map(|letter| letter.subject.clone()).unwrap_or_default(),
                say_why(line),
            ]
        });
        table::print(output, &columns, lines)?;
        if !self.forecast.lines.is_empty() {
            output.line("")?;
        }
        for sentence in sentences(&self.forecast.totals) {
            output.line(&sentence)?;
        }
        for missing in &self.forecast.missing {
            output.line(&format!("{}: {}", missing.uidl, missing.reason))?;
        }
        if let Some(suspicion) = &self.forecast.suspicion {
            output.line(&format!("STOPPED: {}", suspicion.explain()))?;
        }
        output.line("")?;
        for line in say_others(&self.others()) {
            output.line(&line)?;
        }
        Ok(())
    }
}

const fn leaves_name(leaves: Leaves) -> &'static str {
    match leaves {
        Leaves::Next => "next-check",
        Leaves::On(_) => "later",
        Leaves::Held => "held",
        Leaves::Never => "never",
    }
}

fn say_leaves(leaves: Leaves) -> String {
    match leaves {
        Leaves::Next => "next check".to_owned(),
        Leaves::On(on) => date::say(on),
        Leaves::Held => "held".to_owned(),
        Leaves::Never => "stays".to_owned(),
    }
}

const fn say_act(act: Act) -> &'static str {
    match act {
        Act::Download => "download",
        Act::Headers => "headers only",
        Act::Compare => "compare",
        Act::Delete => "delete there",
        Act::Wait => "nothing",
    }
}

fn say_why(line: &Line) -> String {
    match &line.due {
        Some(due) if line.act == Act::Download => format!("{}; then {}", line.reason, due.reason),
        _ => line.reason.to_string(),
    }
}

fn say_size(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{} kB", size / 1_000),
        _ => format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
    }
}

fn say_count(count: Count) -> String {
    let plural = if count.messages == 1 {
        "message"
    } else {
        "messages"
    };
    format!("{} {plural} ({})", count.messages, say_size(count.bytes))
}

fn sentences(totals: &Totals) -> Vec<String> {
    let mut all = vec![format!("on the server: {}", say_count(totals.on_server))];
    if totals.download.messages > 0 {
        all.push(format!("the next check downloads {}", say_count(totals.download)));
    }
    if totals.headers.messages > 0 {
        all.push(format!(
            "the next check fetches the headers of {}",
            say_count(totals.headers)
        ));
    }
    all.push(format!(
        "at the next check {} the server",
        say_leaving(totals.leave_next)
    ));
    all.push(format!("within 30 days {} it", say_leaving(totals.leave_within)));
    match totals.held.messages {
        0 => {}
        1 => all.push(format!(
            "{} is due, and stays until you have looked",
            say_count(totals.held)
        )),
        _ => all.push(format!(
            "{} are due, and stay until you have looked",
            say_count(totals.held)
        )),
    }
    all.push(format!("after 30 days still there: {}", say_count(totals.stay)));
    all
}

/// `nothing leaves`, `1 message (2 kB) leaves`, `3 messages (6 kB) leave`.
fn say_leaving(count: Count) -> String {
    match count.messages {
        0 => "nothing leaves".to_owned(),
        1 => format!("{} leaves", say_count(count)),
        _ => format!("{} leave", say_count(count)),
    }
}

/// Other programs with the same setting; where none of them removes anything, that in one line.
fn say_others(others: &[Comparison]) -> Vec<String> {
    if others
        .iter()
        .all(|other| other.has.rule && other.leave_within.messages == 0)
    {
        let names: Vec<&str> = others.iter().map(|other| other.client.name()).collect();
        return vec![format!(
            "with the same setting {} would remove nothing within 30 days",
            names.join(", ")
        )];
    }
    let heading = std::iter::once("with the same setting:".to_owned());
    heading.chain(others.iter().map(say_other)).collect()
}

fn say_other(other: &Comparison) -> String {
    if !other.has.rule {
        return format!(
            "{:>13}  has no such rule, and would keep them",
            other.client.name()
        );
    }
    let from = match other.counts_from {
        CountsFrom::ItsDownload => "counting from its own download",
        CountsFrom::FirstSeen => "counting from when it first saw a message",
        CountsFrom::DateHeader => "counting from the date that the sender wrote",
    };
    let limit = if other.has.limit {
        ""
    } else {
        "; it has no limit by number or size"
    };
    let name = other.client.name();
    if other.leave_within.messages == 0 {
        return format!("{name:>13}  removes nothing within 30 days, {from}{limit}");
    }
    let next = match other.leave_next.messages {
        0 => "nothing".to_owned(),
        _ => say_count(other.leave_next),
    };
    format!(
        "{name:>13}  removes {next} at the next check, {} within 30 days, {from}{limit}",
        say_count(other.leave_within),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(messages: u64) -> Count {
        Count {
            messages,
            bytes: messages * 2_000,
        }
    }

    #[test]
    fn verbs_follow_their_number() {
        let check = |next, within, held, expect: &[&str]| {
            let totals = Totals {
                leave_next: count(next),
                leave_within: count(within),
                held: count(held),
                ..Totals::default()
            };
            let said = sentences(&totals);
            for words in expect {
                assert!(said.iter().any(|line| line == words), "{words:?} in {said:#?}");
            }
        };
        check(
            0,
            1,
            0,
            &[
                "at the next check nothing leaves the server",
                "within 30 days 1 message (2 kB) leaves it",
            ],
        );
        check(
            2,
            3,
            1,
            &[
                "at the next check 2 messages (4 kB) leave the server",
                "within 30 days 3 messages (6 kB) leave it",
                "1 message (2 kB) is due, and stays until you have looked",
            ],
        );
        check(
            0,
            0,
            2,
            &["2 messages (4 kB) are due, and stay until you have looked"],
        );
    }

    #[test]
    fn programs_that_remove_nothing_share_a_line() {
        let maildrop = Maildrop::default();
        let check = |policy: &str, lines: usize, words: &str| {
            let policy = Pop3Policy::leaving(posthorn_model::LeaveOnServer::parse(policy).unwrap());
            let planned = forecast(&maildrop, policy, Timestamp(0));
            let said = say_others(&compare(&maildrop, &policy, &planned));
            assert_eq!(said.len(), lines, "{said:#?}");
            assert!(said.last().unwrap().contains(words), "{said:#?}");
        };
        check("forever", 1, "Thunderbird, Evolution, KMail would remove nothing");
        check("until-removed", 4, "no such rule");
    }
}
