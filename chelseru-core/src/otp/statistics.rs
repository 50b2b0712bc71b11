//! Codes are uniform and independent, as far as counting can tell.
//!
//! Each test compares a chi-square sum with what it is for uniform codes, 6.5 standard deviations to
//! either side on the scale of Wilson and Hilferty, on which it is normal: a right generator fails in
//! 8 of 10^11 runs, so with the twenty or so sums here less than once in 10^8 runs. Too even is as
//! wrong as too uneven. That wrong generators fail is tested too.

use rand::RngExt;

use super::Code;

const CODES: usize = 200_000;

const BOUND: f64 = 6.5;

/// How far from uniform these cells are, in standard deviations.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn deviation(cells: &[u32]) -> f64 {
    let total: u32 = cells.iter().sum();
    let expected = f64::from(total) / cells.len() as f64;
    assert!(expected >= 100.0, "too few for a chi-square sum");
    let chi_square: f64 = cells
        .iter()
        .map(|&count| (f64::from(count) - expected).powi(2) / expected)
        .sum();
    let freedom = (cells.len() - 1) as f64;
    let variance = 2.0 / (9.0 * freedom);
    ((chi_square / freedom).cbrt() - (1.0 - variance)) / variance.sqrt()
}

fn count(cells: usize, values: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut counts = vec![0; cells];
    for value in values {
        counts[value] += 1;
    }
    counts
}

#[track_caller]
fn assert_uniform(what: &str, cells: &[u32]) {
    let deviation = deviation(cells);
    assert!(deviation.abs() < BOUND, "{what}: {deviation}");
}

/// As the service makes them.
fn codes(length: u8) -> Vec<String> {
    let mut rng = rand::rng();
    (0..CODES)
        .map(|_| Code::random(&mut rng, length).expose().to_owned())
        .collect()
}

fn digit(code: &str, place: usize) -> usize {
    usize::from(code.as_bytes()[place] - b'0')
}

#[test]
fn every_digit_is_as_frequent_in_every_place() {
    for length in [8, 10] {
        let codes = codes(length);
        // The first place shows the leading zeros: a tenth of all codes has one.
        for place in 0..usize::from(length) {
            let digits = codes.iter().map(|code| digit(code, place));
            assert_uniform(&format!("place {place} of {length}"), &count(10, digits));
        }
    }
}

#[test]
fn every_short_code_is_as_frequent() {
    let codes = codes(3);
    let numbers = codes.iter().map(|code| code.parse().unwrap());
    assert_uniform("codes of 3 digits", &count(1000, numbers));
}

#[test]
fn no_place_tells_of_another_and_no_code_of_the_next() {
    let codes = codes(8);
    for place in 0..7 {
        let pairs = codes
            .iter()
            .map(|code| 10 * digit(code, place) + digit(code, place + 1));
        assert_uniform(&format!("places {place} and next"), &count(100, pairs));
    }
    let first_and_first = codes
        .chunks_exact(2)
        .map(|two| 10 * digit(&two[0], 0) + digit(&two[1], 0));
    assert_uniform("first digits in turn", &count(100, first_and_first));
    let last_and_first = codes
        .windows(2)
        .map(|two| 10 * digit(&two[0], 7) + digit(&two[1], 0));
    assert_uniform("last and first digit", &count(100, last_and_first));
    let differences = codes.windows(2).map(|two| {
        let [one, next] = [&two[0], &two[1]].map(|code| code.parse::<usize>().unwrap());
        (next + 100_000_000 - one) % 100_000_000 / 100_000
    });
    assert_uniform("differences", &count(1000, differences));
}

/// Of 200,000 codes of 8 digits about 200 are there before (a Poisson count: n(n-1)/2 pairs, each alike
/// with 10^-8). A generator that comes round has many more, one that avoids what it gave has fewer.
#[test]
fn codes_are_repeated_as_often_as_chance_repeats_them() {
    let mut codes = codes(8);
    codes.sort_unstable();
    let repeated = codes.windows(2).filter(|two| two[0] == two[1]).count();
    // Chance leaves these bounds once in 10^11 runs.
    assert!((100..=305).contains(&repeated), "{repeated}");
}

#[test]
fn wrong_generators_are_found_out() {
    let mut rng = rand::rng();
    // Without leading zeros.
    let digits = (0..CODES).map(|_| rng.random_range(1..10));
    assert!(deviation(&count(10, digits)) > BOUND);
    // A byte modulo ten: six digits are four percent more frequent than the others.
    let digits = (0..4 * CODES).map(|_| usize::from(rng.random::<u8>() % 10));
    assert!(deviation(&count(10, digits)) > BOUND);
    // A counter is too even.
    assert!(deviation(&count(1000, (0..CODES).map(|number| number % 1000))) < -BOUND);
}
