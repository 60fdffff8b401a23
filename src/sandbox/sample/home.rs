//! Conversations among friends: a garden, a journey, a list about paper boats.

use super::attachment::{Attachment, horn, scarf};
use super::letter::{Conversation, Letter};
use super::people::{ALEX, BOATS, INES, JOERG, LIBRARY, ME, MIRA, RAILWAY, SANDBOX, TOM};

pub fn conversations() -> Vec<Conversation> {
    vec![
        welcome(),
        harvest(),
        journey(),
        scarf_found(),
        birthday(),
        bread(),
        paper_boats(),
        draft(),
        lease(),
    ]
}

fn welcome() -> Conversation {
    Conversation {
        key: "welcome",
        subject: "Welcome to your sandbox mailbox",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((0, 0, 4), SANDBOX, &[ME], "Hello {me},\n\nthis mailbox is real, but it lives in this program only. Nothing that you send leaves your computer, and nobody in here exists. So try everything:\n\n* Reply to this message, or write to alex@example.org.\n* Write to somebody@nowhere.example and see how a message comes back.\n* Flag, move and delete. Undo it.\n* Search for “tide clock”, or for 花子.\n* Open the newsletter: its pictures are on the network, so they are not loaded until you say so.\n* Look at the same mailbox by IMAP and by POP3, and see what each of them shows and keeps.\n\nWhen you close the program the sandbox is gone.\n")
                .html("<div style=\"font-family: sans-serif; max-width: 36em; line-height: 1.5\"><p><img src=\"cid:horn@sample.example.org\" width=\"64\" height=\"64\" alt=\"A post horn\"></p><h2 style=\"color: #245c7a\">Hello {me},</h2><p>this mailbox is real, but it lives in this program only. <b>Nothing that you send leaves your computer</b>, and nobody in here exists. So try everything:</p><ul><li>Reply to this message, or write to <a href=\"mailto:alex@example.org\">alex@example.org</a>.</li><li>Write to <code>somebody@nowhere.example</code> and see how a message comes back.</li><li>Flag, move and delete. Undo it.</li><li>Search for “tide clock”, or for 花子.</li><li>Open the newsletter: its pictures are on the network, so they are not loaded until you say so.</li><li>Look at the same mailbox by IMAP and by POP3, and see what each of them shows and keeps.</li></ul><p>When you close the program the sandbox is gone.</p></div>")
                .attach(Attachment::png("horn.png", horn()).inline("horn@sample.example.org"))
                .unread(),
        ],
    }
}

fn harvest() -> Conversation {
    Conversation {
        key: "harvest",
        subject: "Harvest lunch in the garden",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((13, 18, 20), ALEX, &[ME, MIRA, INES], "Dear gardeners,\n\nthe pumpkins have won. There are nineteen of them, and the shed door no longer shuts. I propose a lunch on Sunday at one, everybody brings something that is not pumpkin.\n\nI make the soup. Mira, could you bring the long table? {me}, you have the big pot.\n\nAlex").flowed(),
            Letter::new((13, 19, 2), MIRA, &[ALEX], "Table: yes. It comes with benches, and with my neighbour, who has eyes on the small pumpkins.\n\nMira").cc(&[ME, INES]).quoting().flowed(),
            Letter::new((13, 20, 15), ME, &[ALEX], "The pot comes, scrubbed. I also bring bread and the cheese with the ash.\n\nWho has the key to the water?\n\n{me}").cc(&[MIRA, INES]).quoting().flowed(),
            Letter::new((12, 8, 30), INES, &[ALEX, ME, MIRA], "I have the key, and I bring custard tarts. Two dozen, before anybody asks.\n\nInês").quoting().flowed(),
            Letter::new((12, 8, 41), ALEX, &[ME, MIRA, INES], "Then it is settled: Sunday, one o'clock, entry attached. If it rains we eat in the greenhouse, standing up and closely.\n\nAlex")
                .attach(Attachment::calendar("harvest-lunch.ics", "REQUEST", &["DTSTART:{SUNDAY}T120000Z", "DTEND:{SUNDAY}T150000Z", "ORGANIZER;CN=Alex Sample:mailto:alex@example.org", "SUMMARY:Harvest lunch", "LOCATION:The long plot behind the shed"]))
                .flowed()
                .flagged(),
            Letter::new((4, 7, 30), MIRA, &[ALEX, ME, INES], "Thank you for a lovely lunch, and whoever has my second bench: keep it until spring.\n\nSixteen pumpkins left.\n\nMira").unread().flowed(),
        ],
    }
}

