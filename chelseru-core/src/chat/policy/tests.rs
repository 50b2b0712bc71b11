//! The truth table once more, written out by hand: every code, every verb, every target, every status.

use super::Verb::{
    AddMember, Ban, Close, Delete, DeleteOfOthers, HandOver, Kick, Leave, Permit, Read, Rename,
    Reopen, Unban, UpdateAvatar, Write,
};
use super::{Standing, Target, Verb};
use crate::chat::{ChatError, Permission, Permissions, RoomKind, RoomStatus};

/// Who the columns of the table are: the owner (with no code stored), a member without codes, one with
/// all codes and 0; members with one code alone, 0 to 12; members with 3 7, with 4 7, with 5 6, with
/// 5 6 7 10, with 1 6, with 1 5, with all but 0.
const COLUMNS: [&[i64]; 23] = [
    &[],
    &[],
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    &[0],
    &[1],
    &[2],
    &[3],
    &[4],
    &[5],
    &[6],
    &[7],
    &[8],
    &[9],
    &[10],
    &[11],
    &[12],
    &[3, 7],
    &[4, 7],
    &[5, 6],
    &[5, 6, 7, 10],
    &[1, 6],
    &[1, 5],
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
];

/// In a group that is open. y: may; n: may not; s: there is no such member; h: must hand over first.
#[rustfmt::skip]
const GROUP: [(&str, Verb, &str, WhileClosed); 43] = [
    ("read",                   Read,                              "yyy yyyyyyyyyyyyy yyyyyyy", GoesOn),
    ("leave others",           Leave { is_last: false },          "hyy yyyyyyyyyyyyy yyyyyyy", GoesOn),
    ("leave as the last",      Leave { is_last: true },           "yyy yyyyyyyyyyyyy yyyyyyy", GoesOn),
    ("write",                  Write,                             "ynn nynnnnnnnnnnn nnnnyyy", Stops),
    ("delete others'",         DeleteOfOthers,                    "ynn nnnynnnnnnnnn ynnnnny", Stops),
    ("add",                    AddMember,                         "ynn nnynnnnnnnnnn nnnnnny", Stops),
    ("kick a member",          Kick(member(&[1])),                "ynn nnnynnnnnnnnn ynnnnny", GoesOn),
    ("kick who has no code",   Kick(member(&[])),                 "ynn nnnynnnnnnnnn ynnnnny", GoesOn),
    ("kick a silenced member", Kick(member(&[0, 1])),             "ynn nnnynnnnnnnnn ynnnnny", GoesOn),
    ("kick an admin",          Kick(member(&[1, 2])),             "ynn nnnnnnnnnnnnn ynnnnny", GoesOn),
    ("kick a silenced admin",  Kick(member(&[0, 12])),            "ynn nnnnnnnnnnnnn ynnnnny", GoesOn),
    ("kick the owner",         Kick(Target::Owner),               "nnn nnnnnnnnnnnnn nnnnnnn", GoesOn),
    ("kick oneself",           Kick(Target::Oneself),             "nnn nnnnnnnnnnnnn nnnnnnn", GoesOn),
    ("kick a stranger",        Kick(Target::Stranger),            "snn nnnsnnnnnnnnn snnnnns", GoesOn),
    ("ban a member",           Ban(member(&[1])),                 "ynn nnnnynnnnnnnn nynnnny", GoesOn),
    ("ban an admin",           Ban(member(&[1, 7])),              "ynn nnnnnnnnnnnnn nynnnny", GoesOn),
    ("ban a stranger",         Ban(Target::Stranger),             "ynn nnnnynnnnnnnn nynnnny", GoesOn),
    ("ban the owner",          Ban(Target::Owner),                "nnn nnnnnnnnnnnnn nnnnnnn", GoesOn),
    ("ban oneself",            Ban(Target::Oneself),              "nnn nnnnnnnnnnnnn nnnnnnn", GoesOn),
    ("unban",                  Unban,                             "ynn nnnnynnnnnnnn nynnnny", GoesOn),
    ("change nothing",         permit(&[1], &[1]),                "ynn nnnnnyynnnnnn nnyyyyy", Stops),
    ("give 10",                permit(&[1], &[1, 10]),            "ynn nnnnnnnnnnnnn nnnynny", Stops),
    ("give 5",                 permit(&[1], &[1, 5]),             "ynn nnnnnynnnnnnn nnyynyy", Stops),
    ("give 1",                 permit(&[], &[1]),                 "ynn nnnnnnnnnnnnn nnnnnyy", Stops),
    ("take 10",                permit(&[1, 10], &[1]),            "ynn nnnnnnnnnnnnn nnnynny", Stops),
    ("take 6",                 permit(&[1, 6], &[1]),             "ynn nnnnnnnnnnnnn nnnynny", Stops),
    ("take 1",                 permit(&[1], &[]),                 "ynn nnnnnnnnnnnnn nnnnyny", Stops),
    ("give 5 and take 10",     permit(&[1, 10], &[1, 5]),         "ynn nnnnnnnnnnnnn nnnynny", Stops),
    ("silence",                permit(&[1], &[0, 1]),             "ynn nnnnnnnnnnnnn nnnnyny", Stops),
    ("silence no code",        permit(&[], &[0]),                 "ynn nnnnnnynnnnnn nnyyyny", Stops),
    ("silence an admin",       permit(&[1, 10], &[0, 1, 10]),     "ynn nnnnnnnnnnnnn nnnnnny", Stops),
    ("let speak",              permit(&[0, 1], &[1]),             "ynn nnnnnnnnnnnnn nnnnnyy", Stops),
    ("let speak no code",      permit(&[0], &[]),                 "ynn nnnnnynnnnnnn nnyynyy", Stops),
    ("give 10 behind 0",       permit(&[0, 1], &[0, 1, 10]),      "ynn nnnnnnnnnnnnn nnnynny", Stops),
    ("take 10 behind 0",       permit(&[0, 1, 10], &[0, 1]),      "ynn nnnnnnnnnnnnn nnnynny", Stops),
    ("change a stranger",      Permit(Target::Stranger, MEMBER),  "snn nnnnnssnnnnnn nnsssss", Stops),
    ("change the owner",       Permit(Target::Owner, MEMBER),     "nnn nnnnnnnnnnnnn nnnnnnn", Stops),
    ("change oneself",         Permit(Target::Oneself, MEMBER),   "nnn nnnnnnnnnnnnn nnnnnnn", Stops),
    ("close",                  Close,                             "ynn nnnnnnnnynnnn nnnnnny", GoesOn),
    ("reopen",                 Reopen,                            "ynn nnnnnnnnnynnn nnnnnny", GoesOn),
    ("rename",                 Rename,                            "ynn nnnnnnnnnnynn nnnynny", Stops),
    ("change the picture",     UpdateAvatar,                      "ynn nnnnnnnnnnnyn nnnnnny", Stops),
    ("delete",                 Delete,                            "ynn nnnnnnnnnnnny nnnnnny", GoesOn),
];

