"""When one must authenticate, where the token may come from, when it ends, and that it is never written down."""

import asyncio
import json
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from minting import SECRET, claims

AUTHENTICATION_SECONDS = 10
# Of a token that a test sees end: long enough to be shown and renewed on a busy machine. And how long before its end a token's
# user is warned.
LIFETIME = 8
WARNING = 30


@pytest.fixture
def mint(keys, named):
    def mint(user="alice", seconds=3600.0, **more):
        return keys.sign("HS256", claims(user, seconds, **named, **more))

    return mint


async def events(socket, log):
    """Notes every event with the moment it came, and at last the close code."""
    try:
        async for text in socket:
            frame = json.loads(text)
            log.append((frame["event"], frame.get("data"), time.monotonic()))
    except ConnectionClosed:
        pass
    log.append(("closed", socket.close_code, time.monotonic()))


def run_until_closed(server, *scripts, seconds=15):
    """Runs several connections side by side; a script sends what it wants. Gives each one's log. `seconds`: for those that
    stay open."""

    async def one(script):
        log: list = []
        async with connect(server.ws_url, proxy=None) as socket:
            reading = asyncio.create_task(events(socket, log))
            await script(socket)
            await asyncio.wait([reading], timeout=seconds)
            reading.cancel()
        return log

    async def all_of_them():
        return await asyncio.gather(*(one(script) for script in scripts))

    return asyncio.run(all_of_them())


async def send_frame(socket, event, data):
    await socket.send(json.dumps({"event": event, "data": data}))


def test_ten_seconds_to_authenticate(shared, mint):
    async def silent(socket):
        pass

    async def chatty(socket):
        for _ in range(8):
            await send_frame(socket, "ping", "not a token")
            await send_frame(socket, "authenticate", {"token": "bad"})
            await asyncio.sleep(1)

    async def late(socket):
        await asyncio.sleep(AUTHENTICATION_SECONDS / 2)
        await send_frame(socket, "authenticate", {"token": mint()})

    start = time.monotonic()
    silent_log, chatty_log, late_log = run_until_closed(shared, silent, chatty, late, seconds=25)
    for log in (silent_log, chatty_log):
        name, code, moment = log[-1]
        assert (name, code) == ("closed", 4401)
        assert moment - start >= AUTHENTICATION_SECONDS - 0.5
    assert silent_log[0][0] == "error" and silent_log[0][1]["code"] in ("unauthenticated", "unauthorized")
    assert "authenticated" in [name for name, _, _ in late_log] and late_log[-1][0] != "closed"


def test_the_end_of_a_token_is_announced_and_comes(shared, mint):
    minted = time.monotonic()
    ending, renewed_later = mint(seconds=LIFETIME), mint(seconds=3600)

    async def lets_it_end(socket):
        await send_frame(socket, "authenticate", {"token": ending})

    async def renews(socket):
        await send_frame(socket, "authenticate", {"token": mint(seconds=LIFETIME)})
        await asyncio.sleep(1)
        await send_frame(socket, "authenticate", {"token": renewed_later})

    async def renews_as_another(socket):
        await send_frame(socket, "authenticate", {"token": mint(seconds=LIFETIME)})
        await asyncio.sleep(1)
        await send_frame(socket, "authenticate", {"token": mint("bob")})

    async def warned_in_time(socket):
        await send_frame(socket, "authenticate", {"token": mint(seconds=WARNING + LIFETIME)})

    ended, renewed, other, warned = run_until_closed(
        shared, lets_it_end, renews, renews_as_another, warned_in_time, seconds=2.5 * LIFETIME
    )
    names = [name for name, _, _ in ended]
    assert names[-1] == "closed" and ended[-1][1] == 4401
    assert ended[-1][2] - minted >= LIFETIME - 1
    warning = next(data for name, data, _ in ended if name == "token_expiring")
    authenticated = next(data for name, data, _ in ended if name == "authenticated")
    assert warning == {"expiresAt": authenticated["expiresAt"]}
    assert next(data for name, data, _ in ended if name == "error")["code"] == "unauthorized"

    assert renewed[-1][0] != "closed" and [name for name, _, _ in renewed].count("authenticated") == 2

    assert next(data for name, data, _ in other if name == "error")["code"] == "forbidden"
    assert other[-1][:2] == ("closed", 4401), "the first token's end counts"

    announced = next(moment for name, _, moment in warned if name == "token_expiring")
    assert announced - minted >= LIFETIME - 1, "half a minute before the end, not sooner"
    assert warned[-1][0] != "closed"


