# Die Worte des Fensters auf Deutsch. Schlicht, kurz, in der Sprache derer, die lesen.

window-title = Posthorn
window-title-unread = Posthorn ({ $count })
opening = Die Post wird geöffnet …
open-failed = Die Post konnte nicht geöffnet werden
open-failed-kept = Nichts wurde verändert. Schließen Sie dieses Fenster, beheben Sie die Ursache und starten Sie Posthorn neu.
back = Zurück
cancel = Abbrechen
close = Schließen
failed = Das ging nicht: { $why }

action-compose = Neue Nachricht
action-reply = Antworten
action-reply-all = Allen antworten
action-forward = Weiterleiten
action-archive = Archivieren
action-delete = Löschen
action-junk = Als Spam markieren
action-move = Verschieben …
action-undo = Rückgängig
action-send = Senden
action-check-now = Post abrufen
done-archived = { $count ->
    [one] Archiviert
   *[other] { $count } Nachrichten archiviert
}
done-deleted = { $count ->
    [one] Gelöscht
   *[other] { $count } Nachrichten gelöscht
}
done-junked = { $count ->
    [one] Als Spam markiert
   *[other] { $count } Nachrichten als Spam markiert
}
done-moved = { $count ->
    [one] Verschoben nach { $mailbox }
   *[other] { $count } Nachrichten verschoben nach { $mailbox }
}
done-undone = Zurückgenommen

keys-title = Tasten
keys-around = Sich bewegen
keys-message = Nachrichten
keys-window = Das Fenster
keyname-ctrl = Strg
keyname-shift = Umsch
keyname-enter = Eingabe
keyname-del = Entf
key-next = Nächste Nachricht
key-previous = Vorige Nachricht
key-page-down = Weiter hinunter
key-page-up = Weiter hinauf
key-first = Erste Nachricht
key-last = Letzte Nachricht
key-extend = Weiter auswählen
key-open = Öffnen
key-back = Zurück
key-unread = Gelesen oder ungelesen
key-star = Stern
key-search = Suchen
key-go-inbox = Zu den Posteingängen
key-go-sent = Zur gesendeten Post
key-go-drafts = Zu den Entwürfen
key-select = Einzeln auswählen
key-select-all = Alle auswählen
key-keys = Tasten zeigen
key-palette = Alle Befehle
key-next-in-thread = Nächste Nachricht der Unterhaltung
key-previous-in-thread = Vorige Nachricht der Unterhaltung
key-find-next = Nächste Fundstelle
key-find-previous = Vorige Fundstelle
keys-reading = Lesen
action-find = In der Unterhaltung suchen
action-copy = Kopieren
action-message-menu = Mehr zu dieser Nachricht
action-as-text = Als Text zeigen, oder wie gesendet
action-as-sent = Diese Nachricht hell oder dunkel
action-quoted = Zitiertes zeigen oder verbergen
action-pictures = Entfernte Bilder einmal zeigen
action-fixed-font = Text in fester Schriftbreite
action-details = Einzelheiten zum Absender
action-links = Links in dieser Nachricht
action-source = Quelltext zeigen
action-headers = Alle Kopfzeilen zeigen
action-save-message = Als Datei sichern (.eml)
action-save-all = Alle Anhänge sichern
action-print = Als PDF drucken
action-unsubscribe = Von dieser Liste abmelden
key-zoom-in = Größer
key-zoom-out = Kleiner
key-zoom-reset = Übliche Größe
key-focus = Nächstes Feld, Knopf, Link
key-pane = Nächster Bereich: Ordner, Liste, Nachricht

view-all-inboxes = Alle Eingänge
view-all = Alle Post
view-mailbox-gone = Ordner
mailbox-inbox = Eingang
mailbox-drafts = Entwürfe
mailbox-sent = Gesendet
mailbox-archive = Archiv
mailbox-junk = Spam
mailbox-trash = Papierkorb
mailbox-flagged = Mit Stern
mailbox-all = Alle Post
mailbox-important = Wichtig
state-ready = Auf dem neuesten Stand
state-syncing = Sucht nach Post
state-offline = Offline
state-needs-user = Braucht Sie

