"""TLS on the same port: REST and chat over it, what it agrees on, and what breaks it."""

import json
import shutil
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.deadline import TIMEOUT_SECONDS, eventually
from support.process import descriptors, resident_bytes
from support.server import Server, binary, clean_environment
from support.wire import TEXT, Wire, event, frame, upgrade_request

# requests reports every certificate that it is configured not to verify.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
HANDSHAKE_SECONDS = 10


@pytest.fixture(scope="module")
def shared(certificate, tmp_path_factory):
    environment = {"TLS_CERT_FILE": str(certificate[0]), "TLS_KEY_FILE": str(certificate[1]), "EVENT_LOOPS": "3"}
    server = Server(tmp_path_factory.mktemp("tls"), environment).start()
    yield server
    server.stop()


@pytest.fixture
def context(certificate):
    return ssl.create_default_context(cafile=str(certificate[0]))


def secured(port: int, context: ssl.SSLContext, **options) -> Wire:
    wire = Wire(port)
    wire.socket = context.wrap_socket(wire.socket, server_hostname="127.0.0.1", **options)
    return wire


def test_the_health_check_command_takes_the_alert_for_life(shared):
    command = [str(binary()), "healthcheck"]
    done = subprocess.run(command, env=clean_environment(shared.env), cwd=shared.directory, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("cipher", "is_taken"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
        ("ECDHE-ECDSA-AES256-SHA384", False),
        ("ECDHE-ECDSA-AES128-SHA", False),
        ("ECDHE-ECDSA-AES256-CCM", False),
    ],
)
def test_of_tls_1_2_only_forward_secrecy_with_authenticated_encryption(shared, context, cipher, is_taken):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    if is_taken:
        with secured(shared.port, context) as wire:
            assert wire.socket.cipher()[0] == cipher
    else:
        with pytest.raises(ssl.SSLError):
            secured(shared.port, context)


