//! The sandbox itself: what it is made of, where it listens, how it ends.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use posthorn_model::{Endpoint, Security, Timestamp, Uid};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::fault::{Faults, Service};
use crate::mailbox::{MailStore, NewMessage, SandboxUser, StoredMessage};
use crate::wire::{Hangup, Link, Stream};
use crate::{imap, pop3, sample, smtp, tls};

/// IMAP extensions that can be switched off by name with [`SandboxOptions::without`].
pub const IMAP_EXTENSIONS: &[&str] = &[
    "LITERAL+",
    "LITERAL-",
    "SASL-IR",
    "STARTTLS",
    "ID",
    "IDLE",
    "NAMESPACE",
    "ENABLE",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "CHILDREN",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "STATUS=SIZE",
    "ESEARCH",
    "CONDSTORE",
    "QRESYNC",
    "OBJECTID",
    "PREVIEW",
    "NOTIFY",
    "COMPRESS=DEFLATE",
    "UTF8=ACCEPT",
    "X-GM-EXT-1",
    "IMAP4rev2",
];

const IN_REV2: [&str; 12] = [
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "ESEARCH",
    "ENABLE",
    "IDLE",
    "SASL-IR",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "MOVE",
    "STATUS=SIZE",
    "SPECIAL-USE",
];

/// POP3 extensions and optional commands that can be switched off.
pub const POP3_EXTENSIONS: &[&str] = &[
    "CAPA",
    "UIDL",
    "TOP",
    "SASL",
    "STLS",
    "PIPELINING",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "UTF8",
];

/// SMTP extensions that can be switched off. `PIPELINING` and `STARTTLS` are the names of other servers' too.
pub const SMTP_EXTENSIONS: &[&str] = &[
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "STARTTLS",
];

/// Connections at one time to one service: more is abuse.
const MAX_CONNECTIONS: usize = 200;

/// What a fresh sandbox holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SandboxMail {
    /// Believable conversations for the first user.
    #[default]
    Sample,
    Empty,
}

/// How a sandbox is made.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// 0 picks a free port; so for the other two.
    pub imap_port: u16,
    pub pop3_port: u16,
    pub smtp_port: u16,
    /// One for all three. With `StartTls` no login is taken in clear.
    pub security: Security,
    pub mail: SandboxMail,
    /// The time that sample mail is dated from; `None`: the system's clock at the start.
    pub now: Option<Timestamp>,
    /// The first is the one that [`Sandbox::login`] answers and that the sample mail belongs to.
    pub users: Vec<SandboxUser>,
    /// Names from [`IMAP_EXTENSIONS`], [`POP3_EXTENSIONS`] and [`SMTP_EXTENSIONS`] that are not offered.
    pub without: &'static [&'static str],
    /// Bytes of mail that one user may hold.
    pub quota: u64,
    /// IMAP sessions that one user may have at one time; one more is refused at login.
    pub max_sessions: usize,
    /// As Gmail keeps mail: each message is in All Mail, and the other mailboxes are its labels (`X-GM-EXT-1`).
    pub gmail_like: bool,
    /// Seconds between two POP3 logins of one user (RFC 2449 section 6.5); one that comes sooner is refused.
    pub login_delay: Option<u32>,
    /// Whether the POP3 greeting carries a timestamp for APOP (RFC 1939 section 7).
    pub apop: bool,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            imap_port: 0,
            pop3_port: 0,
            smtp_port: 0,
            security: Security::Tls,
            mail: SandboxMail::default(),
            now: None,
            users: sample::users(),
            without: &[],
            quota: 1 << 30,
            max_sessions: MAX_CONNECTIONS,
            gmail_like: false,
            login_delay: None,
            apop: false,
        }
    }
}

impl SandboxOptions {
    /// For tests: no mail, and everything in clear.
    #[must_use]
    pub fn plain_and_empty() -> Self {
        Self {
            security: Security::None,
            mail: SandboxMail::Empty,
            ..Self::default()
        }
    }
}

