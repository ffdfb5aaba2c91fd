"""History over REST: cursors, pages, bad parameters, and answers that have not changed."""

import pytest
import requests

COUNT = 120


@pytest.fixture(scope="module")
def told(shared):
    """A room that holds 120 messages."""
    shared.post("/api/rooms", headers={"X-User-Id": "teller"}, json={"roomId": "told"})
    with requests.Session() as session:
        for number in range(1, COUNT + 1):
            answer = session.post(
                f"{shared.url}/api/chat/told/messages",
                headers={"X-User-Id": "teller", "X-Username": "The Teller"},
                json={"message": f"message {number}", "metadata": {"n": number}},
            )
            assert answer.status_code == 201 and answer.json()["seq"] == number
    return shared


def page(told, query=""):
    answer = told.get(f"/api/chat/told/history{query}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["success"] is True
    seqs = [message["seq"] for message in body["messages"]]
    assert body["firstSeq"] == (seqs[0] if seqs else None) and body["lastSeq"] == (seqs[-1] if seqs else None)
    return seqs, body


def span(first, last):
    return list(range(first, last + 1))


@pytest.mark.parametrize(
    ("query", "seqs", "has_more"),
    [
        ("", span(71, 120), True),
        ("?limit=10", span(111, 120), True),
        ("?limit=120", span(1, 120), False),
        ("?limit=1000", span(1, 120), False),
        ("?before=71", span(21, 70), True),
        ("?before=51", span(1, 50), False),
        ("?before=11&limit=5", span(6, 10), True),
        ("?before=2", [1], False),
        ("?before=1", [], False),
        ("?before=0", [], False),
        ("?before=9223372036854775807&limit=1", [120], True),
        ("?after=0&limit=50", span(1, 50), True),
        ("?after=70", span(71, 120), False),
        ("?after=69", span(70, 119), True),
        ("?after=119", [120], False),
        ("?after=120", [], False),
        ("?after=9223372036854775807", [], False),
    ],
)
def test_cursors(told, query, seqs, has_more):
    got, body = page(told, query)
    assert got == seqs and body["hasMore"] is has_more


@pytest.mark.parametrize(
    ("query", "seqs", "before", "after"),
    [
        ("?around=60&limit=11", span(55, 65), True, True),
        ("?around=120&limit=5", span(118, 120), True, False),
        ("?around=1&limit=5", span(1, 3), False, True),
        ("?around=60&limit=1", [60], True, True),
        ("?around=60&limit=1000", span(1, 120), False, False),
    ],
)
def test_around_puts_a_message_in_the_middle(told, query, seqs, before, after):
    got, body = page(told, query)
    number = int(query.split("=")[1].split("&")[0])
    assert number in got and set(got) <= set(span(1, 120))
    assert got == span(got[0], got[-1])
    assert abs((number - got[0]) - (got[-1] - number)) <= 1 or got[0] == 1 or got[-1] == 120
    assert set(seqs) <= set(got)
    assert (body["hasMoreBefore"], body["hasMoreAfter"]) == (got[0] > 1, got[-1] < 120)
    assert (body["hasMoreBefore"], body["hasMoreAfter"]) == (before, after)


def test_consecutive_pages_add_up_to_the_history(told):
    backwards, query = [], "?limit=17"
    while True:
        seqs, body = page(told, query)
        backwards = seqs + backwards
        if not body["hasMore"]:
            break
        query = f"?limit=17&before={body['firstSeq']}"
    assert backwards == span(1, 120)


def test_a_message_has_the_fields_of_the_live_event(told):
    _, body = page(told, "?limit=1")
    message = body["messages"][0]
    assert set(message) == {"messageId", "seq", "roomId", "userId", "username", "message", "messageType", "timestamp",
                            "metadata"}  # fmt: skip
    assert message["username"] == "The Teller" and message["metadata"] == {"n": 120}
    assert message["roomId"] == "told" and message["messageType"] == "text"
    assert isinstance(message["timestamp"], int)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=-1", "limit=ten", "limit=", "limit=1.5", "before=-1", "before=x", "before=",
     "after=1e3", "after=9223372036854775808", "around=+", "before=1&after=2", "around=1&before=3", "limit=%00"],
)  # fmt: skip
def test_refusals_name_the_bad_parameter(told, query):
    answer = told.get(f"/api/chat/told/history?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "bad_request" and problem["status"] == 400 and problem["success"] is False
    assert query.split("=")[0] in problem["detail"] or "only one" in problem["detail"]


def test_unknown_parameters_are_ignored(told):
    assert page(told, "?limit=1&colour=blue")[0] == [120]


def test_the_older_path_is_the_same(told):
    assert told.get("/chat/told/history?limit=3").json() == told.get("/api/chat/told/history?limit=3").json()


def test_an_answer_that_has_not_changed_is_not_sent_again(told):
    path = "/api/chat/told/history?limit=5"
    first = told.get(path)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = told.get(path, headers={"If-None-Match": given})
        assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == tag
    assert told.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert told.get("/api/chat/told/history?limit=6", headers={"If-None-Match": tag}).status_code == 200


def test_a_new_message_makes_a_new_tag(shared, room):
    shared.post("/api/rooms", headers={"X-User-Id": "a"}, json={"roomId": room})
    path = f"/api/chat/{room}/history"
    empty = shared.get(path)
    assert empty.json()["messages"] == [] and empty.json()["firstSeq"] is None and empty.json()["lastSeq"] is None
    shared.post(f"/api/chat/{room}/messages", headers={"X-User-Id": "a"}, json={"message": "x"})
    filled = shared.get(path, headers={"If-None-Match": empty.headers["ETag"]})
    assert filled.status_code == 200 and filled.headers["ETag"] != empty.headers["ETag"]


def test_whatever_changes_a_message_makes_a_new_tag(shared, room):
    user = {"X-User-Id": "a"}
    shared.post("/api/rooms", headers=user, json={"roomId": room})
    messages = f"/api/chat/{room}/messages"
    first = shared.post(messages, headers=user, json={"message": "x"}).json()["messageId"]
    changes = [
        ("PATCH", f"{messages}/{first}", {"message": "y"}),
        ("PUT", f"{messages}/{first}/reactions/%F0%9F%91%8D", None),
        ("POST", messages, {"message": "an answer", "replyTo": first}),
        ("DELETE", f"{messages}/{first}", None),
    ]
    # The page of the first message alone: its answer is not on it.
    path = f"/api/chat/{room}/history?after=0&limit=1"
    seen = shared.get(path)
    for method, target, body in changes:
        assert shared.request(method, target, headers=user, json=body).status_code < 300, target
        found = shared.get(path, headers={"If-None-Match": seen.headers["ETag"]})
        assert found.status_code == 200 and found.json() != seen.json(), target
        assert shared.get(path, headers={"If-None-Match": found.headers["ETag"]}).status_code == 304
        seen = found


def test_tags_do_not_outlive_the_process(make_server):
    """What was erased before a start is not counted any more."""
    server = make_server({})
    server.post("/api/rooms", headers={"X-User-Id": "a"}, json={"roomId": "r"})
    server.post("/api/chat/r/messages", headers={"X-User-Id": "a"}, json={"message": "x"})
    before = server.get("/api/chat/r/history")
    server.stop()
    server.start()
    after = server.get("/api/chat/r/history", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and after.json() == before.json()


def test_head_gives_the_length_and_no_body(told):
    path = "/api/chat/told/history?limit=5"
    whole, head = told.get(path), told.request("HEAD", path)
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Length"] == str(len(whole.content))
    assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize("id", ["a b", "ünï/cödé", "a/b", "100%", "q?x=1", "semi;colon", "\U0001f600", "a+b", "..", "%2F"])
def test_room_ids_are_percent_decoded_once(shared, id):
    made = shared.post("/api/rooms", headers={"X-User-Id": "a"}, json={"roomId": id})
    assert made.status_code == 201 and made.json()["room"]["roomId"] == id
    encoded = "".join(f"%{byte:02X}" for byte in id.encode())
    sent = shared.post(f"/api/chat/{encoded}/messages", headers={"X-User-Id": "a"}, json={"message": id})
    assert sent.status_code == 201, sent.text
    history = shared.get(f"/api/chat/{encoded}/history").json()
    assert [m["roomId"] for m in history["messages"]] == [id]


@pytest.mark.parametrize("path", ["%", "%2", "%zz", "%00", "%ff%fe", "x" * 129])
def test_invalid_room_ids_are_refused(wire, path):
    answer = wire().ask(f"GET /api/chat/{path}/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.status == 400, answer
    assert answer.json()["code"] == "bad_request"
