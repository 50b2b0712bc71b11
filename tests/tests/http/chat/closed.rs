//! Rooms that are closed or on hold.

use chelseru_tests::{Database, on_both_databases};
use serde_json::json;

use super::Scene;

on_both_databases! {
    in_a_closed_room_nobody_writes_and_its_admins_go_on
}

async fn in_a_closed_room_nobody_writes_and_its_admins_go_on(database: Database) {
    let scene = Scene::<5>::new(database).await;
    let Scene { server, people } = &scene;
    let [owner, member, kicked, banned, outsider] = people;
    let room = owner.group(server, &[member, kicked, banned]).await;
    let id = owner.say(server, room, "a").await;
    let path = format!("chatrooms/{room}/");
    for (status, code) in [(2, "room_closed"), (3, "room_on_hold")] {
        let change = owner.patch(server, &path, &json!({ "status": status }));
        change.await.assert_status(200);
        let members = format!("{path}members/{}/", member.id);
        let name = json!({ "name": "x" });
        for call in [
            owner.send(server, room, "b"),
            member.send(server, room, "b"),
            member.post(server, &format!("{path}typing/"), &json!({})),
            owner.patch(server, &format!("messages/{id}/"), &json!({ "text": "b" })),
            owner.delete(server, &format!("messages/{id}/")),
            owner.patch(server, &path, &name),
            owner.patch(server, &members, &json!({ "permissions": [1, 2] })),
            owner.post(
                server,
                &format!("{path}members/"),
                &json!({ "user": outsider.id }),
            ),
        ] {
            let answer = call.await;
            answer.assert_status(403);
            assert_eq!(answer.field("code"), code, "{answer:?}");
        }
        assert_eq!(member.texts(server, room).await, ["a"]);
        let read = member.post(server, &format!("{path}read/"), &json!({ "seq": 1 }));
        read.await.assert_json(200, &json!({ "read_seq": 1 }));
    }
    let kick = owner.delete(server, &format!("{path}members/{}/", kicked.id));
    kick.await.assert_status(204);
    let user = json!({ "user": banned.id });
    let ban = owner.post(server, &format!("{path}bans/"), &user).await;
    ban.assert_status(201);
    member
        .patch(server, &path, &json!({ "status": 1 }))
        .await
        .assert_status(403);
    let leave = member.post(server, &format!("{path}leave/"), &json!({}));
    leave.await.assert_status(204);

    // By one request, for whoever opens it anyway.
    let open = owner
        .patch(server, &path, &json!({ "status": 1, "name": "باز" }))
        .await;
    open.assert_status(200);
    assert_eq!(open.field("status"), 1);
    assert_eq!(open.field("name"), "باز");
    owner.send(server, room, "b").await.assert_status(201);
}
