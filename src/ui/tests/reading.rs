//! Reading a message that somebody draws.

use std::sync::Arc;
use std::time::Instant;

use iced::{Event, Point, mouse, window};
use posthorn_engine::Command;
use posthorn_html::page::{Failure, PageTheme};
use posthorn_model::{Address, Appearance};

use super::Window;
use super::canned::Canned;
use crate::app::Message;
use crate::fixture::Fixture;
use crate::screen::mail;
use crate::screen::mail::reader::{self, FIND};
use crate::screen::sheet::Sheet;
use crate::shortcut::Wish;
use crate::t;
use crate::widget::page::PageEvent;

const WALK: &str = "Re: Sunday walk along the estuary";

const NEWSLETTER: &str = "What to plant in March";

/// A window with somebody who draws.
fn open_of(fixture: &Fixture) -> (Window, Canned) {
    let canned = Canned::default();
    let mut window = Window::open(fixture);
    let app = std::mem::replace(
        &mut window.app,
        crate::app::App::new(crate::UiOptions::default(), crate::when::Clock::system()),
    );
    window.app = app.with_painter(Some(Arc::new(canned.clone())));
    (window, canned)
}

fn open() -> (Window, Canned) {
    open_of(&Fixture::full())
}

/// The window is drawn once: pages hear of their room and ask for what is in view.
pub(super) fn redraw(window: &mut Window) {
    for _ in 0..3 {
        window.by_hand(|ui| {
            ui.simulate([Event::Window(window::Event::RedrawRequested(Instant::now()))]);
        });
    }
}

fn shown_of(fixture: &Fixture, subject: &str) -> (Window, Canned) {
    let (mut window, canned) = open_of(fixture);
    window.press(subject);
    redraw(&mut window);
    (window, canned)
}

fn shown(subject: &str) -> (Window, Canned) {
    shown_of(&Fixture::full(), subject)
}

fn current(window: &Window) -> posthorn_model::MessageId {
    window.app.mail.reader.current.as_ref().unwrap().message
}

fn page(window: &mut Window, event: PageEvent) {
    let id = current(window);
    window.send(Message::Mail(mail::Message::Reader(reader::Message::Page(
        id, event,
    ))));
}

#[test]
fn a_message_is_laid_out_for_its_room_and_painted_where_it_is_seen() {
    let (window, canned) = shown(WALK);
    let asked = canned.asked.lock().unwrap();
    let look = asked.opened.last().unwrap().look;
    assert!(look.width > 300.0 && look.width < 900.0, "{look:?}");
    assert_eq!(look.theme, PageTheme::Light);
    assert!(!asked.painted.is_empty());
    assert!(!window.app.mail.reader.is_waiting());
}

#[test]
fn text_is_a_page_too_and_what_it_quotes_is_folded_away() {
    let (mut window, canned) = shown(WALK);
    // The message below it is prepared meanwhile.
    let last = |canned: &Canned| {
        let asked = canned.asked.lock().unwrap();
        let mut opened = asked.opened.iter().rev();
        let of = opened.find(|source| source.html.contains("low water is at 11:40"));
        of.unwrap().html.clone()
    };
    assert!(last(&canned).contains("low water is at 11:40"));
    assert!(!last(&canned).contains("Shall we take the early train"));
    window.key(Wish::ShowQuoted);
    assert!(last(&canned).contains("Shall we take the early train"));
    assert!(last(&canned).contains("<blockquote class=\"q1\">"));
}

#[test]
fn another_room_is_laid_out_when_it_has_been_calm() {
    let (mut window, canned) = shown(WALK);
    let before = canned.asked.lock().unwrap().opened.len();
    page(&mut window, PageEvent::Sized(400.0));
    page(&mut window, PageEvent::Sized(410.0));
    assert_eq!(canned.asked.lock().unwrap().opened.len(), before, "not at once");
    window.until("the page is laid out anew", |_| {
        let asked = canned.asked.lock().unwrap();
        asked
            .opened
            .last()
            .is_some_and(|source| source.look.width == 410.0)
    });
    assert_eq!(canned.asked.lock().unwrap().opened.len(), before + 1);
}

#[test]
fn pages_that_are_left_are_closed() {
    let (mut window, canned) = shown(WALK);
    window.key(Wish::Next);
    window.send(Message::Ticked(Instant::now()));
    assert!(!canned.asked.lock().unwrap().closed.is_empty());
}

