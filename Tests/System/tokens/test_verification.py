"""Tokens that are believed, and all those that are not and must look alike from outside."""

import hashlib
import subprocess
import time

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from minting import SECRET, Keys, b64, claims, compact, hmac_signed, pem, public_jwk
from support.chat import Refused
from support.deadline import TIMEOUT_SECONDS
from support.server import binary, clean_environment
from support.wire import Wire, event

ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"]


def whoami(server, token, **headers):
    return server.get("/api/rooms", headers={"Authorization": f"Bearer {token}"} | headers)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_is_believed(shared, make_chat, keys, named, algorithm):
    kid = {"R": "r", "P": "r", "E": "e"}.get(algorithm[0]) if algorithm != "EdDSA" else "d"
    for with_kid in {kid, None}:
        token = keys.sign(algorithm, claims("alice", username="Alice", **named), kid=with_kid)
        assert whoami(shared, token).status_code == 200
        chat = make_chat(shared)
        answer = chat.authenticate_with(token)
        assert answer["userId"] == "alice" and answer["username"] == "Alice"
        assert answer["expiresAt"] > time.time() * 1000


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_public_key_in_a_file(make_server, keys, tmp_path, algorithm):
    path = tmp_path / "public.pem"
    path.write_bytes(pem(keys.of(algorithm)))
    server = make_server({"JWT_PUBLIC_KEY_FILE": str(path)})
    assert whoami(server, keys.sign(algorithm, claims())).status_code == 200
    # The classic confusion: the public key, which everybody has, used as a shared secret.
    forged = hmac_signed({"alg": "HS256", "typ": "JWT"}, claims(), pem(keys.of(algorithm)))
    for token in (forged, keys.sign("HS256", claims()), Keys().sign(algorithm, claims())):
        assert whoami(server, token).status_code == 401


def bad_tokens(keys, named) -> dict[str, str]:
    good = claims("alice", **named)
    header = {"alg": "HS256", "typ": "JWT"}
    token = keys.sign("HS256", good)
    head, body, signature = token.split(".")
    other = Keys()
    weak = rsa.generate_private_key(65537, 2048)
    return {
        "empty parts": "..",
        "no token": "token",
        "two parts": f"{head}.{body}",
        "four parts": f"{token}.x",
        "no signature": f"{head}.{body}.",
        "a cut-off signature": token[:-4],
        "a turned bit": token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
        "another's claims": f"{head}.{b64(b'{%s}' % b'')}.{signature}",
        "padding": f"{head}.{body}.{signature}=",
        "other base64": f"{head}.{body}.{signature[:-1]}+",
        "blanks": f"{head}. {body}.{signature}",
        "alg none": compact({"alg": "none"}, good),
        "alg None": compact({"alg": "None"}, good),
        "alg nOnE with a signature": hmac_signed({"alg": "nOnE"}, good, SECRET.encode()),
        "alg empty": hmac_signed({"alg": ""}, good, SECRET.encode()),
        "no alg": hmac_signed({"typ": "JWT"}, good, SECRET.encode()),
        "alg a list": hmac_signed({"alg": ["HS256"]}, good, SECRET.encode()),
        "alg in small letters": hmac_signed({"alg": "hs256"}, good, SECRET.encode()),
        "an algorithm that is not configured": hmac_signed({"alg": "HS1"}, good, SECRET.encode(), hashlib.sha1),
        "one algorithm named, another used": hmac_signed({"alg": "HS512"}, good, SECRET.encode()),
        "another secret": hmac_signed(header, good, b"x" * 64),
        "an empty secret": hmac_signed(header, good, b""),
        "the public key as a secret": hmac_signed(header, good, pem(keys.rsa)),
        "the public key of the set as a secret": hmac_signed(header | {"kid": "r"}, good, pem(keys.rsa)),
        "another RSA key": other.sign("RS256", good, kid="r"),
        "another curve key": other.sign("ES256", good, kid="e"),
        "another Ed25519 key": other.sign("EdDSA", good, kid="d"),
        "an unknown kid": keys.sign("RS256", good, kid="nobody"),
        "a kid of another kind": keys.sign("RS256", good, kid="e"),
        "a kid that is a path": keys.sign("RS256", good, kid="../../../../dev/null"),
        "a kid that is no text": hmac_signed(header | {"kid": {"a": 1}}, good, SECRET.encode()),
        "its own key": _with_own_key(weak, good),
        "a key to be fetched": keys.sign("RS256", good, kid="mine", jku="http://127.0.0.1:1/keys.json"),
        "a critical extension": keys.sign("HS256", good, crit=["exp"]),
        "RS384": keys.sign("RS384", good, kid="r"),
        "an EC signature of zeros": compact({"alg": "ES256", "kid": "e"}, good, bytes(64)),
        "an EC signature in DER": _der(keys, good),
        "expired": keys.sign("HS256", claims("alice", -31, **named)),
        "not yet": keys.sign("HS256", claims("alice", nbf=int(time.time()) + 60, **named)),
        "another issuer": keys.sign("HS256", claims("alice", iss="https://evil.example.com", aud="chat")),
        "no issuer": keys.sign("HS256", claims("alice", aud="chat")),
        "another audience": keys.sign("HS256", claims("alice", iss=named["iss"], aud="mail")),
        "no audience": keys.sign("HS256", claims("alice", iss=named["iss"])),
        "nobody": keys.sign("HS256", {"exp": time.time() + 60, **named}),
        "an empty user": keys.sign("HS256", claims("", **named)),
        "a user that is too long": keys.sign("HS256", claims("x" * 129, **named)),
        "a user that is a list": hmac_signed(header, good | {"sub": ["alice"]}, SECRET.encode()),
        "an expiry that is a text": hmac_signed(header, good | {"exp": "tomorrow"}, SECRET.encode()),
        "claims that are a list": hmac_signed(header, ["alice"], SECRET.encode()),
        "claims too deep": hmac_signed(header, good | {"deep": _deep(40)}, SECRET.encode()),
        "a long header": hmac_signed(header | {"pad": "x" * 5000}, good, b"x" * 64),
    }


