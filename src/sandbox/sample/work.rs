//! Conversations about things to be done: a small museum, a quote, a report.

use super::attachment::{Attachment, chart};
use super::letter::{Conversation, Letter};
use super::people::{ALEX, INES, ME, MIRA, NOOR, PAINTER, TOM};

pub fn conversations() -> Vec<Conversation> {
    vec![
        visitors(),
        painters(),
        opening_hours(),
        labels(),
        lighthouse(),
        invoice(),
    ]
}

fn visitors() -> Conversation {
    Conversation {
        key: "visitors",
        subject: "Visitor numbers for last year",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((4, 9, 12), NOOR, &[ME], "Hi {me},\n\nthe council wants last year's visitor numbers on one page. I have the ticket counts by month, but no free admissions. Did you keep the tally from the front desk?\n\nNoor"),
            Letter::new((4, 10, 3), ME, &[NOOR], "Hi Noor,\n\nyes, on paper until May and in the spreadsheet after that. I will type the paper ones in today.\n\nTwo things to know before they end up in a chart: August has the open day in it (412 people in one afternoon), and in February we were closed for nine days because of the pipes.\n\n{me}").quoting(),
            Letter::new((3, 16, 40), NOOR, &[ME], "Thank you! Here it is as a table and as the chart I would send them. I coloured August so that nobody thinks we have found a secret.\n\nIf you see nothing wrong I will send it on Thursday.\n\nNoor")
                .attach(Attachment::png("visitors.png", chart()))
                .attach(Attachment::text("visitors.csv", "text/csv; charset=utf-8", "month,tickets,free,total\nJanuary,164,56,220\nFebruary,201,69,270\nMarch,262,88,350\nApril,371,109,480\nMay,498,162,660\nJune,611,189,800\nJuly,702,218,920\nAugust,548,412,960\nSeptember,540,160,700\nOctober,389,121,510\nNovember,247,83,330\nDecember,214,76,290\n"))
                .quoting(),
            Letter::new((3, 17, 5), ME, &[NOOR], "Looks right to me, and I checked the sum of every row. Send it.\n\n{me}").quoting(),
            Letter::new((0, 5, 20), NOOR, &[ME], "They liked it so much that they want the last five years. Do we still have the old desk books?\n\nNoor").quoting().unread(),
        ],
    }
}

fn painters() -> Conversation {
    Conversation {
        key: "painters",
        subject: "Quote for the stairwell",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((12, 11, 30), ME, &[PAINTER], "Good morning,\n\nwe would like the stairwell of the old customs house painted before spring: three floors, about 140 square metres of wall, and the banister. The walls are sound, but the ceiling on the second floor has a water stain.\n\nCould you come and look, and tell us what it would cost?\n\nKind regards\n{me}"),
            Letter::new((10, 8, 55), PAINTER, &[ME], "Dear {me},\n\nthank you for showing us round yesterday. Our quote is attached. It is valid for six weeks.\n\nThe stain needs a sealing coat first, otherwise it comes back through any paint within a year. We have listed it as an item of its own, so that you can see what it adds.\n\nWith kind regards\nPlaceholder & Daughters")
                .attach(Attachment::pdf("Quote 2047 stairwell.pdf", &[
                    "Quote 2047: stairwell, old customs house",
                    "",
                    "Walls, 140 square metres, two coats      1,890.00",
                    "Ceiling, sealing coat, second floor        145.00",
                    "Ceiling, one coat, three floors            520.00",
                    "Banister, sanding and two coats            680.00",
                    "Covering, scaffolding, clearing away       410.00",
                    "",
                    "Sum, all in                              3,645.00",
                    "",
                    "Placeholder & Daughters, painters. This is a sample document.",
                ]))
                .flagged(),
            Letter::new((9, 14, 20), ME, &[PAINTER], "Thank you, that is clear and quick.\n\nWe would like all of it except the banister, which a volunteer wants to do. Could you begin in the second week of next month? The house is closed on Mondays and Tuesdays.\n\n{me}").quoting(),
            Letter::new((8, 9, 10), PAINTER, &[ME], "Dear {me},\n\ngladly: Monday of the second week, seven o'clock, two people for four days. Please have the pictures taken down by then. We bring the coffee.\n\nPlaceholder & Daughters").quoting(),
        ],
    }
}

