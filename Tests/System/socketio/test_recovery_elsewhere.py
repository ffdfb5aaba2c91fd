"""Connection state recovery on another instance than the one that was left."""

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from engineio_wire import Closed, Polling
from js_client import BrowserClient
from recovering_client import BROWSER, PATH, Client
from support.deadline import TIMEOUT_SECONDS, eventually
from support.fleet import Fleet

KEY = {"X-Service-Key": "the-key-of-the-services"}
# Longer than a test takes, so that a user who comes back is never announced as gone.
GRACE = {"PRESENCE_GRACE_MS": "4000", "SHUTDOWN_GRACE_MS": "500", "SERVICE_API_KEY": KEY["X-Service-Key"]}


@pytest.fixture
def pair(make_fleet):
    """A fleet of the test's own."""
    return make_fleet(GRACE)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Instances that tests share which disturb no other test."""
    fleet = Fleet(tmp_path_factory.mktemp("recovery"), GRACE)
    yield fleet
    fleet.stop()


def enter(port: int, sender, user: str, *rooms: str) -> Client:
    """A client that has seen the first message of each of its rooms."""
    for room in rooms:
        sender.join(room)
    client = Client(port).enter(user, *rooms)
    for room in rooms:
        sender.send(room, "seen")
    client.read_messages(len(rooms))
    return client


def has_it(client: Client) -> bool:
    """Whether the session is this client's still: a later claim takes it over and ends the connection."""
    try:
        client.settle()
        return True
    except Closed:
        return False


def numbers(client: Client, room: str) -> list[int]:
    return [number for seen, number in client.seen if seen == room]


def key(client: Client) -> str:
    """Where Redis has what is kept for a client."""
    assert client.pid
    return "chat-service:recovery:" + hashlib.sha256(client.pid.encode()).hexdigest()[:32]


def wait_until_kept(fleet, client: Client) -> str:
    eventually(lambda: fleet.keys().exists(key(client)), "it is kept")
    return key(client)


def is_usable(client: Client, user: str, room: str, since: int, last: int) -> None:
    """A client that is not recovered starts over, and loses nothing by it."""
    client.emit("authenticate", {"userId": user})
    client.emit("join_room", {"roomId": room, "since": since})
    history = client.expect("message_history")[0]
    assert [message["seq"] for message in history] == list(range(since + 1, last + 1))


