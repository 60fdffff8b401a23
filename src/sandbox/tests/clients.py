import imaplib, poplib, smtplib, ssl, sys

mode, imap_port, pop3_port, smtp_port, user, password, address, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca) if mode != "none" else None
host = "localhost"


def imap():
    if mode == "tls":
        client = imaplib.IMAP4_SSL(host, int(imap_port), ssl_context=context)
    else:
        client = imaplib.IMAP4(host, int(imap_port))
        if mode == "starttls":
            try:
                client.login(user, password)
                raise SystemExit("a password was taken in clear")
            except imaplib.IMAP4.error:
                pass
            client.starttls(context)
    client.login(user, password)
    return client


def pop3():
    if mode == "tls":
        client = poplib.POP3_SSL(host, int(pop3_port), context=context)
    else:
        client = poplib.POP3(host, int(pop3_port))
        if mode == "starttls":
            assert "STLS" in client.capa()
            client.stls(context)
    client.user(user)
    client.pass_(password)
    return client


def smtp():
    if mode == "tls":
        client = smtplib.SMTP_SSL(host, int(smtp_port), context=context)
    else:
        client = smtplib.SMTP(host, int(smtp_port))
        if mode == "starttls":
            client.starttls(context=context)
    client.login(user, password)
    return client


sent = ("From: a@example.org\r\nTo: %s\r\nSubject: dots\r\nMessage-ID: <1@example.org>\r\n\r\n"
        ".one\r\n..two\r\n.\r\nlast h\u00e9\r\n" % address).encode()
client = smtp()
assert client.has_extn("size") and client.has_extn("8bitmime")
refused = client.sendmail(address, [address, "refused@example.org"], sent)
assert list(refused) == ["refused@example.org"] and refused["refused@example.org"][0] == 550, refused
try:
    client.sendmail(address, ["later@example.org"], sent)
    raise SystemExit("later@ was taken")
except smtplib.SMTPRecipientsRefused as error:
    assert error.recipients["later@example.org"][0] == 451
client.sendmail(address, ["nobody@example.net"], sent)
client.quit()

client = pop3()
assert client.stat()[0] == 2
lines = client.retr(1)[1]
raw = b"\r\n".join(lines) + b"\r\n"
assert raw.startswith(b"Return-Path: <") and raw.endswith(sent), raw
assert len(raw) == int(client.list(1).split()[2])
assert client.top(1, 2)[1][-2:] == [b".one", b"..two"]
uidls = client.uidl()[1]
assert len(set(uidls)) == 2
try:
    pop3()
    raise SystemExit("two sessions had the maildrop")
except poplib.error_proto as error:
    assert b"[IN-USE]" in error.args[0], error
client.dele(2)
assert client.stat()[0] == 1
client.quit()

client = imap()
assert client.select("INBOX") == ("OK", [b"1"])
status, data = client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[] ENVELOPE BODYSTRUCTURE)")
assert status == "OK" and data[0][1] == raw
status, data = client.append("Sent", r"(\Seen $Forwarded)", None, sent)
assert status == "OK" and b"APPENDUID" in data[0]
status, data = client.create('"Post &2D3c7w-"')
assert status == "OK"
status, data = client.list()
assert b'(\\HasNoChildren \\Sent) "/" "Sent"' in data, data
assert b'(\\HasNoChildren) "/" "Post &2D3c7w-"' in data, data
assert client.uid("STORE", "1", "+FLAGS", r"(\Flagged)")[0] == "OK"
assert client.uid("SEARCH", "FLAGGED", "SUBJECT", "dots") == ("OK", [b"1"])
assert client.uid("COPY", "1", "Archive")[0] == "OK"
assert client.uid("STORE", "1", "+FLAGS.SILENT", r"(\Deleted)")[0] == "OK"
assert client.expunge() == ("OK", [b"1"])
assert client.select("Archive", readonly=True) == ("OK", [b"1"])
status, data = client.fetch("1", "(FLAGS BODY[TEXT]<0.5>)")
assert data[0][1] == b".one\r" and b"\\Flagged" in data[0][0], data
client.close()
client.logout()
