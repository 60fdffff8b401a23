//! Faults that a test asks for: what a bad network, a bad server or a bad moment would do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One of the three servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    Imap,
    Pop3,
    Smtp,
}

/// Something that goes wrong once: it waits until its moment comes, and is then used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next connection is cut after the server has sent this many bytes (counted inside TLS).
    CloseAfterSent { service: Service, bytes: u64 },
    /// The next connection is cut once the client has sent this many bytes; what they asked may not be done.
    CloseAfterReceived { service: Service, bytes: u64 },
    /// The next login is refused, whatever the password.
    RefuseLogin { service: Service },
    /// The next command of this name (`FETCH`, `UID FETCH`, `DELE`, `RCPT` …) is answered with this text in place
    /// of being done: the whole line, less IMAP's tag (`NO [INUSE] later`, `-ERR later`, `451 later`).
    Answer {
        service: Service,
        command: String,
        reply: String,
    },
    /// The next command of this name is carried out, and the connection is cut before its answer.
    CloseBeforeAnswer { service: Service, command: String },
    /// The next POP3 QUIT gets no answer. `deletes`: whether the deletions were carried out all the same.
    DropQuit { deletes: bool },
    /// The connection is cut after the final dot of the next SMTP message. `delivers`: whether it was taken.
    CloseAfterFinalDot { delivers: bool },
}

/// What a connection is born with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFault {
    pub close_after_sent: Option<u64>,
    pub close_after_received: Option<u64>,
    /// Before each reply: a slow server, or a long way to it.
    pub delay: Option<Duration>,
}

#[derive(Debug, Default)]
struct Plan {
    waiting: VecDeque<Fault>,
    delay: Option<Duration>,
}

/// The faults of one sandbox, shared by all its sessions.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fault behind those that wait already.
    pub fn inject(&self, fault: Fault) {
        self.plan().waiting.push_back(fault);
    }

    /// Delays each reply of connections opened from now on.
    pub fn set_delay(&self, delay: Option<Duration>) {
        self.plan().delay = delay;
    }

    /// Forgets every fault that has not happened yet; answers how many there were.
    pub fn clear(&self) -> usize {
        let mut plan = self.plan();
        plan.delay = None;
        let count = plan.waiting.len();
        plan.waiting.clear();
        count
    }

    /// How many faults have not happened yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.plan().waiting.len()
    }

    fn take<T>(&self, choose: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut plan = self.plan();
        let (index, value) = plan
            .waiting
            .iter()
            .enumerate()
            .find_map(|(index, fault)| choose(fault).map(|value| (index, value)))?;
        plan.waiting.remove(index);
        Some(value)
    }

    pub(crate) fn for_new_link(&self, of: Service) -> LinkFault {
        let close_after_sent = self.take(|fault| match fault {
            Fault::CloseAfterSent { service, bytes } if *service == of => Some(*bytes),
            _ => None,
        });
        let close_after_received = self.take(|fault| match fault {
            Fault::CloseAfterReceived { service, bytes } if *service == of => Some(*bytes),
            _ => None,
        });
        LinkFault {
            close_after_sent,
            close_after_received,
            delay: self.plan().delay,
        }
    }

    pub(crate) fn refuses_login(&self, of: Service) -> bool {
        self.take(|fault| match fault {
            Fault::RefuseLogin { service } if *service == of => Some(()),
            _ => None,
        })
        .is_some()
    }

    pub(crate) fn answer(&self, of: Service, name: &str) -> Option<String> {
        self.take(|fault| match fault {
            Fault::Answer {
                service,
                command,
                reply,
            } if *service == of && command.eq_ignore_ascii_case(name) => Some(reply.clone()),
            _ => None,
        })
    }

    pub(crate) fn closes_before_answer(&self, of: Service, name: &str) -> bool {
        self.take(|fault| match fault {
            Fault::CloseBeforeAnswer { service, command }
                if *service == of && command.eq_ignore_ascii_case(name) =>
            {
                Some(())
            }
            _ => None,
        })
        .is_some()
    }

    pub(crate) fn drops_quit(&self) -> Option<bool> {
        self.take(|fault| match fault {
            Fault::DropQuit { deletes } => Some(*deletes),
            _ => None,
        })
    }

    pub(crate) fn closes_after_final_dot(&self) -> Option<bool> {
        self.take(|fault| match fault {
            Fault::CloseAfterFinalDot { delivers } => Some(*delivers),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_once_and_to_its_own_service() {
        let faults = Faults::default();
        faults.inject(Fault::RefuseLogin {
            service: Service::Pop3,
        });
        faults.inject(Fault::CloseAfterSent {
            service: Service::Imap,
            bytes: 9,
        });
        assert!(!faults.refuses_login(Service::Imap));
        assert!(faults.refuses_login(Service::Pop3));
        assert!(!faults.refuses_login(Service::Pop3));
        assert_eq!(faults.for_new_link(Service::Smtp), LinkFault::default());
        assert_eq!(faults.for_new_link(Service::Imap).close_after_sent, Some(9));
        assert_eq!(faults.waiting(), 0);
    }
}
