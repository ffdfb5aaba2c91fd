"""Users of another instance, of whom an instance keeps only those that its clients watch."""

from presence.conftest import KEY
from support.deadline import eventually


def test_lists_and_checks_reach_users_that_no_client_here_watches(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    users = [f"u{number:02}" for number in range(25)]
    chats = [make_chat(one, user) for user in users]
    eventually(lambda: pair.online(two) == len(users), "all are counted")
    found, cursor = [], ""
    while True:
        page = two.get(f"/api/online-users?limit=10{cursor}", headers=KEY).json()
        assert page["count"] == len(users)
        found.append([user["id"] for user in page["data"]])
        if "cursor" not in page:
            break
        cursor = f"&cursor={page['cursor']}"
    assert found == [users[:10], users[10:20], users[20:]]
    status = two.get(f"/online-status?ids=absent,{users[3]}", headers=KEY).json()
    assert [each["online"] for each in status] == [False, True]
    asking = make_chat(two, "asking")
    assert asking.ask("get_online_count")["count"] == len(users) + 1
    assert asking.ask("check_user_status", {"targetUserId": users[7]})["status"] == "online"
    assert asking.ask("get_all_online_users") == ["asking", *users]
    assert len(chats) == len(users)


def test_a_user_is_watched_from_the_moment_of_the_snapshot_on(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    alice = make_chat(one, "alice")
    alice.ask("set_status", {"status": "busy"})
    chat = make_chat(two, "watcher")
    for status in ("away", "online", "busy"):
        before = chat.ask("subscribe_presence", {"userIds": ["alice"]})["users"]
        alice.ask("set_status", {"status": status})
        change = chat.expect("user_status_change")
        assert change["status"] == status and before[0]["status"] != status
        chat.ask("unsubscribe_presence")
        chat.inbox.clear()


def test_a_user_hidden_elsewhere_is_not_shown_by_a_join_at_once(make_pair, make_chat, room):
    pair = make_pair()
    one, two = pair.servers
    phone = make_chat(one, "alice")
    phone.ask("set_status", {"status": "invisible"})
    bob = make_chat(two, "bob")
    bob.join(room)
    for _ in range(5):
        desk = make_chat(two, "alice")
        desk.join(room)
        assert bob.join(room)["state"]["online"] == 1
        desk.close()
        eventually(lambda: pair.keys.hlen("chat-service:user:alice") == 2, "the connection's session is gone")
    bob.read_for(0.7)
    assert bob.events("user_joined") == []
