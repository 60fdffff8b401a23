use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_system_makes_online_metered_and_nothing_else() {
    let check = |chosen, metered, expect| {
        assert_eq!(Network { chosen, metered }.in_effect(), expect);
    };
    check(NetworkPolicy::Online, false, NetworkPolicy::Online);
    check(NetworkPolicy::Online, true, NetworkPolicy::Metered);
    check(NetworkPolicy::Offline, true, NetworkPolicy::Offline);
}

#[test]
fn sleep_is_noticed_on_both_kinds_of_clock() {
    let check = |monotonic, wall, expect| {
        assert_eq!(has_slept(s(monotonic), s(wall)), expect, "{monotonic} {wall}");
    };
    check(5, 5, false);
    check(9, 9, false);
    check(20, 20, false);
    // The monotonic clock stood still.
    check(5, 3600, true);
    check(5, 26, true);
    check(5, 24, false);
    // It went on.
    check(3600, 3600, true);
    // The wall clock was set back: no connection suffers by that.
    check(5, 0, false);
}

/// Looks at (second, way); 0 is no network.
fn moves(looks: &[(u64, u8)]) -> Vec<u64> {
    let mut route = Route::new();
    let moved = looks.iter().filter(|(at, way)| route.observe(s(*at), *way));
    moved.map(|(at, _)| *at).collect()
}

#[test]
fn connections_move_when_the_way_is_settled() {
    let check = |looks: &[(u64, u8)], expect: &[u64]| assert_eq!(moves(looks), expect, "{looks:?}");
    check(&[(0, 1), (5, 1), (10, 1)], &[]);
    check(&[(0, 1), (5, 2), (6, 2), (7, 2), (12, 2)], &[7]);
    // It has not made up its mind yet.
    check(&[(0, 1), (5, 2), (6, 3), (7, 3), (8, 3)], &[8]);
    check(&[(0, 1), (5, 2), (6, 1), (8, 1)], &[]);
    // Away for a moment, and for longer.
    check(&[(0, 1), (5, 0), (6, 1), (8, 1)], &[]);
    check(&[(0, 1), (5, 0), (7, 0), (60, 1), (62, 1), (65, 1)], &[62]);
    check(&[(0, 1), (5, 0), (7, 0), (60, 2), (62, 2), (65, 2)], &[62]);
    // Started without a network.
    check(&[(0, 0), (5, 0), (10, 1), (12, 1), (15, 1)], &[12]);
}

#[test]
fn a_changing_way_is_looked_at_more_closely() {
    let mut route = Route::new();
    route.observe(s(0), 1);
    assert!(!route.is_changing(s(0)));
    route.observe(s(5), 2);
    assert!(route.is_changing(s(5)));
    route.observe(s(7), 2);
    assert!(!route.is_changing(s(7)));
    route.observe(s(10), 0);
    assert!(route.is_changing(s(11)));
    // Away for good: no reason to hurry.
    assert!(!route.is_changing(s(30)));
}

#[test]
fn a_server_that_hangs_up_on_who_waits_is_polled() {
    let mut vigil = Vigil::default();
    let mut waits = Vec::new();
    let polled = loop {
        match vigil.ended(s(1), Pause::Usual, 128) {
            Onward::Again(wait) => waits.push((wait + Duration::from_millis(500)).as_secs()),
            Onward::Poll(wait) => break wait,
        }
    };
    assert_eq!((waits.as_slice(), polled), (&[2, 4, 8, 16, 32][..], s(3600)));
    // Then it gets another chance, and one that lasts starts anew.
    for _ in 0..50 {
        assert!(matches!(vigil.ended(s(600), Pause::Usual, 128), Onward::Again(wait) if wait < s(4)));
    }
    assert!(matches!(vigil.ended(s(1), Pause::Crowded, 128), Onward::Again(wait) if wait > s(200)));
}

#[test]
fn a_flood_of_news_is_heard_less_and_less_often() {
    let mut calm = Calm::default();
    let mut now = Duration::ZERO;
    let mut heard = 0;
    while now < s(600) {
        heard += 1;
        now += Duration::from_millis(50) + calm.after_news(now);
    }
    // Once in three seconds, and what is ordinary at first.
    assert!((200..260).contains(&heard), "{heard}");
    // A quiet minute later nothing of it is left.
    now += s(200);
    assert_eq!(calm.after_news(now), Duration::ZERO);
    let mut calm = Calm::default();
    for second in 0..1000 {
        assert_eq!(calm.after_news(s(second * 4)), Duration::ZERO);
    }
}
