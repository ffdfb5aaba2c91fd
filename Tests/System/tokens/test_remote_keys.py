"""Key sets that an identity provider publishes: how they are fetched, and what a provider may answer."""

import json
import threading
import time
from typing import Callable

import pytest

from minting import SECRET, Keys, claims, public_jwk
from support.certificate import make_certificate
from support.deadline import eventually
from support.metrics import metric
from support.web_server import Answer, Call, WebServer


class Provider(WebServer):
    """A test sets its pages."""

    def __init__(self):
        super().__init__()
        self.pages: dict[str, Callable[[], Answer]] = {}
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return self.origin

    def publish(self, *jwks: dict, path: str = "/keys", **fields: str) -> None:
        self.page(path, json.dumps({"keys": jwks}).encode(), **fields)

    def page(self, path: str, body: bytes = b"", status: int = 200, **fields: str) -> None:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        self.pages[path] = lambda: (status, named, body)

    def hang(self, path: str = "/keys") -> None:
        def wait() -> Answer:
            self.released.wait(60)
            return 503, {}, b""

        self.pages[path] = wait

    def respond(self, call: Call) -> Answer:
        self.requests.append(call.path)
        return self.pages.get(call.path, lambda: (404, {}, b""))()


@pytest.fixture
def provider():
    provider = Provider().start()
    yield provider
    provider.stop()


def whoami(server, token):
    return server.get("/api/rooms", headers={"Authorization": f"Bearer {token}"})


def code(response) -> str:
    return response.json()["code"]


def key_set(server) -> dict:
    return server.get("/ready").json()["dependencies"]["key_set"]


def by_url(provider, **more) -> dict[str, str]:
    return {"JWT_JWKS_URL": provider.url + "/keys", **more}


def test_a_set_is_fetched_and_a_new_key_found_by_its_token(provider, make_server, keys):
    old, new = keys, Keys()
    provider.publish(public_jwk(old.rsa, kid="old"))
    server = make_server(by_url(provider))
    assert whoami(server, old.sign("RS256", claims(), kid="old")).status_code == 200
    assert key_set(server)["state"] == "up"
    assert metric(server, "chat_key_set_keys") == 1
    # A rotation, which the token tells of.
    provider.publish(public_jwk(old.rsa, kid="old"), public_jwk(new.ec, kid="new"))
    assert whoami(server, new.sign("ES256", claims(), kid="new")).status_code == 200
    assert metric(server, "chat_key_set_keys") == 2
    # The next unknown key is refused without another fetch: it is too soon.
    count = len(provider.requests)
    assert code(whoami(server, new.sign("EdDSA", claims(), kid="newer"))) == "unauthorized"
    assert len(provider.requests) == count
    assert set(provider.requests) == {"/keys"}


def test_nothing_that_a_token_names_is_fetched(provider, make_server, keys):
    provider.publish(public_jwk(keys.rsa, kid="r"))
    provider.publish(public_jwk(Keys().rsa, kid="evil"), path="/evil")
    server = make_server(by_url(provider))
    evil = provider.url + "/evil"
    forged = Keys().sign("RS256", claims(iss=provider.url), kid=evil, jku=evil, x5u=evil)
    assert whoami(server, forged).status_code == 401
    assert "/evil" not in provider.requests


def test_the_last_good_set_is_kept(provider, make_server, keys):
    provider.publish(public_jwk(keys.rsa, kid="r"))
    server = make_server(by_url(provider))
    good = keys.sign("RS256", claims(), kid="r")
    assert whoami(server, good).status_code == 200
    provider.stop()
    # Its key may be in the set that cannot be fetched.
    unknown = whoami(server, keys.sign("ES256", claims(), kid="e"))
    assert (unknown.status_code, code(unknown)) == (503, "auth_unavailable")
    eventually(lambda: key_set(server)["state"] == "degraded", "/ready says so")
    assert server.get("/ready").status_code == 200
    assert whoami(server, good).status_code == 200


def test_a_provider_that_is_down_at_the_start_comes_back(make_server, keys):
    provider = Provider()
    server = make_server(by_url(provider, JWT_SECRET=SECRET))
    assert code(whoami(server, keys.sign("RS256", claims(), kid="r"))) == "auth_unavailable"
    assert whoami(server, keys.sign("HS256", claims())).status_code == 200, "keys at hand need no provider"
    eventually(lambda: key_set(server)["state"] == "down", "/ready says so")
    assert server.get("/ready").status_code == 200
    provider.publish(public_jwk(keys.rsa, kid="r"))
    provider.start()
    try:
        eventually(lambda: whoami(server, keys.sign("RS256", claims(), kid="r")).status_code == 200, "it is fetched")
        assert key_set(server)["state"] == "up"
    finally:
        provider.stop()