list-nobody = (ohne Absender)
list-no-subject = (ohne Betreff)
list-to = An { $name }
list-found = Gefunden: { $words }
list-selected = { $count } ausgewählt
list-count = { $count ->
    [one] 1 Nachricht
   *[other] { $shown } Nachrichten
}
search-placeholder = Suchen
search-clear = Suche leeren
list-sidebar = Seitenleiste zeigen oder verbergen
empty-inbox = Alles gelesen
empty-inbox-next = Neue Post erscheint hier von selbst.
empty-drafts = Keine Entwürfe
empty-drafts-next = Was Sie schreiben, liegt hier, bis Sie es senden. Beginnen Sie mit c.
empty-trash = Der Papierkorb ist leer
empty-trash-next = Was Sie löschen, kommt zuerst hierher.
empty-mailbox = Hier ist nichts
empty-mailbox-next = Wählen Sie anderswo eine Nachricht und drücken Sie v, um sie hierher zu verschieben.
empty-search = Nichts gefunden
empty-search-next = Versuchen Sie weniger oder andere Wörter. Esc führt zurück zur Liste.

reader-empty = Wählen Sie eine Nachricht
reader-empty-keys = j und k gehen durch die Liste, ? zeigt alle Tasten
reader-loading = Wird geöffnet …
reader-fetching = Diese Nachricht liegt noch auf dem Server. Sie wird geholt.
reader-no-text = Diese Nachricht hat keinen Text.
reader-failed = Diese Nachricht ließ sich nicht öffnen: { $why }
reader-gone = sie ist nicht mehr hier
reader-html-as-text = Als Text gezeigt. Bilder aus dem Netz sind aus, nichts wurde aus dem Netz geladen.
find-placeholder = In der Unterhaltung suchen
find-none = Nicht gefunden
find-count = { $place } von { $count }
reader-show-quoted = Zitiertes zeigen
reader-hide-quoted = Zitiertes verbergen
failure-too-slow = Als Text gezeigt: Das Zeichnen dieser Nachricht dauerte zu lange.
failure-too-large = Als Text gezeigt: Diese Nachricht ist zu groß, um gezeichnet zu werden.
failure-no-process = Als Text gezeigt: Der Teil des Programms, der Nachrichten zeichnet, ließ sich nicht starten.
failure-died = Als Text gezeigt: Diese Nachricht ließ sich nicht zeichnen.
message-menu-title = Diese Nachricht
links-title = Links
source-title = Quelltext
headers-title = Alle Kopfzeilen
source-more = Noch { $size }; sichern Sie die Nachricht, um alles zu sehen.
source-not-here = Die Nachricht ist noch nicht hier; sie wird geholt.
said-link-copied = Link kopiert
said-no-links = In dieser Nachricht sind keine Links
file-message = Nachricht
print-failed = Diese Nachricht ließ sich nicht drucken
print-no-painter = Der Teil des Programms, der Nachrichten zeichnet, ließ sich nicht starten
pictures-off = { $count ->
    [one] Ein entferntes Bild ist aus.
   *[other] { $count } entfernte Bilder sind aus.
}
pictures-off-junk = { $count ->
    [one] Ein entferntes Bild ist aus: Dies liegt im Spam.
   *[other] { $count } entfernte Bilder sind aus: Dies liegt im Spam.
}
pictures-off-unverified = { $count ->
    [one] Ein entferntes Bild ist aus: Es ist nicht sicher, dass dies von diesem Absender ist.
   *[other] { $count } entfernte Bilder sind aus: Es ist nicht sicher, dass dies von diesem Absender ist.
}
pictures-off-metered = { $count ->
    [one] Ein entferntes Bild ist aus: Die Verbindung wird nach Menge berechnet.
   *[other] { $count } entfernte Bilder sind aus: Die Verbindung wird nach Menge berechnet.
}
pictures-never = { $count ->
    [one] Ein entferntes Bild ist aus, wie eingestellt.
   *[other] { $count } entfernte Bilder sind aus, wie eingestellt.
}
pictures-once = Einmal zeigen
pictures-always = Immer für diesen Absender
pictures-coming = Die Bilder werden geholt …
pictures-missing = { $count ->
    [one] Ein Bild ließ sich nicht holen.
   *[other] { $count } Bilder ließen sich nicht holen.
}
pictures-trackers = { $count ->
    [one] Ein Spion bleibt gesperrt: { $hosts }
   *[other] { $count } Spione bleiben gesperrt: { $hosts }
}
said-pictures-always = Bilder von { $sender } werden ab jetzt gezeigt
said-no-attachments = In dieser Nachricht sind keine Anhänge
said-no-list = Diese Nachricht kam über keine Liste, von der man sich abmelden kann
said-no-nested = Diese Nachricht ließ sich nicht lesen
reader-unsubscribe = Abmelden
reader-reply-elsewhere = Antworten gehen an { $people }
reader-nested-back = Zurück zur Nachricht, in der sie kam
attachment-save = Sichern …
kind-card = Kontakt
open-title = Diese Datei öffnen?
open-means = { $name } kann mehr, als angesehen zu werden: Sie kann Programme starten oder nach Kennwörtern fragen. Öffnen Sie sie nur, wenn Sie sie von diesem Absender erwartet haben. Beim Sichern wird nichts geöffnet.
open-anyway = Trotzdem öffnen
open-save = Stattdessen sichern
unsubscribe-title = Diese Liste verlassen?
unsubscribe-post = { $host } erfährt, dass Sie nichts mehr davon möchten.
unsubscribe-mail = Eine Nachricht, die das sagt, geht an { $to }.
unsubscribe-web = Die Liste hat dafür eine Seite: { $url }
unsubscribe-confirm = Abmelden
unsubscribe-visit = Seite besuchen
unsubscribed-posted = { $host } weiß Bescheid; es sollte nichts mehr kommen
unsubscribed-queued = Eine Nachricht an { $to } meldet Sie ab
link-warn-refused = Links der Art „{ $scheme }“ werden nicht geöffnet.
link-warn-other = Der Text sagt { $shown }, er führt aber zu { $target }.
link-warn-deceptive = Der Name kann mit einem anderen verwechselt werden; in Wahrheit ist er { $host }.
link-warn-user = „{ $shown }“ ist nicht das Ziel: Es steht vor dem wahren Namen.
link-warn-numeric = Er führt zu einer bloßen Zahl, { $host }, statt zu einem Namen.
link-warn-port = Er führt zum ungewöhnlichen Port { $port }.
link-warn-long = Er ist zu lang, um ihn zu überblicken.
link-warn-hidden = Verborgene Zeichen wurden entfernt.
risk-program = Sie ist ein Programm.
risk-script = Sie ist ein Skript, das wie ein Programm läuft.
risk-shortcut = Sie verweist auf etwas anderes, das an ihrer Stelle geöffnet würde.
risk-disk-image = Sie ist ein Datenträgerabbild: Warnungen gelten nicht für das, was darin ist.
risk-web-page = Sie ist eine Webseite: Sie kann Skripte ausführen und nach Kennwörtern fragen.
risk-macros = Sie kann Makros enthalten, die wie ein Programm laufen.
risk-holds = Sie enthält { $name }.
risk-locked = Sie ist mit einem Kennwort verschlossen: Niemand konnte hineinsehen.
risk-double = Sie sieht aus wie { $shown }, ist aber von anderer Art.
risk-not-what = Ihr Inhalt ist { $found }, nicht was ihr Name sagt.
risk-hidden = Ihr Name enthielt verborgene Zeichen.
kind-web-page = Webseite
kind-document = Dokument
kind-table = Tabelle
kind-slides = Folien
kind-archive = Archiv
kind-program = Programm
kind-disk-image = Datenträgerabbild
kind-security = Signatur oder Schlüssel
kind-font = Schrift
event-untitled = (ohne Titel)
event-invitation = Einladung
event-reply = Eine Antwort auf Ihre Einladung
event-counter = Eine andere Zeit wird vorgeschlagen
event-plain = Termin
event-cancelled = Das findet nicht statt
event-no-time = ohne Zeit
event-by = von { $who }
event-by-with = von { $who } · { $count } Personen
event-accept = Zusagen
event-tentative = Vielleicht
event-decline = Absagen
event-accepted-subject = Zugesagt: { $event }
event-declined-subject = Abgesagt: { $event }
event-tentative-subject = Vielleicht: { $event }
said-event-answered = Ihre Antwort ist unterwegs
receipt-asked = Der Absender möchte erfahren, dass Sie dies gelesen haben.
receipt-asked-elsewhere = Jemand anderes, { $to }, möchte erfahren, dass Sie dies gelesen haben.
receipt-send = Mitteilen
receipt-no = Nein
receipt-words = Ihre Nachricht wurde angezeigt. Das heißt nicht, dass sie gelesen oder verstanden wurde.
said-receipt-sent = Der Absender erfährt es
trust-verified = { $domain } bürgt für diesen Absender
trust-failed = { $domain } sagt, dass diese Nachricht nicht von dort kommt.
trust-name-address = Der Name des Absenders sah aus wie die Adresse { $shown }, die nicht seine ist. Gezeigt wird die wahre.
trust-name-hidden = Verborgene Zeichen wurden aus dem Namen des Absenders entfernt.
trust-name-mixed = Der Name des Absenders mischt Buchstaben mehrerer Schriften, die sich gleichen.
trust-name-domain = Der Absender nennt sich { $shown }, schreibt aber von anderswo.
trust-domain = Die Domain des Absenders kann mit einer anderen verwechselt werden.
trust-local = Die Adresse des Absenders enthält eine zweite.
trust-several = Diese Nachricht nennt mehrere Verfasser: { $people }.
trust-ambiguous = Diese Nachricht sagt auf mehr als eine Weise, von wem sie ist.
trust-reply = Eine Antwort ginge an { $to }.
trust-nothing = nichts Verlässliches bekannt
trust-pass = bestanden
trust-fail = nicht bestanden
trust-unknown = unbekannt
field-checks = Prüfungen
field-signed-by = Signiert von
field-checked-by = Geprüft von
reader-to = an { $people }
reader-to-nobody = an niemanden mit Namen
reader-and-more = { $people } und { $count } weitere
reader-details = Einzelheiten
reader-less = Weniger
reader-show-more = Mehr zeigen ({ $size })
reader-attachments = { $count ->
    [one] 1 Anhang
   *[other] { $count } Anhänge
}
reader-save-all = Alle sichern …
reader-part = { $kind } · { $size }
kind-message = Nachricht
kind-calendar = Kalender
kind-picture = { $kind }-Bild
kind-sound = Ton
kind-film = Film
kind-text = Text
kind-file = Datei
field-from = Von
field-to = An
field-cc = Kopie
field-bcc = Blindkopie
field-reply-to = Antwort an
field-subject = Betreff
field-date = Datum
field-files = Anhänge
field-message-id = Message-ID
field-size = Größe
field-defects = Mängel

