# The window's words, in English. Plain, short, in the reader's terms.

window-title = Posthorn
window-title-unread = Posthorn ({ $count })
opening = Opening your mail …
open-failed = Your mail could not be opened
open-failed-kept = Nothing was changed. Close this window, mend the cause and start Posthorn again.
back = Back
cancel = Cancel
close = Close
failed = That did not work: { $why }

## Actions, in buttons, tooltips and the palette
action-compose = New message
action-reply = Reply
action-reply-all = Reply to all
action-forward = Forward
action-archive = Archive
action-delete = Delete
action-junk = Mark as junk
action-move = Move to …
action-undo = Undo
action-send = Send
action-check-now = Check for mail
done-archived = { $count ->
    [one] Archived
   *[other] { $count } messages archived
}
done-deleted = { $count ->
    [one] Deleted
   *[other] { $count } messages deleted
}
done-junked = { $count ->
    [one] Marked as junk
   *[other] { $count } messages marked as junk
}
done-moved = { $count ->
    [one] Moved to { $mailbox }
   *[other] { $count } messages moved to { $mailbox }
}
done-undone = Taken back

## Keys
keys-title = Keys
keys-around = Getting around
keys-message = Messages
keys-window = The window
keyname-ctrl = Ctrl
keyname-shift = Shift
keyname-enter = Enter
keyname-del = Del
key-next = Next message
key-previous = Previous message
key-page-down = Further down
key-page-up = Further up
key-first = First message
key-last = Last message
key-extend = Select further
key-open = Open
key-back = Go back
key-unread = Read or unread
key-star = Star
key-search = Search
key-go-inbox = Go to the inboxes
key-go-sent = Go to sent mail
key-go-drafts = Go to drafts
key-select = Select, one by one
key-select-all = Select all
key-keys = Show the keys
key-palette = All commands
key-next-in-thread = Next message of the conversation
key-previous-in-thread = Previous message of the conversation
key-find-next = Find the next
key-find-previous = Find the previous
keys-reading = Reading
action-find = Find in the conversation
action-copy = Copy
action-message-menu = More about this message
action-as-text = Show as text, or as sent
action-as-sent = This message light or dark
action-quoted = Show or hide what is quoted
action-pictures = Show remote pictures once
action-fixed-font = Text in a fixed font
action-details = Details of the sender
action-links = Links in this message
action-source = Show the source
action-headers = Show all headers
action-save-message = Save as a file (.eml)
action-save-all = Save all attachments
action-print = Print to PDF
action-unsubscribe = Unsubscribe from this list
key-zoom-in = Larger
key-zoom-out = Smaller
key-zoom-reset = Usual size
key-focus = Next field, button or link
key-pane = Next pane: mailboxes, list, message

## Where mail is
view-all-inboxes = All inboxes
view-all = All mail
view-mailbox-gone = Mailbox
mailbox-inbox = Inbox
mailbox-drafts = Drafts
mailbox-sent = Sent
mailbox-archive = Archive
mailbox-junk = Junk
mailbox-trash = Trash
mailbox-flagged = Starred
mailbox-all = All mail
mailbox-important = Important
state-ready = Up to date
state-syncing = Looking for mail
state-offline = Offline
state-needs-user = Needs you

## The list
list-nobody = (no sender)
list-no-subject = (no subject)
list-to = To { $name }
list-found = Found: { $words }
list-selected = { $count } selected
list-count = { $count ->
    [one] 1 message
   *[other] { $shown } messages
}
search-placeholder = Search
search-clear = Clear the search
list-sidebar = Show or hide the sidebar
empty-inbox = You have read it all
empty-inbox-next = New mail appears here by itself.
empty-drafts = No drafts
empty-drafts-next = What you write is kept here until you send it. Press c to begin.
empty-trash = The trash is empty
empty-trash-next = What you delete comes here first.
empty-mailbox = Nothing here
empty-mailbox-next = Choose a message elsewhere and press v to move it here.
empty-search = Nothing found
empty-search-next = Try fewer or other words. Esc goes back to the list.

