"""Connection state recovery as the JavaScript client does it, and what clients that know nothing of it see."""

import json

import pytest
from engineio_wire import Polling
from js_client import BrowserClient
from recovering_client import BROWSER, PATH, Client
from sio_client import SocketIOChat
from support.deadline import eventually

@pytest.fixture
def sender(shared, make_chat):
    return make_chat(shared, "sender")


def test_missed_events_come_and_none_twice(shared, sender, room):
    sender.join(room)
    first = Client(shared.port).enter("ada", room)
    sender.send(room, "seen")
    assert first.expect("new_message")[1] == f"1:{room}"
    first.drop()
    for number in range(20):
        sender.send(room, f"missed {number}")
    second = first.come_back(shared.port)
    assert second.recovered(first) and second.connected["sid"] == first.connected["sid"]
    sender.send(room, "live")
    second.read_messages(22)
    assert second.seen == [(room, seq) for seq in range(1, 23)]
    second.settle()
    assert [name for name, _ in second.events].count("message_history") == 0
    assert "authenticated" not in [name for name, _ in second.events]
    second.emit("send_message", {"roomId": room, "message": "back"})
    second.expect("new_message")


def test_several_rooms_are_taken_up_where_each_stood(shared, sender, room):
    rooms = [f"{room}-{number}" for number in range(5)]
    for each in rooms:
        sender.join(each)
    first = Client(shared.port).enter("ada", *rooms)
    for number in range(30):
        sender.send(rooms[number % 5], "x")
    # The client reads 17 of them; the rest is lost on the way.
    first.read_messages(17)
    first.drop()
    for number in range(13):
        sender.send(rooms[number % 3], "y")
    second = first.come_back(shared.port)
    assert second.recovered(first)
    second.read_messages(43)
    second.settle()
    for index, each in enumerate(rooms):
        expected = 6 + (5 if index == 0 else 4 if index in (1, 2) else 0)
        assert [seq for seen, seq in second.seen if seen == each] == list(range(1, expected + 1))


def test_again_and_again(shared, sender, room):
    sender.join(room)
    client = Client(shared.port).enter("ada", room)
    for number in range(5):
        sender.send(room, "live")
        client.read_messages(2 * number + 1)
        client.drop()
        sender.send(room, "missed")
        back = client.come_back(shared.port)
        assert back.recovered(client)
        back.read_messages(2 * number + 2)
        client = back
    assert [seq for _, seq in client.seen] == list(range(1, 11))


def test_a_client_that_breaks_off_again_before_anything_new_came(shared, sender, room):
    sender.join(room)
    client = Client(shared.port).enter("ada", room)
    sender.send(room, "seen")
    client.expect("new_message")
    client.drop()
    for number in range(2, 5):
        sender.send(room, "missed")
        back = client.come_back(shared.port)
        assert back.recovered(client), number
        # Nothing of it, then a part of it is read.
        if number == 3:
            back.expect("new_message")
        back.drop()
        client = back
    last = client.come_back(shared.port)
    assert last.recovered(client)
    last.read_messages(4)
    last.settle()
    assert [seq for _, seq in last.seen] == [1, 2, 3, 4]


def test_before_the_server_knows_that_the_old_connection_is_broken(shared, sender, room):
    sender.join(room)
    first = Client(shared.port).enter("ada", room)
    sender.send(room, "seen")
    first.expect("new_message")
    second = first.come_back(shared.port)
    assert second.recovered(first)
    sender.send(room, "after")
    assert second.expect("new_message")[0]["message"] == "after"


def test_from_a_websocket_to_polling(shared, sender, room):
    sender.join(room)
    first = Client(shared.port).enter("ada", room)
    sender.send(room, "seen")
    first.expect("new_message")
    first.drop()
    sender.send(room, "missed")
    with Polling(shared.port, PATH, User_Agent=BROWSER) as polling:
        polling.send("40" + json.dumps({"pid": first.pid, "offset": first.offset}))
        packets = polling.packets()
        assert json.loads(next(packets)[2:])["pid"] == first.pid
        name, message, offset = json.loads(next(packets)[2:])
        assert (name, message["message"], offset) == ("new_message", "missed", f"2:{room}")