fn journey() -> Conversation {
    Conversation {
        key: "journey",
        subject: "Your journey: Sampleton – Port Example, two seats",
        mailbox: "Travel",
        letters: vec![
            Letter::new((22, 21, 14), RAILWAY, &[ME], "Thank you for booking with Example Railways.\n\nOutward: Sampleton 09:12 - Port Example 12:47, coach 4, seats 31 and 32\nReturn: Port Example 17:20 - Sampleton 20:58, coach 2, seats 11 and 12\n\nBooking: EXMPL7\nYour tickets are attached. This is a sample and gets you nowhere.\n")
                .html("<table width=\"560\" cellpadding=\"0\" cellspacing=\"0\" style=\"font-family: sans-serif; border: 1px solid #d9dde0\"><tr><td style=\"background: #14424f; color: #ffffff; padding: 16px; font-size: 20px\">Example Railways</td></tr><tr><td style=\"padding: 16px\"><p>Thank you for booking with us.</p><table width=\"100%\" cellpadding=\"6\" style=\"border-collapse: collapse\"><tr style=\"background: #eef2f3\"><th align=\"left\">Train</th><th align=\"left\">From</th><th align=\"left\">To</th><th align=\"left\">Seats</th></tr><tr><td>Outward</td><td>Sampleton 09:12</td><td>Port Example 12:47</td><td>coach 4, 31 and 32</td></tr><tr><td>Return</td><td>Port Example 17:20</td><td>Sampleton 20:58</td><td>coach 2, 11 and 12</td></tr></table><p>Booking: <b>EXMPL7</b></p><p style=\"color: #67737a; font-size: 12px\">This is a sample and gets you nowhere.</p></td></tr></table>")
                .attach(Attachment::pdf("Tickets EXMPL7.pdf", &["Tickets EXMPL7 (sample)", "", "Sampleton 09:12 - Port Example 12:47", "Coach 4, seats 31 and 32", "", "Port Example 17:20 - Sampleton 20:58", "Coach 2, seats 11 and 12"])),
            Letter::new((22, 21, 30), ME, &[TOM], "Tom, I have booked: nine twelve, window seats, facing forwards. You owe me half of it and all of the sandwiches.\n\n{me}").quoting(),
            Letter::new((21, 7, 50), TOM, &[ME], "Sandwiches it is. I looked up the tide: low water at two, so we can walk out to the wreck and be back before it changes its mind.\n\nTom\n-- \nTom Specimen\nSaturdays, keys, and the boiler").flowed(),
        ],
    }
}

fn scarf_found() -> Conversation {
    Conversation {
        key: "scarf",
        subject: "Lost: a red scarf",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((15, 10, 10), ME, &[LIBRARY], "Good morning,\n\nyesterday evening I left a red scarf in the reading room, on the chair under the clock. It is knitted, with pale stripes, and not worth much to anybody else. Has it been handed in?\n\n{me}"),
            Letter::new((15, 12, 48), LIBRARY, &[ME], "Dear {me},\n\nis it this one? It was found exactly there, and it has been keeping the chair warm since.\n\nYou can fetch it at the desk until six. While we have you: “Knots for Beginners” is three weeks overdue.\n\nExample Town Library")
                .attach(Attachment::png("found.png", scarf()))
                .quoting(),
            Letter::new((15, 13, 20), ME, &[LIBRARY], "That is the one, thank you! I will bring the knots with me. I could not get out of chapter two.\n\n{me}").quoting(),
        ],
    }
}

fn birthday() -> Conversation {
    Conversation {
        key: "birthday",
        subject: "🎂 Alex turns forty: a surprise? 🤫",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((26, 20, 5), MIRA, &[ME, TOM, INES], "Psst 🤫\n\nAlex turns 40 on the 12th. Ideas so far:\n\n🛶 a morning on the river\n🎺 Tom's brass band under the window at seven\n🍰 cake, obviously\n\nPlease do NOT answer to the garden list this time.\n\nMira 🎈"),
            Letter::new((26, 20, 44), TOM, &[MIRA, ME, INES], "🎺 🎺 🎺\n\nThe band says yes. The band also says that seven is early and that there must be coffee ☕.\n\nTom").quoting(),
            Letter::new((26, 21, 12), ME, &[MIRA, TOM, INES], "River first, band at the landing stage at nine, cake on the boat: then nobody's neighbours move house. I do the cake 🍰 and the coffee ☕.\n\n{me} 👍🏽").quoting(),
        ],
    }
}

