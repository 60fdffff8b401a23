# The two commands of README.md, and what CI and packagers call.

CARGO ?= cargo
# `make run PROFILE=release` builds slower and runs faster.
PROFILE ?= dev
PREFIX ?= /usr/local
DESTDIR ?=
TARGET = $${CARGO_TARGET_DIR:-target}

# SQLite and the compressor are C.
BUILD_PACKAGES = gcc libc6-dev
# Loaded by the window when it starts.
RUN_PACKAGES = libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon0 libxkbcommon-x11-0 libxcb-xkb1 \
	libwayland-client0 fonts-noto-core fonts-noto-color-emoji fonts-noto-cjk ca-certificates
# Real servers, a display, a keychain.
TEST_PACKAGES = dovecot-imapd dovecot-pop3d dovecot-lmtpd postfix openssl xvfb xauth xdotool openbox \
	imagemagick x11-utils dbus gnome-keyring strace

.PHONY: run test lint bench install

run:
	@packaging/linux/need $(BUILD_PACKAGES) $(RUN_PACKAGES)
	$(CARGO) run --locked --profile $(PROFILE)

test:
	@packaging/linux/need $(BUILD_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES)
	@packaging/linux/unpack cyrus cyrus-imapd cyrus-pop3d
	@packaging/linux/unpack courier courier-imap courier-pop
	$(CARGO) test --workspace --locked

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

bench:
	$(CARGO) bench --workspace --locked

install:
	$(CARGO) build --locked --profile dist
	install -D -m 755 "$(TARGET)/dist/posthorn" "$(DESTDIR)$(PREFIX)/bin/posthorn"
	install -D -m 644 LICENSE-MIT "$(DESTDIR)$(PREFIX)/share/doc/posthorn/LICENSE-MIT"
	install -D -m 644 LICENSE-APACHE "$(DESTDIR)$(PREFIX)/share/doc/posthorn/LICENSE-APACHE"
	install -D -m 644 README.md "$(DESTDIR)$(PREFIX)/share/doc/posthorn/README.md"
