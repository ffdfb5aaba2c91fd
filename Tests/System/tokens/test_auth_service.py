"""Tokens that an Auth Service verifies, over gRPC: what it may answer, and what happens while it does not."""

import threading
import time

import grpc
import pytest
import socketio

from auth_service import AuthService, answer, text
from minting import SECRET, Keys, claims
from support.certificate import make_certificate
from support.chat import Refused
from support.deadline import TIMEOUT_SECONDS, eventually
from support.metrics import metric
from support.server import free_port


@pytest.fixture
def service():
    service = AuthService(free_port()).start()
    yield service
    service.stop()


@pytest.fixture
def server(service, make_server):
    return make_server({"AUTH_GRPC_URL": f"grpc://127.0.0.1:{service.port}"})


def whoami(server, token):
    return server.get("/api/rooms", headers={"Authorization": f"Bearer {token}"})


def code(response) -> str:
    return response.json()["code"]


def state(server) -> str:
    return server.get("/ready").json()["dependencies"]["auth_service"]["state"]


def calls(server, result: str) -> float:
    return metric(server, f'chat_auth_service_calls_total{{result="{result}"}}')


def test_a_token_is_that_of_the_user_whom_the_service_names(server, service, make_chat):
    assert whoami(server, "user:ann").status_code == 200
    named = make_chat(server).authenticate_with("user:ann")
    assert (named["userId"], named["username"]) == ("ann", "Ann")
    assert named["expiresAt"] > time.time() * 1000
    assert service.asked == ["user:ann"], "the second one is known"
    assert calls(server, "accepted") == 1
    assert metric(server, "chat_auth_service_cache_hits_total") >= 1


def test_a_refused_token_reads_like_every_bad_token(server, service, make_chat):
    refusal = whoami(server, "stranger")
    assert (refusal.status_code, code(refusal)) == (401, "unauthorized")
    with pytest.raises(Refused) as refused:
        make_chat(server).authenticate_with("another")
    assert refused.value.code == "unauthorized"
    for status in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT):
        service.answer = lambda token: status
        assert whoami(server, status.name).status_code == 401


