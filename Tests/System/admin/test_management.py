"""The fleet as operators see it through any of its instances, and what they do to it."""

import concurrent.futures

import pytest

from operating import ENVIRONMENT, KEY, Operator
from support.chat import Refused
from support.deadline import eventually
from support.wire import event, narrow


def names(servers):
    return [server.env["INSTANCE_ID"] for server in servers]


def test_sessions_of_all_instances_are_found(servers, operator, make_chat, room):
    last = servers[-1]
    ada, ben = make_chat(servers[0], "ada", "Ada L."), make_chat(last, "ben")
    ada.join(room)
    ben.join(room)
    found = operator.get("/internal/sessions", roomId=room, sort="userId")
    assert [session["userId"] for session in found["sessions"]] == ["ada", "ben"]
    assert found["total"] == 2 and found["complete"] is True and found["unanswered"] == []
    assert found["instances"] == names(servers)
    first, second = found["sessions"]
    assert (first["instance"], second["instance"]) == (names(servers)[0], names(servers)[-1])
    assert first["username"] == "Ada L." and first["address"] == "127.0.0.1" and first["framing"] == "event"
    assert first["rooms"] == [room] and first["roomCount"] == 1 and first["queuedBytes"] == 0
    assert first["connectedAt"] <= first["lastActivity"]

    assert operator.users(userId="ben") == ["ben"]
    assert operator.users(q="aDa l") == ["ada"]
    assert operator.users(q="BE") == ["ben"]
    assert operator.users(roomId="another") == []
    assert operator.users(sort="connectedAt") == ["ada", "ben"]
    one = operator.get("/internal/sessions", limit=1, sort="userId")
    assert [session["userId"] for session in one["sessions"]] == ["ada"] and one["total"] == 2
    assert operator.users(instance=names(servers)[0], q="ada") == ["ada"]


def test_rooms_are_listed_with_the_sessions_of_all_instances(servers, operator, make_chat, room):
    clients = [make_chat(server, f"user-{n}") for n, server in enumerate([servers[0], servers[-1], servers[-1]])]
    for client in clients:
        client.join(room)
    clients[0].join(f"{room}-b")
    clients[0].send(room, "hello")
    clients[2].expect("new_message")
    listed = operator.get("/internal/rooms", q=room.upper())
    assert [(each["roomId"], each["sessions"]) for each in listed["rooms"]] == [(room, 3), (f"{room}-b", 1)]
    assert listed["rooms"][0]["instances"] == sorted(set(names([servers[0], servers[-1]])))
    assert listed["total"] == 2 and listed["complete"] is True
    newest = operator.get("/internal/rooms", q=room, sort="lastSeq", limit=1)["rooms"]
    assert [each["roomId"] for each in newest] == [room] and newest[0]["lastSeq"] == 1


def test_figures_of_every_instance(servers, operator, make_chat, room):
    ada = make_chat(servers[-1], "ada")
    ada.join(room)
    ada.send(room, "hello")
    ada.expect("new_message")
    answer = operator.get("/internal/stats")
    assert [each["instance"] for each in answer["fleet"]] == names(servers)
    stats = operator.stats(names(servers)[-1])
    assert stats["sessions"] == 1 and stats["draining"] is False and stats["messages"] >= 1
    assert len(stats["fanOut"]["counts"]) == len(stats["fanOut"]["bounds"]) + 1
    assert sum(stats["fanOut"]["counts"]) == stats["fanOut"]["count"] >= 1
    assert stats["memoryBytes"] > 1 << 20 and stats["openFiles"] > 3 and stats["cpuSeconds"] > 0
    assert stats["outbox"] is None and stats["webhooks"] is None
    store = next(each for each in stats["dependencies"] if each["name"] == "store")
    assert store["state"] == "up" and store["required"] is True and store["since"] and store["lastError"] is None


