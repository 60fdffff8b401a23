//! Who a message is from, truly: one quiet mark, what is odd, and the details for whoever looks.

use iced::Element;
use posthorn_mime::{Mark, Outcome, SenderWarning, Verdict};
use posthorn_model::Address;

use super::Message;
use super::header::in_full;
use super::reading::Reading;
use crate::icon::{self, Icon};
use crate::t;
use crate::theme::tokens;
use crate::widget::{self, hint};

/// Beside the sender: verified, or nothing.
pub fn mark<'a>(reading: &Reading) -> Option<Element<'a, Message>> {
    match &reading.read.reading.verdict.mark {
        Mark::Verified(domain) => Some(hint(
            icon::colored(Icon::Verified, |theme| tokens(theme).success)
                .width(15)
                .height(15),
            t!("trust-verified", domain = domain.as_str()),
            "",
        )),
        Mark::Failed | Mark::Unknown => None,
    }
}

/// What is odd about the sender, in a bar that is seen.
pub fn warnings(reading: &Reading) -> Option<Element<'_, Message>> {
    let read = &reading.read.reading;
    let failed = (read.verdict.mark == Mark::Failed).then(|| {
        let domain = read.sender.as_ref().map(|sender| sender.domain.clone());
        t!("trust-failed", domain = domain.unwrap_or_default())
    });
    let odd = read
        .sender
        .iter()
        .flat_map(|sender| &sender.warnings)
        .filter_map(|warning| odd_words(warning, &read.message.envelope.from));
    widget::warnings(failed.into_iter().chain(odd))
}

/// `None` where it is said elsewhere, or too common to be of use.
fn odd_words(warning: &SenderWarning, authors: &[Address]) -> Option<String> {
    Some(match warning {
        SenderWarning::NameIsAddress(shown) => t!("trust-name-address", shown = shown.as_str()),
        SenderWarning::NameHadHidden => t!("trust-name-hidden"),
        SenderWarning::NameMixesScripts => t!("trust-name-mixed"),
        SenderWarning::NameIsDomain(shown) => t!("trust-name-domain", shown = shown.as_str()),
        SenderWarning::DomainDeceptive => t!("trust-domain"),
        SenderWarning::LocalHasAt => t!("trust-local"),
        SenderWarning::SeveralAuthors => t!("trust-several", people = in_full(authors)),
        SenderWarning::Ambiguous => t!("trust-ambiguous"),
        SenderWarning::ReplyElsewhere(to) => t!("trust-reply", to = to.as_str()),
        SenderWarning::NoAddress => return None,
    })
}

/// What the receiving server says, for the details.
pub fn details(verdict: &Verdict) -> Vec<(String, String)> {
    let Some(server) = &verdict.server else {
        return vec![(t!("field-checks"), t!("trust-nothing"))];
    };
    let one = |name: &str, outcome: Outcome| {
        let said = match outcome {
            Outcome::Pass => t!("trust-pass"),
            Outcome::Fail => t!("trust-fail"),
            Outcome::Unknown => t!("trust-unknown"),
        };
        format!("{name}: {said}")
    };
    let checks = [
        one("SPF", verdict.spf),
        one("DKIM", verdict.dkim),
        one("DMARC", verdict.dmarc),
        one("ARC", verdict.arc),
    ]
    .join(" · ");
    let mut all = vec![(t!("field-checks"), checks)];
    if !verdict.dkim_domains.is_empty() {
        all.push((t!("field-signed-by"), verdict.dkim_domains.join(", ")));
    }
    all.push((t!("field-checked-by"), server.clone()));
    all
}
