"""Lists of users: their limits, their cursors, the devices services are shown, and the names users are known by."""

import pytest
import socketio
from websockets.exceptions import InvalidStatus

from presence.conftest import KEY
from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS, eventually

ENVIRONMENT = {"SERVICE_API_KEY": KEY["X-Service-Key"], "PRESENCE_GRACE_MS": "300", "MAX_CONNECTIONS_PER_USER": "0"}


def pages(chat, event: str, limit: int) -> list[list[str]]:
    """The ids of each page; the next begins after the last of one."""
    found: list[list[str]] = []
    cursor = {}
    while page := [each["userId"] for each in chat.ask(event, {"limit": limit, **cursor})]:
        found.append(page)
        cursor = {"cursor": page[-1]}
        assert len(found) < 20
    return found


@pytest.mark.parametrize("status", ["online", "invisible"])
@pytest.mark.parametrize("asking", ["a", "m", "z"])
def test_the_caller_takes_no_place_of_others(make_server, make_chat, asking, status):
    server = make_server(ENVIRONMENT)
    others = [make_chat(server, user) for user in "bcdex"]
    chat = make_chat(server, asking)
    chat.ask("set_status", {"status": status})
    everybody = sorted(["b", "c", "d", "e", "x", asking])
    found = pages(chat, "get_detailed_online_users", 2)
    assert found == [everybody[0:2], everybody[2:4], everybody[4:6]]
    assert len(others) == 5


def test_no_cursor_names_a_stranger(make_server, make_chat):
    server = make_server(ENVIRONMENT | {"PRESENCE_VISIBILITY": "friends"})
    strangers = [f"s{number}" for number in range(6)]
    for user in [*strangers, "a-friend", "t-friend"]:
        make_chat(server, user).close()
    for friend in ("a-friend", "t-friend", "z-never-came"):
        assert server.request("PUT", f"/api/users/alice/friends/{friend}", headers=KEY).status_code == 200
    alice = make_chat(server, "alice")
    known = ["a-friend", "alice", "t-friend"]
    eventually(lambda: [user["userId"] for user in alice.ask("get_all_users")["users"]] == known, "all are remembered")
    found, cursor = [], {}
    while True:
        answer = alice.ask("get_all_users", {"limit": 1, **cursor})
        found.append([user["userId"] for user in answer["users"]])
        assert not any(stranger in str(answer) for stranger in strangers)
        if "cursor" not in answer:
            break
        cursor = {"cursor": answer["cursor"]}
    assert found == [[user] for user in known]


class TestServices:
    def test_a_service_sees_everybodys_devices(self, make_pair, make_chat):
        pair = make_pair({"PRESENCE_VISIBILITY": "friends", "AUTH_MODE": "trusted"})
        for server in pair.servers:
            make_chat(server, "alice")
        make_chat(pair.servers[0], "bob")
        service = make_chat(pair.servers[1], additional_headers=KEY)

        def all_known() -> bool:
            found = {user["userId"]: user for user in service.ask("get_detailed_online_users")}
            devices = {user: sorted(each["instance"] for each in found[user]["devices"]) for user in found}
            return devices == {"alice": ["i1", "i2"], "bob": ["i1"]}

        eventually(all_known, "the devices of all on both instances")
        assert service.ask("get_online_count")["count"] == 2
        assert set(service.ask("get_all_online_users")) == {"alice", "bob"}
        assert service.ask("get_online_users") == []
        assert service.request("send_message", {"recipientIds": ["bob"], "message": "x"})["error"]["code"] == "unauthenticated"
        # Other users are not shown them.
        assert all("devices" not in user for user in make_chat(pair.servers[1], "carol").ask("get_detailed_online_users") if user["userId"] != "carol")

    def test_over_socket_io(self, make_server, make_chat):
        server = make_server(ENVIRONMENT)
        make_chat(server, "alice")
        client = socketio.SimpleClient()
        client.connect(server.url, transports=["websocket"], auth={"serviceKey": KEY["X-Service-Key"]})
        try:
            (alice,) = client.call("get_detailed_online_users", timeout=TIMEOUT_SECONDS)
            assert len(alice["devices"]) == 1
        finally:
            client.disconnect()

    def test_a_wrong_key_opens_nothing(self, make_server):
        server = make_server(ENVIRONMENT)
        wrong = {"X-Service-Key": "a-service-key-of-lengti"}
        with pytest.raises(InvalidStatus) as refused:
            Chat(server.ws_url, additional_headers=wrong)
        assert refused.value.response.status_code == 401
        with pytest.raises(socketio.exceptions.ConnectionError):
            socketio.SimpleClient().connect(
                server.url, transports=["websocket"], auth={"serviceKey": wrong["X-Service-Key"]}
            )


class TestNames:
    def test_a_device_without_a_name_goes_by_the_known_one(self, make_pair, make_chat, room):
        pair = make_pair()
        one, two = pair.servers
        watcher = make_chat(two, "watcher")
        watcher.join(room)
        phone = make_chat(one, "alice", "Alice")
        phone.join(room)
        assert watcher.expect("user_joined")["username"] == "Alice"
        for server in pair.servers:
            nameless = make_chat(server)
            answer = nameless.ask("authenticate", {"userId": "alice"})
            assert answer["username"] == "Alice"
            view = nameless.join(room)
            assert {"userId": "alice", "username": "Alice"} in view["users"]
            nameless.send(room, "who am I?")
        (known,) = [each for each in watcher.ask("get_detailed_online_users") if each["userId"] == "alice"]
        assert known["username"] == "Alice"
        view = make_chat(one, "newcomer").join(room)
        assert {"userId": "alice", "username": "Alice"} in view["users"]

    def test_a_device_may_bring_another_name(self, make_server, make_chat):
        server = make_server(ENVIRONMENT)
        first, watcher = make_chat(server, "alice", "Alice"), make_chat(server, "watcher")
        second = make_chat(server)
        second.ask("authenticate", {"userId": "alice"})
        second.ask("identify", {"username": "Alicia"})
        third = make_chat(server)
        assert third.ask("authenticate", {"userId": "alice"})["username"] == "Alicia"
        (known,) = [each for each in watcher.ask("get_detailed_online_users") if each["userId"] == "alice"]
        assert known["username"] == "Alicia"
        first.settle()
