"""Clients that take what they asked for too slowly, or never: their queues are bounded, then they go."""

import json

from support.chat import Chat
from support.deadline import eventually
from support.process import resident_bytes
from support.wire import CLOSE, PING, TEXT, Wire, event, frame, narrow

ENVIRONMENT = {"OUTPUT_QUEUE_BYTES": "262144"}
QUEUE = 262_144


def counted(shared, name: str) -> int:
    lines = shared.get("/metrics").text.splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name + " ")))


def slow_consumers(shared) -> int:
    return counted(shared, "chat_slow_consumers_total")


def queued(shared) -> int:
    return counted(shared, "chat_output_queue_bytes")


def test_a_member_who_never_reads_is_cut_and_the_others_miss_nothing(shared, make_chat, room):
    talker, listener = make_chat(shared, "talker"), make_chat(shared, "listener")
    for chat in (talker, listener):
        chat.join(room)
    deaf = [narrow(shared.port) for _ in range(5)]
    for number, wire in enumerate(deaf):
        wire.open().send(event("authenticate", {"userId": f"deaf-{number}"}) + event("join_room", {"roomId": room}))
        wire.event("room_state")
    before, cut = resident_bytes(shared.pid), slow_consumers(shared)
    text = "x" * 16_000
    most = 0
    # The kernel takes a few megabytes on its own before the queue begins to fill.
    for number in range(1000):
        talker.send(room, text)
        listener.expect("new_message", lambda message: message["seq"] == number + 1)
        talker.expect("new_message")
        most = max(most, queued(shared) if number % 5 == 0 else 0)
        if number % 50 == 0 and slow_consumers(shared) == cut + len(deaf):
            break
    assert slow_consumers(shared) == cut + len(deaf)
    assert resident_bytes(shared.pid) - before < 5 * (4 * QUEUE) + (24 << 20)
    for wire in deaf:
        codes = _drain(wire)
        assert codes in ([4008], []), "the close frame comes, if the client reads even that"
        wire.socket.close()
    assert 0 < most <= 5 * QUEUE
    eventually(lambda: queued(shared) == 0, "nothing is queued for clients that left")


def _drain(wire: Wire) -> list[int | None]:
    """The close codes among what is still to be read."""
    codes = []
    try:
        for got in wire.frames(5):
            if got.opcode == CLOSE:
                codes.append(got.close_code)
    except (EOFError, ConnectionResetError):
        pass
    return codes


def test_typing_is_left_out_before_a_reader_is_cut(shared, make_chat, room):
    """A reader far behind gets its messages, and no stale typing; no reader is cut for typing alone."""
    typist = make_chat(shared, "typist")
    typist.join(room)
    slow = narrow(shared.port)
    slow.open().send(event("authenticate", {"userId": "slow"}) + event("join_room", {"roomId": room}))
    slow.event("room_state")
    cut = slow_consumers(shared)
    # The kernel takes some on its own before the queue begins to fill.
    for number in range(100_000):
        typist.emit("typing", {"roomId": room, "isTyping": number % 2 == 0})
        if number % 500 == 0:
            typist.settle()
            if counted(shared, "chat_dropped_frames_total") > 500:
                break
    typist.settle()
    assert counted(shared, "chat_dropped_frames_total") > 500
    assert slow_consumers(shared) == cut
    typist.send(room, "after all that")
    assert slow.event("new_message")["message"] == "after all that"
    slow.socket.close()


def test_unread_pongs_are_bounded(shared):
    wire = narrow(shared.port)
    wire.open()
    before, cut = resident_bytes(shared.pid), slow_consumers(shared)
    ping = frame(PING, b"p" * 125) * 500
    try:
        for _ in range(1000):
            wire.send(ping)
    except OSError:
        pass
    eventually(lambda: slow_consumers(shared) == cut + 1, "the connection is cut")
    assert resident_bytes(shared.pid) - before < 24 << 20
    wire.socket.close()


def test_unread_answers_hold_up_only_their_own_connection(shared, make_chat, room):
    """A thousand pipelined requests for a page of history; the pages are not made before there is room for them."""
    talker = make_chat(shared, "talker")
    talker.join(room)
    for _ in range(30):
        talker.send(room, "x" * 16_000)
    talker.settle()
    before = resident_bytes(shared.pid)
    wire = narrow(shared.port)
    wire.socket.settimeout(2)
    try:
        wire.send(f"GET /api/chat/{room}/history HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
    except (TimeoutError, OSError):
        pass
    talker.settle()
    assert resident_bytes(shared.pid) - before < 32 << 20
    wire.socket.close()


def test_a_slow_reader_of_a_large_answer_still_gets_it_whole(shared, make_chat, room):
    talker = make_chat(shared, "talker")
    talker.join(room)
    for _ in range(100):
        talker.send(room, "x" * 16_000)
    talker.settle()
    wire = narrow(shared.port)
    wire.send(f"GET /api/chat/{room}/history?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    page = json.loads(wire.response().body)
    assert len(page["messages"]) > 50 and page["hasMore"], "as many as fit in a page"
    wire.socket.close()


def test_replays_to_a_client_that_never_reads_are_bounded(shared, make_chat, room):
    """Joining again and again asks for the same large replay."""
    talker = make_chat(shared, "talker")
    talker.join(room)
    for _ in range(50):
        talker.send(room, "x" * 16_000)
    talker.settle()
    before = resident_bytes(shared.pid)
    wire = narrow(shared.port)
    wire.open().send(event("authenticate", {"userId": "greedy"}))
    wire.socket.settimeout(2)
    try:
        for _ in range(500):
            wire.send(event("join_room", {"roomId": room, "since": 0}))
    except (TimeoutError, OSError):
        pass
    eventually(lambda: talker.settle() or resident_bytes(shared.pid) - before < 32 << 20, "bounded memory")
    wire.socket.close()


def test_a_client_that_sends_after_the_close_frame_is_cut(shared):
    wire = Wire(shared.port)
    wire.open().send(frame(TEXT, b"x", rsv=2))
    assert next(got for got in wire.frames() if got.opcode == CLOSE).close_code == 1002

    def is_cut() -> bool:
        try:
            wire.send(b"y" * 1000)
        except OSError:
            return True
        return False

    eventually(is_cut, "the connection is cut")


def test_the_server_still_serves(shared):
    with Chat(shared.ws_url) as chat:
        chat.authenticate("late")
        chat.join("lobby")
        chat.send("lobby", "fine")
