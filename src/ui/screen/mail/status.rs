//! The status line: what is being done, how far it is, and what is wrong.

use iced::widget::{container, progress_bar, row, space, text};
use iced::{Center, Element, Fill};
use posthorn_model::NetworkPolicy;

use super::Message;
use crate::directory::{Directory, doing_words};
use crate::icon::{self, Icon};
use crate::t;
use crate::theme::{self, space as gap, style};
use crate::when;
use crate::widget::{Kind, press, rule, words};

pub fn view(directory: &Directory) -> Element<'_, Message> {
    let mut line = row![].spacing(gap::S).align_y(Center);
    if let Some((account, progress)) = directory.progress.iter().next() {
        let name = directory
            .account(*account)
            .map_or("", |account| account.config.name.as_str());
        let what = doing_words(progress.doing);
        let words_ = if progress.total > 0 {
            t!(
                "status-progress",
                account = name,
                what = what,
                done = when::count(progress.done),
                total = when::count(progress.total)
            )
        } else {
            t!("status-doing", account = name, what = what)
        };
        line = line.push(words::caption(words_).wrapping(text::Wrapping::None));
        if progress.total > 0 {
            let share = share(progress.done, progress.total);
            line = line
                .push(container(progress_bar(0.0..=1.0, share).girth(4).style(style::progress)).width(120));
        }
    } else {
        line = line.push(words::caption(match directory.network.in_effect() {
            NetworkPolicy::Online => t!("status-idle"),
            NetworkPolicy::Metered => t!("status-metered"),
            NetworkPolicy::Offline => t!("status-offline"),
        }));
    }
    line = line.push(space::horizontal());
    let offline = if directory.network.chosen == NetworkPolicy::Offline {
        t!("status-go-online")
    } else {
        t!("status-work-offline")
    };
    line = line.push(quiet(words::caption(offline)).on_press(Message::OfflinePressed));
    let count = directory.problems.len() + directory.stuck.len();
    if count > 0 {
        line = line.push(
            quiet(
                row![
                    icon::colored(Icon::Warning, |theme| theme::tokens(theme).danger)
                        .width(13)
                        .height(13),
                    words::caption(t!("status-problems", count = count))
                        .font(theme::font::MEDIUM)
                        .style(style::danger)
                ]
                .spacing(5)
                .align_y(Center),
            )
            .on_press(Message::ProblemsPressed),
        );
    }
    iced::widget::column![
        rule(),
        container(line)
            .padding([0.0, gap::M])
            .center_y(26)
            .width(Fill)
            .style(style::sunken)
    ]
    .into()
}

fn quiet<'a>(content: impl Into<Element<'a, Message>>) -> crate::widget::Press<'a, Message> {
    press(content).kind(Kind::Quiet).padding([2, 6])
}

#[expect(clippy::cast_precision_loss, reason = "a bar of 120 pixels")]
fn share(done: u64, total: u64) -> f32 {
    (done as f32 / total as f32).clamp(0.0, 1.0)
}