lives-both-imap = Auf dem Server und auf diesem Rechner
lives-both-pop3 = Auf diesen Rechner geladen; der Server behält seine Kopie
lives-only-here = Nur auf diesem Rechner
lives-headers-only = Nur auf dem Server; der Text wird beim Öffnen geholt
lives-leaving = Auf diesem Rechner; verlässt den Server am { $day }
lives-leaving-next = Auf diesem Rechner; verlässt den Server beim nächsten Abruf

link-title = Diesen Link öffnen?
link-leads = Er führt nach:
link-open = Im Browser öffnen
link-refused = nur Web- und Mailadressen werden geöffnet
link-failed = das System hat nichts, um ihn zu öffnen: { $why }
picture-about = { $width } × { $height } · { $size }
picture-place = { $place } von { $count }
picture-previous = Voriges Bild
picture-next = Nächstes Bild
picture-open = Mit anderem Programm öffnen
picture-failed = Dieses Bild kann nicht gezeigt werden
dialog-attach = Dateien anhängen
dialog-save = Anhang sichern
dialog-save-all = Anhänge sichern in
saved-to = Gesichert: { $place }
saved-unasked = Hier gibt es keinen Dateidialog. Gesichert: { $place }
dialog-none = Hier gibt es keinen Dateidialog und keinen Ordner für Downloads
dialog-none-attach = Hier gibt es keinen Dateidialog: Dateien zum Anhängen auf das Fenster ziehen
save-not-here = Nicht alles davon ist schon auf diesem Rechner: noch einmal versuchen, wenn es da ist
file-attachment = Anhang
save-failed = { $place } konnte nicht geschrieben werden: { $why }
drag-failed = Aus diesem Fenster lässt sich nichts herausziehen: { $why }