def test_a_session_is_disconnected_wherever_it_is(servers, operator, make_chat):
    stays, goes = make_chat(servers[0], "ben"), make_chat(servers[-1], "ben")
    target = operator.sessions(userId="ben", sort="connectedAt")[-1]
    answer = operator.call("DELETE", "/internal/users/ben/sessions", socketId=target["socketId"])
    assert answer.json() == {"success": True, "sessions": 1}
    goes.expect_close(4401)
    eventually(lambda: operator.users(userId="ben") == ["ben"], "one session is left")
    stays.settle()
    entry = operator.wait_for_entry("kick")
    assert (entry["userId"], entry["actor"], entry["service"], entry["address"]) == ("ben", "olga", True, "127.0.0.1")
    assert entry["detail"] == target["socketId"]


def test_the_slowest_connection_is_listed_first(servers, operator, make_chat, room):
    talker = make_chat(servers[0], "talker")
    talker.join(room)
    deaf = narrow(servers[-1].port)
    deaf.open().send(event("authenticate", {"userId": "deaf"}) + event("join_room", {"roomId": room}))
    deaf.event("room_state")
    # The kernel takes a few megabytes before the server has to queue.
    for _ in range(1000):
        for _ in range(4):
            talker.send(room, "x" * 16_000)
            talker.expect("new_message")
        slowest = operator.sessions(sort="queuedBytes", limit=1)[0]
        if slowest["queuedBytes"] > 0 and slowest["userId"] == "deaf":
            break
    assert slowest["userId"] == "deaf" and slowest["queuedBytes"] > 0
    assert slowest["instance"] == names(servers)[-1] and slowest["framing"] == "event"
    deaf.socket.close()


def test_an_instance_is_drained(servers, operator, make_chat):
    drained = names(servers)[-1]
    ada = make_chat(servers[-1], "ada")
    answer = operator.call("POST", "/internal/drain", instance=drained)
    assert answer.status_code == 202
    assert answer.json() == {"success": True, "instance": drained, "state": "draining", "sessions": 1}
    ada.expect("server_draining")
    ada.expect_close(1012)
    eventually(lambda: servers[-1].get("/ready").status_code == 503, "the instance is not ready")
    eventually(lambda: operator.stats(drained)["sessions"] == 0, "its sessions are gone")
    assert operator.stats(drained)["draining"] is True
    with pytest.raises(Exception):
        make_chat(servers[-1], "ben")
    assert operator.call("POST", "/internal/drain", instance=drained).status_code == 202
    assert operator.wait_for_entry("drain")["detail"] == drained
    if len(servers) > 1:
        make_chat(servers[0], "ben").settle()
    assert servers[-1].terminate() == 0


def test_bad_input_is_refused(servers, operator):
    def refused(method, path, **query):
        answer = operator.call(method, path, **query)
        return answer.status_code, answer.json()["code"]

    bad = (400, "bad_request")
    assert refused("GET", "/internal/sessions", sort="size") == bad
    assert refused("GET", "/internal/sessions", limit=0) == bad
    assert refused("GET", "/internal/sessions", limit=201) == bad
    assert refused("GET", "/internal/sessions", roomId="") == bad
    assert refused("GET", "/internal/sessions", q="x" * 129) == bad
    assert refused("GET", "/internal/sessions", instance="x" * 17) == bad
    assert refused("GET", "/internal/rooms", sort="connectedAt") == bad
    assert refused("GET", "/internal/audit", before="yesterday") == bad
    assert refused("GET", "/internal/audit", action="explode") == bad
    assert refused("POST", "/internal/drain") == bad
    assert refused("POST", "/internal/drain", instance="nobody") == (404, "not_found")
    assert refused("POST", "/internal/reload", instance="nobody") == (404, "not_found")
    assert refused("GET", "/internal/sessions", instance="nobody") == (404, "not_found")


