//! Unsubscribing in one click (RFC 8058): one POST, with nothing in it that the sender does not know already.

use std::time::{Duration, Instant};

use crate::web::{Fault, Web};

/// RFC 8058 section 3.1.
const FORM: &str = "List-Unsubscribe=One-Click";
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the POST. A redirect is no success: senders must not answer so (section 3.1), and what would follow is a
/// page to read. The answer itself is not looked at.
///
/// # Errors
/// Where the server was not reached or did not say yes: nobody knows then whether it unsubscribed.
pub fn post(web: &Web, url: &str) -> Result<(), Fault> {
    let visit = web.visit("*/*");
    let response = visit.post(url, FORM, Instant::now() + PATIENCE)?;
    if response.status().is_success() {
        Ok(())
    } else {
        Err(Fault::Status(response.status().as_u16()))
    }
}