## Reading
reader-empty = Choose a message to read it
reader-empty-keys = j and k move through the list, ? shows all keys
reader-loading = Opening …
reader-fetching = This message is still on the server. It is being fetched.
reader-no-text = This message has no text.
reader-failed = This message could not be opened: { $why }
reader-gone = it is no longer here
reader-html-as-text = Shown as text. Remote pictures are off, and nothing was loaded from the network.
find-placeholder = Find in the conversation
find-none = Not found
find-count = { $place } of { $count }
reader-show-quoted = Show what is quoted
reader-hide-quoted = Hide what is quoted
failure-too-slow = Shown as text: drawing this message took too long.
failure-too-large = Shown as text: this message is too large to be drawn.
failure-no-process = Shown as text: the part of the program that draws messages could not be started.
failure-died = Shown as text: this message could not be drawn.
message-menu-title = This message
links-title = Links
source-title = Source
headers-title = All headers
source-more = { $size } more; save the message to see all of it.
source-not-here = The message is not here yet; it is being fetched.
said-link-copied = Link copied
said-no-links = There are no links in this message
file-message = Message
print-failed = This message could not be printed
print-no-painter = The part of the program that draws messages could not be started
pictures-off = { $count ->
    [one] One remote picture is off.
   *[other] { $count } remote pictures are off.
}
pictures-off-junk = { $count ->
    [one] One remote picture is off: this is in junk.
   *[other] { $count } remote pictures are off: this is in junk.
}
pictures-off-unverified = { $count ->
    [one] One remote picture is off: it is not certain that this is from that sender.
   *[other] { $count } remote pictures are off: it is not certain that this is from that sender.
}
pictures-off-metered = { $count ->
    [one] One remote picture is off: the connection is metered.
   *[other] { $count } remote pictures are off: the connection is metered.
}
pictures-never = { $count ->
    [one] One remote picture is off, as you set.
   *[other] { $count } remote pictures are off, as you set.
}
pictures-once = Show once
pictures-always = Always for this sender
pictures-coming = Fetching the pictures …
pictures-missing = { $count ->
    [one] One picture could not be fetched.
   *[other] { $count } pictures could not be fetched.
}
pictures-trackers = { $count ->
    [one] One tracker stays blocked: { $hosts }
   *[other] { $count } trackers stay blocked: { $hosts }
}
said-pictures-always = Pictures from { $sender } are shown from now on
said-no-attachments = There are no attachments in this message
said-no-list = This message did not come by a mailing list that can be left
said-no-nested = That message could not be read
reader-unsubscribe = Unsubscribe
reader-reply-elsewhere = Answers go to { $people }
reader-nested-back = Back to the message it came in
attachment-save = Save …
kind-card = Contact
open-title = Open this file?
open-means = { $name } can do more than be looked at: it may run, or ask for your passwords. Open it only if you expected it from this sender. Nothing is opened by saving it.
open-anyway = Open anyway
open-save = Save instead
unsubscribe-title = Leave this mailing list?
unsubscribe-post = { $host } is told that you want no more of it.
unsubscribe-mail = A message that says so goes to { $to }.
unsubscribe-web = The list has a page for this: { $url }
unsubscribe-confirm = Unsubscribe
unsubscribe-visit = Visit the page
unsubscribed-posted = { $host } was told; no more should come
unsubscribed-queued = A message to { $to } leaves the list for you
link-warn-refused = Links of the kind “{ $scheme }” are not opened.
link-warn-other = The text says { $shown }, but it leads to { $target }.
link-warn-deceptive = The name can be mistaken for another; truly it is { $host }.
link-warn-user = “{ $shown }” is not where it leads: that stands before the true name.
link-warn-numeric = It leads to a bare number, { $host }, instead of a name.
link-warn-port = It leads to the unusual port { $port }.
link-warn-long = It is too long to be looked over.
link-warn-hidden = Hidden characters were taken out.
risk-program = It is a program.
risk-script = It is a script, which runs like a program.
risk-shortcut = It points to something else, which would be opened in its place.
risk-disk-image = It is a disk image: warnings do not count for what is inside.
risk-web-page = It is a web page: it can run scripts and ask for passwords.
risk-macros = It may hold macros, which run like a program.
risk-holds = It holds { $name }.
risk-locked = It is locked with a password: nobody could look inside.
risk-double = It looks like { $shown }, but is of another kind.
risk-not-what = Its content is { $found }, not what its name says.
risk-hidden = Its name held hidden characters.
kind-web-page = Web page
kind-document = Document
kind-table = Table
kind-slides = Slides
kind-archive = Archive
kind-program = Program
kind-disk-image = Disk image
kind-security = Signature or key
kind-font = Font
event-untitled = (no title)
event-invitation = Invitation
event-reply = An answer to your invitation
event-counter = Another time is proposed
event-plain = Event
event-cancelled = This does not take place
event-no-time = no time given
event-by = from { $who }
event-by-with = from { $who } · { $count } people
event-accept = Accept
event-tentative = Maybe
event-decline = Decline
event-accepted-subject = Accepted: { $event }
event-declined-subject = Declined: { $event }
event-tentative-subject = Maybe: { $event }
said-event-answered = Your answer is on its way
receipt-asked = The sender asks to be told that you read this.
receipt-asked-elsewhere = Somebody else, { $to }, wants to be told that you read this.
receipt-send = Tell them
receipt-no = No
receipt-words = Your message was shown. That does not mean that it was read or understood.
said-receipt-sent = The sender is told
trust-verified = { $domain } vouches for this sender
trust-failed = { $domain } says that this message is not from there.
trust-name-address = The sender’s name looked like the address { $shown }, which is not theirs. The true address is shown.
trust-name-hidden = Hidden characters were taken out of the sender’s name.
trust-name-mixed = The sender’s name mixes letters of several scripts that look alike.
trust-name-domain = The sender calls itself { $shown }, but writes from elsewhere.
trust-domain = The sender’s domain can be mistaken for another.
trust-local = The sender’s address holds a second one.
trust-several = This message names several authors: { $people }.
trust-ambiguous = This message says who it is from in more than one way.
trust-reply = An answer would go to { $to }.
trust-nothing = nothing trustworthy is known
trust-pass = passed
trust-fail = failed
trust-unknown = not known
field-checks = Checks
field-signed-by = Signed by
field-checked-by = Checked by
reader-to = to { $people }
reader-to-nobody = to nobody by name
reader-and-more = { $people } and { $count } more
reader-details = Details
reader-less = Less
reader-show-more = Show more ({ $size })
reader-attachments = { $count ->
    [one] 1 attachment
   *[other] { $count } attachments
}
reader-save-all = Save all …
reader-part = { $kind } · { $size }
kind-message = Message
kind-calendar = Calendar
kind-picture = { $kind } picture
kind-sound = Sound
kind-film = Film
kind-text = Text
kind-file = File
field-from = From
field-to = To
field-cc = Cc
field-bcc = Bcc
field-reply-to = Reply to
field-subject = Subject
field-date = Date
field-files = Attachments
field-message-id = Message ID
field-size = Size
field-defects = Defects