def test_others_do_not_see_the_user_leave(shared, sender, room):
    sender.join(room)
    first = Client(shared.port).enter("ada", room)
    sender.send(room, "seen")
    first.expect("new_message")
    first.drop()
    second = first.come_back(shared.port)
    assert second.recovered(first)
    sender.read_for(5.5)
    assert sender.events("user_left") == [] and len(sender.events("user_joined")) == 1
    assert shared.get("/online-status?ids=ada", headers={"X-User-Id": "x"}).json()[0]["online"] is True
    second.drop()


def test_every_break_has_a_grace_period_of_its_own(shared, sender, room, make_chat):
    watcher = make_chat(shared, "watcher")
    watcher.ask("subscribe_presence", {"userIds": ["grace"]})
    sender.join(room)
    first = Client(shared.port).enter("grace", room)
    watcher.expect("user_status_change")
    sender.send(room, "seen")
    first.expect("new_message")
    first.drop()
    watcher.read_for(2.5)
    second = first.come_back(shared.port)
    assert second.recovered(first)
    second.drop()
    # The grace period of the first break is over now, the second's is not.
    watcher.read_for(3.5)
    assert watcher.events("user_status_change") == []
    third = second.come_back(shared.port)
    assert third.recovered(second)
    watcher.read_for(2.5)
    assert watcher.events("user_status_change") == []
    third.drop()


def test_a_viewer_of_friends_only_sees_them_still(make_server, make_chat, room):
    key = {"X-Service-Key": "the-key-of-the-services"}
    server = make_server({"PRESENCE_VISIBILITY": "friends", "SERVICE_API_KEY": key["X-Service-Key"]})
    assert server.request("PUT", "/api/users/ada/friends/bob", headers=key).status_code == 200
    bob = make_chat(server, "bob")
    bob.join(room)
    first = Client(server.port).enter("ada", room)
    bob.send(room, "seen")
    first.expect("new_message")
    first.drop()
    second = first.come_back(server.port)
    assert second.recovered(first)

    def is_seen() -> bool:
        second.emit("check_user_status", {"targetUserId": "bob"})
        return second.expect("user_status")[0]["online"]

    eventually(is_seen, "the friends were read")


class TestInDoubt:
    """The CONNECT answer says that the client is not recovered. It starts over as after any break."""

    def fresh(self, shared, first: Client, claim: dict) -> None:
        second = Client(shared.port, claim)
        assert second.pid is not None and second.pid != first.pid
        assert second.connected["sid"] != first.connected["sid"]
        second.emit("join_room", {"roomId": "x"})
        while (error := second.take())[0] != "error":
            pass
        assert error[1][0]["code"] == "unauthenticated"

    @pytest.fixture
    def left(self, shared, sender, room):
        sender.join(room)
        first = Client(shared.port).enter("ada", room)
        sender.send(room, "seen")
        first.expect("new_message")
        first.drop()
        return first

    @pytest.mark.parametrize(
        "offset",
        [None, "", "x", "0:{room}", "2:{room}", "1:other", "-1:{room}", "99999999999999999999:{room}", 7, ["1:{room}"], ":" * 9999],
        ids=lambda offset: str(offset)[:20],
    )
    def test_an_offset_that_was_never_sent(self, shared, left, room, offset):
        if isinstance(offset, str):
            offset = offset.replace("{room}", room)
        self.fresh(shared, left, {"pid": left.pid, "offset": offset} if offset is not None else {"pid": left.pid})

    def test_an_unknown_pid(self, shared, left):
        self.fresh(shared, left, {"pid": "f" * 36, "offset": left.offset})

    def test_a_pid_works_once(self, shared, left):
        second = left.come_back(shared.port)
        assert second.recovered(left)
        second.emit("leave_room", {"roomId": "nowhere"})
        second.socket.send("41")
        second.socket.wire.socket.close()
        self.fresh(shared, left, {"pid": left.pid, "offset": left.offset})

    def test_a_client_that_left_on_purpose(self, shared, sender, room):
        sender.join(room)
        first = Client(shared.port).enter("ada", room)
        sender.send(room, "seen")
        first.expect("new_message")
        first.socket.send("41")
        first.drop()
        self.fresh(shared, first, {"pid": first.pid, "offset": first.offset})

    def test_more_missed_than_is_replayed(self, shared, sender, left, room):
        for _ in range(1001):
            sender.emit("send_message", {"roomId": room, "message": "x"})
        sender.settle()
        self.fresh(shared, left, {"pid": left.pid, "offset": left.offset})

    def test_a_direct_message_that_may_be_lost(self, shared, sender, room):
        sender.join(room)
        first = Client(shared.port).enter("ada", room)
        sender.send(room, "seen")
        first.expect("new_message")
        sender.request("send_message", {"recipientIds": ["ada"], "message": "psst"})
        first.drop()
        self.fresh(shared, first, {"pid": first.pid, "offset": first.offset})

    def test_another_user(self, shared, left):
        second = Client(shared.port, {"pid": left.pid, "offset": left.offset, "userId": "eve"})
        assert second.pid != left.pid
        assert second.expect("authenticated")[0]["userId"] == "eve"


