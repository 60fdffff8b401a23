# Die Worte des Fensters auf Deutsch. Schlicht, kurz, in der Sprache derer, die lesen.

window-title = Posthorn
window-title-unread = Posthorn ({ $count })
opening = Die Post wird geöffnet …
open-failed = Die Post konnte nicht geöffnet werden
open-failed-kept = Nichts wurde verändert. Schließen Sie dieses Fenster, beheben Sie die Ursache und starten Sie Posthorn neu.
back = Zurück
cancel = Abbrechen
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
key-zoom-in = Größer
key-zoom-out = Kleiner
key-zoom-reset = Übliche Größe
key-focus = Nächstes Feld

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
dialog-attach = Dateien anhängen
dialog-save = Anhang sichern
dialog-save-all = Anhänge sichern in
saved-to = Gesichert: { $place }
save-failed = { $place } konnte nicht geschrieben werden: { $why }

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