## Where a message lives
lives-both-imap = On the server and on this computer
lives-both-pop3 = Downloaded to this computer; the server keeps its copy
lives-only-here = Only on this computer
lives-headers-only = Only on the server; the text is fetched when you open it
lives-leaving = On this computer; leaves the server on { $day }
lives-leaving-next = On this computer; leaves the server at the next check

## Links and files
link-title = Open this link?
link-leads = It leads to:
link-open = Open in the browser
link-refused = only web and mail addresses are opened
link-failed = the system has nothing to open it with: { $why }
picture-about = { $width } × { $height } · { $size }
picture-place = { $place } of { $count }
picture-previous = Previous picture
picture-next = Next picture
picture-open = Open with another program
picture-failed = This picture cannot be shown
dialog-attach = Attach files
dialog-save = Save attachment
dialog-save-all = Save attachments in
saved-to = Saved: { $place }
saved-unasked = There is no file dialog here. Saved: { $place }
dialog-none = There is no file dialog here, and no folder for downloads
dialog-none-attach = There is no file dialog here: drop files onto the window to attach them
save-not-here = Some of it is not on this computer yet: try again when it is here
file-attachment = attachment
save-failed = { $place } could not be written: { $why }
drag-failed = Nothing can be dragged out of this window: { $why }

## Deleting for good
delete-title = { $count ->
    [one] Delete this message for good?
   *[other] Delete { $count } messages for good?
}
delete-means = It is removed from this computer and from the server. This cannot be taken back.
delete-confirm = Delete for good

## Moving, the palette
move-title = Move to …
palette-title = What would you like to do?
palette-nothing = Nothing matches