class TestOnTheOther:
    @pytest.mark.parametrize("is_known_to_be_gone", [True, False], ids=["closed", "half-open"])
    def test_after_the_network_broke(self, two, make_chat, room, is_known_to_be_gone):
        one, other = two.servers
        sender = make_chat(other, "sender")
        rooms = [f"{room}-{number}" for number in range(4)]
        first = enter(one.port, sender, "ada", *rooms)
        if is_known_to_be_gone:
            first.drop()
            wait_until_kept(two, first)
        for number in range(20):
            sender.send(rooms[number % 3], f"missed {number}")
        second = first.come_back(other.port)
        assert second.recovered(first) and second.connected["sid"] == first.connected["sid"]
        for each in rooms:
            sender.send(each, "live")
        second.read_messages(4 + 20 + 4)
        second.settle()
        for index, each in enumerate(rooms):
            missed = [7, 7, 6, 0][index]
            assert numbers(second, each) == list(range(1, 1 + missed + 1 + 1))
        names = [name for name, _ in second.events]
        assert "message_history" not in names and "authenticated" not in names
        second.emit("send_message", {"roomId": rooms[0], "message": "back"})
        assert second.expect("new_message")[0]["userId"] == "ada"
        second.drop()

    def test_back_and_forth(self, two, make_chat, room):
        """The session a client left is found wherever it was last, though its pid never changes."""
        sender = make_chat(two.servers[0], "sender")
        client = enter(two.servers[0].port, sender, "ada", room)
        for turn in range(1, 7):
            sender.send(room, "missed")
            if turn % 3 == 0:
                client.drop()
            back = client.come_back(two.servers[turn % 2].port)
            assert back.recovered(client), turn
            sender.send(room, "live")
            back.read_messages(1 + 2 * turn)
            client = back
        assert numbers(client, room) == list(range(1, 14))
        client.drop()

    def test_by_polling(self, two, make_chat, room):
        one, other = two.servers
        sender = make_chat(other, "sender")
        first = enter(one.port, sender, "ada", room)
        first.drop()
        sender.send(room, "missed")
        with Polling(other.port, PATH, User_Agent=BROWSER) as polling:
            polling.send("40" + json.dumps({"pid": first.pid, "offset": first.offset}))
            packets = polling.packets()
            assert json.loads(next(packets)[2:])["pid"] == first.pid
            name, message, offset = json.loads(next(packets)[2:])
            assert (name, message["message"], offset) == ("new_message", "missed", f"2:{room}")

    def test_two_at_once(self, two, make_chat, room):
        """The old connection is open still, and ten claim its session on both instances: exactly one gets it."""
        sender = make_chat(two.servers[0], "sender")
        first = enter(two.servers[0].port, sender, "ada", room)
        ready = threading.Barrier(10)

        def claim(number: int) -> Client:
            ready.wait()
            return first.come_back(two.servers[number % 2].port)

        with ThreadPoolExecutor(10) as pool:
            clients = list(pool.map(claim, range(10)))
        assert any(client.recovered(first) for client in clients)
        sender.send(room, "live")
        for client in clients:
            client.emit("ping", {})
        got = [client for client in clients if client.recovered(first) and has_it(client)]
        assert len(got) == 1
        # The message comes to the other instance through Redis, maybe behind the answer to a ping.
        eventually(lambda: got[0].settle() or numbers(got[0], room) == [1, 2], "the one has the message")
        got[0].drop()

    def test_another_user_gets_nothing(self, two, make_chat, room):
        one, other = two.servers
        first = enter(one.port, make_chat(one, "sender"), "ada", room)
        eve = first.come_back(other.port, userId="eve")
        assert not eve.recovered(first)
        assert eve.expect("authenticated")[0]["userId"] == "eve"
        eve.drop()

    def test_no_member_sees_the_user_leave(self, two, make_chat, room):
        one, other = two.servers
        sender = make_chat(other, "sender")
        watcher = make_chat(one, "watcher")
        watcher.ask("subscribe_presence", {"userIds": ["grace"]})
        watcher.join(room)
        first = enter(one.port, sender, "grace", room)
        watcher.expect("user_status_change", lambda change: change["status"] == "online")
        first.emit("set_status", {"status": "busy"})
        watcher.expect("user_status_change", lambda change: change["status"] == "busy")
        first.drop()
        second = first.come_back(other.port)
        assert second.recovered(first)
        # Longer than the grace period of the instance that was left.
        watcher.read_for(5.5)
        sender.settle()
        assert watcher.events("user_status_change") == []
        for chat in (watcher, sender):
            assert chat.events("user_left") == []
            assert len([who for who in chat.events("user_joined") if who["userId"] == "grace"]) == 1
        second.emit("get_detailed_online_users", {})
        users = second.expect("get_detailed_online_users")[0]
        devices = [device for user in users for device in user.get("devices", [])]
        assert [(device["socketId"], device["instance"]) for device in devices] == [
            (first.connected["sid"], other.env["INSTANCE_ID"])
        ]
        assert two.keys().get(f"online:socket:user:{first.connected['sid']}") == "grace"
        assert two.keys().hget("user:presence:grace", "status") == "busy"
        second.drop()


