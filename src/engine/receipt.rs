//! Receipts (RFC 8098): a sender wants to know that a message was read. Nobody is told without the user's word, and
//! nobody is told twice.

use posthorn_mime::Asked;
use posthorn_mime::compose::{self, Draft, Receipt};
use posthorn_model::{
    Address, ErrorClass, FlagChange, Flags, Keyword, MessageId, ReceiptPolicy, SubmissionId,
};
use posthorn_store::Durability;
use posthorn_store::write::Write;

use crate::catalog::{Catalog, Message};
use crate::command::Selection;
use crate::ops::apply::Applier;
use crate::ops::wish::gather;
use crate::outbox::building;
use crate::outbox::submit::{Beside, accept_with};
use crate::reading::{Reading, ReceiptState};
use crate::shared::{Core, Shared};
use crate::{Error, Outgoing};

/// RFC 3503: set when a receipt was sent, and when the user said no.
const ANSWERED: &str = "$MDNSent";

/// What the sender is told where the caller has no words of its own.
const WORDS: &str =
    "Your message was shown on the recipient's screen. This does not mean that it was read or understood.\n";

/// Whether the request was answered, by these flags.
pub(crate) fn is_answered(flags: &Flags) -> bool {
    Keyword::parse(ANSWERED).is_some_and(|answered| flags.keywords().contains(&answered))
}

/// Remembers the answer where no server keeps the keyword, and for other copies of the message.
pub(crate) fn answer_key(message: &Message) -> String {
    match &message.envelope.message_id {
        Some(id) => format!("receipt/{}/{}", message.account, id.0),
        None => format!("receipt/{}/{}", message.account, message.id),
    }
}

/// Sends the receipt. `words`: the text that people see, in the user's language; may be empty.
///
/// # Errors
/// `Refused` where the settings say never; `Config` where no receipt is asked for, or the request was answered.
pub(crate) async fn send(core: &Shared, message: MessageId, words: &str) -> Result<SubmissionId, Error> {
    let _local = core.local().await;
    let (reading, asked) = open(core, message).await?;
    if core.with_reading(|settings| settings.now().receipts) != ReceiptPolicy::Ask {
        return Err(Error::new(
            ErrorClass::Refused,
            "the settings say that no receipts are sent",
        ));
    }
    let built = build(core, &reading, asked, words)?;
    let outgoing = Outgoing {
        account: reading.message.account,
        raw: built.raw,
        recipients: built.recipients,
        at: None,
        draft: None,
    };
    let beside = Beside {
        no_returns: true,
        writes: answered(core, &reading).await?,
    };
    accept_with(core, outgoing, beside).await
}

/// The user said no: nothing is sent, and nobody asks again.
///
/// # Errors
/// `Config` where no receipt is asked for, or the request was answered.
pub(crate) async fn decline(core: &Shared, message: MessageId) -> Result<(), Error> {
    let _local = core.local().await;
    let (reading, _) = open(core, message).await?;
    let writes = answered(core, &reading).await?;
    core.apply(reading.message.account, writes, Durability::Full)
        .await?;
    Ok(())
}

async fn open(core: &Shared, message: MessageId) -> Result<(Reading, Asked), Error> {
    let reading = Catalog::new(Shared::clone(core)).reading(message).await?;
    let reading = reading.ok_or_else(|| Error::config("there is no such message"))?;
    match reading.receipt.clone() {
        Some(ReceiptState::Open(asked) | ReceiptState::Off(asked)) => Ok((reading, asked)),
        Some(ReceiptState::Answered) => Err(Error::config("this request for a receipt was answered already")),
        None => Err(Error::config("this message does not ask for a receipt")),
    }
}

fn build(core: &Core, reading: &Reading, asked: Asked, words: &str) -> Result<compose::Built, Error> {
    let config = core.config(reading.message.account);
    let config = config.ok_or_else(|| Error::config("there is no such account"))?;
    let envelope = &reading.message.envelope;
    let mut addressed = envelope.to.iter().chain(&envelope.cc);
    let mine = |to: &&Address| reading.me.iter().any(|me| me.eq_ignore_ascii_case(&to.email));
    let recipient = addressed
        .find(mine)
        .map_or(&config.identity.email, |to| &to.email)
        .clone();
    let draft = Draft {
        identity: config.identity,
        to: asked.to,
        subject: format!("Read: {}", envelope.subject),
        body: if words.trim().is_empty() {
            WORDS.to_owned()
        } else {
            words.to_owned()
        },
        ..Draft::default()
    };
    let receipt = Receipt {
        original: envelope.message_id.clone(),
        recipient,
    };
    let random = building::random()?;
    let id = compose::message_id(&draft.identity, &random);
    Ok(compose::build_receipt(
        &draft,
        &receipt,
        core.now(),
        &id,
        building::seed(&random),
    ))
}

/// The keyword on every copy, and the note that stays where a server forgets it. Call with [`Core::local`] held.
async fn answered(core: &Core, reading: &Reading) -> Result<Vec<Write>, Error> {
    let mut add = Flags::default();
    if let Some(keyword) = Keyword::parse(ANSWERED) {
        add.insert_keyword(keyword);
    }
    let selection = Selection {
        messages: vec![reading.message.id],
        mailbox: None,
    };
    let facts = gather(core, &selection, None).await?;
    let mut new_id = || core.store.new_operation_id();
    let intent = new_id().0;
    let mut applier = Applier::new(&facts, intent, &mut new_id);
    applier.flag(&FlagChange {
        add,
        remove: Flags::default(),
    })?;
    let mut writes = applier.finish().writes;
    writes.push(Write::PutSetting {
        key: answer_key(&reading.message),
        value: Some(core.now().to_string()),
    });
    Ok(writes)
}