## Writing
compose-placeholder = Write here
compose-untitled = Message without a subject
compose-sender = { $email } · { $account }
compose-copies = Cc and Bcc
compose-fewer = Fewer
compose-attach = Attach files
compose-discard = Discard
compose-close = Close and keep as a draft
compose-remove-file = Remove this file
compose-saving = Saving …
compose-saved = Saved
compose-not-saved = Not saved
compose-kept = Kept in Drafts
compose-discarded = Discarded
compose-no-sender = No account can send yet: give one an outgoing server in the settings
compose-no-recipient = Who shall it go to? Write an address after “To”.
compose-bad-address = “{ $address }” is not an address that mail can be sent to
compose-not-here = the message is not on this computer yet; it is being fetched, try again in a moment
compose-sending = Sending in a few seconds
compose-unsent = Taken back; it is in Drafts
compose-file-failed = { $name } could not be attached: { $why }
compose-file-large = files beyond { $size } do not travel by mail
mailto-unreadable = That mail link could not be read

## The status line
status-idle = Up to date
status-offline = Working offline: what you do is kept and sent later
status-metered = Metered connection: large messages are fetched when you open them
status-work-offline = Work offline
status-go-online = Go online
status-doing = { $account }: { $what }
status-progress = { $account }: { $what }, { $done } of { $total }
status-problems = { $count ->
    [one] 1 problem
   *[other] { $count } problems
}
doing-connecting = connecting
doing-listing = looking at mailboxes
doing-headers = listing messages
doing-bodies = fetching messages
doing-operations = carrying out what you did
doing-sending = sending
doing-idle = done

## Problems
problems-title = Problems
problems-none = Nothing is wrong.
problems-program = Posthorn
problems-since = since { $when }
remedy-try-again = Try again
remedy-enter-password = Enter the password
remedy-check-settings = Check the settings
remedy-inspect-certificate = Look at the certificate
remedy-free-disk-space = I made room on the disk
remedy-review = I looked: go on
remedy-work-offline = Work offline
remedy-expunge-mailbox = Remove all that is marked
outbox-held = “{ $subject }” was not sent.
outbox-uncertain = “{ $subject }” may have been sent: the connection was lost at the last moment.
outbox-reply = The server said: { $reply }
outbox-resend = Send again
outbox-cancel = Do not send
outbox-mark-sent = It arrived

## First run
setup-welcome = Welcome to Posthorn
setup-another = Add an account
setup-question = What is your mail address?
setup-address-example = you@example.org
setup-continue = Continue
setup-bad-address = That is not a mail address yet: it needs a name, an @ and a domain.
setup-sandbox = Try it with a sandbox mailbox
setup-sandbox-starting = Starting the sandbox …
setup-sandbox-means = A mail server inside this program, with sample mail, by IMAP and by POP3. Nothing leaves this computer, and it is gone when you close Posthorn.
sandbox-failed = the sandbox could not be started: { $why }
setup-details = Set up { $address }
setup-details-means = The servers are a guess from your address. Correct what your provider says otherwise.
setup-imap = Mail stays on the server; every device sees the same mailboxes, and what you do here happens there.
setup-pop3 = Mail is downloaded to this computer, which becomes its home; you decide when it leaves the server.
setup-person = Your name, as others see it
setup-name = What to call this account here
setup-username = User name
setup-password = Password
setup-password-kept = unchanged
setup-signature = Signature
setup-keep-password = Keep the password
setup-keychain = in the system’s keychain
setup-sealed = in a sealed file
setup-session = only until Posthorn closes
setup-incoming = Incoming server
setup-outgoing = Outgoing server
security-tls = TLS
security-starttls = STARTTLS
security-none = None
setup-cleartext-warning = Without TLS, everyone on the way can read your password and your mail.
setup-cleartext-allow = I know, allow it
setup-cleartext = One server has no encryption: choose TLS or STARTTLS, or allow it below.
setup-bad-server = { $server }: a host name and a port are needed
setup-bad-days = After how many days shall mail leave the server? Write a number.
setup-no-name = The account needs a name
setup-no-password = The password is missing
setup-test-and-add = Test and add
setup-testing = Asking the servers …
setup-adding = Adding …
setup-add-anyway = Add anyway
test-good = Signed in
test-offers = Signed in; offers { $what }
leave-title = When does mail leave the server?
leave-forever = Never
leave-days = After some days
leave-until-removed = When I delete it here
leave-never = As soon as it is here
leave-days-unit = days
leave-forever-means = The server keeps everything. It may fill up; other devices still see all mail.
leave-days-means = { $days } days after a message is safe on this computer, it is removed from the server.
leave-until-removed-means = The server keeps a message until you delete it, or move it out of the inbox, on this computer.
leave-never-means = A message is removed from the server once it is safe on this computer. Other devices no longer see it, and this computer holds the only copy.

