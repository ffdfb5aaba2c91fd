"""Two deployments in two databases of one Redis server: channels know no databases, and yet neither receives from the other."""

import pytest

KEY = "service-key-of-the-test-suite-0123456789"
OWNER = {"X-User-Id": "owner"}


@pytest.fixture(params=["by default", "by name"])
def deployments(request, make_fleet):
    """Two fleets of one instance each."""
    names = [{}, {}] if request.param == "by default" else [{"DEPLOYMENT_ID": "blue"}, {"DEPLOYMENT_ID": "green"}]
    common = {"SERVICE_API_KEY": KEY}
    blue = make_fleet({**common, **names[0]}, instances=1)

    def rename(fleet) -> None:
        if request.param == "by default":
            fleet.servers[0].env["INSTANCE_ID"] = "another"

    # By name, even the instances' names are the same.
    green = make_fleet(
        {**common, **names[1], "REDIS_URL": f"redis://127.0.0.1:{blue.redis.port}/1"}, instances=1, before=rename
    )
    return blue.servers[0], green.servers[0]


def test_neither_receives_from_the_other(deployments, make_chat):
    blue, green = deployments
    for server in deployments:
        assert server.post("/api/rooms", headers=OWNER, json={"roomId": "den"}).status_code == 201
    alice, bob = make_chat(blue, "alice"), make_chat(green, "bob")
    for chat in (alice, bob):
        assert chat.join("den")["state"]["online"] == 1
        chat.ask("subscribe_presence", {"all": True})
    carol = make_chat(green, "carol")
    carol.join("den")
    bob.expect("user_joined", lambda user: user["userId"] == "carol")
    carol.send("den", "of the green ones")
    bob.expect("new_message")
    carol.emit("typing", {"roomId": "den", "isTyping": True})
    bob.expect("user_typing")
    # Nor the news between instances: a friendship, a log-out of the same user, the end of a room.
    also = make_chat(blue, "carol")
    headers = {"X-Service-Key": KEY}
    assert green.request("DELETE", "/internal/users/carol/sessions", headers=headers).status_code == 200
    carol.expect_close(4401)
    assert green.request("DELETE", "/api/rooms/den", headers=OWNER).status_code == 200
    assert bob.request("send_message", {"roomId": "den", "message": "?"})["success"] is False
    also.settle()
    alice.settle()
    assert alice.events("new_message") == [] and alice.events("user_typing") == []
    assert [user["userId"] for user in alice.events("user_joined")] == []
    assert "bob" not in [change["userId"] for change in alice.events("user_status_change")]
    assert alice.send("den", "still here")["seq"] == 1
