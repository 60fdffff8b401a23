//! What no person wrote: a newsletter, a delivery report, junk.

use super::letter::{Conversation, Letter};
use super::people::{CHEAP, LIBRARY, ME, NEWSLETTER, POSTMASTER, PRIZE, Person};

/// An address with a letter missing.
const MISTYPED: Person = Person {
    name: "Noor Template",
    email: "nor@template.example",
    zone: 0,
};

pub fn conversations() -> Vec<Conversation> {
    vec![
        newsletter(),
        mistyped(),
        not_delivered(),
        overdue(),
        prize(),
        ink(),
    ]
}

fn newsletter() -> Conversation {
    Conversation {
        key: "weekly",
        subject: "The Weekly Specimen: harbours at night, and a kite",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((1, 13, 0), NEWSLETTER, &[ME], "THE WEEKLY SPECIMEN\n\nHarbours at night\nWhy the lights are red on one side and green on the other.\nhttps://weekly.example.com/harbours\n\nA kite in twenty minutes\nTwo sticks, one newspaper, some string.\nhttps://weekly.example.com/kite\n\nYou get this because you asked for it.\nTo stop: https://weekly.example.com/stop\n")
                .html("<html><body style=\"margin: 0; background: #f2f2ee\"><table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\"><tr><td align=\"center\"><table width=\"600\" cellpadding=\"0\" cellspacing=\"0\" style=\"background: #ffffff; font-family: Georgia, serif\"><tr><td style=\"padding: 24px\"><img src=\"https://images.weekly.example.com/head.png\" width=\"552\" height=\"120\" alt=\"The Weekly Specimen\"></td></tr><tr><td style=\"padding: 0 24px\"><h2 style=\"color: #183a4a\">Harbours at night</h2><img src=\"https://images.weekly.example.com/harbour.jpg\" width=\"552\" height=\"300\" alt=\"Lights on black water\"><p>Why the lights are red on one side and green on the other, and what happens if you ask a gull.</p><p><a href=\"https://weekly.example.com/harbours\" style=\"background: #183a4a; color: #ffffff; padding: 10px 18px; text-decoration: none\">Read on</a></p></td></tr><tr><td style=\"padding: 0 24px 24px\"><h2 style=\"color: #183a4a\">A kite in twenty minutes</h2><p>Two sticks, one newspaper, some string. <a href=\"https://weekly.example.com/kite\">How it is done</a></p></td></tr><tr><td style=\"padding: 16px 24px; background: #e6e6df; font-size: 12px; color: #555555\">You get this because you asked for it. <a href=\"https://weekly.example.com/stop\">Stop it</a><img src=\"https://track.weekly.example.com/open.gif?reader=8472\" width=\"1\" height=\"1\" alt=\"\"></td></tr></table></td></tr></table></body></html>")
                .headers("List-Id: The Weekly Specimen <weekly.example.com>\r\nList-Unsubscribe: <https://weekly.example.com/stop>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n")
                .unread(),
        ],
    }
}

fn mistyped() -> Conversation {
    Conversation {
        key: "mistyped",
        subject: "Desk books of the last five years",
        mailbox: "Sent",
        letters: vec![Letter::new(
            (0, 4, 2),
            ME,
            &[MISTYPED],
            "Hi Noor,\n\nthey are in the blue cupboard, bottom shelf, behind the spare bunting. 2019 has a coffee ring on June but can be read.\n\n{me}",
        )],
    }
}

fn not_delivered() -> Conversation {
    Conversation {
        key: "returned",
        subject: "Not delivered: Desk books of the last five years",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((0, 4, 0), POSTMASTER, &[ME], "")
                .headers("Auto-Submitted: auto-replied\r\n")
                .whole_body("multipart/report; report-type=delivery-status; boundary=\"report.1\"", "--report.1\nContent-Type: text/plain; charset=utf-8\n\nYour message could not be delivered to\n\n    nor@template.example\n\nThe server there said: 550 5.1.1 no such mailbox (did you mean noor@template.example?)\n\nIt will not be tried again.\n\n--report.1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; sandbox.example.org\n\nFinal-Recipient: rfc822; nor@template.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such mailbox (did you mean noor@template.example?)\n\n--report.1\nContent-Type: text/rfc822-headers\n\nFrom: {address}\nTo: Noor Template <nor@template.example>\nSubject: Desk books of the last five years\nMessage-ID: <mistyped.1@sample.example.org>\n\n--report.1--\n")
                .unread(),
        ],
    }
}

fn overdue() -> Conversation {
    Conversation {
        key: "overdue",
        subject: "Reminder: “Knots for Beginners” was due last week",
        mailbox: "Trash",
        letters: vec![Letter::new(
            (28, 6, 0),
            LIBRARY,
            &[ME],
            "Dear reader,\n\n“Knots for Beginners” was due back seven days ago. Somebody else is waiting for it, and has asked us to say that it is urgent, because of a tent.\n\nExample Town Library\nThis message was written by a machine. Answers are read by people.",
        )],
    }
}

fn prize() -> Conversation {
    Conversation {
        key: "prize",
        subject: "CONGRATULATION!!! You are the lucky winer of 1.000.000",
        mailbox: "Junk",
        letters: vec![
            Letter::new((6, 3, 33), PRIZE, &[ME], "Dear Lucky,\n\nyour email address was drawn by our computer and have won the 1st prize. To claim send us your name, age, and photograph of your bank.\n\nThis is confidential, tell nobody, not even us.\n\nInternational Prize Office").keyword("$Junk").unread(),
        ],
    }
}

fn ink() -> Conversation {
    Conversation {
        key: "ink",
        subject: "Ink so cheap it is nearly water",
        mailbox: "Junk",
        letters: vec![
            Letter::new((13, 2, 10), CHEAP, &[ME], "90 % OFF all ink, any colour, no printer needed.\n\nhttp://ink.example/buy\n")
                .html("<p style=\"font-size: 32px; color: #c00000\"><b>90 % OFF all ink</b></p><p>any colour, no printer needed</p><p><a href=\"http://ink.example/buy\">http://bank.example/</a></p><img src=\"http://ink.example/seen.gif?you\" width=\"1\" height=\"1\">")
                .keyword("$Junk"),
        ],
    }
}
