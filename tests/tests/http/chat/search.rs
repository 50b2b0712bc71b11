//! Finding messages by words, however the words are written.

use chelseru_tests::{Answer, Database, on_both_databases};

use super::{Scene, texts};

on_both_databases! {
    words_are_found_in_any_form_of_their_letters
    what_is_found_is_what_the_reader_may_see
    what_is_found_comes_in_pages
}

async fn words_are_found_in_any_form_of_their_letters(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    let all = [
        "علی کتاب را می‌خواند",
        "عَلِيّ كتاب",
        "فاطمة",
        "شماره ۱۲۳",
        "Hello World",
        "100% _x_ 'a' \\",
    ];
    for text in all {
        one.say(server, room, text).await;
    }
    let search = async |words: &str| {
        let query = [
            ("chat_room", room.to_string()),
            ("search", words.to_owned()),
        ];
        let query = serde_urlencoded::to_string(query).unwrap();
        other.get(server, &format!("messages/?{query}")).await
    };
    for (words, found) in [
        ("علي", &[1, 0][..]),
        ("علی كتاب", &[1, 0][..]),
        ("كِتاب", &[1, 0]),
        ("میخواند", &[0]),
        ("فاطمه", &[2]),
        ("123", &[3]),
        ("١٢٣", &[3]),
        (" WORLD ", &[4]),
        ("lo wo", &[4]),
        // Nothing in it stands for anything else.
        ("%", &[5]),
        ("_", &[5]),
        ("_x_", &[5]),
        ("'a'", &[5]),
        ("\\", &[5]),
        ("100%_", &[]),
        ("h*", &[]),
        ("نیست", &[]),
    ] {
        let expected: Vec<_> = found.iter().map(|place| all[*place]).collect();
        assert_eq!(texts(&search(words).await), expected, "{words}");
    }
    let is_refused = |answer: Answer| {
        answer.assert_faulty_fields(&["search"]);
    };
    for words in ["", " ", "\u{200C}", "\u{0}", &"x".repeat(201)] {
        is_refused(search(words).await);
    }
}

async fn what_is_found_is_what_the_reader_may_see(database: Database) {
    let scene = Scene::<3>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other, stranger] = people;
    let room = one.pair(server, other).await;
    let elsewhere = one.pair(server, stranger).await;
    one.say(server, elsewhere, "word elsewhere").await;
    let deleted = one.say(server, room, "word deleted").await;
    let hidden = one.say(server, room, "word hidden").await;
    let edited = one.say(server, room, "word edited").await;
    one.say(server, room, "word").await;
    one.delete(server, &format!("messages/{deleted}/"))
        .await
        .assert_status(204);
    other
        .delete(server, &format!("messages/{hidden}/?for=me"))
        .await
        .assert_status(204);
    let edit = serde_json::json!({ "text": "another" });
    one.patch(server, &format!("messages/{edited}/"), &edit)
        .await
        .assert_status(200);
    let path = format!("messages/?chat_room={room}&search=word");
    assert_eq!(texts(&other.get(server, &path).await), ["word"]);
    assert_eq!(
        texts(&one.get(server, &path).await),
        ["word", "word hidden"]
    );
    let anew = format!("messages/?chat_room={room}&search=another");
    assert_eq!(texts(&other.get(server, &anew).await), ["another"]);
    stranger.get(server, &path).await.assert_status(404);
}

async fn what_is_found_comes_in_pages(database: Database) {
    let scene = Scene::<2>::new(database).await;
    let Scene { server, people } = &scene;
    let [one, other] = people;
    let room = one.pair(server, other).await;
    for number in 0..5 {
        one.say(server, room, &format!("کلمه {number}")).await;
        one.say(server, room, "چیز دیگر").await;
    }
    let path = format!("messages/?chat_room={room}&page_size=2&search=%DA%A9%D9%84%D9%85%D9%87");
    let mut page = one.get(server, &path).await;
    let mut found = texts(&page);
    loop {
        let next = page.field("next");
        if next.is_null() {
            break;
        }
        one.say(server, room, "کلمه‌ای تازه").await;
        page = one.follow(server, &next).await;
        found.extend(texts(&page));
    }
    assert_eq!(found, ["کلمه 4", "کلمه 3", "کلمه 2", "کلمه 1", "کلمه 0"]);
}
