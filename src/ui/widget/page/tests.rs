use std::time::Duration;

use iced::advanced::Shell;
use iced::keyboard::Modifiers;
use iced::keyboard::key::{Key, Named};
use iced::time::Instant;
use iced::{Point, Rectangle, mouse};
use posthorn_html::page::{Look, Page, PageId, PageLink, PageTheme, Pixels, Rect};

use super::{Drag, Focusable as _, Grain, Grid, PageEvent, PageView, Shown, State, Tiles};

fn page(width: f32, height: f32) -> Page {
    Page {
        id: PageId(1),
        width,
        height,
        links: Vec::new(),
        blocked: Vec::new(),
        remote: Vec::new(),
        text: String::new(),
        has_dark_rules: false,
    }
}

fn grid(width: f32, height: f32, scale: f32, device: f32) -> Grid {
    let page = page(width, height);
    let look = Look {
        width,
        scale,
        theme: PageTheme::Light,
    };
    Grid::new(&page, look, device)
}

fn pixels(width: u32, height: u32) -> Pixels {
    Pixels {
        width,
        height,
        rgba: vec![0; width as usize * height as usize * 4],
    }
}

#[test]
fn strips_cover_the_page_and_nothing_beyond_it() {
    for (height, scale, count) in [(512.0, 1.0, 1), (513.0, 1.0, 2), (2000.0, 2.0, 8), (1.0, 1.0, 1)] {
        let grid = grid(600.0, height, scale, scale);
        assert_eq!(grid.count(), count, "{height} at {scale}");
        let last = grid.rect(count - 1);
        assert!((last.y + last.height - height).abs() < 0.01, "{last:?}");
        let mut end = 0.0;
        for n in 0..count {
            let rect = grid.rect(n);
            assert!(rect.y <= end + 0.001, "a gap above {n}");
            end = rect.y + rect.height;
        }
    }
}

#[test]
fn what_is_in_view_is_told_in_strips() {
    let grid = grid(600.0, 5000.0, 2.0, 2.0);
    assert_eq!(grid.within(0.0, 100.0), Some((0, 1)));
    assert_eq!(grid.within(250.0, 600.0), Some((0, 3)));
    assert_eq!(grid.within(-300.0, 10.0), Some((0, 1)));
    assert_eq!(grid.within(4990.0, 9000.0), Some((19, 20)));
    assert_eq!(grid.within(6000.0, 9000.0), None);
}

#[test]
fn strips_join_at_whole_device_pixels_wherever_the_page_stands() {
    let mut tiles = Tiles::default();
    for n in 0..3 {
        tiles.put(n, pixels(900, 513));
    }
    for device in [1.0_f32, 1.25, 1.5, 2.0] {
        let grid = grid(600.0, 3000.0, device, device);
        for top in [-700.3_f32, -0.5, 0.0, 17.7, 301.25] {
            let bounds = Rectangle {
                x: 10.5,
                y: top,
                width: 600.0,
                height: 3000.0,
            };
            // As the renderer does: cut towards zero.
            let drawn = |n: u32| {
                let area = grid.place(n, tiles.get(n).unwrap(), bounds, 0.0);
                (area.y * device).trunc()
            };
            assert_eq!(drawn(1) - drawn(0), 512.0, "{device} {top}");
            assert_eq!(drawn(2) - drawn(1), 512.0, "{device} {top}");
        }
    }
}

#[test]
fn what_is_kept_is_bounded_and_what_is_looked_at_stays() {
    let mut tiles = Tiles::default();
    for n in 0..200 {
        tiles.put(n, pixels(1700, 513));
        tiles.keep(n.saturating_sub(2), n + 1);
    }
    assert!(tiles.bytes() <= 64 << 20, "{}", tiles.bytes());
    assert!(tiles.has(199) && tiles.has(197));
    assert!(!tiles.has(0));
}

#[test]
fn pixels_that_do_not_fill_their_picture_are_let_go() {
    let mut tiles = Tiles::default();
    tiles.put(
        0,
        Pixels {
            width: 4,
            height: 4,
            rgba: vec![0; 60],
        },
    );
    tiles.put(1, pixels(0, 4));
    assert!(!tiles.has(0) && !tiles.has(1));
}

