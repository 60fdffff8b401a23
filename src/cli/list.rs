//! `posthorn list`: a page of a mailbox, newest first.

use posthorn_engine::catalog::Row;
use posthorn_model::query::{Cursor, PageStart};
use serde_json::{Value, json};
use std::collections::HashSet;

use crate::arguments::ListRequest;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::Names;
use crate::row;
use crate::session::{Context, Purpose, Session};

/// # Errors
/// Where there is no such mailbox, or the profile cannot be read.
pub fn run(request: &ListRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let start = match &request.before {
        None => PageStart::Newest,
        Some(text) => PageStart::Before(
            Cursor::parse(text)
                .ok_or_else(|| Failure::usage("--before wants the \"next\" of an earlier page"))?,
        ),
    };
    let session = context.open(Purpose::Read)?;
    let names = Names::load(&session)?;
    let view = names.view(&request.mailbox)?;
    let limit = request.limit;
    let mut page = session.ask(|catalog| async move { catalog.page(view, start, limit).await })?;
    if request.threads {
        // Newest first, so that what stays of a conversation is its newest message.
        let mut seen = HashSet::new();
        page.rows.retain(|row| seen.insert(row.thread));
    }
    if output.is_json() {
        let paths = names.paths();
        let mut messages = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            let mut value = row::to_json(row, &paths);
            if let (true, Some(fields)) = (request.threads, value.as_object_mut()) {
                fields.insert("thread_messages".into(), thread_messages(&session, row)?);
            }
            messages.push(value);
        }
        let next = page.next.map(|cursor| cursor.to_string());
        output.document(&json!({ "messages": messages, "next": next, "total": page.total }))?;
    } else if page.rows.is_empty() {
        output.line("no messages")?;
    } else {
        row::print(output, &page.rows)?;
        if let Some(next) = page.next {
            output.line(&format!("{} in all; older ones: --before {next}", page.total))?;
        }
    }
    Ok(Status::Done)
}

fn thread_messages(session: &Session, row: &Row) -> Result<Value, Failure> {
    let thread = row.thread;
    let rows = session.ask(|catalog| async move { catalog.thread(thread).await })?;
    Ok(json!(rows.len()))
}
