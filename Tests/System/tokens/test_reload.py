"""SIGHUP: certificates and keys are read again without a restart."""

import json
import shutil
import signal
import ssl
from pathlib import Path

import pytest

from minting import Keys, claims, public_jwk
from support.certificate import make_certificate
from support.deadline import eventually
from support.server import Server, free_port
from support.wire import Wire

# requests reports every certificate that it is configured not to verify.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

HEALTH = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname, CONTEXT.verify_mode = False, ssl.CERT_NONE
REFUSED = "reload refused; the previous settings, certificates and keys stay in use"


def lines(server: Server, message: str) -> list[dict]:
    entries = (json.loads(line) for line in server.log_text().splitlines() if line.startswith("{"))
    return [entry for entry in entries if entry["message"] == message]


def reloads(server: Server, result: str) -> int:
    name = f'chat_reloads_total{{result="{result}"}} '
    metrics = server.get("/metrics").text
    return int(next(line for line in metrics.splitlines() if line.startswith(name)).removeprefix(name))


def reload(server: Server, result: str = "applied") -> dict:
    """Sends SIGHUP; the line that the log has of it."""
    message = "reloaded" if result == "applied" else REFUSED
    before = len(lines(server, message))
    counted = reloads(server, result)
    server.process.send_signal(signal.SIGHUP)
    line = eventually(lambda: lines(server, message)[before:], f"the log says {message!r}")[0]
    assert reloads(server, result) == counted + 1
    return line


def der(certificate: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.read_text())


def handshake(
    server: Server, session: ssl.SSLSession | None = None, port: int | None = None
) -> tuple[bytes, ssl.SSLSession, bool]:
    """The certificate that a new connection is shown, its session, and whether it resumed the given one."""
    with Wire(port or server.port) as wire:
        wire.socket = CONTEXT.wrap_socket(wire.socket, server_hostname="127.0.0.1", session=session)
        assert wire.ask(HEALTH).status in (200, 404)  # the internal listener has no such path
        return wire.socket.getpeercert(binary_form=True), wire.socket.session, wire.socket.session_reused


@pytest.fixture
def pairs(tmp_path) -> dict[str, tuple[Path, Path]]:
    """Three certificates with their keys; the server reads the pair `used`."""
    return {name: make_certificate(tmp_path / name) for name in ("used", "first", "second")}


@pytest.fixture
def secured(make_server, pairs) -> Server:
    certificate, key = pairs["used"]
    return make_server(
        {
            "TLS_CERT_FILE": str(certificate),
            "TLS_KEY_FILE": str(key),
            "EVENT_LOOPS": "2",
            "INTERNAL_PORT": str(free_port()),
            "INTERNAL_AUTH": "none",
        }
    )


def install(pairs, name: str) -> None:
    for source, target in zip(pairs[name], pairs["used"]):
        shutil.copy(source, target)


def test_new_connections_get_the_new_certificate_and_open_ones_go_on(secured, pairs, make_chat):
    alice = make_chat(secured, "alice")
    alice.join("kitchen")
    shown, session, _ = handshake(secured)
    assert shown == der(pairs["used"][0])
    assert handshake(secured, session)[2], "the ticket is good for its own certificate"

    install(pairs, "first")
    assert reload(secured)["replaced"] == "certificate"
    for _ in range(12):  # connections land on both loops
        assert handshake(secured)[0] == der(pairs["first"][0])
    assert handshake(secured, port=int(secured.env["INTERNAL_PORT"]))[0] == der(pairs["first"][0])
    shown, _, is_resumed = handshake(secured, session)
    assert (shown, is_resumed) == (der(pairs["first"][0]), False)

    assert alice.send("kitchen", "over the connection of before")["seq"] == 1
    bob = make_chat(secured, "bob")
    assert [m["message"] for m in bob.join("kitchen")["history"]] == ["over the connection of before"]

    install(pairs, "second")
    reload(secured)
    assert handshake(secured)[0] == der(pairs["second"][0])
    assert alice.send("kitchen", "still here")["seq"] == 2


@pytest.mark.parametrize("broken", ["certificate", "key", "pair", "missing"])
def test_a_bad_file_leaves_the_certificate_in_use(secured, pairs, broken):
    certificate, key = pairs["used"]
    shown = der(certificate)
    named = certificate
    if broken == "certificate":
        certificate.write_text("not PEM\n")
    elif broken == "key":
        key.write_text("not PEM, and a secret-part\n")
        named = key
    elif broken == "pair":
        shutil.copy(pairs["first"][1], key)
        named = key
    else:
        certificate.unlink()
    line = reload(secured, "refused")
    assert line["level"] == "error" and str(named) in line["reason"]
    assert "secret-part" not in secured.log_text()
    assert handshake(secured)[0] == shown

    install(pairs, "first")
    reload(secured)
    assert handshake(secured)[0] == der(pairs["first"][0])