#[rustfmt::skip]
const HANDING_OVER: [(&str, Verb, &str, WhileClosed); 4] = [
    ("to a member",            HandOver(member(&[1])),            "ynn nnnnnnnnnnnnn nnnnnnn", GoesOn),
    ("to a stranger",          HandOver(Target::Stranger),        "snn nnnnnnnnnnnnn nnnnnnn", GoesOn),
    ("to the owner",           HandOver(Target::Owner),           "nnn nnnnnnnnnnnnn nnnnnnn", GoesOn),
    ("to oneself",             HandOver(Target::Oneself),         "nnn nnnnnnnnnnnnn nnnnnnn", GoesOn),
];

use self::WhileClosed::{GoesOn, Stops};

#[derive(Clone, Copy, PartialEq)]
enum WhileClosed {
    GoesOn,
    Stops,
}

const MEMBER: Permissions = Permissions::MEMBER;

const fn codes(codes: &[u16]) -> Permissions {
    let mut bits = 0;
    let mut place = 0;
    while place < codes.len() {
        bits |= 1 << codes[place];
        place += 1;
    }
    Permissions::from_bits(bits)
}

const fn member(its_codes: &[u16]) -> Target {
    Target::Member(codes(its_codes))
}

const fn permit(before: &[u16], after: &[u16]) -> Verb {
    Permit(member(before), codes(after))
}

fn standing(column: usize, kind: RoomKind, status: RoomStatus) -> Standing {
    let codes = COLUMNS[column].iter();
    Standing {
        kind,
        status,
        is_owner: column == 0 && kind == RoomKind::Group,
        permissions: codes
            .filter_map(|code| Permission::from_code(*code))
            .collect(),
    }
}

fn letter(answer: &Result<(), ChatError>) -> char {
    match answer {
        Ok(()) => 'y',
        Err(ChatError::NotPermitted) => 'n',
        Err(ChatError::NoSuchMember) => 's',
        Err(ChatError::OwnerMustHandOver) => 'h',
        Err(ChatError::RoomClosed) => 'c',
        Err(ChatError::RoomOnHold) => 'o',
        Err(other) => panic!("{other:?}"),
    }
}