def bad_answers(provider) -> dict[str, Callable[[], Answer]]:
    loop = {"Location": provider.url + "/keys"}
    many = [public_jwk(Keys(rsa=None).ed, kid="k")] * 10_000
    return {
        "bad JSON": lambda: (200, {}, b'{"keys": ['),
        "no set": lambda: (200, {}, b"[]"),
        "no key": lambda: (200, {}, b'{"keys": []}'),
        "ten thousand keys": lambda: (200, {}, json.dumps({"keys": many}).encode()),
        "ten megabytes": lambda: (200, {}, b'{"keys": [' + b" " * 10_000_000 + b"]}"),
        "an error": lambda: (500, {}, b""),
        "a redirect loop": lambda: (302, loop, b""),
        "a redirect to another host": lambda: (302, {"Location": f"http://localhost:{provider.port}/good"}, b""),
        "a redirect to a file": lambda: (302, {"Location": "file:///etc/passwd"}, b""),
    }


def test_a_bad_answer_leaves_the_old_set(provider, make_server, keys):
    jwk = public_jwk(keys.rsa, kid="r")
    provider.publish(jwk, path="/good")
    for name, bad in bad_answers(provider).items():
        provider.publish(jwk)
        server = make_server(by_url(provider))
        good = keys.sign("RS256", claims(), kid="r")
        assert whoami(server, good).status_code == 200, name
        provider.pages["/keys"] = bad
        # An unknown key has the set fetched.
        assert code(whoami(server, keys.sign("ES256", claims(), kid="e"))) == "auth_unavailable", name
        assert key_set(server)["state"] == "degraded", name
        assert metric(server, 'chat_key_set_fetches_total{result="failed"}') >= 1
        assert whoami(server, good).status_code == 200, name
        assert metric(server, "chat_key_set_keys") == 1
        server.stop()
    assert "/good" not in provider.requests
    assert provider.requests.count("/keys") < 60, "a redirect loop ends"


def test_a_redirect_on_the_same_host_is_followed(provider, make_server, keys):
    provider.page("/keys", status=302, Location="/moved")
    provider.publish(public_jwk(keys.rsa, kid="r"), path="/moved")
    server = make_server(by_url(provider))
    assert whoami(server, keys.sign("RS256", claims(), kid="r")).status_code == 200


def test_a_provider_that_hangs_delays_its_own_callers_alone(provider, make_server, keys):
    provider.hang()
    server = make_server(by_url(provider, JWT_SECRET=SECRET))
    began = time.monotonic()
    refused = threading.Thread(target=lambda: whoami(server, keys.sign("RS256", claims(), kid="r")))
    refused.start()
    assert whoami(server, keys.sign("HS256", claims())).status_code == 200
    refused.join()
    assert time.monotonic() - began >= 2
    assert code(whoami(server, keys.sign("RS256", claims(), kid="r"))) == "auth_unavailable"


def discovered(provider, **more) -> bytes:
    return json.dumps({"issuer": provider.url, "jwks_uri": provider.url + "/keys"} | more).encode()


def test_an_issuer_names_its_key_set(provider, make_server, keys):
    provider.page("/.well-known/openid-configuration", discovered(provider))
    provider.publish(public_jwk(keys.rsa, kid="r"))
    server = make_server({"OIDC_ISSUER": provider.url, "JWT_AUDIENCE": "chat"})
    good = claims(iss=provider.url, aud="chat")
    assert whoami(server, keys.sign("RS256", good, kid="r")).status_code == 200
    for other in (good | {"iss": "https://other.example"}, good | {"aud": "shop"}, claims(aud="chat")):
        assert code(whoami(server, keys.sign("RS256", other, kid="r"))) == "unauthorized"
    assert set(provider.requests) == {"/.well-known/openid-configuration", "/keys"}


@pytest.mark.parametrize(
    "configuration", [{"issuer": "https://other.example"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": None}]
)
def test_a_configuration_of_another_issuer_or_without_a_set_is_not_used(provider, make_server, keys, configuration):
    provider.page("/.well-known/openid-configuration", discovered(provider, **configuration))
    provider.publish(public_jwk(keys.rsa, kid="r"))
    server = make_server({"OIDC_ISSUER": provider.url, "JWT_AUDIENCE": "chat"})
    token = keys.sign("RS256", claims(iss=provider.url, aud="chat"), kid="r")
    assert code(whoami(server, token)) == "auth_unavailable"
    assert "/keys" not in provider.requests


def test_the_certificate_of_the_provider_is_checked(make_server, tmp_path, keys):
    import ssl

    certificate, key = make_certificate(tmp_path / "tls")
    provider = Provider()
    provider.publish(public_jwk(keys.rsa, kid="r"))
    provider.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    provider._server.socket = context.wrap_socket(provider._server.socket, server_side=True)
    settings = {"JWT_JWKS_URL": f"https://127.0.0.1:{provider.port}/keys"}
    token = keys.sign("RS256", claims(), kid="r")
    try:
        assert whoami(make_server(settings | {"AUTH_CA_FILE": str(certificate)}), token).status_code == 200
        assert code(whoami(make_server(settings), token)) == "auth_unavailable"
    finally:
        provider.stop()
