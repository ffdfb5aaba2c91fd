"""Messages directly to users that are on this instance, on the other, on both or nowhere; raw and over Socket.IO."""

import pytest
from sio_client import SocketIOChat
from support.deadline import eventually
from support.fleet import Fleet

KEY = "the-key-of-the-services"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two instances; the tests use users of their own."""
    fleet = Fleet(tmp_path_factory.mktemp("direct"), {"SERVICE_API_KEY": KEY})
    yield fleet
    fleet.stop()


@pytest.fixture(params=["raw", "flat", "websocket", "polling", "upgrade"])
def connect(request, make_chat):
    """Connects a user to an instance, by a raw WebSocket in either framing or by Socket.IO."""
    clients = []

    def connect(server, user: str):
        if request.param in ("raw", "flat"):
            return make_chat(server, user, framing="event" if request.param == "raw" else "type")
        client = SocketIOChat(server.url, request.param)
        clients.append(client)
        client.connect().authenticate(user)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def name(room):
    """User ids that no other test uses."""
    return lambda user: f"{user}-{room}"


def wait_until_known(fleet: Fleet, *users: str) -> None:
    """Until Redis, where recipients are looked up, has a session for each mention."""
    keys = fleet.keys()
    for user in users:
        sessions = users.count(user)
        eventually(lambda: keys.hlen(f"chat-service:user:{user}") == sessions + 1, f"{user} is known")


def status(answer: dict) -> tuple[str, int, list[str], list[str]]:
    recipients = answer["recipients"]
    return answer["status"], recipients["total"], sorted(recipients["sent"]), sorted(recipients["failed"])


def nothing_came(client) -> bool:
    """Of direct messages, after everything that was sent before."""
    if isinstance(client, SocketIOChat):
        client.request("ping", {})
    else:
        client.settle()
    return client.events("message") == []


def test_here_there_and_nowhere(two, connect, name):
    one, other = two.servers
    sender = connect(one, name("sender"))
    here, there = connect(one, name("here")), connect(other, name("there"))
    both = [connect(server, name("both")) for server in two.servers]
    bystander = connect(other, name("bystander"))
    wait_until_known(two, name("here"), name("there"), name("both"), name("both"))
    recipients = [name(user) for user in ("here", "there", "both", "nowhere")]
    answer = sender.request(
        "send_message", {"recipientIds": recipients, "message": "psst 🙂", "metadata": {"k": [1, None, "é"]}}
    )
    assert status(answer) == ("sent", 4, sorted(recipients[:3]), recipients[3:])
    assert answer["timestamp"].endswith("Z")
    got = [client.expect("message") for client in (here, there, *both)]
    assert got[0]["senderId"] == name("sender") and got[0]["message"] == "psst 🙂"
    assert got[0]["metadata"] == {"k": [1, None, "é"]}
    assert len(got[0]["messageId"]) == 24 and isinstance(got[0]["timestamp"], int)
    assert all(message["messageId"] == got[0]["messageId"] and message == got[0] for message in got)
    for client in (sender, bystander, here, there, *both):
        assert nothing_came(client)


def test_a_user_that_left_is_not_reached(two, connect, name):
    one, other = two.servers
    sender = connect(one, name("sender"))
    gone = connect(other, name("gone"))
    wait_until_known(two, name("gone"))
    asked = {"recipientIds": [name("gone")], "message": "x"}
    assert status(sender.request("send_message", asked)) == ("sent", 1, [name("gone")], [])
    gone.expect("message")
    gone.close()
    while status(answer := sender.request("send_message", asked))[0] != "error":
        pass
    assert status(answer) == ("error", 1, [], [name("gone")])


def test_the_order_of_one_sender_is_kept(two, connect, name):
    one, other = two.servers
    sender, there = connect(one, name("sender")), connect(other, name("there"))
    wait_until_known(two, name("there"))
    for number in range(100):
        sender.emit("send_message", {"recipientIds": [name("there")], "message": str(number)})
    assert [there.expect("message")["message"] for _ in range(100)] == [str(number) for number in range(100)]


def test_a_service_writes_to_both_instances(two, connect, name):
    one, other = two.servers
    here, there = connect(one, name("here")), connect(other, name("there"))
    wait_until_known(two, name("here"), name("there"))
    body = {
        "recipientIds": [name("here"), name("there"), name("nowhere")],
        "message": "Due today",
        "metadata": {"serviceName": "billing"},
    }
    for server in two.servers:
        answer = server.post("/internal/messages", headers={"X-Service-Key": KEY}, json=body)
        assert answer.status_code == 200
        assert status(answer.json()) == ("sent", 3, sorted([name("here"), name("there")]), [name("nowhere")])
        for client in (here, there):
            message = client.expect("message")
            assert (message["senderId"], message["message"]) == ("billing", "Due today")
            assert message["metadata"] == {"serviceName": "billing"}
    assert server.post("/internal/messages", json=body).status_code == 401


def test_redis_is_away(make_fleet, make_chat):
    """Users on this instance are reached and those on the other are not, as the answer says. Afterwards all are reached again."""
    fleet = make_fleet()
    one, other = fleet.servers
    sender, here, there = make_chat(one, "sender"), make_chat(one, "here"), make_chat(other, "there")
    wait_until_known(fleet, "here", "there")
    asked = {"recipientIds": ["here", "there"], "message": "x"}
    assert status(sender.request("send_message", asked)) == ("sent", 2, ["here", "there"], [])
    fleet.redis.kill()
    while (answer := status(sender.request("send_message", asked))) == ("sent", 2, ["here", "there"], []):
        pass
    assert answer == ("sent", 2, ["here"], ["there"])
    here.expect("message")
    fleet.redis.start()
    there.inbox.clear()

    def reaches_both() -> bool:
        answer = status(sender.request("send_message", asked))
        there.read_for(0.05)
        return answer == ("sent", 2, ["here", "there"], []) and bool(there.events("message"))

    eventually(reaches_both, "both are reached again")