#[test]
fn a_message_that_cannot_be_drawn_is_shown_as_its_text() {
    let (mut window, canned) = open();
    canned.asked.lock().unwrap().refuse = Some(Failure::TooSlow);
    window.press(WALK);
    redraw(&mut window);
    assert!(window.shows(&t!("failure-too-slow")));
    assert!(!window.app.mail.reader.is_waiting());
    // A key reaches its links too: each stands below it as a button.
    window.press("https://example.org/walks/estuary");
    assert!(matches!(window.app.sheet, Some(Sheet::Link(_))));
}

#[test]
fn a_process_that_is_gone_costs_another_try_and_no_more() {
    let (mut window, canned) = open();
    canned.asked.lock().unwrap().lose = Some(Failure::Gone);
    window.press(WALK);
    redraw(&mut window);
    assert!(!window.shows(&t!("failure-died")));
    let page = {
        let asked = canned.asked.lock().unwrap();
        asked.painted.last().unwrap().0
    };
    assert!(page.0 > 1, "opened anew");
}

#[test]
fn marked_text_is_copied_and_all_of_it_on_request() {
    let (mut window, _) = shown(WALK);
    page(
        &mut window,
        PageEvent::Marking {
            from: Point::new(5.0, 5.0),
            to: Point::new(90.0, 8.0),
            grain: posthorn_html::page::Grain::Character,
        },
    );
    let marked = window.app.mail.reader.marked().unwrap().to_owned();
    assert!(marked.starts_with("Lovely!"), "{marked}");
    window.key(Wish::SelectAll);
    let all = window.app.mail.reader.marked().unwrap().to_owned();
    assert!(all.contains("Bring boots."), "{all}");
    assert_eq!(
        window.app.mail.listing.selected.len(),
        1,
        "the list was not meant"
    );
    page(&mut window, PageEvent::Unmarked);
    assert_eq!(window.app.mail.reader.marked(), None);
}

#[test]
fn select_all_means_the_list_where_the_list_was_touched_last() {
    let (mut window, _) = shown(WALK);
    window.key(Wish::SelectAll);
    assert!(window.app.mail.listing.selected.len() > 1);
}

#[test]
fn the_find_bar_counts_steps_and_closes() {
    let (mut window, _) = shown(WALK);
    window.key(Wish::Find);
    window.type_into(FIND, "o");
    let count = window.app.mail.reader.find.as_ref().unwrap().count();
    assert!(count > 1, "{count}");
    assert!(window.shows(&t!("find-count", place = 1, count = count)));
    window.key(Wish::Open);
    assert_eq!(window.app.mail.reader.find.as_ref().unwrap().place(), 2);
    window.key(Wish::FindPrevious);
    window.key(Wish::FindPrevious);
    assert_eq!(
        window.app.mail.reader.find.as_ref().unwrap().place(),
        count,
        "round again"
    );
    window.key(Wish::Back);
    assert!(window.app.mail.reader.find.is_none());
    assert!(window.app.mail.reader.current.is_some(), "only the bar went");
}

#[test]
fn a_link_asks_and_its_target_shows_under_the_pointer() {
    let (mut window, _) = shown(WALK);
    page(&mut window, PageEvent::Hovered(Some(0)));
    assert!(window.shows("https://example.org/walks/estuary"));
    page(&mut window, PageEvent::LinkPressed(0));
    assert!(matches!(&window.app.sheet, Some(Sheet::Link(..))));
    window.key(Wish::Back);
    window.key(Wish::Links);
    assert!(matches!(&window.app.sheet, Some(Sheet::Links(_, links)) if links.len() == 1));
}

#[test]
fn the_dark_follows_the_window_and_the_message_can_be_seen_as_sent() {
    let (mut window, canned) = shown(WALK);
    let last = |canned: &Canned| canned.asked.lock().unwrap().opened.last().unwrap().html.clone();
    let light = last(&canned);
    window.app.appearance = Appearance::Dark;
    window.send(Message::Ticked(Instant::now()));
    assert_ne!(last(&canned), light, "text is made in the window's colours");
}

