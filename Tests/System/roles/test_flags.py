"""Reports of messages: everybody that reads a room gives them, its moderators and services settle them."""

from role_calls import KEY, SERVICE, by, delete, make_room, put

ENVIRONMENT = {"SERVICE_API_KEY": KEY}


def _send(server, room: str, user: str, text: str = "hello") -> str:
    answer = server.post(f"/api/chat/{room}/messages", headers=by(user), json={"message": text})
    assert answer.status_code == 201, answer.text
    return answer.json()["messageId"]


def _flag(server, room: str, message: str, user: str, status: int = 200, **body) -> None:
    path = f"/api/chat/{room}/messages/{message}/flags"
    answer = server.post(path, headers=by(user), json=body)
    assert answer.status_code == status, answer.text


def _listed(server, room: str, headers, query: str = "") -> dict:
    answer = server.get(f"/api/chat/{room}/flags{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_flags_are_given_listed_and_settled(shared, room):
    make_room(shared, room, participants=["bob", "cat", "mod"])
    put(shared, f"/api/rooms/{room}/roles/mod", role="moderator")
    first, second = _send(shared, room, "bob"), _send(shared, room, "bob", "again")
    _flag(shared, room, first, "cat", reason="spam")
    _flag(shared, room, first, "cat", reason="spam and more")
    _flag(shared, room, first, "owner")
    _flag(shared, room, second, "cat")
    flags = _listed(shared, room, by("mod"))["flags"]
    assert [(flag["messageId"], flag["userId"], flag["reason"]) for flag in flags] == [
        (first, "cat", "spam and more"), (first, "owner", None), (second, "cat", None),
    ]  # fmt: skip
    page = _listed(shared, room, SERVICE, "?limit=2")
    assert len(page["flags"]) == 2
    rest = _listed(shared, room, SERVICE, f"?limit=2&cursor={page['cursor']}")
    assert [flag["messageId"] for flag in rest["flags"]] == [second] and "cursor" not in rest
    path = f"/api/chat/{room}/messages/{first}/flags"
    delete(shared, path, user="bob", status=403)
    assert delete(shared, path, user="mod").json()["flags"] == 2
    delete(shared, path, user="mod", status=404)
    assert len(_listed(shared, room, by("owner"))["flags"]) == 1
    assert shared.get(f"/api/chat/{room}/flags", headers=by("bob")).status_code == 403


def test_bad_flags_are_refused(shared, room):
    make_room(shared, room, private=True, participants=["bob"])
    message = _send(shared, room, "bob")
    _flag(shared, room, message, "eve", status=403)
    _flag(shared, room, "no-id", "bob", status=400)
    _flag(shared, room, "0" * 24, "bob", status=404)
    _flag(shared, room, message, "bob", status=400, reason=7)
    _flag(shared, room, message, "bob", status=400, reason="x" * 257)
    other = f"{room}-other"
    make_room(shared, other, participants=["bob"])
    _flag(shared, other, message, "bob", status=404)
    answer = shared.get(f"/api/chat/{room}/flags?cursor=nonsense", headers=by("owner"))
    assert answer.status_code == 400
    assert _listed(shared, room, by("owner"))["flags"] == []


def test_a_deleted_room_has_no_flags(shared, room):
    make_room(shared, room, participants=["bob"])
    _flag(shared, room, _send(shared, room, "bob"), "bob")
    put(shared, f"/api/rooms/{room}/bans/bob")
    delete(shared, f"/api/rooms/{room}")
    make_room(shared, room, participants=["bob"])
    assert _listed(shared, room, by("owner"))["flags"] == []
    assert _send(shared, room, "bob")
