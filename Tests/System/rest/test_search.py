"""Searching messages and people over REST."""

import pytest

ENVIRONMENT = {"SERVICE_API_KEY": "service-key-of-the-test-suite-0123456789"}
SERVICE = {"X-Service-Key": ENVIRONMENT["SERVICE_API_KEY"]}


def by(user):
    return {"X-User-Id": user}


def search(server, user, q, **more):
    answer = server.get("/api/search", headers=by(user), params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(server, user, q, **more):
    return [result["message"] for result in search(server, user, q, **more)["results"]]


def test_an_acknowledged_message_is_found_at_once_with_its_highlights(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    alice.send(room, "first wombat")
    sent = alice.send(room, "😀 the WÖMBAT, a wombats' wombat", metadata={"a": 1})
    answer = search(shared, "alice", "wombat", roomId=room)
    assert answer["success"] is True and "cursor" not in answer
    newest = answer["results"][0]
    assert newest["messageId"] == sent["messageId"] and newest["seq"] == 2 and newest["roomId"] == room
    assert newest["metadata"] == {"a": 1}
    units = newest["message"].encode("utf-16-le")
    cut = [units[2 * start : 2 * end].decode("utf-16-le") for start, end in newest["highlights"]]
    assert cut == ["WÖMBAT", "wombat"]
    assert newest["highlights"] == [[7, 13], [26, 32]]
    assert texts(shared, "alice", "wombat*", roomId=room)[0] == sent_text(newest)
    assert texts(shared, "alice", '"first wombat"', roomId=room) == ["first wombat"]


def sent_text(result):
    return result["message"]


def test_only_rooms_that_the_caller_may_read_are_searched(shared, room):
    private, direct = room + "-private", None
    made = shared.post("/api/rooms", headers=by("ann"), json={"roomId": private, "private": True, "participants": ["bob"]})
    assert made.status_code == 201
    made = shared.post("/api/rooms", headers=by("ann"), json={"type": "direct", "participants": ["bob"]})
    direct = made.json()["room"]["roomId"]
    shared.post("/api/rooms", headers=by("ann"), json={"roomId": room})
    word = "z" + str(abs(hash(room)))
    for place in (private, direct, room):
        sent = shared.post(f"/api/chat/{place}/messages", headers=by("ann"), json={"message": f"{word} {place}"})
        assert sent.status_code == 201
    assert texts(shared, "bob", word) == [f"{word} {place}" for place in (room, direct, private)]
    assert texts(shared, "eve", word) == [f"{word} {room}"]
    refused = shared.get("/api/search", headers=by("eve"), params={"q": word, "roomId": private})
    unknown = shared.get("/api/search", headers=by("eve"), params={"q": word, "roomId": "nowhere-" + room})
    assert refused.status_code == unknown.status_code == 403
    assert refused.json()["code"] == unknown.json()["code"] == "forbidden"
    gone = shared.delete(f"/api/rooms/{private}/participants/bob", headers=by("ann"))
    assert gone.status_code == 200
    assert texts(shared, "bob", word) == [f"{word} {room}", f"{word} {direct}"]


def test_pages_and_filters(shared, make_chat, room):
    alice, bob = make_chat(shared, "alice"), make_chat(shared, "bob")
    for chat in (alice, bob):
        chat.join(room)
    for number in range(7):
        (alice, bob)[number % 2].send(room, f"paged {number}")
    found, before = [], {}
    while True:
        page = search(shared, "alice", "paged", roomId=room, limit=3, **before)
        found += [result["seq"] for result in page["results"]]
        if "cursor" not in page:
            break
        assert len(page["results"]) == 3
        before = {"before": page["cursor"]}
    assert found == [7, 6, 5, 4, 3, 2, 1]
    assert [r["userId"] for r in search(shared, "alice", "paged", roomId=room, **{"from": "bob"})["results"]] == ["bob"] * 3
    assert texts(shared, "alice", "paged", roomId=room, messageType="image") == []


@pytest.mark.parametrize(
    "q",
    ["AND OR NOT NEAR(a b, 5)", '"unclosed', "'; DROP TABLE messages; --", "message:a -b +c ^d", "{$where: 1}", "a" * 512,
     "%_%qa", "\\qa", "👩‍👩‍👧", "\ud7ff\ue000qa", "[[", "a*b*c*"],
)  # fmt: skip
def test_operators_and_quotes_are_words_or_nothing(shared, q):
    answer = shared.get("/api/search", headers=by("alice"), params={"q": q})
    if any(character.isalnum() or character == "👩" for character in q):
        assert answer.status_code == 200 and answer.json()["results"] == []
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "query",
    ["", "q=", "q=%20", "q=%22%22", "q=-*%2B", "q=a%00b", "q=" + "a" * 10_000, "q=" + "a%20" * 2500, "q=a&limit=0",
     "q=a&limit=101", "q=a&limit=x", "q=a&before=x", "q=a&before=%00", "q=a&before=" + "m" * 100, "q=a&roomId=",
     "q=a&from=%0A", "q=a&messageType=" + "x" * 33, "q=" + "%20".join(f"w{n}" for n in range(33)), "q=a&before=m-1",
     "q=a&before=m9223372036854775807"],
)  # fmt: skip
def test_bad_searches_are_refused(shared, query):
    answer = shared.get("/api/search?" + query, headers=by("alice"))
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "bad_request"


@pytest.mark.parametrize("before", ["p-9223372036854775808", "p9223372036854775807", "p0", "p-1"])
def test_extreme_cursors_are_pages(shared, before):
    assert search(shared, "alice", "zzzz", before=before)["results"] == []


def test_a_search_needs_a_caller_with_a_name(shared):
    assert shared.get("/api/search?q=a").status_code == 401
    assert shared.get("/api/search?q=a", headers=SERVICE).status_code == 401
    assert shared.get("/api/search?q=a", headers=SERVICE | by("ann")).status_code == 200


def test_people_are_found_by_id_username_and_name(shared, make_chat):
    for user, profile in {
        "finder-1": {"name": "Zoë Quixley", "username": "zq", "avatar": "https://example.com/a.png", "email": "z@example.com"},
        "finder-2": {"name": "Adam Quixleyson"},
    }.items():
        assert shared.put(f"/api/users/{user}/profile", headers=SERVICE, json=profile).status_code == 200
    online = make_chat(shared, "finder-2")

    def people(q, **more):
        answer = shared.get("/api/users", headers=by("alice"), params={"q": q, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    found = people("quixley")
    assert [set(user) for user in found] == [{"userId", "username", "name", "avatar", "status"}] * 2
    assert found[0] == {
        "userId": "finder-1", "username": "zq", "name": "Zoë Quixley", "avatar": "https://example.com/a.png", "status": "offline",
    }  # fmt: skip
    assert found[1]["status"] == "online" and found[1]["avatar"] is None
    assert [user["userId"] for user in people("ZOE qui")] == ["finder-1"]
    assert [user["userId"] for user in people("finder-2")] == ["finder-2"]
    assert [user["userId"] for user in people("finder", limit=1)] == ["finder-1"]
    online.ask("set_status", {"status": "invisible"})
    assert people("finder-2")[0]["status"] == "offline"


@pytest.mark.parametrize("query", ["", "q=", "q=..", "q=a%00", "q=" + "a" * 129, "q=a&limit=0", "q=a&limit=101"])
def test_bad_searches_for_people_are_refused(shared, query):
    answer = shared.get("/api/users?" + query, headers=by("alice"))
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"


def test_with_friends_only_friends_are_found(make_server):
    server = make_server(ENVIRONMENT | {"PRESENCE_VISIBILITY": "friends"})
    for user in ("pat-ann", "pat-bob", "pat-eve"):
        server.put(f"/api/users/{user}/profile", headers=SERVICE, json={"name": "Pat"})
    server.put("/api/users/pat-ann/friends/pat-bob", headers=SERVICE)

    def people(headers):
        return [user["userId"] for user in server.get("/api/users?q=pat", headers=headers).json()]

    assert people(by("pat-ann")) == ["pat-ann", "pat-bob"]
    assert people(by("pat-eve")) == ["pat-eve"]
    assert people(SERVICE) == ["pat-ann", "pat-bob", "pat-eve"]


def test_what_was_found_is_found_after_a_kill(make_server, make_chat, room):
    server = make_server()
    alice = make_chat(server, "alice")
    alice.join(room)
    for number in range(30):
        alice.send(room, f"durable {number}")
    expected = [f"durable {number}" for number in reversed(range(30))]
    assert texts(server, "alice", "durable", limit=100) == expected
    server.kill()
    server.start()
    assert texts(server, "alice", "durable", limit=100) == expected


def test_edits_and_deletions_are_followed_at_once(shared, make_chat, room):
    alice, bob = make_chat(shared, "alice"), make_chat(shared, "bob")
    for chat in (alice, bob):
        chat.join(room)
    edited, deleted = (alice.send(room, f"{animal} here")["messageId"] for animal in ("zebra", "okapi"))
    for _ in range(3):
        bob.send(room, "hello <@alice>", mentions=["alice"])
    assert shared.patch(f"/api/chat/{room}/messages/{edited}", headers=by("alice"), json={"message": "giraffe"}).status_code == 200
    assert shared.delete(f"/api/chat/{room}/messages/{deleted}", headers=by("alice")).status_code == 200
    assert texts(shared, "bob", "zebra", roomId=room) == texts(shared, "bob", "okapi", roomId=room) == []
    found = search(shared, "bob", "giraffe", roomId=room)["results"]
    assert [result["message"] for result in found] == ["giraffe"] and found[0]["editedAt"] > 0

    def counts(user):
        rooms = shared.get("/api/rooms", headers=by(user)).json()["rooms"]
        return next((each["unread"], each["mentions"]) for each in rooms if each["roomId"] == room)

    assert counts("bob") == (0, 0)
    assert counts("alice") == (3, 3)
