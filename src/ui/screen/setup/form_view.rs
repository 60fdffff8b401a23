//! The form of an account's settings, drawn.

use iced::widget::{column, container, row, text_input};
use iced::{Center, Element, Fill};
use posthorn_model::{Protocol, SecretPlace, Security};

use super::form::{Form, PASSWORD, Server, Service};
use crate::screen::leave::Leave;
use crate::t;
use crate::theme::{size, space as gap, style};
use crate::widget::{Kind, press, words};

/// What was typed or picked in the form.
#[derive(Clone, Debug)]
pub enum FormMessage {
    NameTyped(String),
    PersonTyped(String),
    SignatureTyped(String),
    UsernameTyped(String),
    PasswordTyped(String),
    SecretsPicked(SecretPlace),
    ProtocolPicked(Protocol),
    HostTyped(Service, String),
    PortTyped(Service, String),
    SecurityPicked(Service, Security),
    LeavePicked(Leave),
    DaysTyped(String),
    CleartextPressed,
}

/// All fields of an account.
pub fn form_view(form: &Form) -> Element<'_, FormMessage> {
    let mut all = column![].spacing(gap::L);
    if !form.existing {
        all = all.push(protocols(form));
    }
    let mut who = column![
        pair(
            field(
                t!("setup-person"),
                &form.person,
                "setup-person",
                FormMessage::PersonTyped
            ),
            field(t!("setup-name"), &form.name, "setup-name", FormMessage::NameTyped),
        ),
        pair(
            field(
                t!("setup-username"),
                &form.username,
                "setup-username",
                FormMessage::UsernameTyped
            ),
            password(form),
        ),
    ]
    .spacing(gap::M);
    if form.existing {
        who = who.push(field(
            t!("setup-signature"),
            &form.signature,
            "setup-signature",
            FormMessage::SignatureTyped,
        ));
    }
    all = all.push(who).push(secrets(form));
    all = all
        .push(server(
            t!("setup-incoming"),
            &form.incoming,
            Service::Incoming(form.protocol),
        ))
        .push(server(t!("setup-outgoing"), &form.outgoing, Service::Outgoing));
    if form.is_exposed() {
        all = all.push(cleartext(form));
    }
    // What an account that exists leaves on its server is set where the consequences are in sight.
    if form.protocol == Protocol::Pop3 && !form.existing {
        all = all.push(leave(form));
    }
    all.into()
}

fn pair<'a>(left: Element<'a, FormMessage>, right: Element<'a, FormMessage>) -> Element<'a, FormMessage> {
    row![container(left).width(Fill), container(right).width(Fill)]
        .spacing(gap::M)
        .into()
}

/// A field below its name.
pub fn named<'a, M: 'a>(name: String, content: impl Into<Element<'a, M>>) -> Element<'a, M> {
    column![words::caption(name), content.into()]
        .spacing(gap::XS)
        .into()
}

fn field<'a>(
    name: String,
    value: &str,
    id: &'static str,
    on_input: fn(String) -> FormMessage,
) -> Element<'a, FormMessage> {
    named(name, input(value, id).on_input(on_input))
}

fn input<'a>(value: &str, id: &'static str) -> text_input::TextInput<'a, FormMessage> {
    text_input("", value)
        .id(id)
        .size(size::BODY)
        .padding([7, 10])
        .style(style::input)
}

fn password(form: &Form) -> Element<'_, FormMessage> {
    let hint = if form.existing {
        t!("setup-password-kept")
    } else {
        String::new()
    };
    named(
        t!("setup-password"),
        text_input(&hint, &form.password)
            .id(PASSWORD)
            .secure(true)
            .on_input(FormMessage::PasswordTyped)
            .size(size::BODY)
            .padding([7, 10])
            .style(style::input),
    )
}

/// One of several, side by side.
fn choice<'a>(label: String, selected: bool, message: FormMessage) -> Element<'a, FormMessage> {
    press(words::body(label))
        .kind(Kind::Row { selected })
        .padding([5, 10])
        .on_press(message)
        .into()
}

