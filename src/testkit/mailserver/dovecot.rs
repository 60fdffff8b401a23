//! Dovecot 2.3: its configuration and its start.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{DOMAIN, MAIL_UID, Options, PATIENCE, Ports, Result, Storage, fail, run, wait_until};

const MAILBOXES: [(&str, &str); 5] = [
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
];

/// Postfix's side of delivery and login, open to its user.
const SOCKETS: &str = "service lmtp {
  unix_listener lmtp-postfix {
    mode = 0666
  }
}
service auth {
  unix_listener auth-postfix {
    mode = 0666
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
";

pub fn configure(root: &Path, options: &Options, ports: &Ports) -> Result<()> {
    let path = root.join("etc/dovecot.conf");
    fs::write(&path, build_configuration(root, options, ports))?;
    // The workers that read these are not root; the directory above is this test's own.
    for file in [path, root.join("etc/users")] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// Dovecot's own imap program, logged in.
pub fn imap(root: &Path, user: &str) -> Command {
    let mut command = Command::new("doveadm");
    command
        .arg("-c")
        .arg(root.join("etc/dovecot.conf"))
        .args(["exec", "imap", "-u", user]);
    command
}

pub fn start(root: &Path) -> Result<u32> {
    run(Command::new("/usr/sbin/dovecot")
        .arg("-c")
        .arg(root.join("etc/dovecot.conf")))?;
    let file = root.join("run/master.pid");
    let mut pid = None;
    wait_until(PATIENCE, || {
        pid = fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        pid.is_some()
    });
    match pid {
        Some(pid) => Ok(pid),
        None => fail("Dovecot wrote no process id"),
    }
}

fn build_configuration(root: &Path, options: &Options, ports: &Ports) -> String {
    let at = root.display();
    let (location, separator) = match options.storage {
        Storage::Maildir => ("maildir:~/Maildir", "."),
        Storage::Sdbox => ("sdbox:~/sdbox", "/"),
    };
    let (ssl, refuse_plaintext) = if options.plaintext {
        ("yes", "no")
    } else {
        ("required", "yes")
    };
    let mailboxes: String = MAILBOXES
        .iter()
        .map(|(name, purpose)| {
            format!("  mailbox {name} {{\n    auto = subscribe\n    special_use = {purpose}\n  }}\n")
        })
        .collect();
    let capability = options
        .capability
        .as_ref()
        .map(|list| format!("  imap_capability = {list}\n"))
        .unwrap_or_default();
    let quota = options.quota.as_deref().unwrap_or("20G");
    let listener = |name: &str, port: u16, tls: bool| {
        let tls = if tls { "    ssl = yes\n" } else { "" };
        format!("  inet_listener {name} {{\n    address = 127.0.0.1\n    port = {port}\n{tls}  }}\n")
    };
    let imap = listener("imap", ports.imap, false) + &listener("imaps", ports.imaps, true);
    let pop3 = listener("pop3", ports.pop3, false) + &listener("pop3s", ports.pop3s, true);
    let connections = options.max_connections;
    format!(
        "base_dir = {at}/run
state_dir = {at}/state
instance_name = test
log_path = {at}/log/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
login_greeting = ready
first_valid_uid = 1
mail_uid = {MAIL_UID}
mail_gid = {MAIL_UID}
mail_home = {at}/mail/%n
mail_location = {location}
mail_fsync = never
mail_plugins = quota
mail_max_userip_connections = {connections}
default_process_limit = 400
default_client_limit = 4000

ssl = {ssl}
ssl_cert = <{at}/tls/cert.pem
ssl_key = <{at}/tls/key.pem
disable_plaintext_auth = {refuse_plaintext}
auth_mechanisms = plain login
auth_username_format = %Ln
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = username_format=%Ln {at}/etc/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%Ln {at}/etc/users
}}

namespace inbox {{
  inbox = yes
  separator = {separator}
{mailboxes}}}

protocol imap {{
  mail_plugins = $mail_plugins zlib imap_quota imap_zlib
  imap_idle_notify_interval = 2 mins
{capability}}}
protocol pop3 {{
  pop3_lock_session = yes
  pop3_uidl_format = %08Xu%08Xv
}}
protocol lmtp {{
  postmaster_address = postmaster@{DOMAIN}
}}
plugin {{
  quota = count:User quota
  quota_rule = *:storage={quota}
  quota_vsizes = yes
}}

service imap-login {{
{imap}}}
service pop3-login {{
{pop3}}}
{SOCKETS}"
    )
}