fn bread() -> Conversation {
    Conversation {
        key: "brot",
        subject: "Grüße aus Musterstadt, und das Brotrezept",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((30, 17, 25), JOERG, &[ME], "Liebe Grüße aus Musterstadt!\n\nDu hast nach dem Rezept für das Roggenbrot gefragt. Es ist das meiner Großmutter, also gibt es keine genauen Mengen außer dieser: 500 g Roggenmehl, 400 ml Wasser, 10 g Salz, ein Löffel Sauerteig vom letzten Mal.\n\nÜber Nacht stehen lassen, morgens bei 230 Grad fünfzig Minuten backen. Wenn man auf den Boden klopft, muss es hohl klingen.\n\nHerzlich\nJörg").latin1(),
            Letter::new((29, 9, 35), ME, &[JOERG], "Lieber Jörg,\n\nvielen Dank! Es klingt hohl, es duftet, und die Nachbarn fragen schon.\n\nBis bald\n{me}").latin1().quoting(),
        ],
    }
}

const LIST: &str = "List-Id: Paper boats <paper-boats.lists.example.org>\r\nList-Post: <mailto:paper-boats@lists.example.org>\r\nList-Unsubscribe: <mailto:paper-boats-leave@lists.example.org>, <https://lists.example.org/paper-boats/leave>\r\nList-Archive: <https://lists.example.org/paper-boats/>\r\nPrecedence: list\r\n";

fn paper_boats() -> Conversation {
    Conversation {
        key: "boats",
        subject: "[paper-boats] Which paper floats longest?",
        mailbox: "Lists/Paper boats",
        letters: vec![
            Letter::new((36, 10, 0), TOM, &[BOATS], "Hello all,\n\nI folded the same boat from five papers and put them into the bath. Minutes afloat:\n\n  newspaper           11\n  office paper        26\n  baking parchment    held out until I needed the bath\n  brown wrapping      34\n  a page of tide tables  9, which I call irony\n\nHas anybody waxed theirs?\n\nTom").flowed().headers(LIST),
            Letter::new((36, 12, 15), INES, &[BOATS], "Candle wax on the outside, ironed through baking parchment: four hours, then the cat.\n\nWrite the paper's weight down, though. Mine was 90 grams.\n\nInês").flowed().quoting().headers(LIST),
            Letter::new((35, 19, 50), ALEX, &[BOATS], "> Has anybody waxed theirs?\n\nIs that still a paper boat? I ask for the rules of the summer race, where somebody will surely turn up with one made of milk carton.\n\nAlex").flowed().headers(LIST),
            Letter::new((35, 20, 20), ME, &[BOATS], "Proposal for the rules: paper means that you can write on it with a pencil and tear it by hand. Wax passes, milk carton does not.\n\n{me}").flowed().quoting(),
            Letter::new((34, 8, 5), MIRA, &[BOATS], "Seconded. And the boat must carry its skipper's name, so that we know whom to console.\n\nMira").flowed().quoting().headers(LIST),
            Letter::new((1, 21, 40), TOM, &[BOATS], "Results of the winter trials: wax wins, by three days. The milk carton was disqualified while leading.\n\nTom").flowed().headers(LIST).unread(),
        ],
    }
}

fn draft() -> Conversation {
    Conversation {
        key: "draft",
        subject: "About the spare room",
        mailbox: "Drafts",
        letters: vec![
            Letter::new((2, 22, 31), ME, &[INES], "Dear Inês,\n\nyou asked whether the spare room would be free in May. It would, if you do not mind sharing it with a ship's model of two metres which\n").filed("Drafts"),
        ],
    }
}

fn lease() -> Conversation {
    Conversation {
        key: "boathouse",
        subject: "The boathouse lease is signed",
        mailbox: "Archive",
        letters: vec![
            Letter::new(
                (52, 11, 11),
                ALEX,
                &[ME, MIRA],
                "It is signed: ten years, and we may paint the door any colour but orange.\n\nThe key is under the third flowerpot, where no burglar would ever look.\n\nAlex",
            ),
            Letter::new(
                (52, 12, 1),
                ME,
                &[ALEX, MIRA],
                "Ten years! Then it is worth mending the slip.\n\nI moved the key. Ask me where.\n\n{me}",
            )
            .quoting(),
        ],
    }
}