/// What all sessions share.
pub struct Core {
    pub store: MailStore,
    pub faults: Faults,
    pub tls: Option<TlsAcceptor>,
    pub max_sessions: usize,
    pub gmail_like: bool,
    pub login_delay: Option<u32>,
    pub apop: bool,
    security: Security,
    without: &'static [&'static str],
}

impl Core {
    /// Whether an extension is switched on. QRESYNC needs CONDSTORE and ENABLE (RFC 7162 section 3.2.3).
    pub fn offers(&self, extension: &str) -> bool {
        let on = |name: &str| !self.without.iter().any(|off| off.eq_ignore_ascii_case(name));
        match extension {
            "QRESYNC" => on("QRESYNC") && on("CONDSTORE") && on("ENABLE"),
            // RFC 7888 section 4: one of the two, not both.
            "LITERAL-" => on("LITERAL-") && !on("LITERAL+"),
            "UTF8=ACCEPT" => on(extension) && on("ENABLE"),
            // RFC 9051 appendix E: these are part of it.
            "IMAP4rev2" => on(extension) && IN_REV2.iter().all(|name| on(name)),
            "X-GM-EXT-1" => on(extension) && self.gmail_like,
            "STARTTLS" | "STLS" => on(extension) && self.security == Security::StartTls,
            name => on(name),
        }
    }

    /// Whether a password may travel on this connection.
    pub fn allows_login(&self, link: &Link) -> bool {
        link.is_tls() || self.security == Security::None
    }
}

/// The system's clock: for what arrives while the sandbox runs.
pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_second())
}

/// Who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: String,
    pub name: String,
    pub address: String,
}

/// A running sandbox. Dropping it ends its tasks at once; [`Sandbox::stop`] waits for them.
pub struct Sandbox {
    /// 0 where it does not listen.
    pub imap_port: u16,
    pub pop3_port: u16,
    pub smtp_port: u16,
    /// The authority that a client has to trust; empty without TLS.
    pub ca_pem: String,
    pub username: String,
    pub password: String,
    login: Login,
    security: Security,
    core: Arc<Core>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Listens on 127.0.0.1.
    pub async fn start(options: SandboxOptions) -> io::Result<Self> {
        let ports = [
            (Service::Imap, options.imap_port),
            (Service::Pop3, options.pop3_port),
            (Service::Smtp, options.smtp_port),
        ];
        let mut sandbox = Self::without_ports(options)?;
        for (service, port) in ports {
            let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
            let port = listener.local_addr()?.port();
            match service {
                Service::Imap => sandbox.imap_port = port,
                Service::Pop3 => sandbox.pop3_port = port,
                Service::Smtp => sandbox.smtp_port = port,
            }
            let core = Arc::clone(&sandbox.core);
            let implicit_tls = sandbox.security == Security::Tls;
            sandbox
                .tasks
                .push(tokio::spawn(listen(listener, service, core, implicit_tls)));
        }
        Ok(sandbox)
    }

    /// Listens nowhere: for tests that bring their own streams to [`Sandbox::serve_imap`] and the others.
    pub fn without_ports(options: SandboxOptions) -> io::Result<Self> {
        let now = options.now.unwrap_or_else(now);
        let identity = (options.security != Security::None)
            .then(tls::make_identity)
            .transpose()?;
        let validity = u32::try_from(now.0.rem_euclid(i64::from(u32::MAX))).unwrap_or(1);
        let store = MailStore::new(validity, options.quota);
        let mut users = options.users;
        if users.is_empty() {
            users = sample::users();
        }
        let first = users
            .first()
            .cloned()
            .unwrap_or_else(|| SandboxUser::new("you", "sandbox"));
        for user in users {
            store.add_user(user);
        }
        if options.mail == SandboxMail::Sample {
            sample::fill(&store, &first, now);
        }
        if options.gmail_like {
            store.be_gmail(&first.username);
        }
        let core = Core {
            store,
            faults: Faults::default(),
            tls: identity.as_ref().map(|identity| identity.acceptor.clone()),
            security: options.security,
            max_sessions: options.max_sessions,
            gmail_like: options.gmail_like,
            login_delay: options.login_delay,
            apop: options.apop,
            without: options.without,
        };
        Ok(Self {
            imap_port: 0,
            pop3_port: 0,
            smtp_port: 0,
            ca_pem: identity.map(|identity| identity.ca_pem).unwrap_or_default(),
            username: first.username.clone(),
            password: first.password.clone(),
            login: Login {
                username: first.username,
                password: first.password,
                name: first.name,
                address: first.address,
            },
            security: options.security,
            core: Arc::new(core),
            tasks: Vec::new(),
        })
    }

