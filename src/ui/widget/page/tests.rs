use iced::Rectangle;
use posthorn_html::page::{Look, Page, PageId, PageTheme, Pixels};

use super::{Grid, Tiles};

fn grid(width: f32, height: f32, scale: f32, device: f32) -> Grid {
    let page = Page {
        id: PageId(1),
        width,
        height,
        links: Vec::new(),
        blocked: Vec::new(),
        remote: Vec::new(),
        text: String::new(),
        has_dark_rules: false,
    };
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