## Settings
settings-title = Settings
settings-accounts = Accounts
settings-add = Add an account
settings-window = The window
settings-save = Save
settings-test = Test
settings-saved = Saved
appearance-title = Appearance
appearance-system = As the system
appearance-light = Light
appearance-dark = Dark
look-system = Window as the system
look-light = Light window
look-dark = Dark window
network-title = The network
network-online = Online
network-metered = Metered
network-offline = Offline
network-online-means = Everything is fetched as it comes, and new mail shows at once
network-metered-means = Large messages are fetched when you open them, and servers are asked less often
network-offline-means = No connection is made: what you do is kept and sent later
network-system-metered = The system says that this connection is metered: large messages are fetched when you open them
remove-title = Stop using this account here
remove-button = Remove account …
remove-question = Remove “{ $name }” from Posthorn?
remove-imap = Posthorn forgets the account, its password and its copies on this computer. Nothing is deleted on { $server }: all mail stays there.
remove-pop3 = Posthorn forgets the account and its password. Nothing is deleted on { $server }. Mail that has left that server exists only on this computer: save it elsewhere first if you need it.
remove-confirm = Remove

## Dates
when-today = Today
when-yesterday = Yesterday
when-today-within = today
when-yesterday-within = yesterday
when-day-and-time = { $day } at { $time }
when-day-and-month = { $day } { $month }
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec

## Mailboxes
mailbox-menu = This mailbox …
mailbox-act-new = New mailbox …
mailbox-act-new-within = New mailbox within …
mailbox-act-rename = Rename …
mailbox-act-delete = Delete …
mailbox-act-subscribe = Show in other programs
mailbox-act-unsubscribe = Hide in other programs
mailbox-name = Name
mailbox-new-title = New mailbox
mailbox-new-in = In { $name }
mailbox-new-within = Within { $name }
mailbox-new-confirm = Create
mailbox-rename-title = Rename mailbox
mailbox-rename-confirm = Rename
mailbox-delete-title = Delete “{ $name }”?
mailbox-delete-gone = This mailbox is no longer there
mailbox-delete-empty = It holds no messages.
mailbox-delete-messages = { $count ->
    [one] Its message is moved to the trash first.
   *[other] Its { $count } messages are moved to the trash first.
}
mailbox-delete-below = { $count ->
    [one] The mailbox within it is deleted too.
   *[other] The { $count } mailboxes within it are deleted too.
}
mailbox-delete-confirm = Delete mailbox
done-mailbox-made = “{ $name }” created
done-mailbox-renamed = Renamed to “{ $name }”
done-mailbox-deleted = “{ $name }” deleted
done-subscribed = “{ $name }” is shown in other programs
done-unsubscribed = “{ $name }” is hidden in other programs