delete-title = { $count ->
    [one] Diese Nachricht endgültig löschen?
   *[other] { $count } Nachrichten endgültig löschen?
}
delete-means = Sie verschwindet von diesem Rechner und vom Server. Das lässt sich nicht zurücknehmen.
delete-confirm = Endgültig löschen

move-title = Verschieben nach …
palette-title = Was möchten Sie tun?
palette-nothing = Nichts passt

compose-placeholder = Hier schreiben
compose-untitled = Nachricht ohne Betreff
compose-sender = { $email } · { $account }
compose-copies = Kopie und Blindkopie
compose-fewer = Weniger
compose-attach = Dateien anhängen
compose-discard = Verwerfen
compose-close = Schließen und als Entwurf behalten
compose-remove-file = Diese Datei entfernen
compose-saving = Wird gesichert …
compose-saved = Gesichert
compose-not-saved = Nicht gesichert
compose-kept = Liegt in den Entwürfen
compose-discarded = Verworfen
compose-no-sender = Noch kann kein Konto senden: Geben Sie einem in den Einstellungen einen Ausgangsserver
compose-no-recipient = An wen soll es gehen? Schreiben Sie eine Adresse hinter „An“.
compose-bad-address = An „{ $address }“ kann keine Post gehen
compose-not-here = die Nachricht ist noch nicht auf diesem Rechner; sie wird geholt, versuchen Sie es gleich noch einmal
compose-sending = Wird in wenigen Sekunden gesendet
compose-unsent = Zurückgenommen; liegt in den Entwürfen
compose-file-failed = { $name } ließ sich nicht anhängen: { $why }
compose-file-large = Dateien über { $size } reisen nicht mit der Post
mailto-unreadable = Dieser Mail-Link war nicht lesbar

