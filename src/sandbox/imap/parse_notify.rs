//! NOTIFY's arguments (RFC 5465 section 8).

use super::command::{Events, Notify};
use super::parser::{Cursor, Malformed, Result};

/// `None`: NOTIFY NONE.
pub fn parse_notify(cursor: &mut Cursor<'_>) -> Result<Option<Notify>> {
    if cursor.take_word("NONE") {
        return Ok(None);
    }
    if !cursor.take_word("SET ") {
        return Err(Malformed("expected NONE or SET"));
    }
    let mut notify = Notify {
        status: cursor.take_word("STATUS "),
        ..Notify::default()
    };
    loop {
        cursor.need(b'(', "expected a parenthesis")?;
        let filter = cursor.word();
        match filter.as_str() {
            "SELECTED" | "SELECTED-DELAYED" | "INBOXES" | "PERSONAL" | "SUBSCRIBED" => (),
            "MAILBOXES" | "SUBTREE" => {
                cursor.space()?;
                if cursor.peek() == Some(b'(') {
                    cursor.list(Cursor::mailbox)?;
                } else {
                    cursor.mailbox()?;
                }
            }
            _ => return Err(Malformed("unknown NOTIFY filter")),
        }
        cursor.space()?;
        let events = parse_events(cursor)?;
        cursor.need(b')', "expected a closing parenthesis")?;
        if filter.starts_with("SELECTED") {
            notify.selected = Some(events);
            notify.delayed = filter == "SELECTED-DELAYED";
        } else {
            notify.others = Some(events);
        }
        if !cursor.take(b' ') {
            return Ok(Some(notify));
        }
    }
}

fn parse_events(cursor: &mut Cursor<'_>) -> Result<Events> {
    let mut events = Events::default();
    if cursor.take_word("NONE") {
        return Ok(events);
    }
    cursor.list(|cursor| {
        match cursor.word().as_str() {
            "MESSAGENEW" => events.message_new = true,
            "MESSAGEEXPUNGE" => events.message_expunge = true,
            "FLAGCHANGE" => events.flag_change = true,
            "MAILBOXNAME" => events.mailbox_name = true,
            "SUBSCRIPTIONCHANGE" => events.subscription_change = true,
            // RFC 5465 section 5.1: an event that is not known is a NO with BADEVENT.
            _ => return Err(Malformed("[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)] unknown event")),
        }
        Ok(())
    })?;
    // RFC 5465 section 5.2: these three go together.
    if (events.message_new != events.message_expunge) || (events.flag_change && !events.message_new) {
        return Err(Malformed(
            "MessageNew and MessageExpunge go together, FlagChange with both",
        ));
    }
    Ok(events)
}
