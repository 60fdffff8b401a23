use std::cell::Cell;
use std::rc::Rc;

use iced::Size;
use iced::mouse::ScrollDelta;
use iced_test::Simulator;

use super::*;

#[derive(Clone)]
struct Million {
    drawn: Rc<Cell<u64>>,
    read: Rc<Cell<u64>>,
    loaded: u64,
}

impl Rows for Million {
    type Key = u64;

    fn total(&self) -> u64 {
        1_000_000
    }

    fn key(&self, row: u64) -> Option<u64> {
        (row < self.loaded).then_some(row)
    }

    fn find(&self, key: u64) -> Option<u64> {
        Some(key)
    }

    fn draw(&self, _: u64, _: bool, _: Rectangle, _: &mut Renderer, _: &Theme) {
        self.drawn.set(self.drawn.get() + 1);
    }

    fn read(&self, row: u64, bounds: Rectangle, text: &mut dyn FnMut(Rectangle, &str)) {
        self.read.set(self.read.get() + 1);
        text(bounds, &format!("row {row}"));
    }
}

fn million(loaded: u64) -> Million {
    Million {
        drawn: Rc::default(),
        read: Rc::default(),
        loaded,
    }
}

fn simulate(rows: Million) -> Simulator<'static, ListEvent<u64>> {
    Simulator::with_size(
        crate::settings(),
        Size::new(400.0, 700.0),
        Element::from(List::new(rows, 70.0, 1, |event| event)),
    )
}

fn wheel(lines: f32) -> Event {
    Event::Mouse(mouse::Event::WheelScrolled {
        delta: ScrollDelta::Lines { x: 0.0, y: -lines },
    })
}

#[test]
fn a_million_rows_cost_what_ten_do() {
    let rows = million(1_000_000);
    let mut ui = simulate(rows.clone());
    assert!(ui.find("row 9").is_ok());
    assert!(rows.read.get() <= 12, "{}", rows.read.get());
    ui.snapshot(&Theme::Light).unwrap();
    assert!(rows.drawn.get() <= 12, "{}", rows.drawn.get());
    assert!(ui.find("row 500").is_err());
}

#[test]
fn scrolling_sends_nothing_while_rows_are_loaded() {
    let mut ui = simulate(million(1_000_000));
    ui.point_at(Point::new(100.0, 100.0));
    ui.simulate((0..50).map(|_| wheel(3.0)));
    assert!(ui.find("row 130").is_ok());
    assert_eq!(ui.into_messages().count(), 0);
}

#[test]
fn rows_that_are_missing_are_asked_for() {
    let mut ui = simulate(million(20));
    ui.point_at(Point::new(100.0, 100.0));
    ui.simulate((0..10).map(|_| wheel(3.0)));
    let asked: Vec<_> = ui.into_messages().collect();
    assert!(
        matches!(asked.last(), Some(ListEvent::Needed { first: 25, last: 36 })),
        "{asked:?}"
    );
}

#[test]
fn a_click_names_the_row_and_a_second_one_opens_it() {
    let mut ui = simulate(million(1_000_000));
    ui.click("row 3").unwrap();
    ui.click("row 3").unwrap();
    let events: Vec<_> = ui.into_messages().collect();
    assert!(
        matches!(events[0], ListEvent::Pressed { row: 3, key: 3, .. }),
        "{events:?}"
    );
    assert_eq!(events[1], ListEvent::DoublePressed { key: 3 });
}

#[test]
fn the_bar_jumps_by_row_number() {
    let mut ui = simulate(million(1_000_000));
    ui.point_at(Point::new(396.0, 350.0));
    ui.simulate([Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))]);
    let middle = (499_000..501_000).any(|row| ui.find(format!("row {row}").as_str()).is_ok());
    assert!(middle);
}

#[test]
fn a_list_in_a_page_that_scrolls_draws_what_can_be_seen_of_it() {
    let rows = million(1_000);
    let drawn = Rc::clone(&rows.drawn);
    let list = Element::from(List::new(rows, 70.0, 1, |event| event));
    let page = iced::widget::scrollable(iced::widget::container(list).height(700));
    let mut ui: Simulator<'_, ListEvent<u64>> =
        Simulator::with_size(crate::settings(), Size::new(400.0, 200.0), page);
    ui.snapshot(&Theme::Light).unwrap();
    // Of the ten rows in the list, three stand within the window.
    assert_eq!(drawn.get(), 3);
}