fn opening_hours() -> Conversation {
    Conversation {
        key: "hours",
        subject: "Who opens on Saturday?",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((1, 8, 2), TOM, &[ME, MIRA], "Morning both,\n\nmy train on Saturday only gets in at eleven. Could one of you open up at ten? The school group from Sampleton comes at a quarter past, thirty children and two teachers.\n\nTom\n-- \nTom Specimen\nSaturdays, keys, and the boiler").flowed(),
            Letter::new((1, 8, 47), MIRA, &[TOM], "I can be there from half past nine, but I do not have the alarm code any more since they changed it.\n\nMira").cc(&[ME]).quoting().flowed(),
            Letter::new((1, 9, 15), ME, &[MIRA, TOM], "Mira opens, I bring the code and come at ten to. Please do not send it by mail, whoever still has it.\n\nThirty children: shall we put the glass case with the compass out of reach?\n\n{me}").quoting().flowed(),
            Letter::new((0, 2, 10), TOM, &[ME], "Yes. Last time somebody breathed on it until it fogged, and then drew a whale.\n\nThank you both, I owe you cake.\n\nTom\n-- \nTom Specimen\nSaturdays, keys, and the boiler").cc(&[MIRA]).quoting().flowed().unread(),
        ],
    }
}

fn labels() -> Conversation {
    Conversation {
        key: "labels",
        subject: "Two sentences for the tide clock",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((18, 13, 5), INES, &[ME], "Olá {me},\n\nthe new label for the tide clock is too long for its frame. We have room for two sentences of about twenty words each. Could you cut it? You write shorter than I do.\n\nWhat we have now: “This clock, made around 1840 by an unknown maker in the harbour town, shows not only the hours but also, by means of a second hand driven by a separate train of wheels, the height of the tide at the bridge.”\n\nInês").html("<p>Olá {me},</p><p>the new label for the tide clock is too long for its frame. We have room for <b>two sentences of about twenty words each</b>. Could you cut it? You write shorter than I do.</p><p>What we have now:</p><blockquote style=\"border-left: 3px solid #b7c9d3; margin: 0; padding: 4px 12px; color: #34495e\">This clock, made around 1840 by an unknown maker in the harbour town, shows not only the hours but also, by means of a second hand driven by a separate train of wheels, the height of the tide at the bridge.</blockquote><p>Inês</p>"),
            Letter::new((18, 15, 31), ME, &[INES], "Hi Inês,\n\nperhaps:\n\n“One hand tells the hour, the other how high the water stands at the bridge. Made here around 1840; nobody knows by whom.”\n\nTwenty-five words in all, so you could even make the letters larger.\n\n{me}").quoting(),
            Letter::new((17, 9, 40), INES, &[ME], "Perfect. It is at the printer's, in 24 point.\n\nSomebody asked at once whether the clock is right. It is: we had forgotten to tell people that it is fast by exactly one lighthouse keeper.\n\nInês").quoting().keyword("$Label1"),
        ],
    }
}

fn lighthouse() -> Conversation {
    Conversation {
        key: "lighthouse",
        subject: "Minutes: lighthouse working group",
        mailbox: "Projects/Lighthouse",
        letters: vec![
            Letter::new((41, 18, 30), MIRA, &[ALEX, TOM, ME], "Dear all,\n\nthe minutes in short:\n\n  1. The lamp room floor holds. The surveyor's letter is in the folder.\n  2. Tom asks the harbour office about the key to the outer door.\n  3. Alex draws up what a rope rail would cost.\n  4. We meet again in six weeks, same place. Bring a torch.\n\nMira"),
            Letter::new((40, 9, 0), ALEX, &[MIRA, TOM, ME], "Rope rail: between 900 and 1,100 with posts, half of that if we use the old oars as posts. They are sound, I tried to break one.\n\nAlex").quoting(),
            Letter::new((40, 12, 22), ME, &[ALEX, MIRA, TOM], "Oars, please. They look better and they float.\n\n{me}").quoting(),
            Letter::new((2, 19, 45), MIRA, &[ALEX, TOM, ME], "A reminder: we meet on Thursday at seven, at the foot of the stairs. An entry for your calendars is attached.\n\nMira")
                .attach(Attachment::calendar("lighthouse.ics", "PUBLISH", &["DTSTART:{THURSDAY}T180000Z", "DTEND:{THURSDAY}T200000Z", "SUMMARY:Lighthouse working group", "LOCATION:Foot of the stairs", "DESCRIPTION:Bring a torch."]))
                .unread(),
        ],
    }
}

fn invoice() -> Conversation {
    Conversation {
        key: "insurance",
        subject: "Your insurance certificate",
        mailbox: "Archive",
        letters: vec![
            Letter::new((57, 7, 30), NOOR, &[ME], "Hi {me},\n\nfor your records: this year's certificate for the boats on loan. The sum is the same as before; only the punt has been added.\n\nNoor")
                .attach(Attachment::pdf("Certificate.pdf", &[
                    "Certificate of insurance (sample)",
                    "",
                    "Insured: the boats on loan to the old customs house",
                    "Rowing boat, oak, around 1900",
                    "Sailing dinghy, larch, 1932",
                    "Punt, pine, 1951 (new this year)",
                    "",
                    "This document was made up and insures nothing.",
                ])),
        ],
    }
}