def _deep(levels: int):
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


def _with_own_key(key, payload) -> str:
    return jwt.encode(payload, key, "RS256", headers={"jwk": public_jwk(key)})


def _der(keys, payload) -> str:
    unsigned = compact({"alg": "ES256", "kid": "e"}, payload).rsplit(".", 1)[0]
    return f"{unsigned}.{b64(keys.ec.sign(unsigned.encode(), ec.ECDSA(hashes.SHA256())))}"


def test_every_bad_token_is_refused_alike(shared, keys, named):
    """By REST, by handshake and by `authenticate`: the same code, the same sentence, for whatever is wrong."""
    problems, errors = set(), set()
    for name, token in bad_tokens(keys, named).items():
        answer = whoami(shared, token)
        assert answer.status_code == 401, (name, answer.text)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        problems.add(answer.text)
        with Wire(shared.port) as wire:
            wire.open().send(event("authenticate", {"token": token}, 1))
            reply = wire.event("ack")
            assert reply["success"] is False, name
            errors.add((reply["error"]["code"], reply["error"]["message"], reply["error"]["retryable"]))
    assert len(problems) == 1 and '"code":"unauthorized"' in problems.pop()
    assert [code for code, _, _ in errors] == ["unauthorized"]


def test_a_token_past_all_bounds_is_not_looked_at(shared, make_chat, keys, named):
    token = keys.sign("HS256", claims("alice", pad="x" * 8192, **named))
    assert whoami(shared, token).status_code == 401
    assert make_chat(shared).request("authenticate", {"token": token})["error"]["code"] == "bad_request"


def test_clocks_may_differ_by_half_a_minute(shared, keys, named):
    assert whoami(shared, keys.sign("HS256", claims(seconds=-20, **named))).status_code == 200
    assert whoami(shared, keys.sign("HS256", claims(nbf=int(time.time()) + 20, **named))).status_code == 200


@pytest.mark.parametrize("claim", ["sub", "userId", "id"])
def test_the_user_is_the_first_of_three_claims(shared, make_chat, keys, named, claim):
    payload = {"exp": int(time.time()) + 60, "name": "Named", **named, "id": "third"}
    payload[claim] = "seven" if claim == "sub" else 7
    token = keys.sign("HS256", payload)
    answer = make_chat(shared).authenticate_with(token)
    assert answer["userId"] == ("seven" if claim == "sub" else "7") and answer["username"] == "Named"


def test_a_list_of_audiences_and_no_expiry(shared, make_chat, keys, named):
    answer = make_chat(shared).authenticate_with(
        keys.sign("HS256", {"sub": "alice", "iss": named["iss"], "aud": ["mail", "chat"], "preferred_username": "Al"})
    )
    assert answer["username"] == "Al" and "expiresAt" not in answer


def test_a_claim_that_differs_from_the_token_is_forbidden(shared, make_chat, keys, named):
    token = keys.sign("HS256", claims("alice", **named))
    chat = make_chat(shared)
    with pytest.raises(Refused) as refused:
        chat.ask("authenticate", {"token": token, "userId": "bob"})
    assert refused.value.code == "forbidden"
    assert chat.ask("authenticate", {"token": token, "userId": "alice"})["userId"] == "alice"
    answer = whoami(shared, token, **{"X-User-Id": "bob"})
    assert answer.status_code == 403 and answer.json()["code"] == "forbidden"
    assert whoami(shared, token, **{"X-User-Id": "alice"}).status_code == 200


def test_a_claim_without_a_token_is_refused(shared, make_chat):
    assert make_chat(shared).request("authenticate", {"userId": "alice"})["error"]["code"] == "unauthorized"
    assert shared.get("/api/rooms", headers={"X-User-Id": "alice"}).status_code == 401
    assert shared.get("/api/chat/open/history").status_code == 401
    assert shared.get("/health").status_code == 200 and shared.get("/ready").status_code == 200


def test_trusted_mode_with_a_key(make_server, make_chat, keys):
    server = make_server({"JWT_SECRET": SECRET, "AUTH_MODE": "trusted"})
    assert make_chat(server).authenticate("bob")["userId"] == "bob"
    assert make_chat(server).authenticate_with(keys.sign("HS256", claims()))["userId"] == "alice"
    bad = make_chat(server)
    assert bad.request("authenticate", {"token": "bad", "userId": "bob"})["error"]["code"] == "unauthorized"


def test_tokens_of_the_services_own_making(make_server):
    server = make_server({"JWT_SECRET": SECRET})
    minted = subprocess.run(
        [str(binary()), "token", "mint", "--user", "alice", "--name", "Alice"],
        env=clean_environment({"JWT_SECRET": SECRET}), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True,
    )  # fmt: skip
    assert whoami(server, minted.stdout.strip()).status_code == 200