def whoami(server: Server, token: str) -> int:
    return server.get("/api/rooms", headers={"Authorization": f"Bearer {token}"}).status_code


def write_key_set(path: Path, *keys: Keys) -> None:
    path.write_text(json.dumps({"keys": [public_jwk(key.ed, kid=str(n)) for n, key in enumerate(keys)]}))


def test_tokens_are_verified_by_the_keys_that_were_read_last(make_server, make_chat, tmp_path):
    old, new = Keys(), Keys()
    key_set = tmp_path / "keys.json"
    write_key_set(key_set, old)
    server = make_server({"JWT_JWKS_FILE": str(key_set)})
    old_token, new_token = (keys.sign("EdDSA", claims("alice")) for keys in (old, new))
    assert (whoami(server, old_token), whoami(server, new_token)) == (200, 401)
    alice = make_chat(server)
    alice.authenticate_with(old_token)
    alice.join("kitchen")

    write_key_set(key_set, new, old)
    assert reload(server)["replaced"] == "token keys"
    assert (whoami(server, old_token), whoami(server, new_token)) == (200, 200)

    write_key_set(key_set, new)
    reload(server)
    assert (whoami(server, old_token), whoami(server, new_token)) == (401, 200)
    assert alice.send("kitchen", "the session goes on")["seq"] == 1


@pytest.mark.parametrize("content", ["", "{", '{"keys":[]}', '{"keys":[{"kty":"RSA","n":"AQ","e":"Aw"}]}'])
def test_a_bad_key_set_leaves_the_keys_in_use(make_server, tmp_path, content):
    keys = Keys()
    key_set = tmp_path / "keys.json"
    write_key_set(key_set, keys)
    server = make_server({"JWT_JWKS_FILE": str(key_set)})
    key_set.write_text(content)
    line = reload(server, "refused")
    assert line["level"] == "error" and f"JWT_JWKS_FILE={key_set}" in line["reason"]
    assert whoami(server, keys.sign("EdDSA", claims())) == 200


def test_keys_of_the_env_file_are_read_again_and_other_changes_wait_for_a_restart(make_server):
    secrets = {name: f"{name}-secret-of-the-reload-tests-0123456789" for name in ("old", "new")}
    server = make_server(start=False)
    file = server.directory / ".env"

    def write(name: str, more: str = "") -> None:
        file.write_text(f"JWT_SECRET={secrets[name]}\nSERVICE_API_KEY=service-{secrets[name]}\n{more}")

    def statuses() -> list[tuple[int, int]]:
        key = Keys()
        return [
            (
                whoami(server, key.sign_with(secret, claims())),
                server.post("/internal/messages", headers={"X-Service-Key": f"service-{secret}"}, json={}).status_code,
            )
            for secret in secrets.values()
        ]

    write("old")
    server.start()
    accepted, refused = statuses()
    assert accepted[0] == 200 and refused == (401, 401) and accepted[1] != 401

    write("new", f"MAX_MESSAGE_BYTES=1000\nINTERNAL_PORT={free_port()}\n")
    assert reload(server)["replaced"] == "token keys, service key"
    assert statuses() == [refused, accepted]
    [warning] = lines(server, "changed variables take effect at the next start")
    assert (warning["level"], warning["variables"]) == ("warning", "INTERNAL_PORT, MAX_MESSAGE_BYTES")

    write("old", "MAX_MESSAGE_BYTES=many\n")
    assert "MAX_MESSAGE_BYTES=many is not allowed" in reload(server, "refused")["reason"]
    assert statuses() == [refused, accepted]
    assert "secret-of-the-reload-tests" not in server.log_text()


def test_many_signals_at_once_end_with_the_newest_keys(make_server, tmp_path):
    generations = [Keys() for _ in range(5)]
    key_set = tmp_path / "keys.json"
    write_key_set(key_set, generations[0])
    server = make_server({"JWT_JWKS_FILE": str(key_set)})
    for keys in generations:
        fresh = tmp_path / "fresh.json"
        write_key_set(fresh, keys)
        fresh.replace(key_set)
        for _ in range(20):
            server.process.send_signal(signal.SIGHUP)
    newest = generations[-1].sign("EdDSA", claims())
    eventually(lambda: whoami(server, newest) == 200, "the newest key is used")
    assert whoami(server, generations[0].sign("EdDSA", claims())) == 401
    assert reloads(server, "refused") == 0
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
