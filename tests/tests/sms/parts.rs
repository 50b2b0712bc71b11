//! The number of parts that are billed, against a counter that others wrote.
//!
//! It is the crate `sms_splitter` 0.1.9, chosen among four: like ours it splits neither an extension
//! character nor a surrogate pair, so no text is excluded here. Of the others, on such texts:
//!
//! - PyPI's `smsutil` 1.1.3 agrees with both; it takes the escape (U+001B) for a character of the
//!   alphabet, which shows only in texts that are GSM otherwise.
//! - npm's `sms-segments-calculator` 1.3.0 gives one more part to some 0.2 %: it splits nothing that a
//!   reader takes for one character, neither a flag nor a letter with its ZWNJ.
//! - PyPI's `sms-counter` 0.0.1 gives fewer parts to some 15 %: an emoji is one unit for it, pairs are
//!   split, and an empty text has none.

use std::collections::BTreeMap;

use chelseru_core::sms::count_parts;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sms_splitter::SplitSms;

const TEXTS: usize = 10_000;

/// The GSM 7-bit default alphabet (3GPP TS 23.038, table 6.2.1), and its extension table.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "^{}\\[]~|€\u{C}";
const LATIN: &str = "abcdefghijklmnopqrstuvwxyz ABCDEF 0123456789.,:\n";
const PERSIAN: &str = "آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی ۰۱۲۳۴۵۶۷۸۹؟،\u{200C}\n";
const EMOJI: &str = "🙂🔑🇮🇷👨👩👧\u{200D}🏽𝟙";
const OTHERS: &str = "`çêÁ\u{1B}\t\u{A0}\u{301}ي ك漢\u{FFFF}";

/// What a text is drawn from; a character of a later alphabet is rarer.
const ALPHABETS: [&[&str]; 10] = [
    &[LATIN],
    &[GSM],
    &[EXTENSION],
    &[GSM, EXTENSION],
    &[PERSIAN],
    &[EMOJI],
    &[PERSIAN, EMOJI],
    &[PERSIAN, LATIN, EXTENSION],
    &[LATIN, PERSIAN],
    &[GSM, EXTENSION, PERSIAN, EMOJI, OTHERS],
];

/// The lengths at which another part begins.
const BORDERS: [usize; 14] = [
    0, 35, 67, 70, 80, 134, 153, 160, 201, 268, 306, 335, 459, 612,
];

/// A text of about this many units, whichever the units of its encoding are.
fn text(random: &mut StdRng, alphabet: &[&str], units: usize) -> String {
    let mut text = String::new();
    let mut used = 0;
    while used < units {
        let mut which = 0;
        while which + 1 < alphabet.len() && random.random_range(0..8) == 0 {
            which += 1;
        }
        let count = alphabet[which].chars().count();
        let char = alphabet[which].chars().nth(random.random_range(0..count));
        let char = char.unwrap();
        used += if EXTENSION.contains(char) {
            2
        } else {
            char.len_utf16()
        };
        text.push(char);
    }
    text
}

fn length(random: &mut StdRng) -> usize {
    if random.random_range(0..4) == 0 {
        return random.random_range(0..700);
    }
    let border = BORDERS[random.random_range(0..BORDERS.len())];
    (border + random.random_range(0..7)).saturating_sub(3)
}

#[test]
fn parts_are_counted_as_another_counter_counts_them() {
    let seed: u64 = rand::rng().random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let splitter = SplitSms::default();
    let mut texts_of: BTreeMap<u32, usize> = BTreeMap::new();
    for _ in 0..TEXTS {
        let alphabet = ALPHABETS[random.random_range(0..ALPHABETS.len())];
        let units = length(&mut random);
        let text = text(&mut random, alphabet, units);
        let parts = count_parts(&text);
        let theirs = splitter.split(text.clone()).parts.len();
        assert_eq!(parts as usize, theirs, "seed {seed}: {text:?}");
        *texts_of.entry(parts).or_default() += 1;
    }
    // The texts were not all alike.
    for parts in 1..=5 {
        let texts = texts_of.get(&parts).copied().unwrap_or_default();
        assert!(texts > 100, "seed {seed}: {texts_of:?}");
    }
}
