"""Tokens: a callback renews them before they expire, and after one was refused."""

import time

import jwt
import pytest
from sdk_client import SDKClient

from support.page import PAGE

SECRET = "only-for-the-tests-of-the-sdk-of-this-server"


def token(user: str = "ada", lifetime: int = 600) -> str:
    return jwt.encode({"sub": user, "name": user.capitalize(), "exp": int(time.time()) + lifetime}, SECRET, "HS256")


@pytest.fixture(params=["node-raw", "node-socketio"])
def setting(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server(make_server):
    return make_server(PAGE | {"JWT_SECRET": SECRET})


@pytest.fixture
def new_token_client(new_client, server):
    return lambda *tokens, **options: new_client(server, tokens=list(tokens), **options)


def test_the_callback_gives_the_first_token(new_token_client):
    ada: SDKClient = new_token_client(token()).connect()
    assert ada.run("() => [chat.me, chat.identity.username]") == ["ada", "Ada"]
    ada.join("lobby")
    ada.send("lobby", "hello")
    ada.wait("() => report.messages.length === 1")
    assert len(ada.run("async () => chat.api.rooms()")) == 1


def test_a_token_is_renewed_before_it_expires_on_the_same_connection(new_token_client):
    # Thirty seconds before its end the server asks for another one.
    ada: SDKClient = new_token_client(token(lifetime=31), token()).connect()
    ada.wait("() => tokens.length === 0")
    ada.wait("(before) => chat.identity.token !== before", token(lifetime=31))
    assert ada.report("sessions") == [False]
    assert ada.run("async () => (await chat.connection.emit('ping', { n: 1 })).n") == 1


def test_a_refused_token_is_renewed_once(new_token_client):
    ada: SDKClient = new_token_client(token(lifetime=-100), token()).connect()
    assert ada.report("sessions") == [False]


def test_a_second_refusal_in_a_row_ends_it(new_token_client):
    ada: SDKClient = new_token_client(token(lifetime=-100), token(lifetime=-100), token())
    assert ada.run("() => chat.connect().catch(({ code }) => code)") == "unauthorized"
    assert ada.report("states")[-1] == "refused" and ada.run("() => tokens.length") == 1


def test_a_callback_that_fails_is_called_again(new_token_client):
    ada: SDKClient = new_token_client()
    ada.run("""(token) => {
      globalThis.tokens = { calls: 0, shift() { this.calls += 1; if (this.calls < 3) throw new Error('away'); return token; } };
    }""", token())
    ada.connect()
    assert ada.run("() => tokens.calls") == 3


def test_without_a_callback_the_application_is_asked(new_client, server):
    ada = new_client(server, token=token(lifetime=31)).connect()
    ada.wait("() => report.expiring >= 1")
    ada.run("(token) => chat.connection.renewToken(token)", token())
    assert ada.report("sessions") == [False]


def test_a_user_that_is_logged_out_stops(new_client, make_server):
    server = make_server(PAGE | {"JWT_SECRET": SECRET, "SERVICE_API_KEY": "a-service-key-for-the-tests-of-the-sdk"})
    ada = new_client(server, token=token()).connect()
    headers = {"X-Service-Key": "a-service-key-for-the-tests-of-the-sdk"}
    assert server.delete("/internal/users/ada/sessions", headers=headers).status_code == 200
    ada.wait("() => chat.connection.state.name === 'stopped'")
    assert ada.run("() => chat.connection.state.why") == "signIn"
