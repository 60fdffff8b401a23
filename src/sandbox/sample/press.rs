//! Mail that is laid out: a newsletter with its pictures within, a receipt, an invitation, a newsletter whose
//! pictures lie elsewhere.

use super::attachment::{Attachment, boat, harbour, kite};
use super::letter::{Conversation, Letter};
use super::people::{ALEX, HARBOUR, ME, MIRA, STATIONER};

pub fn conversations() -> Vec<Conversation> {
    vec![harbour_letter(), receipt(), launch(), stall()]
}

fn harbour_letter() -> Conversation {
    Conversation {
        key: "harbour",
        subject: "The Harbour Letter: lamps, kites and a boat named Maybe",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((0, 1, 12), HARBOUR, &[ME], "THE HARBOUR LETTER\n\nWhen the lamps come on\nFor a hundred years somebody has walked along the quay at dusk. We walked with her.\nhttps://harbour.example.com/lamps\n\nA kite in twenty minutes\nTwo sticks, one newspaper, some string.\nhttps://harbour.example.com/kite\n\nA boat named Maybe\nIt floats, most days.\nhttps://harbour.example.com/maybe\n\nYou get this because you asked for it.\nTo stop: https://harbour.example.com/stop\n")
                .html(HARBOUR_LETTER)
                .headers("List-Id: The Harbour Letter <letter.harbour.example.com>\r\nList-Unsubscribe: <mailto:stop@harbour.example.com>, <https://harbour.example.com/stop>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
                .attach(Attachment::png("quay.png", harbour()).inline("quay.128"))
                .attach(Attachment::png("kite.png", kite()).inline("kite.128"))
                .attach(Attachment::png("maybe.png", boat()).inline("maybe.128"))
                .unread(),
        ],
    }
}

