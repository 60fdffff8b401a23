//! Whether the system calls its connection metered. On Linux NetworkManager says so; elsewhere nobody is asked, and
//! the user's own word is all there is.

use tokio::sync::watch;

/// What the system says, as it changes: true while its connection is metered, or seems to be.
#[must_use]
pub fn watch_metered() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    #[cfg(target_os = "linux")]
    linux::follow(sender);
    #[cfg(not(target_os = "linux"))]
    drop(sender);
    receiver
}

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;
    use tokio::sync::watch;
    use zbus::blocking::{Connection, connection::Builder};
    use zbus::zvariant::OwnedValue;

    const SERVICE: &str = "org.freedesktop.NetworkManager";
    const PATH: &str = "/org/freedesktop/NetworkManager";
    const EVERY: Duration = Duration::from_secs(30);
    const PATIENCE: Duration = Duration::from_secs(5);

    /// On a thread of its own, because the calls block and bring an executor along. It ends when nobody listens any
    /// more, or where there is no such service.
    pub(super) fn follow(sender: watch::Sender<bool>) {
        let thread = std::thread::Builder::new().name("metered".to_owned());
        let started = thread.spawn(move || {
            let Some(bus) = connect() else { return };
            while !sender.is_closed() {
                let Some(metered) = ask(&bus) else { return };
                sender.send_if_modified(|known| std::mem::replace(known, metered) != metered);
                std::thread::sleep(EVERY);
            }
        });
        if started.is_err() {
            log::warn!("Whether the connection is metered cannot be told: there is no thread left.");
        }
    }

    fn connect() -> Option<Connection> {
        let bus = Builder::system().ok()?.method_timeout(PATIENCE).build();
        bus.inspect_err(|_| log::debug!("There is no system bus to ask whether the connection is metered."))
            .ok()
    }

    fn ask(bus: &Connection) -> Option<bool> {
        let question = (SERVICE, "Metered");
        let properties = Some("org.freedesktop.DBus.Properties");
        let reply = bus.call_method(Some(SERVICE), PATH, properties, "Get", &question);
        let value: OwnedValue = reply.ok()?.body().deserialize().ok()?;
        Some(is_metered(u32::try_from(value).ok()?))
    }

    /// `NMMetered`: 1 yes, 3 guessed yes; 0 unknown, 2 no, 4 guessed no.
    const fn is_metered(word: u32) -> bool {
        matches!(word, 1 | 3)
    }

    #[cfg(test)]
    mod tests {
        use super::is_metered;

        #[test]
        fn a_guess_counts() {
            assert_eq!(
                [0, 1, 2, 3, 4, 9].map(is_metered),
                [false, true, false, true, false, false]
            );
        }
    }
}
