"""Clients that come with a token: `/ws?token=`."""

import subprocess
import time

import pytest

from support.deadline import TIMEOUT_SECONDS
from support.server import binary, clean_environment

KEY = {"X-Service-Key": "a-service-key-of-length"}
ENVIRONMENT = {
    "JWT_SECRET": "a-secret-of-at-least-32-characters!!",
    "SERVICE_API_KEY": KEY["X-Service-Key"],
    "PRESENCE_GRACE_MS": "300",
    "HOST": "127.0.0.1",
}


def token(server, user):
    done = subprocess.run(
        [str(binary()), "token", "mint", "--user", user],
        env=clean_environment(server.env),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    return done.stdout.strip()


def test_a_token_is_all_it_takes(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    mine = token(server, "1")
    client = make_chat(server, path=f"/ws?token={mine}", framing="type")
    assert client.expect("welcome")["userId"] == "1"
    headers = {"Authorization": f"Bearer {mine}"}
    assert server.get("/online-status?ids=1,2", headers=headers).json() == [
        {"id": 1, "online": True},
        {"id": 2, "online": False},
    ]
    client.emit("user_activity")
    client.settle()
    client.close()
    deadline = time.monotonic() + 5
    while server.get("/online-status?ids=1", headers=headers).json()[0]["online"]:
        assert time.monotonic() < deadline
    assert mine not in server.log_text()


@pytest.mark.parametrize("query", ["token=nonsense", "userId=1", "token="])
def test_no_good_token_no_entry(make_server, make_chat, query):
    client = make_chat(make_server(ENVIRONMENT), path=f"/ws?{query}", framing="type")
    client.expect_close(4401)


def test_another_s_id_beside_a_token_is_forbidden(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    client = make_chat(server, path=f"/ws?token={token(server, 'alice')}&userId=bob", framing="type")
    assert client.expect("error")["code"] == "forbidden"
    client.expect_close(4403)
    other = make_chat(server, path=f"/ws?token={token(server, 'alice')}", framing="type")
    assert other.request("join_user", {"userId": "bob"})["error"]["code"] == "forbidden"
