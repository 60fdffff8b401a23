//! What a writer wrote, and the older mail that hangs below it: so that a conversation need not show everything
//! over and over. Only what stands at the end is cut; answers between quotes stay where they are.

use super::quote::split_marks;
use super::signature::split_signature;

/// Lines that a header block or an attribution may span.
const MAX_ATTRIBUTION: usize = 5;
const MAX_BLOCK: usize = 12;

/// Cuts the trailing quoted mail off: the writer's own text with its signature, and the rest from its first line of
/// attribution on. `None` where there is none, or where nothing would be left.
#[must_use]
pub fn trim_quoted(text: &str) -> (&str, Option<&str>) {
    let lines = cut_lines(text);
    // What is forwarded is what the message is about, not what went before it.
    if lines.iter().any(|line| line.depth == 0 && is_forward(line.text)) {
        return (text, None);
    }
    let at = find_separator(&lines)
        .into_iter()
        .chain(find_marked(&lines))
        .min();
    match at {
        Some(at) => {
            let own = text.get(..at).unwrap_or(text);
            if split_signature(own).0.trim().is_empty() {
                (text, None)
            } else {
                (own, text.get(at..))
            }
        }
        None => (text, None),
    }
}

#[derive(Clone, Copy)]
struct Line<'x> {
    start: usize,
    depth: usize,
    /// Without marks and white space around.
    text: &'x str,
}

impl Line<'_> {
    const fn is_blank(&self) -> bool {
        self.text.is_empty() && self.depth == 0
    }
}

fn cut_lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let (depth, content) = split_marks(line.trim_end_matches(['\n', '\r']));
            let out = Line {
                start,
                depth,
                text: content.trim(),
            };
            start += line.len();
            out
        })
        .collect()
}

/// Where marked lines run to the end, with their attribution.
fn find_marked(lines: &[Line<'_>]) -> Option<usize> {
    let last = lines.iter().rposition(|line| line.depth > 0)?;
    // Below the quote only blank lines, or a signature.
    let below = lines.get(last + 1..)?;
    let mut rest = below.iter().skip_while(|line| line.is_blank());
    match rest.next() {
        None => {}
        Some(first) if is_signature(first.text) && below.len() <= 25 => {}
        Some(_) => return None,
    }
    let mut first = last;
    // Lazily wrapped: a line without a mark between marked ones belongs to them where it is short.
    while let Some(before) = first.checked_sub(1) {
        let line = lines.get(before)?;
        let marked = line.depth > 0;
        let wrapped = !line.is_blank()
            && before > 0
            && lines
                .get(before - 1)
                .is_some_and(|above| above.depth > 0 && above.text.len() > 55)
            && line.text.split(' ').count() <= 3;
        let gap = line.is_blank() && before > 0 && lines.get(before - 1).is_some_and(|above| above.depth > 0);
        if !(marked || wrapped || gap) {
            break;
        }
        first = before;
    }
    let attribution = find_attribution(lines, first).unwrap_or(first);
    lines.get(attribution).map(|line| line.start)
}

fn is_signature(text: &str) -> bool {
    text == "--" || text == "-- "
}

/// The first line of the attribution above a quote: a short paragraph that ends in a colon or says who wrote.
fn find_attribution(lines: &[Line<'_>], quote: usize) -> Option<usize> {
    let mut end = quote;
    while end > 0 && quote - end < 3 && lines.get(end - 1)?.is_blank() {
        end -= 1;
    }
    let last = end.checked_sub(1)?;
    if !ends_attribution(lines.get(last)?.text) {
        return None;
    }
    let mut first = last;
    while first > 0 && last - first + 1 < MAX_ATTRIBUTION {
        let above = lines.get(first - 1)?;
        if above.is_blank() || is_own_sentence(above.text) || begins_attribution(lines.get(first)?.text) {
            break;
        }
        first -= 1;
    }
    // A separator line directly above belongs to it.
    let mut out = first;
    if let Some(above) = first.checked_sub(1)
        && lines.get(above).is_some_and(|line| is_rule(line.text))
    {
        out = above;
    }
    Some(out)
}

fn ends_attribution(text: &str) -> bool {
    let bare = text.trim_end();
    let lower = bare.to_lowercase();
    (bare.ends_with([':', '：']) && bare.chars().count() <= 300)
        || WROTE.iter().any(|word| lower.ends_with(word))
        || lower.ends_with("<mailto:")
}

/// `On …`, `Am …`: where an attribution begins.
fn begins_attribution(text: &str) -> bool {
    let lower = text.to_lowercase();
    let first = lower.split([' ', '\u{a0}', ',']).next().unwrap_or_default();
    BEGINS.contains(&first) || text.starts_with(|c: char| c.is_ascii_digit())
}

fn is_own_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '。'])
}