fn assert_row(name: &str, verb: Verb, kind: RoomKind, status: RoomStatus, expected: &str) {
    let answers: String = (0..COLUMNS.len())
        .map(|column| letter(&standing(column, kind, status).may(verb)))
        .collect();
    assert_eq!(
        answers,
        expected.replace(' ', ""),
        "{name}, {kind:?}, {status:?}"
    );
}

#[test]
fn in_a_group_every_code_allows_what_the_table_says_and_nothing_else() {
    for (name, verb, open, while_closed) in GROUP.into_iter().chain(HANDING_OVER) {
        assert_row(name, verb, RoomKind::Group, RoomStatus::Open, open);
        for (status, refused) in [(RoomStatus::Closed, "c"), (RoomStatus::Hold, "o")] {
            let expected = match while_closed {
                GoesOn => open.to_owned(),
                Stops => open.replace('y', refused),
            };
            assert_row(name, verb, RoomKind::Group, status, &expected);
        }
    }
}

#[test]
fn in_a_room_for_two_one_reads_leaves_and_writes_and_nothing_else_whatever_the_codes() {
    const EVERYONE: &str = "yyy yyyyyyyyyyyyy yyyyyyy";
    const NOBODY: &str = "nnn nnnnnnnnnnnnn nnnnnnn";
    for (name, verb, ..) in GROUP.into_iter().chain(HANDING_OVER) {
        let (open, closed) = match verb {
            Read | Leave { .. } => (EVERYONE, EVERYONE),
            Write => ("nnn nynnnnnnnnnnn nnnnyyy", "nnn ncnnnnnnnnnnn nnnnccc"),
            _ => (NOBODY, NOBODY),
        };
        assert_row(name, verb, RoomKind::Pair, RoomStatus::Open, open);
        assert_row(name, verb, RoomKind::Pair, RoomStatus::Closed, closed);
        let on_hold = closed.replace('c', "o");
        assert_row(name, verb, RoomKind::Pair, RoomStatus::Hold, &on_hold);
    }
}

mod standings {
    use super::super::{Standing, Target};
    use crate::chat::{
        ChatError, Membership, Permissions, Room, RoomId, RoomKind, RoomStatus, Seq,
    };
    use crate::clock::Timestamp;
    use crate::user::UserId;

    fn room(kind: RoomKind, owner: Option<i64>) -> Room {
        Room {
            id: RoomId(1),
            kind,
            owner: owner.map(UserId),
            name: None,
            description: None,
            avatar_url: None,
            status: RoomStatus::Open,
            revision: 1,
            last_seq: Seq(0),
            member_count: 2,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    fn membership(user: i64, is_banned: bool) -> Membership {
        Membership {
            user: UserId(user),
            username: String::new(),
            permissions: Permissions::MEMBER,
            banned_at: is_banned.then(Timestamp::default),
            joined_at: Timestamp::default(),
            read_seq: Seq(0),
            is_pinned: false,
            is_muted: false,
        }
    }

    #[test]
    fn who_is_no_member_or_is_banned_has_none() {
        let group = room(RoomKind::Group, Some(1));
        assert_eq!(Standing::of(&group, None), Err(ChatError::NoSuchRoom));
        // Even the owner, should a store ever ban one.
        for user in [1, 2] {
            let banned = membership(user, true);
            assert_eq!(
                Standing::of(&group, Some(&banned)),
                Err(ChatError::NoSuchRoom)
            );
        }
    }

    #[test]
    fn only_a_group_has_an_owner() {
        let is_owner = |room: &Room, user| {
            let standing = Standing::of(room, Some(&membership(user, false)));
            standing.unwrap().is_owner
        };
        assert!(is_owner(&room(RoomKind::Group, Some(1)), 1));
        assert!(!is_owner(&room(RoomKind::Group, Some(1)), 2));
        assert!(!is_owner(&room(RoomKind::Group, None), 1));
        assert!(!is_owner(&room(RoomKind::Pair, Some(1)), 1));
    }

    #[test]
    fn a_target_is_oneself_the_owner_a_member_or_a_stranger() {
        let group = room(RoomKind::Group, Some(1));
        let target = |user: i64, other: i64, is_banned| {
            let membership = membership(other, is_banned);
            Target::of(UserId(user), UserId(other), &group, Some(&membership))
        };
        assert_eq!(target(2, 2, false), Target::Oneself);
        assert_eq!(target(1, 1, false), Target::Oneself);
        assert_eq!(target(2, 1, false), Target::Owner);
        assert_eq!(target(1, 2, false), Target::Member(Permissions::MEMBER));
        assert_eq!(target(1, 2, true), Target::Stranger);
        assert_eq!(
            Target::of(UserId(1), UserId(2), &group, None),
            Target::Stranger
        );
    }
}