const HARBOUR_LETTER: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>
body { margin: 0; background: #eef1f0; }
.sheet { background: #ffffff; }
h1, h2 { font-family: Georgia, 'Noto Serif', serif; color: #17394b; font-weight: bold; }
p, td { font-family: Helvetica, Arial, sans-serif; }
a { color: #1d6a86; }
@media (max-width: 560px) {
  .half { display: block !important; width: 100% !important; }
  .pad { padding-left: 20px !important; padding-right: 20px !important; }
}
</style></head>
<body style="margin:0; background:#eef1f0">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eef1f0"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="sheet" width="600" cellpadding="0" cellspacing="0" style="width:600px; max-width:100%; background:#ffffff; border-radius:10px; overflow:hidden">
<tr><td class="pad" style="padding:22px 32px; background:#17394b">
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>
    <td style="font-family:Georgia,'Noto Serif',serif; font-size:22px; color:#ffffff; letter-spacing:0.5px">The Harbour Letter</td>
    <td align="right" style="font-family:Helvetica,Arial,sans-serif; font-size:12px; color:#a9c4cf">No. 128 &middot; every second Friday</td>
  </tr></table>
</td></tr>
<tr><td style="font-size:0; line-height:0"><img src="cid:quay.128" width="600" height="220" alt="Lamps along a quay, doubled in black water" style="display:block; width:100%; height:auto; border:0"></td></tr>
<tr><td class="pad" style="padding:28px 32px 8px">
  <p style="margin:0 0 6px; font-size:12px; color:#b0762a; font-weight:bold; letter-spacing:1px">ON THE QUAY</p>
  <h1 style="margin:0 0 12px; font-size:28px; line-height:1.2">When the lamps come on</h1>
  <p style="margin:0 0 18px; font-size:16px; line-height:1.55; color:#33434b">For a hundred years somebody has walked along the quay at dusk, from the chandler&rsquo;s to the fish stairs, and lit forty-one lamps. Now a clock does it, and does it well. <b>We walked along anyway</b>, with the last woman who carried the ladder.</p>
  <table role="presentation" cellpadding="0" cellspacing="0"><tr><td style="background:#c8862b; border-radius:6px; padding:11px 22px"><a href="https://harbour.example.com/lamps" style="color:#ffffff; font-size:15px; font-weight:bold; text-decoration:none">Walk with her</a></td></tr></table>
</td></tr>
<tr><td class="pad" style="padding:24px 32px 0"><div style="border-top:1px solid #dfe5e4; font-size:0; line-height:0">&nbsp;</div></td></tr>
<tr><td class="pad" style="padding:20px 32px 8px">
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>
    <td class="half" width="50%" valign="top" style="padding:0 12px 16px 0">
      <img src="cid:kite.128" width="250" height="130" alt="A kite" style="display:block; width:100%; height:auto; border-radius:6px">
      <h2 style="margin:12px 0 6px; font-size:18px">A kite in twenty minutes</h2>
      <p style="margin:0; font-size:14px; line-height:1.5; color:#4a5a61">Two sticks, one newspaper, some string. The tail is what you have left of the string. <a href="https://harbour.example.com/kite">Build it</a></p>
    </td>
    <td class="half" width="50%" valign="top" style="padding:0 0 16px 12px">
      <img src="cid:maybe.128" width="250" height="130" alt="A small sailing boat" style="display:block; width:100%; height:auto; border-radius:6px">
      <h2 style="margin:12px 0 6px; font-size:18px">A boat named Maybe</h2>
      <p style="margin:0; font-size:14px; line-height:1.5; color:#4a5a61">It floats, most days. Its owner bails, most days. A friendship in four seasons. <a href="https://harbour.example.com/maybe">Read on</a></p>
    </td>
  </tr></table>
</td></tr>
<tr><td class="pad" style="padding:4px 32px 28px">
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f6f3ea; border-radius:6px"><tr><td style="padding:16px 20px; font-size:14px; line-height:1.5; color:#54503f">
    <b>Tides this week</b><br>Fri 05:12 and 17:38 &middot; Sat 05:58 and 18:21 &middot; Sun 06:40 and 19:02
  </td></tr></table>
</td></tr>
<tr><td class="pad" align="center" style="padding:18px 32px 26px; background:#f7f9f8; font-size:12px; line-height:1.6; color:#6f7c81">
  You get this because you asked for it.<br>
  <a href="https://harbour.example.com/stop" style="color:#6f7c81">Stop</a> &nbsp;&middot;&nbsp; <a href="https://harbour.example.com/past" style="color:#6f7c81">Past letters</a> &nbsp;&middot;&nbsp; Quay 7, Example Harbour
</td></tr>
</table>
</td></tr></table>
</body></html>
"#;

fn receipt() -> Conversation {
    Conversation {
        key: "receipt",
        subject: "Your receipt: order 20418",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((1, 9, 24), STATIONER, &[ME], "Thank you for your order.\n\nOrder 20418, paid by card\n\n3  Notebook, squared, A5      12.60\n1  Ink, blue-black, 50 ml      7.90\n2  Pencil, soft                 3.40\n   Post                         4.20\n   Total                       28.10\n\nIt leaves us today.\nhttps://stationer.example/orders/20418\n")
                .html(RECEIPT)
                .attach(Attachment::pdf("Receipt 20418.pdf", &[
                    "Receipt 20418",
                    "Example Stationers, 4 Paper Lane",
                    "",
                    "3  Notebook, squared, A5                12.60",
                    "1  Ink, blue-black, 50 ml                7.90",
                    "2  Pencil, soft                          3.40",
                    "   Post                                  4.20",
                    "",
                    "   Total                                28.10",
                ])),
        ],
    }
}

const RECEIPT: &str = r#"<html><body style="margin:0; background:#ffffff">
<table width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:16px">
<table width="520" cellpadding="0" cellspacing="0" style="width:520px; max-width:100%; font-family:Helvetica,Arial,sans-serif; color:#222222; border:1px solid #e3e3df">
<tr><td style="padding:24px 28px 8px; font-size:13px; color:#777777">Example Stationers</td></tr>
<tr><td style="padding:0 28px; font-size:24px; font-weight:bold">Thank you for your order</td></tr>
<tr><td style="padding:8px 28px 20px; font-size:14px; line-height:1.5; color:#555555">Order <a href="https://stationer.example/orders/20418" style="color:#205f3b">20418</a>, paid by card. It leaves us today.</td></tr>
<tr><td style="padding:0 28px">
<table width="100%" cellpadding="0" cellspacing="0" style="font-size:14px">
<tr style="color:#888888; font-size:12px"><td style="padding:6px 0; border-bottom:1px solid #e3e3df">Article</td><td align="right" style="padding:6px 0; border-bottom:1px solid #e3e3df">Count</td><td align="right" style="padding:6px 0; border-bottom:1px solid #e3e3df">Price</td></tr>
<tr><td style="padding:10px 0">Notebook, squared, A5</td><td align="right">3</td><td align="right">12.60</td></tr>
<tr><td style="padding:10px 0">Ink, blue-black, 50&nbsp;ml</td><td align="right">1</td><td align="right">7.90</td></tr>
<tr><td style="padding:10px 0">Pencil, soft</td><td align="right">2</td><td align="right">3.40</td></tr>
<tr><td style="padding:10px 0; color:#888888">Post</td><td></td><td align="right" style="color:#888888">4.20</td></tr>
<tr style="font-weight:bold"><td style="padding:12px 0; border-top:2px solid #222222">Total</td><td style="border-top:2px solid #222222"></td><td align="right" style="border-top:2px solid #222222">28.10</td></tr>
</table></td></tr>
<tr><td style="padding:20px 28px 26px; font-size:12px; line-height:1.5; color:#888888">The receipt is attached. Questions? Answer this message: people read it.</td></tr>
</table></td></tr></table></body></html>
"#;

fn launch() -> Conversation {
    Conversation {
        key: "launch",
        subject: "Invitation: launch of the model ship",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((0, 6, 30), MIRA, &[ME, ALEX], "Dear both,\n\nthe glue has dried. On Sunday at three it goes into the duck pond, with a bottle of something fizzy and a short speech.\n\nMira")
                .attach(Attachment::calendar("launch.ics", "REQUEST", &["DTSTART:{SUNDAY}T150000Z", "DTEND:{SUNDAY}T163000Z", "ORGANIZER;CN=Mira Muster:mailto:mira.muster@example.org", "ATTENDEE;CN={NAME};PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ADDRESS}", "ATTENDEE;CN=Alex Sample;PARTSTAT=ACCEPTED:mailto:alex@example.org", "SUMMARY:Launch of the model ship", "LOCATION:The duck pond\\, north side", "DESCRIPTION:Dry shoes are of no use."]))
                .flowed()
                .unread(),
        ],
    }
}

fn stall() -> Conversation {
    Conversation {
        key: "stall",
        subject: "Saturday on the market: first rhubarb",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((2, 7, 5), STATIONER, &[ME], "First rhubarb, last leeks.\nhttps://market.example.org/saturday\n")
                .html("<html><body style=\"margin:0;background:#f4f1e8\"><table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\"><tr><td align=\"center\" style=\"padding:16px\"><table width=\"560\" cellpadding=\"0\" cellspacing=\"0\" style=\"width:560px;max-width:100%;background:#ffffff;font-family:Georgia,serif;color:#3a2f28\"><tr><td><img src=\"https://pictures.example.org/market/rhubarb.jpg\" width=\"560\" height=\"240\" alt=\"Rhubarb in a crate\" style=\"display:block;width:100%;height:auto\"></td></tr><tr><td style=\"padding:24px 28px\"><h1 style=\"margin:0 0 10px;font-size:26px\">First rhubarb, last leeks</h1><p style=\"font-size:16px;line-height:1.5\">On Saturday the stall by the well has both, and eggs while they last. Come before ten, or come for the soup.</p><p><a href=\"https://market.example.org/saturday\" style=\"color:#8a2f45\">What there is</a></p></td></tr><tr><td style=\"padding:0 28px 24px\"><img src=\"https://pictures.example.org/market/eggs.jpg\" width=\"240\" height=\"140\" alt=\"Eggs in straw\"></td></tr></table></td></tr></table><img src=\"https://count.example.org/open.gif?reader=7f3a\" width=\"1\" height=\"1\" alt=\"\"></body></html>"),
        ],
    }
}