fn is_rule(text: &str) -> bool {
    text.len() >= 5 && text.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '—'))
}

/// `wrote` in the languages of common programs.
const WROTE: &[&str] = &[
    "wrote",
    "writes",
    "schrieb",
    "geschrieben",
    "a écrit",
    "écrit",
    "escribió",
    "escribio",
    "ha scritto",
    "scrive",
    "escreveu",
    "schreef",
    "skrev",
    "kirjoitti",
    "napisał",
    "napisał(a)",
    "napsal",
    "napsal(a)",
    "napísal",
    "írta",
    "a scris",
    "написал",
    "написала",
    "пишет",
    "писал",
    "написал(а)",
    "написав",
    "έγραψε",
    "yazdı",
    "şunu yazdı",
    "כתב",
    "כתבה",
    "كتب",
    "写道",
    "寫道",
    "のメール",
    "さんは書きました",
    "작성",
    "님이 작성",
    "viết",
    "เขียนว่า",
    "rašė",
    "rakstīja",
    "kirjutas",
    "je napisao",
    "je napisal",
    "va escriure",
    "menulis",
    "идеше",
    "написа",
];

/// First words of attributions.
const BEGINS: &[&str] = &[
    "on",
    "am",
    "le",
    "el",
    "il",
    "op",
    "em",
    "no",
    "den",
    "dne",
    "dňa",
    "dnia",
    "w",
    "le:",
    "a",
    "în",
    "la",
    "på",
    "ma",
    "в",
    "от",
    "στις",
    "tarihinde",
    "בתאריך",
    "في",
    "在",
    "于",
    "於",
    "em:",
    "at",
    "at:",
    "pada",
    "vào",
    "u",
    "dana",
];