status-idle = Auf dem neuesten Stand
status-offline = Offline: Was Sie tun, bleibt hier und wird später gesendet
status-metered = Getaktete Verbindung: Große Nachrichten werden erst beim Öffnen geholt
status-work-offline = Offline arbeiten
status-go-online = Wieder verbinden
status-doing = { $account }: { $what }
status-progress = { $account }: { $what }, { $done } von { $total }
status-problems = { $count ->
    [one] 1 Problem
   *[other] { $count } Probleme
}
doing-connecting = verbindet
doing-listing = sieht die Ordner durch
doing-headers = listet Nachrichten
doing-bodies = holt Nachrichten
doing-operations = führt aus, was Sie getan haben
doing-sending = sendet
doing-idle = fertig

problems-title = Probleme
problems-none = Alles in Ordnung.
problems-program = Posthorn
problems-since = seit { $when }
remedy-try-again = Noch einmal
remedy-enter-password = Passwort eingeben
remedy-check-settings = Einstellungen prüfen
remedy-inspect-certificate = Zertifikat ansehen
remedy-free-disk-space = Ich habe Platz geschaffen
remedy-review = Ich habe nachgesehen: weiter
remedy-work-offline = Offline arbeiten
remedy-expunge-mailbox = Alles Markierte entfernen
outbox-held = „{ $subject }“ wurde nicht gesendet.
outbox-uncertain = „{ $subject }“ wurde vielleicht gesendet: Die Verbindung brach im letzten Augenblick ab.
outbox-reply = Der Server sagte: { $reply }
outbox-resend = Noch einmal senden
outbox-cancel = Nicht senden
outbox-mark-sent = Es ist angekommen

setup-welcome = Willkommen bei Posthorn
setup-another = Ein Konto hinzufügen
setup-question = Wie lautet Ihre Mailadresse?
setup-address-example = sie@example.org
setup-continue = Weiter
setup-bad-address = Das ist noch keine Mailadresse: Sie braucht einen Namen, ein @ und eine Domain.
setup-sandbox = Mit einem Sandkasten-Postfach probieren
setup-sandbox-starting = Der Sandkasten wird gestartet …
setup-sandbox-means = Ein Mailserver in diesem Programm, mit Beispielpost, über IMAP und POP3. Nichts verlässt diesen Rechner, und er ist fort, wenn Sie Posthorn schließen.
sandbox-failed = der Sandkasten ließ sich nicht starten: { $why }
setup-details = { $address } einrichten
setup-details-means = Die Server sind aus Ihrer Adresse geraten. Ändern Sie, was Ihr Anbieter anders nennt.
setup-imap = Die Post bleibt auf dem Server; jedes Gerät sieht dieselben Ordner, und was Sie hier tun, geschieht dort.
setup-pop3 = Die Post wird auf diesen Rechner geladen und ist hier zu Hause; Sie bestimmen, wann sie den Server verlässt.
setup-person = Ihr Name, wie andere ihn sehen
setup-name = Wie das Konto hier heißt
setup-username = Benutzername
setup-password = Passwort
setup-password-kept = unverändert
setup-signature = Unterschrift
setup-keep-password = Das Passwort behalten
setup-keychain = im Schlüsselbund des Systems
setup-sealed = in einer versiegelten Datei
setup-session = nur bis Posthorn schließt
setup-incoming = Eingangsserver
setup-outgoing = Ausgangsserver
security-tls = TLS
security-starttls = STARTTLS
security-none = Keine
setup-cleartext-warning = Ohne TLS kann jeder auf dem Weg Ihr Passwort und Ihre Post lesen.
setup-cleartext-allow = Ich weiß, erlauben
setup-cleartext = Ein Server ist unverschlüsselt: Wählen Sie TLS oder STARTTLS, oder erlauben Sie es unten.
setup-bad-server = { $server }: Es braucht einen Rechnernamen und einen Port
setup-bad-days = Nach wie vielen Tagen soll Post den Server verlassen? Schreiben Sie eine Zahl.
setup-no-name = Das Konto braucht einen Namen
setup-no-password = Das Passwort fehlt
setup-test-and-add = Prüfen und hinzufügen
setup-testing = Die Server werden gefragt …
setup-adding = Wird hinzugefügt …
setup-add-anyway = Trotzdem hinzufügen
test-good = Angemeldet
test-offers = Angemeldet; bietet { $what }
leave-title = Wann verlässt Post den Server?
leave-forever = Nie
leave-days = Nach einigen Tagen
leave-until-removed = Wenn ich sie hier lösche
leave-never = Sobald sie hier ist
leave-days-unit = Tage
leave-forever-means = Der Server behält alles. Er kann voll werden; andere Geräte sehen weiter alle Post.
leave-days-means = { $days } Tage nachdem eine Nachricht sicher auf diesem Rechner liegt, verschwindet sie vom Server.
leave-until-removed-means = Der Server behält eine Nachricht, bis Sie sie auf diesem Rechner löschen oder aus dem Eingang verschieben.
leave-never-means = Eine Nachricht verschwindet vom Server, sobald sie sicher auf diesem Rechner liegt. Andere Geräte sehen sie nicht mehr, und dieser Rechner hat die einzige Kopie.