HEALTH = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_requests_over_both_versions(shared, context, version):
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_alpn_protocols(["h2", "http/1.1"])
    with secured(shared.port, context) as wire:
        assert wire.socket.version() == version.replace("_", ".")
        assert wire.socket.selected_alpn_protocol() == "http/1.1"
        wire.send(HEALTH * 3)
        assert [wire.response().json()["status"] for _ in range(3)] == ["ok"] * 3


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_are_not_spoken(shared, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        secured(shared.port, context)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_sessions_are_resumed_on_whichever_loop(shared, context, version):
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with secured(shared.port, context) as first:
        assert first.ask(HEALTH).status == 200
        session = first.socket.session
        assert session is not None and session.has_ticket
    resumed = 0
    for _ in range(12):
        with secured(shared.port, context, session=session) as wire:
            assert wire.ask(HEALTH).status == 200
            resumed += wire.socket.session_reused
    assert resumed == 12


@pytest.mark.parametrize("framing", ["event", "type"])
def test_a_chat_over_tls(shared, make_chat, room, framing):
    path = "/" if framing == "event" else "/ws"
    alice, bob = (make_chat(shared, user, path=path, framing=framing) for user in ("alice", "bob"))
    for chat in (alice, bob):
        chat.join(room)
    for text in ("short", "ü" * 8000):
        ack = alice.send(room, text)
        assert bob.expect("new_message")["message"] == text
        history = shared.get(f"/api/chat/{room}/history?after={ack['seq'] - 1}").json()
        assert [m["message"] for m in history["messages"]] == [text]


def test_more_commands_than_may_wait_are_all_answered(shared, make_chat, room):
    """Reading stops and continues many times, with records waiting on both sides of TLS."""
    alice = make_chat(shared, "alice")
    ids = [alice.emit_with_id("join_room", {"roomId": room})]
    ids += [alice.emit_with_id("send_message", {"roomId": room, "message": f"{n}"}) for n in range(1000)]
    assert [alice.reply(id)["seq"] for id in ids[1:]] == list(range(1, 1001))
    alice.settle()


def test_large_answers_and_many_small_records(shared, context, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    for _ in range(50):
        alice.send(room, "x" * 16_000)
    alice.settle()
    with secured(shared.port, context) as wire:
        wire.send(f"GET /api/chat/{room}/history?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = wire.response()
        assert len(json.loads(answer.body)["messages"]) == 50
        data = upgrade_request() + b"".join(event("ping", n) for n in range(500))
        for byte in (data[n : n + 37] for n in range(0, len(data), 37)):
            wire.send(byte)
        assert wire.response().status == 101
        assert [wire.event("pong") for _ in range(500)] == list(range(500))


def test_closing_is_said_over_tls_too(shared, context):
    with secured(shared.port, context) as wire:
        wire.open().send(frame(TEXT, b"x", rsv=2))
        assert wire.close_code() == 1002, "and the end comes by close_notify, not by a cut"
    with secured(shared.port, context) as wire:
        assert wire.ask("BAD\r\n\r\n").status == 400
        assert wire.expect_end() == b""


def test_broken_handshakes_leave_nothing(shared, context):
    with secured(shared.port, context) as wire:
        assert wire.ask(HEALTH).status == 200
    eventually(lambda: shared.get("/ready").status_code == 200, "warm")
    held, resident = descriptors(shared.pid), resident_bytes(shared.pid)
    plain, noise, alert = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x80" * 1000, b"\x15\x03\x03\x00\x02\x02\x28"
    for data in (b"", b"\x16", b"\x16\x03\x01\x02\x00", plain, noise, alert):
        for _ in range(50):
            with Wire(shared.port) as wire:
                wire.send(data)
                if data in (plain, noise):
                    wire.expect_end()
    eventually(lambda: descriptors(shared.pid) <= held, "every descriptor is given back")
    assert resident_bytes(shared.pid) - resident < 32 << 20


def test_silence_before_within_and_after_the_handshake(shared, context):
    """All at once: each is cut or answered after the time a head may take."""

    def silent(_) -> float:
        with Wire(shared.port) as wire:
            start = time.monotonic()
            wire.expect_end()
            return time.monotonic() - start

    def half(_) -> float:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with pytest.raises(ssl.SSLWantReadError):
            context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1").do_handshake()
        with Wire(shared.port) as wire:
            start = time.monotonic()
            wire.send(outgoing.read()[:100])
            wire.expect_end()
            return time.monotonic() - start

    def shaken(_) -> float:
        with secured(shared.port, context) as wire:
            start = time.monotonic()
            assert wire.response().status == 408
            return time.monotonic() - start

    with ThreadPoolExecutor() as pool:
        waits = list(pool.map(lambda case: case(None), [silent, half, shaken]))
    assert all(wait >= HANDSHAKE_SECONDS - 1 for wait in waits), waits


def test_a_reader_that_never_reads_is_cut(make_server, certificate, context, make_chat):
    server = make_server(
        {"TLS_CERT_FILE": str(certificate[0]), "TLS_KEY_FILE": str(certificate[1]), "OUTPUT_QUEUE_BYTES": "262144"}
    )
    talker = make_chat(server, "talker")
    talker.join("r")
    deaf = Wire.__new__(Wire)
    deaf.port, deaf.host, deaf.timeout, deaf.buffer = server.port, "127.0.0.1", 5.0, b""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", server.port))
    deaf.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
    deaf.open().send(event("authenticate", {"userId": "deaf"}) + event("join_room", {"roomId": "r"}))
    deaf.event("room_state")

    def is_cut() -> bool:
        talker.send("r", "x" * 16_000)
        talker.expect("new_message")
        return "chat_slow_consumers_total 1" in server.get("/metrics").text

    eventually(is_cut, "the deaf one is cut", every=0)
    plain.close()
    deaf.socket.close()


@pytest.mark.parametrize("broken", ["certificate", "key", "pair"])
def test_files_that_are_none_stop_the_start(make_server, certificate, tmp_path, broken):
    cert, key = (tmp_path / "cert.pem"), (tmp_path / "key.pem")
    shutil.copy(certificate[0], cert)
    shutil.copy(certificate[1], key)
    if broken == "pair":
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True, capture_output=True)
    else:
        (cert if broken == "certificate" else key).write_text("not PEM\n")
    server = make_server({"TLS_CERT_FILE": str(cert), "TLS_KEY_FILE": str(key)}, start=False)
    server.start(wait=False)
    assert server.wait() > 0
    log = server.log_text()
    assert '"level":"error"' in log or "error:" in log
    assert str(tmp_path) in log, "the file is named"
