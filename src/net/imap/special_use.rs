//! What a mailbox is for, guessed from its name: only for servers that name no special use themselves (RFC 6154).

use posthorn_model::SpecialUse;

use super::ListedMailbox;

/// Lower-case names, in the languages that servers, webmail and clients create them in.
const NAMES: [(SpecialUse, &[&str]); 5] = [
    (
        SpecialUse::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "sent-mail",
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "gesendete nachrichten",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "objets envoyés",
            "enviados",
            "elementos enviados",
            "itens enviados",
            "mensajes enviados",
            "posta inviata",
            "inviati",
            "inviata",
            "verzonden",
            "verzonden items",
            "verzonden berichten",
            "skickat",
            "skickade",
            "sendt",
            "sendte elementer",
            "lähetetyt",
            "wysłane",
            "elementy wysłane",
            "odeslané",
            "odeslaná pošta",
            "odoslané",
            "elküldött",
            "elküldött elemek",
            "trimise",
            "изпратени",
            "отправленные",
            "надіслані",
            "απεσταλμένα",
            "gönderilmiş",
            "gönderilmiş öğeler",
            "المرسلة",
            "נשלח",
            "送信済み",
            "送信済みアイテム",
            "已发送",
            "已发送邮件",
            "寄件備份",
            "已傳送",
            "보낸 편지함",
            "poslano",
            "saadetud",
            "nosūtītie",
            "išsiųsta",
        ],
    ),
    (
        SpecialUse::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "brouillons",
            "borradores",
            "rascunhos",
            "bozze",
            "concepten",
            "utkast",
            "kladder",
            "luonnokset",
            "szkice",
            "kopie robocze",
            "wersje robocze",
            "koncepty",
            "rozepsané",
            "piszkozatok",
            "ciorne",
            "чернови",
            "черновики",
            "чернетки",
            "πρόχειρα",
            "taslaklar",
            "المسودات",
            "טיוטות",
            "下書き",
            "草稿",
            "草稿箱",
            "草稿匣",
            "임시보관함",
            "skice",
            "mustandid",
            "melnraksti",
            "juodraščiai",
        ],
    ),
    (
        SpecialUse::Trash,
        &[
            "trash",
            "deleted",
            "deleted items",
            "deleted messages",
            "bin",
            "papierkorb",
            "gelöscht",
            "gelöschte elemente",
            "gelöschte objekte",
            "corbeille",
            "éléments supprimés",
            "messages supprimés",
            "papelera",
            "elementos eliminados",
            "lixeira",
            "itens excluídos",
            "cestino",
            "posta eliminata",
            "prullenbak",
            "verwijderde items",
            "papperskorgen",
            "borttaget",
            "papirkurv",
            "søppel",
            "slettet",
            "slettede elementer",
            "roskakori",
            "kosz",
            "elementy usunięte",
            "koš",
            "odstraněná pošta",
            "kôš",
            "lomtár",
            "törölt elemek",
            "coș de gunoi",
            "кошче",
            "корзина",
            "удаленные",
            "кошик",
            "κάδος",
            "κάδος απορριμμάτων",
            "çöp",
            "çöp kutusu",
            "سلة المهملات",
            "אשפה",
            "ごみ箱",
            "ゴミ箱",
            "已删除",
            "已删除邮件",
            "废件箱",
            "垃圾桶",
            "휴지통",
            "smeće",
            "prügikast",
            "atkritne",
            "šiukšliadėžė",
        ],
    ),
    (
        SpecialUse::Junk,
        &[
            "junk",
            "spam",
            "junk e-mail",
            "junk email",
            "junk mail",
            "bulk mail",
            "spamverdacht",
            "unerwünscht",
            "indésirables",
            "courrier indésirable",
            "pourriel",
            "correo no deseado",
            "lixo eletrônico",
            "lixo eletrónico",
            "posta indesiderata",
            "ongewenste e-mail",
            "ongewenst",
            "skräppost",
            "søppelpost",
            "uønsket post",
            "roskaposti",
            "wiadomości-śmieci",
            "niechciane",
            "nevyžádaná pošta",
            "nevyžiadaná pošta",
            "levélszemét",
            "спам",
            "нежелательная почта",
            "небажані",
            "ανεπιθύμητα",
            "ανεπιθύμητη αλληλογραφία",
            "istenmeyen",
            "gereksiz e-posta",
            "دعائية",
            "ספאם",
            "迷惑メール",
            "垃圾邮件",
            "垃圾郵件",
            "스팸",
            "스팸메일함",
        ],
    ),
    (
        SpecialUse::Archive,
        &[
            "archive",
            "archives",
            "archived",
            "archiv",
            "archivo",
            "archivados",
            "arquivo",
            "archivio",
            "archief",
            "arkiv",
            "arkisto",
            "archiwum",
            "archív",
            "archívum",
            "arhivă",
            "архив",
            "архів",
            "αρχείο",
            "arşiv",
            "الأرشيف",
            "ארכיון",
            "アーカイブ",
            "归档",
            "封存",
            "보관함",
        ],
    ),
];

/// Fills in what the names suggest where the server named nothing; the shallowest mailbox of a name wins.
pub(super) fn guess(mailboxes: &mut [ListedMailbox]) {
    let named = |mailbox: &ListedMailbox| {
        mailbox
            .special_use
            .is_some_and(|purpose| purpose != SpecialUse::Inbox)
    };
    if mailboxes.iter().any(named) {
        return;
    }
    for (purpose, names) in NAMES {
        let best = mailboxes
            .iter_mut()
            .filter(|mailbox| mailbox.selectable && mailbox.special_use.is_none())
            .filter_map(|mailbox| {
                let leaf = mailbox.name.leaf().to_lowercase();
                let rank = names.iter().position(|name| *name == leaf)?;
                let depth = mailbox.name.path.matches('/').count();
                // Below INBOX is where some servers keep everything; deeper is somebody's own order.
                (depth <= 1).then_some((depth, rank, mailbox))
            })
            .min_by_key(|(depth, rank, _)| (*depth, *rank));
        if let Some((_, _, mailbox)) = best {
            mailbox.special_use = Some(purpose);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::MailboxName;

    fn guessed(paths: &[&str], named: Option<SpecialUse>) -> Vec<String> {
        let mut mailboxes: Vec<ListedMailbox> = paths
            .iter()
            .map(|path| ListedMailbox {
                name: MailboxName::local(path),
                delimiter: Some('/'),
                special_use: None,
                selectable: true,
                subscribed: true,
                status: None,
                mailbox_id: None,
            })
            .collect();
        mailboxes[0].special_use = named;
        guess(&mut mailboxes);
        let shown = |mailbox: &ListedMailbox| {
            let purpose = mailbox.special_use.map_or("-", SpecialUse::name);
            format!("{} {purpose}", mailbox.name.path)
        };
        mailboxes.iter().map(shown).collect()
    }

    #[test]
    fn guesses_only_where_the_server_names_nothing() {
        assert_eq!(
            guessed(&["Entwürfe", "SENT", "a/b/Trash", "INBOX/Trash"], None),
            ["Entwürfe drafts", "SENT sent", "a/b/Trash -", "INBOX/Trash trash"]
        );
        assert_eq!(
            guessed(&["Kept", "Sent"], Some(SpecialUse::Archive)),
            ["Kept archive", "Sent -"]
        );
        assert_eq!(
            guessed(&["Sent Messages", "Sent"], None),
            ["Sent Messages -", "Sent sent"]
        );
    }
}