def test_a_handshake_with_a_token_is_answered_before_the_commands_behind_it(server, service, make_chat):
    service.hang()
    chat = make_chat(server, path="/?token=user:ann")
    join = chat.emit_with_id("join_room", {"roomId": "r"})
    send = chat.emit_with_id("send_message", {"roomId": "r", "message": "hello"})
    eventually(lambda: service.asked, "the service is asked")
    service.go_on()
    assert chat.expect("authenticated")["userId"] == "ann"
    assert chat.reply(join)["success"] and chat.reply(send)["success"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_socket_io_waits_with_its_answer_to_connect(server, service, transport):
    def connect(token) -> socketio.Client:
        client = socketio.Client(reconnection=False)
        client.connect(server.url, auth={"token": token}, transports=[transport], wait_timeout=TIMEOUT_SECONDS)
        return client

    client = connect("user:ann")
    assert client.call("ping", {}, timeout=TIMEOUT_SECONDS) is not None
    client.disconnect()
    refusals = []
    client = socketio.Client(reconnection=False)
    client.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(server.url, auth={"token": "stranger"}, transports=[transport], wait_timeout=TIMEOUT_SECONDS)
    assert refusals[0]["message"] == "unauthorized"


def test_callers_with_one_token_share_one_call(server, service):
    service.hang()
    statuses: list[int] = []
    callers = [threading.Thread(target=lambda: statuses.append(ask(server))) for _ in range(10)]
    for caller in callers:
        caller.start()
    eventually(lambda: service.asked, "the service is asked")
    service.go_on()
    for caller in callers:
        caller.join()
    assert statuses == [200] * 10
    assert service.asked == ["user:ann"]


def ask(server) -> int:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        return session.get(server.url + "/api/rooms", headers={"Authorization": "Bearer user:ann"}).status_code


def test_a_service_that_hangs_delays_its_own_callers_alone(server, service, make_chat):
    live = make_chat(server)
    live.authenticate_with("user:live")
    live.join("r")
    service.hang()
    began = time.monotonic()
    refusal = whoami(server, "user:ann")
    assert time.monotonic() - began >= 2
    assert (refusal.status_code, code(refusal)) == (503, "auth_unavailable")
    assert refusal.headers["Retry-After"]
    assert live.send("r", "still here")["success"]
    with pytest.raises(Refused) as refused:
        make_chat(server).authenticate_with("user:bob")
    assert refused.value.code == "auth_unavailable" and refused.value.error["retryable"]
    service.go_on()
    eventually(lambda: whoami(server, "user:ann").status_code == 200, "it is asked again")


def test_a_service_that_is_away_is_degradation_and_comes_back(server, service, make_chat):
    live = make_chat(server)
    live.authenticate_with("user:live")
    live.join("r")
    service.stop()
    refusals = [whoami(server, f"user:u{number}") for number in range(6)]
    assert {code(refusal) for refusal in refusals} == {"auth_unavailable"}
    eventually(lambda: state(server) == "down", "/ready says so")
    assert server.get("/ready").status_code == 200
    assert server.get("/ready").json()["status"] == "degraded"
    assert whoami(server, "user:live").status_code == 200, "an answer is kept"
    assert live.send("r", "still here")["success"]
    chat = make_chat(server, path="/?token=user:ann")
    chat.expect_error("auth_unavailable")
    chat.expect_close(1013)
    service.start()
    eventually(lambda: state(server) == "up", "the service is found again")
    assert make_chat(server).authenticate_with("user:ann")["userId"] == "ann"
    assert live.send("r", "all the time")["success"]


def test_a_service_that_was_never_there_does_not_stop_the_start(make_server):
    port = free_port()
    server = make_server({"AUTH_GRPC_URL": f"grpc://127.0.0.1:{port}"})
    assert code(whoami(server, "user:ann")) == "auth_unavailable"
    service = AuthService(port).start()
    try:
        eventually(lambda: whoami(server, "user:ann").status_code == 200, "the service is found")
    finally:
        service.stop()


LIES = {
    "a number for a user": b"\x08\x01\x10\x07",
    "a text for valid": text(1, "yes") + text(2, "ann"),
    "no user": b"\x08\x01",
    "a user too long": answer("u" * 200),
    "not UTF-8": b"\x08\x01\x12\x01\xff",
    "half a message": answer("ann")[:-1],
    "no message": b"\xff" * 20,
    "ten megabytes": b"\x08\x01" + text(3, "x" * 10_000_000),
}


def test_a_service_that_lies_is_not_believed(server, service):
    for name, lie in LIES.items():
        service.answer = lambda token: lie
        refusal = whoami(server, f"user:{name.replace(' ', '-')}")
        assert (refusal.status_code, code(refusal)) == (503, "auth_unavailable"), name
    for status in (grpc.StatusCode.INTERNAL, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED):
        service.answer = lambda token: status
        assert code(whoami(server, status.name)) == "auth_unavailable"
    service.answer = lambda token: answer("ann", expires_in=-1)
    assert code(whoami(server, "over")) == "unauthorized"
    service.answer = lambda token: answer("ann", "\x00")
    assert whoami(server, "a-name-that-is-none").status_code == 200, "the service was asked every time"


def test_a_session_ends_with_its_token(server, service, make_chat):
    service.answer = lambda token: answer("ann", expires_in=2)
    chat = make_chat(server)
    chat.authenticate_with("short")
    chat.expect("token_expiring")
    chat.expect_close(4401)


def test_keys_here_decide_first(service, make_server, tmp_path):
    keys = Keys()
    server = make_server(
        {
            "AUTH_GRPC_URL": f"grpc://127.0.0.1:{service.port}",
            "JWT_SECRET": SECRET,
            "JWT_JWKS_FILE": str(keys.write_jwks(tmp_path / "keys.json")),
        }
    )
    assert whoami(server, keys.sign("HS256", claims())).status_code == 200
    assert whoami(server, keys.sign("RS256", claims(), kid="r")).status_code == 200
    assert whoami(server, Keys().sign("RS256", claims(), kid="r")).status_code == 401
    assert whoami(server, keys.sign("HS256", claims())[:-4] + "AAAA").status_code == 401
    assert service.asked == []
    stranger = Keys().sign("RS256", claims(), kid="another")
    assert whoami(server, stranger).status_code == 401
    assert whoami(server, "user:ann").status_code == 200
    assert service.asked == [stranger, "user:ann"]


def test_over_tls_with_another_method(make_server, tmp_path):
    certificate, key = make_certificate(tmp_path / "tls")
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    service = AuthService(free_port(), "accounts.v1.Tokens", credentials).start()
    settings = {
        "AUTH_GRPC_URL": f"grpcs://127.0.0.1:{service.port}",
        "AUTH_GRPC_METHOD": "/accounts.v1.Tokens/ValidateToken",
    }
    try:
        server = make_server(settings | {"AUTH_CA_FILE": str(certificate)})
        assert whoami(server, "user:ann").status_code == 200
        distrustful = make_server(settings)
        assert code(whoami(distrustful, "user:ann")) == "auth_unavailable"
    finally:
        service.stop()


def test_no_token_reaches_the_log(server, service):
    for token in ("user:secret-ann", "secret-stranger"):
        whoami(server, token)
    service.stop()
    for number in range(5):
        whoami(server, f"user:secret-{number}")
    assert "secret-" not in server.log_text()
    assert "Auth Service does not verify tokens" in server.log_text()