def test_every_place_a_token_may_come_from(shared, make_chat, mint):
    for path, framing in [("/", "event"), ("/ws", "type")]:
        by_query = make_chat(shared, path=f"{path}?token={mint()}", framing=framing)
        by_header = make_chat(
            shared, path=path, framing=framing, additional_headers={"Authorization": f"Bearer {mint()}"}
        )
        by_protocol = make_chat(shared, path=path, framing=framing, subprotocols=["bearer", mint()])
        for chat in (by_query, by_header, by_protocol):
            assert chat.expect("authenticated")["userId"] == "alice"
            assert chat.expect("welcome")["userId"] == "alice"
        assert by_protocol.socket.subprotocol == "bearer", "the token is not sent back"


def test_a_handshake_with_a_bad_token_or_a_claim_against_it(shared, wire, mint):
    for path in ("/?token=bad", "/ws?token=bad", "/ws?userId=alice", "/?token=" + mint(seconds=-60)):
        assert wire().open(path).close_code() == 4401
    assert wire().open(f"/ws?userId=bob&token={mint()}").close_code() == 4403


def test_rest_takes_tokens_by_header_and_query(shared, mint):
    assert shared.get(f"/api/rooms?token={mint()}").status_code == 200
    assert shared.get("/api/rooms", headers={"Authorization": f"bearer {mint()}"}).status_code == 200
    for header in (f"Basic {mint()}", "Bearer", "Bearer ", ""):
        assert shared.get("/api/rooms", headers={"Authorization": header}).status_code == 401


def test_a_users_name_from_a_token_stays(shared, make_chat, mint, room):
    named, nameless = make_chat(shared), make_chat(shared)
    named.authenticate_with(mint(username="Alice"))
    nameless.authenticate_with(mint("bob"))
    for chat in (named, nameless):
        chat.ask("identify", {"username": "Chosen"})
        chat.join(room)
        chat.send(room, "who am I")
    assert named.expect("new_message", lambda m: m["userId"] == "alice")["username"] == "Alice"
    assert named.expect("new_message", lambda m: m["userId"] == "bob")["username"] == "Chosen"


def test_no_token_and_no_secret_is_in_any_log(shared, make_chat, wire, mint):
    """Good, bad and in every place, at the most talkative level."""
    tokens = [mint(f"user-{n}") for n in range(8)]
    make_chat(shared).authenticate_with(tokens[0])
    make_chat(shared, path=f"/?token={tokens[1]}").settle()
    make_chat(shared, subprotocols=["bearer", tokens[2]]).settle()
    shared.get(f"/api/rooms?token={tokens[3]}")
    shared.get("/api/rooms", headers={"Authorization": f"Bearer {tokens[4]}x"})
    make_chat(shared).request("authenticate", {"token": tokens[5] + "x"})
    make_chat(shared).request("authenticate", {"tokn": tokens[6]})
    wire().ask(f"GET /{tokens[7]} BROKEN\r\nAuthorization: Bearer {tokens[7]}\r\n\r\n")
    wire().open(f"/ws?token={tokens[7]}x").close_code()
    make_chat(shared).send_text("{" + tokens[6])
    logs = shared.log_text()
    for path in (shared.directory.parent / "logs").iterdir():
        logs += path.read_text()
    assert "listening" in logs
    assert SECRET not in logs
    for token in tokens:
        for part in token.split(".")[1:]:
            assert part not in logs