fn secrets(form: &Form) -> Element<'_, FormMessage> {
    let pick = |label, place| choice(label, form.secrets == place, FormMessage::SecretsPicked(place));
    row![
        words::caption(t!("setup-keep-password")),
        pick(t!("setup-keychain"), SecretPlace::Keychain),
    ]
    .push(form.sealed.then(|| pick(t!("setup-sealed"), SecretPlace::File)))
    .push(pick(t!("setup-session"), SecretPlace::Session))
    .spacing(gap::S)
    .align_y(Center)
    .wrap()
    .into()
}

/// Both protocols as equals, each with what follows from it.
fn protocols(form: &Form) -> Element<'_, FormMessage> {
    let card = |protocol, name: &'static str, what: String| {
        let chosen = form.protocol == protocol;
        let inside = column![words::strong(name), words::muted(what)].spacing(gap::XS);
        container(
            press(container(inside).width(Fill))
                .kind(Kind::Quiet)
                .padding(gap::M)
                .width(Fill)
                .on_press(FormMessage::ProtocolPicked(protocol)),
        )
        .padding(2)
        .width(Fill)
        .style(if chosen { style::chosen_card } else { style::card })
    };
    row![
        card(Protocol::Imap, "IMAP", t!("setup-imap")),
        card(Protocol::Pop3, "POP3", t!("setup-pop3"))
    ]
    .spacing(gap::M)
    .into()
}

fn security_words(security: Security) -> String {
    match security {
        Security::Tls => t!("security-tls"),
        Security::StartTls => t!("security-starttls"),
        Security::None => t!("security-none"),
    }
}

fn server<'a>(name: String, server: &Server, service: Service) -> Element<'a, FormMessage> {
    let (host_id, port_id) = match service {
        Service::Incoming(_) => ("setup-incoming-host", "setup-incoming-port"),
        Service::Outgoing => ("setup-outgoing-host", "setup-outgoing-port"),
    };
    let securities = [Security::Tls, Security::StartTls, Security::None]
        .into_iter()
        .map(|security| {
            choice(
                security_words(security),
                server.security == security,
                FormMessage::SecurityPicked(service, security),
            )
        });
    let host = input(&server.host, host_id).on_input(move |text| FormMessage::HostTyped(service, text));
    let port = input(&server.port, port_id)
        .on_input(move |text| FormMessage::PortTyped(service, text))
        .width(72);
    named(
        name,
        column![
            row![host, port].spacing(gap::S).align_y(Center),
            row(securities).spacing(2)
        ]
        .spacing(gap::XS),
    )
}

fn cleartext(form: &Form) -> Element<'_, FormMessage> {
    container(
        row![
            container(words::body(t!("setup-cleartext-warning"))).width(Fill),
            choice(
                t!("setup-cleartext-allow"),
                form.cleartext,
                FormMessage::CleartextPressed
            )
        ]
        .spacing(gap::M)
        .align_y(Center),
    )
    .padding(gap::M)
    .style(style::warning_bar)
    .into()
}

fn leave(form: &Form) -> Element<'_, FormMessage> {
    let pick = |label, leave| choice(label, form.leave == leave, FormMessage::LeavePicked(leave));
    let mut choices = row![
        pick(t!("leave-forever"), Leave::Forever),
        pick(t!("leave-days"), Leave::Days),
        pick(t!("leave-until-removed"), Leave::UntilRemoved),
        pick(t!("leave-never"), Leave::Never),
    ]
    .spacing(2)
    .align_y(Center);
    if form.leave == Leave::Days {
        choices = choices.push(
            row![
                input(&form.days, "setup-days")
                    .on_input(FormMessage::DaysTyped)
                    .width(60),
                words::body(t!("leave-days-unit"))
            ]
            .spacing(gap::S)
            .align_y(Center),
        );
    }
    let consequence = form.leave.means(&form.days);
    named(
        t!("leave-title"),
        column![choices.wrap(), words::muted(consequence)].spacing(gap::S),
    )
}
