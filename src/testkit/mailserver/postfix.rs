//! Postfix: its configuration and its start.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{DOMAIN, Error, Options, PATIENCE, Ports, Result, fail, run, wait_until};

/// What master runs besides the listeners: name, kind, private, wake-up, limit, program (master(5)).
const SERVICES: [(&str, &str, &str, &str, &str, &str); 18] = [
    ("pickup", "unix", "n", "60", "1", "pickup"),
    ("cleanup", "unix", "n", "-", "0", "cleanup"),
    ("qmgr", "unix", "n", "300", "1", "qmgr"),
    ("tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"),
    ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
    ("bounce", "unix", "-", "-", "0", "bounce"),
    ("defer", "unix", "-", "-", "0", "bounce"),
    ("trace", "unix", "-", "-", "0", "bounce"),
    ("verify", "unix", "-", "-", "1", "verify"),
    ("flush", "unix", "n", "1000?", "0", "flush"),
    ("proxymap", "unix", "-", "-", "-", "proxymap"),
    ("error", "unix", "-", "-", "-", "error"),
    ("retry", "unix", "-", "-", "-", "error"),
    ("discard", "unix", "-", "-", "-", "discard"),
    ("lmtp", "unix", "-", "-", "-", "lmtp"),
    ("anvil", "unix", "-", "-", "1", "anvil"),
    ("showq", "unix", "n", "-", "-", "showq"),
    ("postlog", "unix-dgram", "n", "-", "1", "postlogd"),
];

pub fn configure(root: &Path, options: &Options, ports: &Ports) -> Result<()> {
    let home = root.join("postfix");
    for sub in ["etc", "spool", "data"] {
        fs::create_dir_all(home.join(sub))?;
    }
    std::os::unix::fs::chown(home.join("data"), Some(postfix_uid()?), None)?;
    for name in [
        "dynamicmaps.cf",
        "postfix-files",
        "post-install",
        "postfix-script",
    ] {
        let source = Path::new("/etc/postfix").join(name);
        if source.exists() {
            fs::copy(source, home.join("etc").join(name))?;
        }
    }
    fs::write(home.join("etc/main.cf"), build_main(root))?;
    fs::write(home.join("etc/master.cf"), build_master(ports))?;
    let mut mailboxes = format!("postmaster@{DOMAIN} postmaster\n");
    for (name, _) in &options.users {
        mailboxes.push_str(&format!("{name}@{DOMAIN} {name}\n"));
    }
    fs::write(home.join("etc/mailboxes"), mailboxes)?;
    let map = format!("hash:{}", home.join("etc/mailboxes").display());
    run(Command::new("/usr/sbin/postmap")
        .arg("-c")
        .arg(home.join("etc"))
        .arg(map))?;
    Ok(())
}

pub fn start(root: &Path) -> Result<u32> {
    let home = root.join("postfix");
    run(Command::new("/usr/sbin/postfix")
        .arg("-c")
        .arg(home.join("etc"))
        .arg("start"))?;
    let file = home.join("spool/pid/master.pid");
    let mut pid = None;
    wait_until(PATIENCE, || {
        pid = fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        pid.is_some()
    });
    match pid {
        Some(pid) => Ok(pid),
        None => fail("Postfix wrote no process id"),
    }
}

fn postfix_uid() -> Result<u32> {
    let table = fs::read_to_string("/etc/passwd")?;
    let line = table.lines().find_map(|line| line.strip_prefix("postfix:"));
    let uid = line.and_then(|line| line.split(':').nth(1)?.parse().ok());
    uid.ok_or_else(|| Error("there is no user postfix".into()))
}

fn build_main(root: &Path) -> String {
    let at = root.display();
    format!(
        "compatibility_level = 3.6
queue_directory = {at}/postfix/spool
data_directory = {at}/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {at}/log/postfix.log
maillog_file_prefixes = {at}/log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.1/32
mydomain = {DOMAIN}
myhostname = mail.{DOMAIN}
mydestination =
alias_maps =
alias_database =
local_transport = error:no local mail
default_transport = error:5.7.1 this test server delivers only to {DOMAIN}
relay_transport = error:5.7.1 this test server delivers only to {DOMAIN}
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = hash:{at}/postfix/etc/mailboxes
virtual_transport = lmtp:unix:{at}/run/lmtp-postfix
message_size_limit = 104857600
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_banner = $myhostname ESMTP
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_tls_security_level = may
smtpd_tls_cert_file = {at}/tls/cert.pem
smtpd_tls_key_file = {at}/tls/key.pem
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {at}/run/auth-postfix
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination, reject_unlisted_recipient
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
recipient_delimiter = +
enable_long_queue_ids = yes
"
    )
}

fn build_master(ports: &Ports) -> String {
    let login =
        "  -o smtpd_sasl_auth_enable=yes\n  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n";
    let mut text = format!(
        "127.0.0.1:{} inet n - n - - smtpd
127.0.0.1:{} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
{login}  -o syslog_name=postfix/submission
127.0.0.1:{} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
{login}  -o syslog_name=postfix/submissions
",
        ports.smtp, ports.submission, ports.submissions
    );
    for (name, kind, private, wakeup, limit, program) in SERVICES {
        text.push_str(&format!(
            "{name} {kind} {private} - n {wakeup} {limit} {program}\n"
        ));
    }
    text
}