settings-title = Einstellungen
settings-accounts = Konten
settings-add = Ein Konto hinzufügen
settings-window = Das Fenster
settings-save = Sichern
settings-test = Prüfen
settings-saved = Gesichert
appearance-title = Aussehen
appearance-system = Wie das System
appearance-light = Hell
appearance-dark = Dunkel
look-system = Fenster wie das System
look-light = Helles Fenster
look-dark = Dunkles Fenster
network-title = Das Netz
network-online = Online
network-metered = Getaktet
network-offline = Offline
network-online-means = Alles wird geholt, sobald es da ist, und neue Post erscheint sofort
network-metered-means = Große Nachrichten werden erst beim Öffnen geholt, und Server seltener gefragt
network-offline-means = Es wird keine Verbindung aufgebaut: Was Sie tun, bleibt hier und wird später gesendet
network-system-metered = Laut System ist diese Verbindung getaktet: Große Nachrichten werden erst beim Öffnen geholt
remove-title = Dieses Konto hier nicht mehr benutzen
remove-button = Konto entfernen …
remove-question = „{ $name }“ aus Posthorn entfernen?
remove-imap = Posthorn vergisst das Konto, sein Passwort und seine Kopien auf diesem Rechner. Auf { $server } wird nichts gelöscht: Alle Post bleibt dort.
remove-pop3 = Posthorn vergisst das Konto und sein Passwort. Auf { $server } wird nichts gelöscht. Post, die jenen Server verlassen hat, gibt es nur auf diesem Rechner: Sichern Sie sie vorher anderswo, wenn Sie sie brauchen.
remove-confirm = Entfernen

when-today = Heute
when-yesterday = Gestern
when-today-within = heute
when-yesterday-within = gestern
when-day-and-time = { $day } um { $time }
when-day-and-month = { $day }. { $month }
month-1 = Jan.
month-2 = Feb.
month-3 = März
month-4 = Apr.
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = Aug.
month-9 = Sep.
month-10 = Okt.
month-11 = Nov.
month-12 = Dez.

## Ordner
mailbox-menu = Dieser Ordner …
mailbox-act-new = Neuer Ordner …
mailbox-act-new-within = Neuer Ordner darin …
mailbox-act-rename = Umbenennen …
mailbox-act-delete = Löschen …
mailbox-act-subscribe = In anderen Programmen zeigen
mailbox-act-unsubscribe = In anderen Programmen verbergen
mailbox-name = Name
mailbox-new-title = Neuer Ordner
mailbox-new-in = In { $name }
mailbox-new-within = In „{ $name }“
mailbox-new-confirm = Anlegen
mailbox-rename-title = Ordner umbenennen
mailbox-rename-confirm = Umbenennen
mailbox-delete-title = „{ $name }“ löschen?
mailbox-delete-gone = Diesen Ordner gibt es nicht mehr
mailbox-delete-empty = Er enthält keine Nachrichten.
mailbox-delete-messages = { $count ->
    [one] Seine Nachricht kommt vorher in den Papierkorb.
   *[other] Seine { $count } Nachrichten kommen vorher in den Papierkorb.
}
mailbox-delete-below = { $count ->
    [one] Der Ordner darin wird auch gelöscht.
   *[other] Die { $count } Ordner darin werden auch gelöscht.
}
mailbox-delete-confirm = Ordner löschen
done-mailbox-made = „{ $name }“ angelegt
done-mailbox-renamed = Umbenannt in „{ $name }“
done-mailbox-deleted = „{ $name }“ gelöscht
done-subscribed = „{ $name }“ wird in anderen Programmen gezeigt
done-unsubscribed = „{ $name }“ ist in anderen Programmen verborgen