/// What a page of three links, a hundred pixels apart, says while something is done with it.
fn told(
    state: &mut State,
    act: impl FnOnce(&PageView<'_, PageEvent>, &mut State, &mut Shell<'_, PageEvent>),
) -> (Vec<PageEvent>, bool) {
    let link = |n: u8| PageLink {
        url: format!("https://example.org/{n}"),
        text: n.to_string(),
        rects: vec![Rect {
            x: 0.0,
            y: f32::from(n) * 100.0,
            width: 50.0,
            height: 20.0,
        }],
    };
    let page = Page {
        links: (0..3).map(link).collect(),
        ..page(600.0, 2000.0)
    };
    let tiles = Tiles::default();
    let shown = Shown {
        page: &page,
        grid: grid(600.0, 2000.0, 1.0, 1.0),
        tiles: &tiles,
    };
    let view = PageView::new(1, Some(shown), Some(600.0), |event| event);
    let mut said = Vec::new();
    let mut shell = Shell::new(&mut said);
    act(&view, state, &mut shell);
    let captured = shell.is_event_captured();
    (said, captured)
}

fn tab(state: &mut State, modifiers: Modifiers) -> (Vec<PageEvent>, bool) {
    told(state, |view, state, shell| {
        view.key(state, &Key::Named(Named::Tab), modifiers, shell);
    })
}

const VIEW: Rectangle = Rectangle {
    x: 0.0,
    y: 0.0,
    width: 600.0,
    height: 400.0,
};

const PAGE: Rectangle = Rectangle {
    height: 2000.0,
    ..VIEW
};

fn settle(state: &mut State, viewport: Rectangle) -> Vec<PageEvent> {
    told(state, |view, state, shell| {
        view.settle_focus(state, PAGE, &viewport, shell)
    })
    .0
}

#[test]
fn tab_goes_from_link_to_link_and_leaves_behind_the_last() {
    let mut state = State::default();
    state.focus();
    assert_eq!(settle(&mut state, VIEW), [PageEvent::LinkFocused(Some(0))]);
    assert_eq!(
        tab(&mut state, Modifiers::empty()),
        (vec![PageEvent::LinkFocused(Some(1))], true)
    );
    assert_eq!(
        tab(&mut state, Modifiers::SHIFT),
        (vec![PageEvent::LinkFocused(Some(0))], true)
    );
    tab(&mut state, Modifiers::empty());
    tab(&mut state, Modifiers::empty());
    let enter = told(&mut state, |view, state, shell| {
        view.key(state, &Key::Named(Named::Enter), Modifiers::empty(), shell);
    });
    assert_eq!(enter, (vec![PageEvent::LinkPressed(2)], true));
    // Whoever is next takes the focus: the key goes on.
    assert_eq!(
        tab(&mut state, Modifiers::empty()),
        (vec![PageEvent::LinkFocused(None)], false)
    );
    state.unfocus();
    assert_eq!(settle(&mut state, VIEW), []);
}

#[test]
fn the_focus_comes_to_what_is_in_view_and_backwards_to_the_last_link() {
    let mut state = State::default();
    state.focus();
    let below = Rectangle { y: 110.0, ..VIEW };
    assert_eq!(settle(&mut state, below), [PageEvent::LinkFocused(Some(1))]);
    let mut state = State::default();
    super::links::note_way(&mut state, &Key::Named(Named::Tab), Modifiers::SHIFT);
    state.focus();
    assert_eq!(settle(&mut state, VIEW), [PageEvent::LinkFocused(Some(2))]);
    state.unfocus();
    assert_eq!(settle(&mut state, VIEW), [PageEvent::LinkFocused(None)]);
}

#[test]
fn the_view_follows_a_mark_beyond_its_edge() {
    let start = Instant::now();
    let check = |y: f32, moved: bool, expect: Option<f32>| {
        let mut state = State {
            dragging: Some(Drag {
                from: Point::new(10.0, 10.0),
                grain: Grain::Character,
                moved,
            }),
            ..State::default()
        };
        let cursor = mouse::Cursor::Levitating(Point::new(20.0, y));
        let mut follow = |after| {
            told(&mut state, |view, state, shell| {
                view.follow(
                    state,
                    PAGE,
                    cursor,
                    &VIEW,
                    start + Duration::from_millis(after),
                    shell,
                );
            })
            .0
        };
        assert_eq!(follow(0), [], "the first frame only begins");
        let scrolled = follow(50).into_iter().find_map(|event| match event {
            PageEvent::Scrolled(by) => Some(by.round()),
            _ => None,
        });
        assert_eq!(scrolled, expect, "{y} {moved}");
    };
    check(420.0, true, Some(12.0));
    check(-20.0, true, Some(-12.0));
    check(402.0, true, Some(5.0));
    check(200.0, true, None);
    check(420.0, false, None);
}
