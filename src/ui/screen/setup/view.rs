//! The first page: an address. The second: what follows from it, and what the servers say.

use iced::widget::{column, container, row, scrollable, space, text_input};
use iced::{Center, Element, Fill};
use posthorn_engine::report::{ServerTest, TestReport};

use super::{ADDRESS, Busy, Message, Setup, form_view};
use crate::icon::{self, Icon};
use crate::t;
use crate::theme::{size, space as gap, style, tokens};
use crate::widget::{Kind, button, rule, wide_button, words};

pub fn view(setup: &Setup) -> Element<'_, Message> {
    let page = match &setup.form {
        None => address_page(setup),
        Some(form) => details_page(setup, form),
    };
    container(
        scrollable(container(page).center_x(Fill).padding(gap::XXL))
            .direction(style::vertical())
            .style(style::scroll),
    )
    .center(Fill)
    .style(style::ground)
    .into()
}

fn address_page(setup: &Setup) -> Element<'_, Message> {
    let field = text_input(&t!("setup-address-example"), &setup.address)
        .id(ADDRESS)
        .on_input(Message::AddressTyped)
        .on_submit(Message::ContinuePressed)
        .size(size::READING)
        .padding([10, 12])
        .style(style::input);
    let ready = !setup.address.trim().is_empty() && setup.busy == Busy::No;
    let mut all = column![
        icon::mark(56.0),
        words::title(if setup.first {
            t!("setup-welcome")
        } else {
            t!("setup-another")
        }),
        words::muted(t!("setup-question")).center(),
        space().height(gap::S),
        field,
        wide_button(t!("setup-continue"), Kind::Primary)
            .on_press_maybe(ready.then_some(Message::ContinuePressed)),
    ]
    .spacing(gap::M)
    .width(380)
    .align_x(Center);
    if let Some(error) = &setup.error {
        all = all.push(trouble(error));
    }
    all = all
        .push(space().height(gap::S))
        .push(rule())
        .push(space().height(gap::S));
    all = all.push(
        button(
            if setup.busy == Busy::Sandbox {
                t!("setup-sandbox-starting")
            } else {
                t!("setup-sandbox")
            },
            Kind::Secondary,
        )
        .on_press_maybe((setup.busy == Busy::No).then_some(Message::SandboxPressed)),
    );
    all = all.push(words::caption(t!("setup-sandbox-means")).center());
    if !setup.first {
        all = all.push(button(t!("cancel"), Kind::Quiet).on_press(Message::CancelPressed));
    }
    all.into()
}

fn details_page<'a>(setup: &'a Setup, form: &'a super::Form) -> Element<'a, Message> {
    let mut all = column![
        words::title(t!("setup-details", address = form.email.clone())),
        words::muted(t!("setup-details-means")),
        form_view(form).map(Message::Form),
    ]
    .spacing(gap::L)
    .width(640);
    if let Some(report) = &setup.report {
        all = all.push(report_view(report));
    }
    if let Some(error) = &setup.error {
        all = all.push(trouble(error));
    }
    let idle = setup.busy == Busy::No;
    let test = match setup.busy {
        Busy::Testing => t!("setup-testing"),
        Busy::Adding => t!("setup-adding"),
        Busy::No | Busy::Sandbox => t!("setup-test-and-add"),
    };
    let mut buttons = row![
        button(t!("back"), Kind::Quiet).on_press_maybe(idle.then_some(Message::BackPressed)),
        space::horizontal()
    ]
    .spacing(gap::S);
    if setup.report.as_ref().is_some_and(|report| !report.is_good()) {
        buttons = buttons.push(
            button(t!("setup-add-anyway"), Kind::Secondary)
                .on_press_maybe(idle.then_some(Message::AddAnywayPressed)),
        );
    }
    buttons = buttons.push(button(test, Kind::Primary).on_press_maybe(idle.then_some(Message::TestPressed)));
    all.push(buttons).into()
}

fn trouble(why: &str) -> Element<'_, Message> {
    container(words::body(why).style(style::danger))
        .padding([gap::S, gap::M])
        .width(Fill)
        .style(style::danger_bar)
        .into()
}

/// What each server answered.
pub fn report_view<'a, M: 'a>(report: &TestReport) -> Element<'a, M> {
    container(column(report.servers.iter().map(server)).spacing(gap::M))
        .padding(gap::M)
        .width(Fill)
        .style(style::card)
        .into()
}

fn server<'a, M: 'a>(test: &ServerTest) -> Element<'a, M> {
    let good = test.result.is_ok();
    let glyph = icon::colored(if good { Icon::Check } else { Icon::Warning }, move |theme| {
        let t = tokens(theme);
        if good { t.success } else { t.danger }
    });
    let name = test.service.to_ascii_uppercase();
    let said = match &test.result {
        Ok(offers) if offers.is_empty() => t!("test-good"),
        Ok(offers) => t!("test-offers", what = offers.join(", ")),
        Err(error) => error.message.clone(),
    };
    row![
        glyph,
        column![
            row![words::strong(name), words::muted(test.endpoint.clone())].spacing(gap::S),
            if good {
                words::muted(said)
            } else {
                words::body(said)
            }
        ]
        .spacing(2)
    ]
    .spacing(gap::M)
    .into()
}