class TestNotOnTheOther:
    def test_after_its_time(self, two, make_chat, room):
        one, other = two.servers
        first = enter(one.port, make_chat(one, "sender"), "ada", room)
        first.drop()
        where = wait_until_kept(two, first)
        assert 110_000 < two.keys().pttl(where) <= 120_000
        two.keys().pexpire(where, 1)
        eventually(lambda: not two.keys().exists(where), "its time is over")
        second = first.come_back(other.port)
        assert not second.recovered(first)
        is_usable(second, "ada", room, 0, 1)
        second.drop()

    def test_redis_does_not_know_the_pid(self, two, make_chat, room):
        """A reader of the stored sessions cannot resume one."""
        one, other = two.servers
        first = enter(one.port, make_chat(one, "sender"), "ada", room)
        first.drop()
        where = wait_until_kept(two, first)
        assert first.pid and first.pid not in str(two.keys().hgetall(where))
        name = where.rpartition(":")[2]
        thief = Client(other.port, {"pid": name, "offset": first.offset})
        assert thief.pid != name
        second = first.come_back(other.port)
        assert second.recovered(first)
        thief.drop()
        second.drop()

    def test_a_logged_out_session(self, two, make_chat, room):
        one, other = two.servers
        first = enter(one.port, make_chat(one, "sender"), "ada", room)
        first.drop()
        wait_until_kept(two, first)
        assert other.request("DELETE", "/internal/users/ada/sessions", headers=KEY).status_code == 200
        second = first.come_back(other.port)
        assert not second.recovered(first)
        second.drop()

    @pytest.mark.parametrize("how", ["killed", "paused"])
    def test_from_an_instance_that_could_not_keep_it(self, pair, make_chat, room, how):
        one, other = pair.servers
        sender = make_chat(other, "sender")
        first = enter(one.port, sender, "ada", room)
        if how == "killed":
            one.kill()
        else:
            one.pause()
        try:
            sender.send(room, "missed")
            second = first.come_back(other.port)
            assert not second.recovered(first)
            is_usable(second, "ada", room, 1, 2)
            sender.send(room, "live")
            assert second.expect("new_message")[0]["message"] == "live"
        finally:
            if how == "paused":
                one.unpause()

    def test_without_redis_and_again_with_it(self, pair, make_chat, room):
        one, other = pair.servers
        sender = make_chat(other, "sender")
        first = enter(one.port, sender, "ada", room)
        first.drop()
        wait_until_kept(pair, first)
        pair.redis.kill()
        sender.send(room, "missed")
        second = first.come_back(other.port)
        assert not second.recovered(first)
        is_usable(second, "ada", room, 1, 2)
        second.drop()
        pair.redis.start()
        for server in pair.servers:
            eventually(lambda s=server: s.get("/ready").json()["dependencies"]["redis"]["state"] == "up", "Redis is back")
        third = Client(one.port).enter("ada", room)
        sender.send(room, "seen")
        while third.expect("new_message")[0]["message"] != "seen":
            pass
        third.drop()
        fourth = third.come_back(other.port)
        assert fourth.recovered(third)
        sender.send(room, "live")
        assert fourth.expect("new_message")[0]["message"] == "live"


class TestWhenAnInstanceEnds:
    def drain(self, server, *clients: Client) -> None:
        """SIGTERM, and the packets that clients get meanwhile."""
        with ThreadPoolExecutor(1 + len(clients)) as pool:
            ended = pool.submit(server.terminate)
            for client in clients:
                pool.submit(client.read_to_the_end).result(TIMEOUT_SECONDS)
            assert ended.result() == 0

    def test_its_clients_go_on_elsewhere(self, pair, make_chat, room):
        one, other = pair.servers
        sender = make_chat(other, "sender")
        watcher = make_chat(other, "watcher")
        watcher.ask("subscribe_presence", {"userIds": [f"user-{number}" for number in range(5)]})
        watcher.join(room)
        sender.join(room)
        clients = [Client(one.port).enter(f"user-{number}", room) for number in range(5)]
        sender.send(room, "seen")
        for client in clients:
            client.read_messages(1)
        for _ in clients:
            watcher.expect("user_status_change")
        stop = threading.Event()

        def talk() -> int:
            count = 1
            while not stop.wait(0.01):
                sender.send(room, "on and on")
                count += 1
            return count

        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(talk)
            try:
                self.drain(one, *clients)
                back = [client.come_back(other.port) for client in clients]
            finally:
                stop.set()
            last = sent.result()
        for before, after in zip(clients, back):
            assert after.recovered(before)
            after.read_messages(last)
            after.settle()
            assert numbers(after, room) == list(range(1, last + 1))
        # By now the dead instance has been noticed, too.
        watcher.read_for(14)
        assert watcher.events("user_status_change") == []
        assert watcher.events("user_left") == []
        assert other.get("/online-status?ids=user-0", headers={"X-User-Id": "x"}).json()[0]["online"] is True

    def test_and_come_back_to_the_one_that_starts_in_its_place(self, pair, make_chat, room):
        one, other = pair.servers
        sender = make_chat(other, "sender")
        first = enter(one.port, sender, "ada", room)
        self.drain(one, first)
        sender.send(room, "missed")
        one.start()
        second = first.come_back(one.port)
        assert second.recovered(first)
        second.read_messages(2)
        sender.send(room, "live")
        second.read_messages(3)
        assert numbers(second, room) == [1, 2, 3]

    def test_the_javascript_client(self, chromium, make_fleet, make_chat, room):
        fleet = make_fleet(GRACE | {"CORS_ORIGIN": "*"})
        one, other = fleet.servers
        sender = make_chat(other, "sender")
        context = chromium.new_context(bypass_csp=True)
        client = BrowserClient(context.new_page(), one.url, {"transports": ["websocket"]}, page_url=other.url)
        first = client.enter(sender, "ada", room)
        # Where a balancer would send it next.
        client.page.evaluate("url => { socket.io.uri = url }", other.url)
        assert one.terminate() == 0
        client.expect_recovery(sender, room, first)
        context.close()