class TestWhoGetsOffsets:
    def messages(self, client: Client, sender, room) -> list:
        sender.join(room)
        client.enter("ada", room)
        sender.send(room, "x")
        return client.expect("new_message")

    def test_a_browser(self, shared, sender, room):
        client = Client(shared.port)
        assert client.pid and len(self.messages(client, sender, room)) == 2

    @pytest.mark.parametrize("agent", ["", "Python/3.11 aiohttp/3.9", "okhttp/4.9", "curl/8"])
    def test_no_other_client(self, shared, sender, room, agent):
        client = Client(shared.port, User_Agent=agent)
        assert client.pid is None and len(self.messages(client, sender, room)) == 1

    def test_any_client_that_asks_for_it(self, shared, sender, room):
        client = Client(shared.port, {"recovery": True}, User_Agent="okhttp/4.9")
        assert client.pid and len(self.messages(client, sender, room)) == 2

    def test_no_browser_that_asks_not_to(self, shared, sender, room):
        client = Client(shared.port, {"recovery": False})
        assert client.pid is None and len(self.messages(client, sender, room)) == 1

    def test_python_handlers_of_one_argument_go_on_working(self, shared, sender, room):
        got = []
        sender.join(room)
        chat = SocketIOChat(shared.url)
        chat.client.on("new_message", lambda data: got.append(data))
        chat.connect()
        chat.authenticate("ada")
        chat.join(room)
        sender.send(room, "x")
        eventually(lambda: got, "a message")
        chat.close()


class TestTheJavaScriptClient:
    @pytest.mark.parametrize("transports", [["polling", "websocket"], ["websocket"], ["polling"]], ids="-".join)
    def test_gets_what_it_missed_and_never_says_since(self, chromium, shared, sender, room, transports):
        context = chromium.new_context(bypass_csp=True)
        client = BrowserClient(context.new_page(), shared.url, {"transports": transports, "reconnectionDelay": 600})
        first = client.enter(sender, "ada", room)
        client.break_transport()
        client.expect_recovery(sender, room, first)
        context.close()

    def test_is_not_recovered_by_a_restarted_instance_without_redis_and_says_so(self, chromium, make_server, make_chat, room):
        server = make_server()
        context = chromium.new_context(bypass_csp=True)
        client = BrowserClient(context.new_page(), server.url)
        client.enter(make_chat(server, "sender"), "ada", room)
        server.restart()
        assert client.wait_connected(2)["recovered"] is False
        context.close()
