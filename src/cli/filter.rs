//! `posthorn filter`: rules for mail that arrives.

use clap::Subcommand;
use posthorn_engine::filter::round::{Run, Tried};
use posthorn_engine::filter::{Destination, Verdict};
use posthorn_model::filter::{Action, Condition, Matching, Rule};
use serde_json::{Value, json};

use crate::arguments::ChosenOne;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::{self, Names};
use crate::session::{Context, Purpose, Session};
use crate::table::{self, Column};

#[derive(Debug, Subcommand)]
pub enum FilterCommand {
    /// List the filters in the order in which they are tried
    List,
    /// Add a filter
    #[command(after_help = CONDITIONS)]
    Add(AddRequest),
    /// Remove a filter
    Remove { name: String },
    /// Apply a filter again
    Enable { name: String },
    /// Keep a filter without applying it
    Disable { name: String },
    /// Tell what the filters would do to a message; changes nothing
    Test(ChosenOne),
    /// Apply the filters to everything in a mailbox
    Run {
        /// ACCOUNT/Path
        mailbox: String,
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
    },
}

const CONDITIONS: &str = "\
Conditions: from, to (or Cc), subject, list-id, or header NAME, followed by contains, is, begins or ends (with not \
before it for the contrary) and a text; size > 5MB, size < 20kB; attachment yes, attachment no.
Actions: move MAILBOX (of the message's own account), read, star, tag WORD, junk, stop (later filters are not tried).
A filter looks at a message once, when it arrives in an inbox. It never deletes, and what it moves stays on a POP3 \
server until you delete it.";

#[derive(clap::Args, Debug)]
pub struct AddRequest {
    /// What the filter is called
    name: String,
    /// What must be true of a message, such as 'list-id contains rust'; without any, every message fits
    #[arg(long = "if", value_name = "CONDITION", value_parser = parse_condition)]
    conditions: Vec<Condition>,
    /// What is done to it, such as 'move Lists/Rust'
    #[arg(long = "then", value_name = "ACTION", required = true, value_parser = parse_action)]
    actions: Vec<Action>,
    /// How many of the conditions must be true
    #[arg(long = "match", value_name = "all|any", default_value = "all")]
    matching: MatchingName,
    /// Only mail of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Try it before this filter; otherwise last
    #[arg(long, value_name = "NAME")]
    before: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum MatchingName {
    All,
    Any,
}

fn parse_condition(text: &str) -> Result<Condition, String> {
    Condition::parse(text).map_err(|why| why.to_string())
}

fn parse_action(text: &str) -> Result<Action, String> {
    Action::parse(text).map_err(|why| why.to_string())
}

/// # Errors
/// Where there is no such filter, message or mailbox, or a filter cannot work; then nothing was changed.
pub fn run(command: FilterCommand, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    match command {
        FilterCommand::List => list(context, output),
        FilterCommand::Add(request) => add(request, context, output),
        FilterCommand::Remove { name } => change(&name, context, output, |rules, place| {
            rules.remove(place);
        }),
        FilterCommand::Enable { name } => switch(&name, true, context, output),
        FilterCommand::Disable { name } => switch(&name, false, context, output),
        FilterCommand::Test(chosen) => test(&chosen, context, output),
        FilterCommand::Run { mailbox, dry_run } => run_over(&mailbox, dry_run, context, output),
    }
}

fn load(session: &Session) -> Result<Vec<Rule>, Failure> {
    session.ask(|catalog| async move { catalog.filters().await })
}

fn list(context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    print(&session, &load(&session)?, output)
}

fn add(request: AddRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Write)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = match &request.account {
        Some(name) => Some(resolve::account(&accounts, name)?.id),
        None => None,
    };
    let mut rules = load(&session)?;
    let place = match &request.before {
        Some(name) => find(&rules, name)?,
        None => rules.len(),
    };
    rules.insert(
        place,
        Rule {
            name: request.name,
            enabled: true,
            account,
            matching: match request.matching {
                MatchingName::All => Matching::All,
                MatchingName::Any => Matching::Any,
            },
            conditions: request.conditions,
            actions: request.actions,
        },
    );
    session.wait(session.engine.put_filters(rules.clone()))?;
    print(&session, &rules, output)
}

fn find(rules: &[Rule], name: &str) -> Result<usize, Failure> {
    rules.iter().position(|rule| rule.name == name).ok_or_else(|| {
        Failure::unknown(format!(
            "there is no filter {name:?}: posthorn filter list shows them"
        ))
    })
}

fn switch(name: &str, enabled: bool, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    change(name, context, output, |rules, place| {
        if let Some(rule) = rules.get_mut(place) {
            rule.enabled = enabled;
        }
    })
}

fn change(
    name: &str,
    context: &Context,
    output: &mut Output,
    act: impl FnOnce(&mut Vec<Rule>, usize),
) -> Result<Status, Failure> {
    let session = context.open(Purpose::Write)?;
    let mut rules = load(&session)?;
    let place = find(&rules, name)?;
    act(&mut rules, place);
    session.wait(session.engine.put_filters(rules.clone()))?;
    print(&session, &rules, output)
}

fn print(session: &Session, rules: &[Rule], output: &mut Output) -> Result<Status, Failure> {
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = |rule: &Rule| rule.account.map(|id| resolve::account_name(&accounts, id));
    let words = |list: Vec<String>, between: &str| list.join(between);
    if output.is_json() {
        let list: Vec<Value> = rules
            .iter()
            .map(|rule| {
                json!({
                    "name": rule.name,
                    "enabled": rule.enabled,
                    "account": account(rule),
                    "match": rule.matching.name(),
                    "if": rule.conditions,
                    "then": rule.actions,
                })
            })
            .collect();
        output.document(&json!({ "filters": list }))?;
    } else if rules.is_empty() {
        output.line("there are no filters")?;
    } else {
        let columns = [
            ("name", Column::UpTo(24)),
            ("", Column::Left),
            ("account", Column::UpTo(16)),
            ("then", Column::UpTo(40)),
            ("if", Column::Rest),
        ];
        let lines = rules.iter().map(|rule| {
            let between = format!(
                " {} ",
                if rule.matching == Matching::All {
                    "and"
                } else {
                    "or"
                }
            );
            vec![
                rule.name.clone(),
                if rule.enabled { "on" } else { "off" }.to_owned(),
                account(rule).unwrap_or_else(|| "all".to_owned()),
                words(rule.actions.iter().map(ToString::to_string).collect(), ", "),
                words(
                    rule.conditions.iter().map(ToString::to_string).collect(),
                    &between,
                ),
            ]
        });
        table::print(output, &columns, lines)?;
    }
    Ok(Status::Done)
}

fn test(chosen: &ChosenOne, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let id = resolve::message(&session, chosen)?;
    let tried = session.ask(|catalog| async move { catalog.try_filters(id).await })?;
    let tried = tried.ok_or_else(|| resolve::no_such_message(id))?;
    if output.is_json() {
        output.document(&to_json(&tried))?;
    } else {
        if !tried.complete {
            output.line("a filter looks at a field that is not here yet: this is what the others say")?;
        }
        output.line(&say(&tried.verdict))?;
    }
    Ok(Status::Done)
}

fn to_json(tried: &Tried) -> Value {
    let verdict = &tried.verdict;
    json!({
        "id": tried.message,
        "subject": tried.subject,
        "complete": tried.complete,
        "filters": verdict.rules,
        "add": verdict.change.add.names(),
        "move": verdict.to.as_ref().map(destination),
    })
}

fn destination(to: &Destination) -> String {
    match to {
        Destination::Mailbox(path) => path.clone(),
        Destination::Junk => "junk".to_owned(),
    }
}

fn say(verdict: &Verdict) -> String {
    if verdict.is_empty() {
        return "no filter changes this message".to_owned();
    }
    let mut acts: Vec<String> = Vec::new();
    let names = verdict.change.add.names();
    if !names.is_empty() {
        acts.push(format!("marks it {}", names.join(", ")));
    }
    if let Some(to) = &verdict.to {
        acts.push(format!("moves it to {}", destination(to)));
    }
    format!("{}: {}", verdict.rules.join(", "), acts.join(" and "))
}

fn run_over(name: &str, dry_run: bool, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(if dry_run { Purpose::Read } else { Purpose::Write })?;
    let mailbox = Names::load(&session)?.mailbox(name)?.id;
    let found = if dry_run {
        session.ask(|catalog| async move { catalog.preview_filters(mailbox).await })?
    } else {
        session.wait(session.engine.run_filters(mailbox))?
    };
    tell(&found, dry_run, output)?;
    Ok(Status::Done)
}

fn tell(found: &Run, dry_run: bool, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        let list: Vec<Value> = found.tried.iter().map(to_json).collect();
        return output.document(&json!({
            "looked_at": found.looked_at,
            "incomplete": found.incomplete,
            "dry_run": dry_run,
            "intent": found.receipt.intent,
            "messages": list,
        }));
    }
    let columns = [
        ("id", Column::Right),
        ("filters", Column::UpTo(24)),
        ("", Column::UpTo(44)),
        ("subject", Column::Rest),
    ];
    let lines = found.tried.iter().map(|tried| {
        let said = say(&tried.verdict);
        vec![
            tried.message.to_string(),
            tried.verdict.rules.join(", "),
            said.split_once(": ")
                .map_or(String::new(), |(_, acts)| acts.to_owned()),
            tried.subject.clone(),
        ]
    });
    table::print(output, &columns, lines)?;
    let done = match (dry_run, found.receipt.intent) {
        (true, _) => "would be changed",
        (false, Some(_)) => "changed; posthorn undo takes it back",
        (false, None) => "changed",
    };
    output.line(&format!(
        "{} of {} messages {done}",
        found.tried.len(),
        found.looked_at
    ))?;
    if found.incomplete > 0 {
        output.line(&format!(
            "{} were passed over: a filter looks at fields of them that are not here yet",
            found.incomplete
        ))?;
    }
    Ok(())
}
