import email, email.policy, imaplib, struct, sys, zlib

port, user, password = sys.argv[1:4]
client = imaplib.IMAP4("127.0.0.1", int(port))
client.login(user, password)
count = files = 0
for line in client.list()[1]:
    name = line.decode().split(' "/" ')[1]
    client.select(name, readonly=True)
    for item in client.fetch("1:*", "(BODY.PEEK[])")[1]:
        if not isinstance(item, tuple):
            continue
        message = email.message_from_bytes(item[1], policy=email.policy.default)
        count += 1
        for part in message.walk():
            assert not part.defects, (message["subject"], part.defects)
            for value in part.values():
                assert not getattr(value, "defects", ()), (message["subject"], value, value.defects)
            if part.is_multipart():
                continue
            content = part.get_content()
            assert "\ufffd" not in str(content), message["subject"]
            if part.get_content_type() == "application/pdf":
                files += 1
                start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
                assert content.startswith(b"%PDF-") and content[start:].startswith(b"xref"), part.get_filename()
            elif part.get_content_type() == "image/png":
                files += 1
                at, pixels = 8, b""
                while at < len(content):
                    length, kind = struct.unpack(">I4s", content[at:at + 8])
                    data = content[at + 8:at + 8 + length]
                    crc, = struct.unpack(">I", content[at + 8 + length:at + 12 + length])
                    assert crc == zlib.crc32(kind + data)
                    if kind == b"IHDR":
                        width, height = struct.unpack(">II", data[:8])
                    pixels += data if kind == b"IDAT" else b""
                    at += 12 + length
                assert len(zlib.decompress(pixels)) == height * (width + 1)
            if len(sys.argv) > 4 and part.get_content_maintype() == "text":
                print("=" * 60, name, message["date"], message["from"], "|", message["subject"], sep="\n")
                print(content)
assert count > 55 and files >= 6, (count, files)