## Ein Konto und sein Server
account-open = Post auf dem Server
account-check = Jetzt abrufen
account-checked = Geprüft: { $day }
account-never-checked = Noch nicht geprüft
account-not-encrypted = nicht verschlüsselt
account-messages = { $count ->
    [one] 1 Nachricht ({ $size })
   *[other] { $shown } Nachrichten ({ $size })
}
account-on-server = Auf dem Server: { $messages }.
account-comes = Der nächste Abruf bringt { $messages } hierher.
account-comes-headers = Der nächste Abruf bringt die Kopfzeilen von { $messages } hierher; der Rest kommt, wenn Sie sie öffnen.
account-held = { $count ->
    [one] { $messages } sollte den Server verlassen und bleibt dort, bis Sie nachgesehen haben.
   *[other] { $messages } sollten den Server verlassen und bleiben dort, bis Sie nachgesehen haben.
}
account-leaves-next = { $count ->
    [one] Beim nächsten Abruf verlässt { $messages } den Server. Hier bleibt sie.
   *[other] Beim nächsten Abruf verlassen { $messages } den Server. Hier bleiben sie.
}
account-leaves-none = Beim nächsten Abruf verlässt nichts den Server.
account-leaves-within = { $count ->
    [one] Innerhalb von 30 Tagen verlässt ihn noch { $messages }.
   *[other] Innerhalb von 30 Tagen verlassen ihn weitere { $messages }.
}
account-stays = Nach 30 Tagen noch dort: { $messages }.
account-stopped-empty = Der Server führt keine Nachricht auf, wo { $before } waren. Alles Geladene bleibt hier, und auf dem Server wird nichts gelöscht, bis Sie nachgesehen haben.
account-stopped-new = Der Server gibt { $listed } Nachrichten neue Namen und kennt keine der { $before } bisherigen. Alles bleibt, und auf dem Server wird nichts gelöscht, bis Sie nachgesehen haben.
account-stopped-gone = { $gone } von { $before } Nachrichten sind auf einmal vom Server verschwunden. Alles Geladene bleibt hier, und auf dem Server wird nichts gelöscht, bis Sie nachgesehen haben.
account-go-on = Nachgesehen, weiter
account-line-next = Geht beim nächsten Abruf
account-line-on = Geht am { $day }
account-line-held = Wartet auf Sie
account-line-stays = Bleibt
account-act-download = Kommt beim nächsten Abruf
account-act-headers = Die Kopfzeilen kommen beim nächsten Abruf
account-act-compare = Wird beim nächsten Abruf verglichen
account-unnamed = Noch nicht hier ({ $uidl })
account-no-longer-here = Nachricht { $uidl }, auch hier nicht mehr
account-server-said = der Server sagte: { $reply }
account-deleted-on = Gelöscht: { $day }
account-delete-wanted = Zu löschen
account-nothing-there = Nach dem letzten Abruf liegt nichts auf dem Server.
account-nothing-deleted = Posthorn hat auf diesem Server nichts gelöscht.
account-tab-ahead = Was geschehen wird
account-tab-deleted = Auf dem Server gelöscht
account-revert = Zurücknehmen
account-bad-limit = Bitte angeben, wie viel auf dem Server bleiben darf.
account-ask-next = { $count ->
    [one] Beim nächsten Abruf wird { $messages } auf dem Server gelöscht.
   *[other] Beim nächsten Abruf werden { $messages } auf dem Server gelöscht.
}
account-ask-none-next = Beim nächsten Abruf wird auf dem Server nichts gelöscht.
account-ask-within = { $count ->
    [one] Innerhalb von 30 Tagen ist es insgesamt { $messages }.
   *[other] Innerhalb von 30 Tagen sind es insgesamt { $messages }.
}
account-ask-kept = Jede wird dort erst gelöscht, nachdem sie hier zurückgelesen und geprüft worden ist. Dann hat dieser Computer die einzige Kopie, von der Posthorn weiß.
account-ask-save = Speichern und dann löschen
account-imap-lives = Ihre Post liegt auf { $server }.
account-imap-copies = { $count ->
    [one] Dieser Computer hält eine Kopie von 1 Nachricht, damit Sie ohne Netz lesen und suchen können.
   *[other] Dieser Computer hält Kopien von { $shown } Nachrichten, damit Sie ohne Netz lesen und suchen können.
}
account-imap-global = Was Sie hier löschen, wird auf dem Server und auf jedem anderen Gerät gelöscht; was auf einem anderen Gerät gelöscht wird, wird auch hier gelöscht.
account-imap-no-backup = IMAP ist also keine Sicherung: Eine versehentlich oder von anderen gelöschte Nachricht ist überall weg.
account-connection = Die Verbindung
account-state = Zustand
account-mailboxes = Postfächer
account-no-outgoing = Keiner: Dieses Konto empfängt nur
limit-title = Höchstens behalten
limit-none = Alles
limit-messages = Nachrichten
limit-megabytes = MB
limit-means = Was darüber liegt, verlässt den Server früher, das Älteste zuerst, und nur, was hier geprüft ist.
fetch-title = Was hierher kommt
fetch-whole = Ganze Nachrichten
fetch-headers = Kopfzeilen zuerst
fetch-cap = Nur die Kopfzeilen, wenn größer als
fetch-oldest = Die ältesten zuerst
fetch-newest = Die neuesten zuerst
fetch-portion = Bei einem Abruf höchstens
fetch-portion-unit = Nachrichten
fetch-empty-means = Ein leeres Feld setzt keine Grenze.
others-title = Mit dieser Einstellung
others-next = beim nächsten Mal
others-within = in 30 Tagen
others-none = keine
others-keep-all = Mit dieser Einstellung würden auch { $programs } nichts entfernen.
list-and = { $some } und { $last }
other-ours = zählt ab dem Augenblick, da eine Nachricht hier geprüft ist
other-from-download = zählt ab seinem eigenen Abruf
other-from-first-seen = zählt ab dem Tag, da es die Nachricht zuerst sah
other-from-date = zählt ab dem Datum, das der Absender schrieb
other-no-limit = · kennt keine Grenze nach Zahl oder Größe
other-no-such-rule = kennt diese Regel nicht und behielte alles
reason-new = sie ist noch nicht hier
reason-asked-for = Sie wollten sie ganz
reason-headers-first = dieses Konto holt Kopfzeilen zuerst
reason-too-large = { $size } ist mehr als { $cap }
reason-header-here = Ihre Kopfzeilen sind hier; der Rest kommt, wenn Sie sie öffnen
reason-maybe-renamed = vielleicht hat der Server eine hiesige Nachricht umbenannt
reason-name-used-again = vielleicht hat der Server einen Namen neu vergeben
reason-confirm = der Server gibt ihr keinen eigenen Namen, deshalb wird sie vor dem Löschen ganz verglichen
reason-next-session = Wartet auf den nächsten Abruf: Die Menge für einen ist erreicht
reason-verified = Hier geladen und geprüft
reason-days = { $days ->
    [one] Einen Tag, nachdem sie hier geladen und geprüft wurde
   *[other] { $days } Tage, nachdem sie hier geladen und geprüft wurde
}
reason-removed-here = Sie haben sie hier aus dem Posteingang genommen
reason-over-messages = Die ältesten über { $most } Nachrichten hinaus, hier geprüft
reason-over-size = Die ältesten über { $most } hinaus, hier geprüft
reason-kept-forever = Dieses Konto entfernt nichts vom Server
reason-kept-days = { $days ->
    [one] Bleibt einen Tag, nachdem sie hier geladen und geprüft wurde
   *[other] Bleibt { $days } Tage, nachdem sie hier geladen und geprüft wurde
}
reason-kept-until-removed = Bleibt, bis Sie sie hier löschen oder verschieben
reason-stopped = Nichts wird gelöscht, bis Sie nachgesehen haben
reason-fell-short = Der Server nennt { $size } und schickt { $served }: Sie bleibt dort
reason-deleted-by-us = Nicht mehr aufgeführt, nachdem Posthorn sie gelöscht hat
reason-not-by-us = Nicht mehr aufgeführt, und nicht durch Posthorn
reason-hidden = Nicht mehr aufgeführt: Dieser Anbieter verbirgt, was schon geholt wurde oder was alt ist