def test_an_instance_that_does_not_answer_is_named(pair, make_chat):
    one, two = pair.servers
    ada = make_chat(one, "ada")
    ada.settle()
    operator = Operator(one)
    assert operator.get("/internal/stats")["complete"] is True
    two.pause()
    try:
        # All at once: after some seconds the instance counts as dead, and is not asked any more.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            drain = pool.submit(Operator(one).call, "POST", "/internal/drain", instance="instance-2")
            paths = ("/internal/stats", "/internal/sessions", "/internal/rooms")
            answers = dict(zip(paths, pool.map(Operator(one).get, paths)))
        for path, answer in answers.items():
            assert answer["unanswered"] == ["instance-2"] and answer["instances"] == ["instance-1"], path
            assert answer["complete"] is False
        assert [session["userId"] for session in answers["/internal/sessions"]["sessions"]] == ["ada"]
        assert (drain.result().status_code, drain.result().json()["code"]) == (503, "overloaded")
    finally:
        two.unpause()
    eventually(lambda: operator.get("/internal/stats")["complete"], "both answer again")


def test_another_instance_may_answer_anything(pair, make_chat):
    """Rubbish on the channel between instances ends neither the question nor the process."""
    one, two = pair.servers
    make_chat(two, "ben").settle()
    channels = pair.keys().pubsub_channels("*")
    texts = [
        '{"kind":"question","asker":"instance-2","ticket":1,"data":"{\\"ask\\":\\"sessions\\",\\"limit\\":-1}"}',
        '{"kind":"question","asker":"","ticket":9223372036854775807,"data":"{\\"ask\\":\\"stats\\"}"}',
        '{"kind":"answer","asker":"instance-1","ticket":1,"by":"instance-2","data":"[]"}',
        '{"kind":"answer","asker":"instance-1","ticket":1,"by":"instance-2","data":"{\\"sessions\\":[1],\\"total\\":1e400}"}',
    ]
    for channel in channels:
        for text in texts:
            # Before the zero byte is the name of the sender.
            pair.keys().publish(channel, b"stranger\0" + text.encode())
    # A first question may still get the stranger's answer in place of the other instance's.
    for server in (one, two):
        eventually(lambda: Operator(server).users() == ["ben"], "both instances answer")


def test_figures_of_dependencies_say_why_and_since_when(pair):
    operator = Operator(pair.servers[0])
    pair.redis.pause()
    try:

        def redis_is_down():
            found = operator.call("GET", "/internal/stats").json().get("fleet", [])
            return [d for each in found for d in each["dependencies"] if d["name"] == "redis" and d["state"] != "up"]

        down = eventually(redis_is_down, "Redis is reported")[0]
        assert down["lastError"] and down["since"]
    finally:
        pair.redis.unpause()


def test_a_key_is_needed_and_wrong_ones_are_recorded(make_server):
    server = make_server(ENVIRONMENT)
    for path in ("/internal/sessions", "/internal/rooms", "/internal/stats", "/internal/audit"):
        assert server.get(path).status_code == 401, path
        assert server.get(path, headers={"X-User-Id": "ada"}).status_code == 401, path
    for _ in range(3):
        assert server.get("/internal/stats", headers={"X-Service-Key": "guess"}).status_code == 401
    entry = Operator(server).wait_for_entry("login")
    assert entry["outcome"] == "refused" and entry["address"] == "127.0.0.1" and entry["actor"] is None
    assert len(Operator(server).entries(action="login")) == 1, "one entry for an address"
    assert "guess" not in str(Operator(server).entries()) and KEY not in server.log_text()


def test_refused_sessions_stay_refused_for_banned_users(servers, operator, make_chat):
    ada = make_chat(servers[-1], "ada")
    assert operator.call("PUT", "/internal/bans/ada").status_code == 200
    ada.expect_close(4403)
    with pytest.raises(Refused):
        make_chat(servers[0], "ada")
    assert operator.users(userId="ada") == []
    assert operator.wait_for_entry("user_ban")["userId"] == "ada"