## An account and its server
account-open = Mail on the server
account-check = Check now
account-checked = Checked { $day }
account-never-checked = Not checked yet
account-not-encrypted = not encrypted
account-messages = { $count ->
    [one] 1 message ({ $size })
   *[other] { $shown } messages ({ $size })
}
account-on-server = On the server: { $messages }.
account-comes = The next check brings { $messages } here.
account-comes-headers = The next check brings the headers of { $messages } here; the rest comes when you open them.
account-held = { $count ->
    [one] { $messages } should leave the server and stays there until you have looked.
   *[other] { $messages } should leave the server and stay there until you have looked.
}
account-leaves-next = { $count ->
    [one] At the next check, { $messages } leaves the server. It stays on this computer.
   *[other] At the next check, { $messages } leave the server. They stay on this computer.
}
account-leaves-none = At the next check, nothing leaves the server.
account-leaves-within = { $count ->
    [one] Within 30 days, { $messages } more leaves it.
   *[other] Within 30 days, { $messages } more leave it.
}
account-stays = After 30 days still there: { $messages }.
account-stopped-empty = The server lists no message where it had { $before }. Everything downloaded is kept here, and nothing is deleted on the server until you have looked.
account-stopped-new = The server gives { $listed } messages new names and knows none of the { $before } it had. Everything is kept, and nothing is deleted on the server until you have looked.
account-stopped-gone = { $gone } of { $before } messages are gone from the server at once. Everything downloaded is kept here, and nothing is deleted on the server until you have looked.
account-go-on = I have looked, go on
account-line-next = Leaves at the next check
account-line-on = Leaves on { $day }
account-line-held = Waits for you
account-line-stays = Stays
account-act-download = Comes at the next check
account-act-headers = Its header comes at the next check
account-act-compare = Is compared at the next check
account-unnamed = Not here yet ({ $uidl })
account-no-longer-here = Message { $uidl }, no longer here either
account-server-said = the server said: { $reply }
account-deleted-on = Deleted { $day }
account-delete-wanted = To be deleted
account-nothing-there = Nothing is on the server, as far as the last check told.
account-nothing-deleted = Posthorn has deleted nothing on this server.
account-tab-ahead = What will happen
account-tab-deleted = Deleted on the server
account-revert = Take back
account-bad-limit = Say how much may stay on the server.
account-ask-next = At the next check, { $messages } will be deleted on the server.
account-ask-none-next = At the next check nothing is deleted on the server.
account-ask-within = Within 30 days it will be { $messages } altogether.
account-ask-kept = Each is deleted there only after it has been read back and verified here. This computer then holds the only copy that Posthorn knows of.
account-ask-save = Save, and delete them then
account-imap-lives = Your mail lives on { $server }.
account-imap-copies = { $count ->
    [one] This computer keeps a copy of 1 message, so that you can read and search without the network.
   *[other] This computer keeps copies of { $shown } messages, so that you can read and search without the network.
}
account-imap-global = What you delete here is deleted on the server and on every other device, and what is deleted on another device is deleted here.
account-imap-no-backup = So IMAP is not a backup: a message deleted by mistake, or by somebody else, is gone everywhere.
account-connection = The connection
account-state = State
account-mailboxes = Mailboxes
account-no-outgoing = None: this account only receives
limit-title = Keep at most
limit-none = Everything
limit-messages = Messages
limit-megabytes = MB
limit-means = What exceeds it leaves the server sooner, the oldest first, and only what is verified here.
fetch-title = What comes here
fetch-whole = Whole messages
fetch-headers = Headers first
fetch-cap = Only the header of what is larger than
fetch-oldest = The oldest first
fetch-newest = The newest first
fetch-portion = At one check at most
fetch-portion-unit = messages
fetch-empty-means = An empty field sets no limit.
others-title = With this setting
others-next = leave next time
others-within = within 30 days
others-none = none
others-keep-all = With this setting, { $programs } would remove nothing either.
list-and = { $some } and { $last }
other-ours = counts from the moment a message is verified here
other-from-download = counts from its own download
other-from-first-seen = counts from when it first saw the message
other-from-date = counts from the date that the sender wrote
other-no-limit = · has no limit by number or size
other-no-such-rule = has no such rule and would keep them
reason-new = it is not here yet
reason-asked-for = you asked for the whole of it
reason-headers-first = this account fetches headers first
reason-too-large = { $size } is more than { $cap }
reason-header-here = Its header is here; the rest comes when you open it
reason-maybe-renamed = the server may have renamed a message that is here
reason-name-used-again = the server may have used a name for another message
reason-confirm = the server gives it no name of its own, so it is compared whole before it is deleted
reason-next-session = Waits for the next check: the portion of one check is full
reason-verified = Downloaded and verified here
reason-days = { $days ->
    [one] One day after it was downloaded and verified here
   *[other] { $days } days after it was downloaded and verified here
}
reason-removed-here = You removed it from the inbox here
reason-over-messages = The oldest beyond { $most } messages, verified here
reason-over-size = The oldest beyond { $most }, verified here
reason-kept-forever = This account removes nothing from the server
reason-kept-days = { $days ->
    [one] Stays one day after it was downloaded and verified here
   *[other] Stays { $days } days after it was downloaded and verified here
}
reason-kept-until-removed = Stays until you delete or move it here
reason-stopped = Nothing is deleted until you have looked at what vanished
reason-fell-short = The server lists { $size } and sends { $served }: it stays there
reason-deleted-by-us = No longer listed after Posthorn deleted it
reason-not-by-us = No longer listed, and not by Posthorn's doing
reason-hidden = No longer listed: this provider hides what was fetched, or what is old