    /// The first user.
    #[must_use]
    pub const fn login(&self) -> &Login {
        &self.login
    }

    /// Where a client connects.
    #[must_use]
    pub fn endpoint(&self, service: Service) -> Endpoint {
        let port = match service {
            Service::Imap => self.imap_port,
            Service::Pop3 => self.pop3_port,
            Service::Smtp => self.smtp_port,
        };
        Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
            security: self.security,
        }
    }

    /// The mail itself: to look at, and to change behind the client's back.
    #[must_use]
    pub fn store(&self) -> &MailStore {
        &self.core.store
    }

    /// What shall go wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.core.faults
    }

    /// Delivers to a mailbox of the first user; whoever waits in IDLE hears of it.
    pub fn add_message(&self, mailbox: &str, message: NewMessage) -> Option<Uid> {
        self.core.store.append(&self.login.username, mailbox, message)
    }

    /// The messages of a mailbox of the first user.
    #[must_use]
    pub fn messages(&self, mailbox: &str) -> Vec<StoredMessage> {
        self.core.store.messages(&self.login.username, mailbox)
    }

    /// Serves IMAP on a stream of the caller's until either side ends it. Implicit TLS is the caller's business.
    pub fn serve_imap(&self, stream: impl Stream + 'static) -> impl Future<Output = Hangup> + Send + 'static {
        serve(Arc::clone(&self.core), Service::Imap, Box::new(stream), false)
    }

    pub fn serve_pop3(&self, stream: impl Stream + 'static) -> impl Future<Output = Hangup> + Send + 'static {
        serve(Arc::clone(&self.core), Service::Pop3, Box::new(stream), false)
    }

    pub fn serve_smtp(&self, stream: impl Stream + 'static) -> impl Future<Output = Hangup> + Send + 'static {
        serve(Arc::clone(&self.core), Service::Smtp, Box::new(stream), false)
    }

    /// Ends every connection and gives the ports back.
    pub async fn stop(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Takes connections until it is aborted; its sessions end with it, because it owns them.
async fn listen(listener: TcpListener, service: Service, core: Arc<Core>, implicit_tls: bool) {
    let mut sessions: JoinSet<()> = JoinSet::new();
    loop {
        while sessions.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) if sessions.len() < MAX_CONNECTIONS => {
                sessions.spawn(accept(stream, service, Arc::clone(&core), implicit_tls));
            }
            Ok(_) => log::warn!("The sandbox turned a connection away: too many are open."),
            Err(error) => {
                log::warn!("The sandbox could not take a connection: {error}.");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn accept(stream: TcpStream, service: Service, core: Arc<Core>, implicit_tls: bool) {
    // A reply must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let hangup = match core.tls.clone().filter(|_| implicit_tls) {
        None => serve(core, service, Box::new(stream), false).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => serve(core, service, Box::new(stream), true).await,
            Err(error) => Hangup::from(error),
        },
    };
    log::debug!("A sandbox {service:?} session ended: {hangup:?}.");
}

async fn serve(core: Arc<Core>, service: Service, stream: Box<dyn Stream>, tls: bool) -> Hangup {
    let link = Link::new(stream, tls, core.faults.for_new_link(service));
    match service {
        Service::Imap => imap::session::Session::new(link, core).run().await,
        Service::Pop3 => pop3::session::Session::new(link, core).run().await,
        Service::Smtp => smtp::session::Session::new(link, core).run().await,
    }
}
