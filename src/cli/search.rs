//! `posthorn search`.

use serde_json::{Value, json};
use std::time::Instant;

use crate::arguments::SearchRequest;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::Names;
use crate::row;
use crate::session::{Context, Purpose, Session};

/// # Errors
/// Where the query cannot be read, or the profile cannot.
pub fn run(request: &SearchRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = open(context)?;
    let query = request.query.join(" ");
    let limit = request.limit;
    let begun = Instant::now();
    let hits = session.ask(|catalog| async move { catalog.search(query, limit).await })?;
    let seconds = begun.elapsed().as_secs_f64();
    if output.is_json() {
        let paths = Names::load(&session)?.paths();
        let rows: Vec<Value> = hits.rows.iter().map(|hit| row::to_json(hit, &paths)).collect();
        output.document(&json!({
            "hits": rows,
            "total": hits.total,
            "coverage": { "bodies_indexed": hits.bodies_indexed, "messages": hits.messages },
            "seconds": seconds,
        }))?;
    } else {
        if hits.rows.is_empty() {
            output.line("nothing found")?;
        } else {
            row::print(output, &hits.rows)?;
            output.line(&format!("{} of {} shown", hits.rows.len(), hits.total))?;
        }
        if hits.bodies_indexed < hits.messages {
            output.line(&format!(
                "looked into {} of {} messages: the others are not indexed yet",
                hits.bodies_indexed, hits.messages
            ))?;
        }
    }
    Ok(Status::Done)
}

/// With all that is here in the index: what a large sync has left is put there first, unless another instance has the
/// profile and is at it already.
fn open(context: &Context) -> Result<Session, Failure> {
    let session = context.open(Purpose::Read)?;
    if session.ask(|catalog| async move { catalog.unindexed().await })? == 0 {
        return Ok(session);
    }
    drop(session);
    match context.open(Purpose::Write) {
        Ok(session) => {
            let finished = session.wait_or_interrupt(session.engine.finish_index());
            // What could not be indexed is left out, and the answer says how much it covers.
            if let Err(error) = finished.ok_or_else(Failure::interrupted)? {
                log::warn!("The index could not be finished: {error}.");
            }
            Ok(session)
        }
        Err(_) => context.open(Purpose::Read),
    }
}