/// Where a separator or a block of header fields starts that programs put above an unmarked quote.
fn find_separator(lines: &[Line<'_>]) -> Option<usize> {
    for (index, line) in lines.iter().enumerate() {
        if line.depth > 0 || line.is_blank() {
            continue;
        }
        let found =
            is_separator(line.text) || is_header_block(lines, index) || is_unmarked_attribution(lines, index);
        if !found {
            continue;
        }
        // A rule or blank lines above belong to it.
        let mut first = index;
        while let Some(above) = first.checked_sub(1).and_then(|above| lines.get(above)) {
            if !is_rule(above.text) {
                break;
            }
            first -= 1;
        }
        return lines.get(first).map(|line| line.start);
    }
    None
}

/// `-----Original Message-----` and its like.
fn is_separator(text: &str) -> bool {
    ruled(text).is_some_and(|inner| ORIGINAL.iter().any(|known| inner.starts_with(known)))
}

/// `---------- Forwarded message ----------` and its like.
fn is_forward(text: &str) -> bool {
    ruled(text).is_some_and(|inner| FORWARDED.iter().any(|known| inner.starts_with(known)))
        || [
            "Begin forwarded message:",
            "Anfang der weitergeleiteten Nachricht:",
            "Début du message réexpédié",
        ]
        .iter()
        .any(|known| text.starts_with(known))
}

/// What stands between the dashes of a separator, in lower case.
fn ruled(text: &str) -> Option<String> {
    let dashed = (text.starts_with("--") || text.starts_with("__")) && text.len() <= 300;
    let bare = |c: char| matches!(c, '-' | '_' | '=' | ' ');
    dashed.then(|| text.trim_matches(bare).to_lowercase())
}

const FORWARDED: &[&str] = &[
    "weitergeleitete nachricht",
    "forwarded message",
    "message transféré",
    "mensaje reenviado",
    "messaggio inoltrato",
    "mensagem encaminhada",
    "doorgestuurd bericht",
    "пересылаемое сообщение",
    "пересланное сообщение",
    "fwd",
    "videresendt",
    "vidarebefordrat",
    "przekazana wiadomość",
    "přeposlaná zpráva",
    "továbbított üzenet",
    "mesaj redirecționat",
    "iletilen ileti",
    "转发的邮件",
    "轉寄的郵件",
    "転送メッセージ",
    "전달된 메시지",
];

const ORIGINAL: &[&str] = &[
    "original message",
    "original-nachricht",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "originalmeddelande",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "alkuperäinen viesti",
    "oryginalna wiadomość",
    "wiadomość oryginalna",
    "původní zpráva",
    "pôvodná správa",
    "eredeti üzenet",
    "mesajul original",
    "исходное сообщение",
    "оригинальное сообщение",
    "orijinal ileti",
    "özgün ileti",
    "הודעה מקורית",
    "الرسالة الأصلية",
    "原始邮件",
    "原始郵件",
    "元のメッセージ",
    "원본 메시지",
    "thư gốc",
    "reply message",
    "antwort nachricht",
];

const FROM: &[&str] = &[
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "lähettäjä",
    "od",
    "feladó",
    "de la",
    "от",
    "від",
    "από",
    "kimden",
    "gönderen",
    "מאת",
    "من",
    "发件人",
    "寄件者",
    "差出人",
    "보낸 사람",
    "từ",
    "od koho",
    "expéditeur",
    "remitente",
    "lähtaja",
];
const DATE: &[&str] = &[
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "enviado",
    "enviado el",
    "inviato",
    "data",
    "verzonden",
    "skickat",
    "sendt",
    "dato",
    "lähetetty",
    "päivämäärä",
    "wysłano",
    "odesláno",
    "odoslané",
    "elküldve",
    "dátum",
    "trimis",
    "отправлено",
    "дата",
    "надіслано",
    "στάλθηκε",
    "ημερομηνία",
    "gönderme tarihi",
    "gönderildi",
    "tarih",
    "נשלח",
    "תאריך",
    "تاريخ الإرسال",
    "التاريخ",
    "发送时间",
    "日期",
    "傳送時間",
    "送信日時",
    "日付",
    "보낸 날짜",
    "날짜",
    "đã gửi",
    "fecha",
    "sent at",
    "gesendet am",
];
const TO: &[&str] = &[
    "to",
    "cc",
    "an",
    "à",
    "a",
    "para",
    "per",
    "aan",
    "till",
    "kopia",
    "til",
    "vastaanottaja",
    "do",
    "komu",
    "címzett",
    "către",
    "кому",
    "копия",
    "προς",
    "kime",
    "alıcı",
    "אל",
    "إلى",
    "收件人",
    "收件者",
    "宛先",
    "받는 사람",
    "đến",
    "kopie",
    "destinataire",
    "destinatario",
];
const SUBJECT: &[&str] = &[
    "subject",
    "betreff",
    "objet",
    "asunto",
    "oggetto",
    "assunto",
    "onderwerp",
    "ämne",
    "emne",
    "aihe",
    "temat",
    "předmět",
    "predmet",
    "tárgy",
    "subiect",
    "тема",
    "θέμα",
    "konu",
    "נושא",
    "الموضوع",
    "主题",
    "主旨",
    "件名",
    "제목",
    "chủ đề",
    "sujet",
];

/// Which field of a header a line starts, in the languages of common programs.
fn header_field(text: &str) -> Option<Header> {
    let bare = text.trim_start_matches(['*', '|', ' ']);
    let (name, _) = bare
        .split_once([':', '：'])
        .filter(|(name, _)| name.len() <= 60)?;
    let name = name.trim_end_matches(['*', ' ', '\u{a0}']).to_lowercase();
    let is = |known: &[&str]| known.contains(&name.as_str());
    if is(FROM) {
        Some(Header::From)
    } else if is(DATE) {
        Some(Header::Date)
    } else if is(TO) {
        Some(Header::To)
    } else if is(SUBJECT) {
        Some(Header::Subject)
    } else {
        None
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    From,
    Date,
    To,
    Subject,
}

/// `From:`, `Sent:`, `To:`, `Subject:` one below the other.
fn is_header_block(lines: &[Line<'_>], index: usize) -> bool {
    let first = lines.get(index).and_then(|line| header_field(line.text));
    if !matches!(first, Some(Header::From | Header::Date | Header::Subject)) {
        return false;
    }
    let mut seen = Vec::new();
    for line in lines.iter().skip(index).take(MAX_BLOCK) {
        if line.depth > 0 || line.is_blank() {
            break;
        }
        if let Some(field) = header_field(line.text)
            && !seen.contains(&field)
        {
            seen.push(field);
        }
    }
    seen.len() >= 3 && seen.contains(&Header::From)
}

/// `On …, … wrote:` above text without marks: only where it says when and that somebody wrote.
fn is_unmarked_attribution(lines: &[Line<'_>], index: usize) -> bool {
    let Some(first) = lines.get(index) else {
        return false;
    };
    if !begins_attribution(first.text) {
        return false;
    }
    let mut whole = String::new();
    for line in lines.iter().skip(index).take(4) {
        if line.depth > 0 || line.is_blank() {
            break;
        }
        whole.push_str(line.text);
        whole.push(' ');
        let bare = whole.trim_end().trim_end_matches([':', '：']).to_lowercase();
        if whole.len() > 400 {
            return false;
        }
        if whole.trim_end().ends_with([':', '：']) && WROTE.iter().any(|word| bare.ends_with(word)) {
            let digits = bare.chars().filter(char::is_ascii_digit).count();
            return digits >= 3 || bare.contains('@');
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_older_mail_off() {
        let check = |text: &str, own: &str| {
            assert_eq!(trim_quoted(text).0.trim_end(), own, "{text:?}");
        };
        check(
            "Hello\n\nOn Mon, Apr 2, 2012 at 6:26 PM, Megan <x@y> wrote:\n\n> Hi\n",
            "Hello",
        );
        check(
            "Hello\n\nOn Tue, 3 Apr 2012\nat 4:55 PM, Megan One\n<x@y.example> wrote:\n> Hi\n",
            "Hello",
        );
        check(
            "Hallo\n\nAm 3. April 2012 um 16:55 schrieb Anna <a@b>:\n> Hi\n>\n> Anna\n",
            "Hallo",
        );
        check("Bonjour\n\nLe 3 avril 2012, Anna a écrit :\n\n> Hi\n", "Bonjour");
        check(
            "Привет\n02.04.2012 14:20 пользователь \"bob@x\" <\nbob@x> написал:\n> Hi\n",
            "Привет",
        );
        check("你好\n\n在 2012年4月2日,Anna <a@b> 写道：\n> Hi\n", "你好");
        check(
            "Hello\n\n-----Original Message-----\nFrom: x\nSent: y\nTo: z\n\nold",
            "Hello",
        );
        check(
            "Hallo\n\n________________________________\nVon: x\nGesendet: Montag\nAn: z\nBetreff: w\n\nalt",
            "Hallo",
        );
        check(
            "Hello\n\nFrom: a@b [mailto:a@b]\nSent: March-09-12 4:22 PM\nTo: Dan\nSubject: The\n\nold",
            "Hello",
        );
        check(
            "Hello\n\n*From:* a@b\n*Date:* today\n*Subject:* The\n\nold",
            "Hello",
        );
        check("Hello\n> only\n> marks\n", "Hello");
        check(
            "Hello\n\nOn Apr 3, 2012, at 4:19 PM, bob wrote:\nold without marks\n",
            "Hello",
        );
        check("Hello\n> quoted\nmy answer\n", "Hello\n> quoted\nmy answer");
        check(
            "Hello\n> one\nanswer\n\nAnna wrote:\n> two\n",
            "Hello\n> one\nanswer",
        );
        let forward = "FYI\n\n---------- Forwarded message ---------\nFrom: x\nDate: y\nSubject: z\n\n> text";
        check(forward, forward);
        check("> nothing\n> but\n", "> nothing\n> but");
        check(
            "Hi, the list:\n\nFrom: here\nto there\n",
            "Hi, the list:\n\nFrom: here\nto there",
        );
        check(
            "Hello\n-- \nAnna\n\nOn 3 Apr 2012, Bo wrote:\n> x\n",
            "Hello\n-- \nAnna",
        );
        check("Hello\n> quote\n\n-- \nAnna\n", "Hello");
        check(
            "On Monday I will be away.\nYours:\n",
            "On Monday I will be away.\nYours:",
        );
        check("", "");
    }

    proptest! {
        #[test]
        fn is_a_cut(text in "(On 2012-04-03 bob wrote:\n|> [a-z]{0,9}\n|-----Original Message-----\n|From: x\n|Sent: x\n|To: x\n|-- \n|\n|[\\PC]{0,20}\n){0,20}") {
            let (own, rest) = trim_quoted(&text);
            prop_assert_eq!(format!("{own}{}", rest.unwrap_or_default()), text);
        }
    }
}