#[test]
fn a_conversation_is_walked_by_key_and_its_place_is_kept() {
    let (mut window, _) = shown(WALK);
    let first = current(&window);
    window.key(Wish::PreviousInThread);
    let meant = window.app.mail.reader.meant().unwrap();
    assert_ne!(meant.message, first);
    assert_eq!(meant.from[0].email, "ada@example.org");
    window.key(Wish::NextInThread);
    assert_eq!(window.app.mail.reader.meant().unwrap().message, first);
    window.key(Wish::NextInThread);
    assert_eq!(
        window.app.mail.reader.meant().unwrap().message,
        first,
        "the last one"
    );
}

#[test]
fn the_mouse_marks_text_and_presses_links() {
    let (mut window, canned) = shown(WALK);
    let before = canned.asked.lock().unwrap().opened.len();
    let id = reader::page_id(current(&window));
    window.by_hand(|ui| {
        let found = ui.find(iced_test::selector::id(id.clone())).unwrap();
        let bounds = found.bounds();
        let at = |x: f32, y: f32| Point::new(bounds.x + x, bounds.y + y);
        ui.point_at(at(4.0, 4.0));
        ui.simulate([
            Event::Mouse(mouse::Event::CursorMoved {
                position: at(4.0, 4.0),
            }),
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
        ]);
        ui.point_at(at(120.0, 6.0));
        ui.simulate([
            Event::Mouse(mouse::Event::CursorMoved {
                position: at(120.0, 6.0),
            }),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
    assert!(window.app.mail.reader.marked().is_some());
    assert_eq!(
        canned.asked.lock().unwrap().opened.len(),
        before,
        "nothing is laid out anew"
    );
}

#[test]
fn remote_pictures_wait_for_a_yes_and_trackers_stay_blocked() {
    let (mut window, canned) = shown(NEWSLETTER);
    assert!(window.shows(&t!("pictures-off", count = 1)));
    assert!(window.shows(&t!("pictures-trackers", count = 1, hosts = "count.example.org")));
    window.press(&t!("pictures-once"));
    let last = canned.asked.lock().unwrap().opened.last().unwrap().clone();
    let urls: Vec<&String> = last.fetched.keys().collect();
    assert_eq!(urls, ["https://pictures.example.org/plants.jpg"]);
    assert!(!window.shows(&t!("pictures-off", count = 1)));
    assert!(window.shows(&t!("pictures-trackers", count = 1, hosts = "count.example.org")));
}

#[test]
fn pictures_are_allowed_for_good_by_sender() {
    let fixture = Fixture::full();
    let (mut window, _) = shown_of(&fixture, NEWSLETTER);
    window.press(&t!("pictures-always"));
    let state = fixture.lock();
    assert!(
        state
            .commands
            .iter()
            .any(|command| matches!(command, Command::AllowPictures(_)))
    );
    assert_eq!(state.fetched.len(), 1);
    assert_eq!(state.fetched[0].urls, ["https://pictures.example.org/plants.jpg"]);
}

#[test]
fn a_list_is_left_after_a_question() {
    let fixture = Fixture::full();
    let (mut window, _) = shown_of(&fixture, NEWSLETTER);
    window.press(&t!("reader-unsubscribe"));
    assert!(window.shows(&t!("unsubscribe-post", host = "lists.example.org")));
    window.key(Wish::Back);
    assert!(fixture.lock().unsubscribed.is_empty());
    window.key(Wish::Unsubscribe);
    window.key(Wish::Open);
    assert_eq!(fixture.lock().unsubscribed.len(), 1);
    assert!(window.shows(&t!("unsubscribed-posted", host = "lists.example.org")));
}

#[test]
fn a_harmless_file_opens_and_another_asks_first() {
    let fixture = Fixture::full();
    let (mut window, _) = shown_of(&fixture, WALK);
    window.press("estuary-map.pdf");
    assert_eq!(fixture.lock().opened.len(), 1);
    let id = current(&window);
    let part = posthorn_model::Part {
        index: 99,
        content_type: "application/pdf".into(),
        name: Some("map.pdf.exe".into()),
        size: 10,
        content_id: None,
        inline: false,
    };
    window.send(Message::Mail(mail::Message::Reader(
        reader::Message::PartPressed(id, part),
    )));
    assert!(window.shows(&t!("open-title")));
    window.key(Wish::Open);
    assert_eq!(fixture.lock().opened.len(), 1, "Enter does not open it");
    window.press(&t!("open-anyway"));
    assert_eq!(fixture.lock().opened.len(), 2);
}

#[test]
fn a_picture_opens_in_the_window_and_escape_closes_it() {
    let fixture = Fixture::full();
    let (mut window, _) = shown_of(&fixture, WALK);
    window.press("sandbank.jpg");
    let is_here =
        |window: &Window| matches!(&window.app.sheet, Some(Sheet::Picture(viewer)) if viewer.is_here());
    assert!(is_here(&window));
    assert!(window.shows("sandbank.jpg") && window.shows(&t!("picture-open")));
    window.key(Wish::Next);
    assert!(is_here(&window), "it is the only one");
    window.key(Wish::Back);
    assert!(window.app.sheet.is_none());
    assert!(fixture.lock().opened.is_empty(), "no other program was asked");
    assert!(window.app.mail.reader.current.is_some(), "only the picture went");
}

#[test]
fn paper_says_who_wrote_and_when() {
    let (mut window, _) = shown(WALK);
    let actions = window.app.mail.reader.wish(Wish::Print).unwrap();
    let [crate::app::Action::PrintMessage { letterhead, .. }] = actions.as_slice() else {
        panic!("{actions:?}");
    };
    let heading = letterhead.heading(&window.app.clock);
    assert_eq!(heading.title, WALK);
    let names: Vec<&str> = heading.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            t!("field-from"),
            t!("field-to"),
            t!("field-date"),
            t!("field-files")
        ]
    );
    assert!(heading.fields[0].1.contains('@'), "{heading:?}");
    assert!(heading.fields[3].1.contains("estuary-map.pdf"), "{heading:?}");
}

#[test]
fn a_message_inside_another_one_opens_in_its_place() {
    let (mut window, _) = shown(WALK);
    let id = current(&window);
    let part = posthorn_model::Part {
        index: 98,
        content_type: "message/rfc822".into(),
        name: None,
        size: 10,
        content_id: None,
        inline: false,
    };
    window.send(Message::Mail(mail::Message::Reader(
        reader::Message::PartPressed(id, part),
    )));
    redraw(&mut window);
    assert!(window.shows("A message inside"));
    assert!(window.shows("What was forwarded."));
    window.key(Wish::Back);
    assert!(!window.shows("A message inside"));
    assert_eq!(current(&window), id);
}

#[test]
fn the_source_and_the_headers_are_shown() {
    let (mut window, _) = shown(WALK);
    window.key(Wish::AllHeaders);
    assert!(window.shows(&t!("headers-title")));
    window.key(Wish::Back);
    window.key(Wish::ViewSource);
    assert!(window.shows(&t!("source-title")));
}

#[test]
fn the_message_menu_offers_what_can_be_done() {
    let (mut window, _) = shown(WALK);
    window.key(Wish::MessageMenu);
    for name in [
        t!("action-source"),
        t!("action-print"),
        t!("action-find"),
        t!("action-as-text"),
    ] {
        assert!(window.shows(&name), "{name}");
    }
    window.press(&t!("action-find"));
    assert!(window.app.mail.reader.find.is_some());
}

#[test]
fn a_receipt_goes_out_only_when_the_reader_says_so() {
    const ASKS: &str = "Draft contract, second reading";
    let fixture = Fixture::full();
    let (mut window, _) = shown_of(&fixture, ASKS);
    assert!(window.shows(&t!("receipt-asked")));
    assert!(fixture.lock().receipts.is_empty());
    window.press(&t!("receipt-send"));
    let message = current(&window);
    assert_eq!(fixture.lock().receipts, [(message, true)]);
    assert!(!window.shows(&t!("receipt-asked")));
}

#[test]
fn several_authors_are_all_named_in_the_list_and_above_the_message() {
    let fixture = Fixture::full();
    let authors = vec![
        Address::new("Nora Lind", "nora@x.org"),
        Address::bare("ben@x.org"),
        Address::new("Cleo", "cleo@x.org"),
    ];
    {
        let mut state = fixture.lock();
        let row = state.rows.iter_mut().find(|row| row.subject == WALK).unwrap();
        row.from.clone_from(&authors);
        let id = row.message;
        state.messages.get_mut(&id).unwrap().envelope.from = authors;
    }
    let (window, _) = open_of(&fixture);
    assert!(window.shows("Nora Lind, ben@x.org, Cleo"), "in the list");
    let (window, _) = shown_of(&fixture, WALK);
    assert!(
        window.shows("nora@x.org, cleo@x.org"),
        "with the addresses of those who have a name"
    );
}

#[test]
fn a_long_address_is_cut_where_it_is_seen() {
    let fixture = Fixture::full();
    let long = format!("nora@{}example.org", "very-long-name.".repeat(12));
    {
        let mut state = fixture.lock();
        let id = state.rows.iter().find(|row| row.subject == WALK).unwrap().message;
        state.messages.get_mut(&id).unwrap().envelope.from = vec![
            Address::new("Nora Lind", long.clone()),
            Address::new("Ben", "ben@x.org"),
        ];
    }
    let (window, _) = shown_of(&fixture, WALK);
    let cut = window
        .ui()
        .find(|candidate: iced_test::selector::Candidate<'_>| match candidate {
            iced_test::selector::Candidate::Text { content, .. } => {
                (content.starts_with("nora@very-long") && content.ends_with('…')).then_some(())
            }
            _ => None,
        });
    assert!(cut.is_ok());
    assert!(!window.shows(&long));
}

#[test]
fn the_next_message_is_prepared_and_nothing_is_asked_for_it_before_it_is_read() {
    let fixture = Fixture::full();
    fixture.lock().show_pictures = true;
    let (mut window, canned) = open_of(&fixture);
    let listing = &window.app.mail.listing;
    let subjects: Vec<String> = (0..listing.total)
        .filter_map(|n| listing.row(n).map(|row| row.subject.clone()))
        .collect();
    let at = subjects.iter().position(|subject| subject == NEWSLETTER).unwrap();
    window.press(&subjects[at - 1]);
    redraw(&mut window);
    let drawn = |canned: &Canned| {
        let asked = canned.asked.lock().unwrap();
        asked
            .opened
            .iter()
            .filter(|source| source.html.contains("plants.jpg"))
            .count()
    };
    assert_eq!(
        drawn(&canned),
        1,
        "the newsletter is laid out before it is opened"
    );
    assert!(
        fixture.lock().fetched.is_empty(),
        "but its pictures are not fetched"
    );
    window.key(Wish::Next);
    assert!(!window.app.mail.reader.is_waiting());
    assert_eq!(
        window.app.mail.reader.reading().unwrap().envelope.subject,
        NEWSLETTER
    );
    assert_eq!(
        fixture.lock().fetched.len(),
        1,
        "as its rule says, now that it is read"
    );

    // What lies in the way is one message; the others are let go.
    window.key(Wish::Next);
    window.key(Wish::Previous);
    redraw(&mut window);
    window.send(Message::Ticked(Instant::now()));
    let asked = canned.asked.lock().unwrap();
    assert!(
        asked.opened.len() <= asked.closed.len() + 2,
        "{} {}",
        asked.opened.len(),
        asked.closed.len()
    );
}

#[test]
fn a_long_message_shows_its_beginning_while_the_rest_is_laid_out() {
    let fixture = Fixture::full();
    {
        let mut state = fixture.lock();
        let id = state
            .rows
            .iter()
            .find(|row| row.subject == NEWSLETTER)
            .unwrap()
            .message;
        let html = format!(
            "<p>first words</p>{}<p>last words</p>",
            "<p>filler</p>".repeat(30_000)
        );
        state.messages.get_mut(&id).unwrap().html = Some(html);
    }
    let (mut window, canned) = shown_of(&fixture, NEWSLETTER);
    let lengths = |canned: &Canned| -> Vec<(bool, bool)> {
        let asked = canned.asked.lock().unwrap();
        let opened = asked
            .opened
            .iter()
            .filter(|source| source.html.contains("first words"));
        opened
            .map(|source| (source.html.len() < 100_000, source.html.contains("last words")))
            .collect()
    };
    assert_eq!(lengths(&canned), [(true, false), (false, true)]);
    redraw(&mut window);
    assert_eq!(lengths(&canned).len(), 2, "and no more");
    window.app.appearance = Appearance::Dark;
    window.send(Message::Ticked(Instant::now()));
    assert_eq!(
        lengths(&canned).last(),
        Some(&(false, true)),
        "the whole, once it is there"
    );
}
