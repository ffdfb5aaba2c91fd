"""Invisible users: out of sight in rooms and to senders of direct messages, on both instances, in every framing."""

import pytest
from sio_client import SocketIOChat
from support.deadline import eventually
from support.fleet import Fleet

KEY = "the-key-of-the-services"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two instances; the tests use users of their own."""
    fleet = Fleet(tmp_path_factory.mktemp("hidden"), {"SERVICE_API_KEY": KEY, "PRESENCE_GRACE_MS": "500"})
    yield fleet
    fleet.stop()


@pytest.fixture(params=["raw", "flat", "socketio"])
def connect(request, make_chat):
    """Connects a user to an instance in one of the three framings."""
    clients = []

    def connect(server, user: str):
        if request.param != "socketio":
            return make_chat(server, user, framing="event" if request.param == "raw" else "type")
        client = SocketIOChat(server.url, "websocket")
        clients.append(client)
        client.connect().authenticate(user)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def name(room):
    """Users of this test alone."""
    return lambda user: f"{user}-{room}"


class Crowd:
    """A watcher on each instance, in the room, that sees users come and go."""

    def __init__(self, fleet: Fleet, connect, room: str, name):
        self.fleet, self.connect, self.room, self.name = fleet, connect, room, name
        self.watchers = [connect(server, name(f"watcher{number}")) for number, server in enumerate(fleet.servers)]
        self.count = len(self.watchers)
        self.visitors = 0
        for watcher in self.watchers:
            watcher.join(room)
        for server in fleet.servers:
            eventually(lambda: self.online(server) == self.count, "both instances know both watchers")
        for watcher in self.watchers:
            watcher.events("user_joined")

    def online(self, server) -> int:
        return server.get(f"/api/rooms/{self.room}").json()["room"]["online"]

    def all_hear(self, event: str, user: str) -> None:
        for watcher in self.watchers:
            watcher.expect(event, lambda data: data["userId"] == user)

    def nobody_hears_of(self, user: str) -> None:
        """A visitor that comes and goes after the user is announced, and the user was not."""
        self.visitors += 1
        visitor = self.name(f"visitor{self.visitors}")
        for server in self.fleet.servers:
            view = (client := self.connect(server, visitor)).join(self.room)
            assert user not in {each["userId"] for each in view["users"]}
            assert view["state"]["online"] == self.count + 1
            client.request("leave_room", {"roomId": self.room})
            for watcher in self.watchers:
                for event in ("user_joined", "user_left"):
                    watcher.expect(event, lambda data: data["userId"] == visitor)
            assert self.online(server) == self.count
            client.close()
        for watcher in self.watchers:
            for event in ("user_joined", "user_left"):
                assert [data for data in watcher.events(event) if data["userId"] == user] == []

    def in_redis(self) -> set[str]:
        return set(self.fleet.keys().smembers(f"chat:room:{self.room}:users"))


@pytest.fixture
def crowd(two, connect, room, name):
    return Crowd(two, connect, room, name)


def hide(client) -> None:
    assert client.request("set_status", {"status": "invisible"})["success"] is True


def test_hiding_and_showing_in_a_room(two, connect, crowd, room, name):
    alice = connect(two.servers[0], name("alice"))
    alice.join(room)
    crowd.all_hear("user_joined", name("alice"))
    hide(alice)
    crowd.all_hear("user_left", name("alice"))
    eventually(lambda: name("alice") not in crowd.in_redis(), "Redis does not show the hidden")
    crowd.nobody_hears_of(name("alice"))
    # A hidden user takes part: typing and sending show the user for what they are.
    alice.request("typing", {"roomId": room, "isTyping": True})
    crowd.all_hear("user_typing", name("alice"))
    alice.send(room, "boo")
    for watcher in crowd.watchers:
        assert watcher.expect("new_message")["userId"] == name("alice")
    crowd.watchers[1].send(room, "who was that?")
    alice.expect("new_message", lambda data: data["message"] == "who was that?")
    crowd.nobody_hears_of(name("alice"))
    alice.request("set_status", {"status": "busy"})
    crowd.all_hear("user_joined", name("alice"))
    eventually(lambda: name("alice") in crowd.in_redis(), "Redis shows visible users again")


def test_coming_and_going_hidden(two, connect, crowd, room, name):
    alice = connect(two.servers[0], name("alice"))
    # In one go: the news of hiding has not come back from Redis when the room is joined.
    alice.emit("set_status", {"status": "invisible"})
    alice.join(room)
    crowd.nobody_hears_of(name("alice"))
    alice.request("leave_room", {"roomId": room})
    alice.join(room)
    # On another device and instance too, and when a connection breaks off.
    other = connect(two.servers[1], name("alice"))
    other.join(room)
    crowd.nobody_hears_of(name("alice"))
    assert name("alice") not in crowd.in_redis()
    for device in (alice, other):
        device.close()
    # Bob's grace period began later; when it is over, Alice's is.
    bob = connect(two.servers[0], name("bob"))
    bob.join(room)
    bob.close()
    crowd.all_hear("user_left", name("bob"))
    for watcher in crowd.watchers:
        assert [data for data in watcher.events("user_left") if data["userId"] == name("alice")] == []


def test_hiding_on_another_device(two, connect, crowd, room, name):
    here, there = (connect(server, name("alice")) for server in two.servers)
    here.join(room)
    crowd.all_hear("user_joined", name("alice"))
    hide(there)
    crowd.all_hear("user_left", name("alice"))
    there.join(room)
    crowd.nobody_hears_of(name("alice"))
    here.request("set_status", {"status": "online"})
    crowd.all_hear("user_joined", name("alice"))


def test_a_device_that_says_offline_is_not_there_either(two, connect, crowd, room, name):
    alice = connect(two.servers[0], name("alice"))
    alice.join(room)
    crowd.all_hear("user_joined", name("alice"))
    alice.request("set_status", {"status": "offline"})
    crowd.all_hear("user_left", name("alice"))
    crowd.nobody_hears_of(name("alice"))


@pytest.mark.parametrize("place", [0, 1])
def test_hiding_ends_what_a_broken_connection_left(make_fleet, make_chat, place):
    """The grace period would keep the user in sight for minutes."""
    fleet = make_fleet(env={"PRESENCE_GRACE_MS": "600000"})
    watcher = make_chat(fleet.servers[0], "watcher")
    watcher.join("den")
    alice = make_chat(fleet.servers[0], "alice")
    alice.join("den")
    watcher.expect("user_joined")
    alice.abort()
    again = make_chat(fleet.servers[place], "alice")
    hide(again)
    watcher.expect("user_left", lambda data: data["userId"] == "alice")
    assert [user["userId"] for user in make_chat(fleet.servers[0], "bob").join("den")["users"]].count("alice") == 0


def test_a_direct_message_reveals_no_hidden_user(two, connect, name):
    sender = connect(two.servers[0], name("sender"))
    recipients = [name("here"), name("there"), name("nowhere"), name("seen")]
    seen = connect(two.servers[1], name("seen"))
    hidden = [connect(server, user) for server, user in zip(two.servers, recipients)]
    keys = two.keys()
    for user in (recipients[0], recipients[1], recipients[3]):
        eventually(lambda: keys.hlen(f"chat-service:user:{user}") == 2, f"{user} is known")
    for client in hidden:
        hide(client)
    for server in two.servers:
        for user in recipients[:2]:
            status = lambda: server.get(f"/api/presence?ids={user}", headers={"X-Service-Key": KEY}).json()[0]["online"]
            eventually(lambda: not status(), f"{user} is hidden there")
    answer = sender.request("send_message", {"recipientIds": recipients, "message": "psst"})
    assert answer["recipients"] == {"total": 4, "sent": [name("seen")], "failed": recipients[:3]}
    for client in (*hidden, seen):
        assert client.expect("message")["message"] == "psst"
    alone = sender.request("send_message", {"recipientIds": recipients[:2], "message": "psst"})
    assert (alone["status"], alone["recipients"]["sent"]) == ("error", [])
    # To oneself one is there, and to the operator's services everybody is.
    own = hidden[0].request("send_message", {"recipientIds": recipients[:1], "message": "note"})
    assert own["status"] == "sent"
    body = {"recipientIds": recipients, "message": "Due today"}
    told = two.servers[0].post("/internal/messages", headers={"X-Service-Key": KEY}, json=body).json()
    assert told["recipients"]["failed"] == [name("nowhere")]
