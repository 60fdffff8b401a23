//! Conversations in other scripts, and from right to left.

use super::letter::{Conversation, Letter};
use super::people::{DANA, ELENI, HANAKO, IVAN, LAYLA, ME};

pub fn conversations() -> Vec<Conversation> {
    vec![japanese(), arabic(), hebrew(), russian(), greek()]
}

fn japanese() -> Conversation {
    Conversation {
        key: "hanako",
        subject: "灯台の写真をありがとうございます",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((11, 6, 40), HANAKO, &[ME], "{me} 様\n\nお元気ですか。灯台の写真を送ってくださって、ありがとうございました。夕方の光がとてもきれいで、職場の机に飾っています。\n\n来年の春、友人と二人でそちらへ旅行する予定です。灯台の中を見学することはできますか。もし可能でしたら、おすすめの日を教えてください。\n\n寒くなりますので、どうぞご自愛ください。\n\n見本 花子"),
            Letter::new((11, 9, 25), ME, &[HANAKO], "花子さん\n\nお便りありがとうございます。四月の第二土曜日に、灯台の一般公開があります。階段は百二十段ですが、上からの眺めは保証します。\n\n駅まで迎えに行きますので、着く時間を知らせてください。\n\n{me}").quoting(),
            Letter::new((9, 5, 55), HANAKO, &[ME], "四月の第二土曜日、楽しみにしています。百二十段、がんばって登ります。お土産に何か甘いものを持って行きますね。\n\n花子").quoting().flagged(),
        ],
    }
}

fn arabic() -> Conversation {
    Conversation {
        key: "layla",
        subject: "دعوة إلى معرض الخرائط القديمة",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((5, 11, 0), LAYLA, &[ME], "عزيزنا {me}،\n\nيسعدنا أن ندعوك إلى افتتاح معرض الخرائط القديمة يوم الخميس القادم في الساعة السابعة مساءً. سنعرض ٤٢ خريطة بحرية، منها خريطة لساحلكم رُسمت عام 1790.\n\nهل يمكنك أن تحضر معك نسخة من سجل المنارة؟\n\nمع أطيب التحيات\nليلى مثال"),
            Letter::new((5, 14, 12), ME, &[LAYLA], "عزيزتي ليلى،\n\nشكرًا جزيلًا على الدعوة. سأحضر بكل سرور، ومعي نسخة من السجل (Log 1788–1795).\n\nإلى اللقاء يوم الخميس\n{me}").quoting(),
        ],
    }
}

fn hebrew() -> Conversation {
    Conversation {
        key: "dana",
        subject: "המתכון של סבתא",
        mailbox: "INBOX",
        letters: vec![
            Letter::new(
                (20, 16, 18),
                DANA,
                &[ME],
                "שלום {me},\n\nהנה המתכון שביקשת לעוגת הדבש: 3 ביצים, כוס דבש, כוס תה חזק, שתי כוסות וחצי קמח וכפית קינמון. אופים שעה ב-160 מעלות.\n\nהסוד הוא לחכות יום אחד לפני שאוכלים. אצלנו זה אף פעם לא הצליח.\n\nדנה",
            ),
            Letter::new(
                (19, 8, 45),
                ME,
                &[DANA],
                "תודה רבה, דנה!\n\nגם אצלנו היא לא הגיעה ליום המחרת. זה כנראה חלק מהמתכון.\n\n{me}",
            )
            .quoting(),
        ],
    }
}

fn russian() -> Conversation {
    Conversation {
        key: "chess",
        subject: "Шахматы по переписке: ход 23",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((33, 12, 30), IVAN, &[ME], "Здравствуйте, {me}!\n\nМой ход: 23. Лe1–e7. Боюсь, что Вашему слону теперь негде спрятаться.\n\nУ нас выпал первый снег, и я думаю над ходами у окна с чаем. Торопиться некуда.\n\nИван").eight_bit(),
            Letter::new((31, 20, 10), ME, &[IVAN], "Здравствуйте, Иван!\n\n23… Сc8–h3. Слон не прячется, он пришёл в гости.\n\n{me}").eight_bit().quoting(),
            Letter::new((24, 13, 2), IVAN, &[ME], "Красиво! Этого я не видел.\n\nДумаю уже неделю и предлагаю ничью, пока чай не остыл.\n\nИван").eight_bit().quoting(),
        ],
    }
}

fn greek() -> Conversation {
    Conversation {
        key: "eleni",
        subject: "Καλημέρα από το νησί",
        mailbox: "INBOX",
        letters: vec![
            Letter::new((0, 9, 0), ELENI, &[ME], "Καλημέρα {me},\n\nτο πλοίο ξεκίνησε ξανά μετά από τρεις μέρες αέρα, και μαζί του φεύγει το δέμα με τα βότσαλα για την έκθεση. Το καθένα έχει μια ετικέτα με το όνομα της παραλίας.\n\nΠες μου όταν φτάσει!\n\nΕλένη").unread(),
        ],
    }
}
