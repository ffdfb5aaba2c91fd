"""Searching messages and people on instances that share MongoDB."""

from support.deadline import eventually


def test_every_instance_finds_what_any_acknowledged(fleet, make_chat, room):
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(room)
    word = "q" + str(abs(hash(room)))
    for number in range(6):
        (alice, bob)[number % 2].send(room, f"{word} Crème {number}")
    for server in fleet.servers:
        found, before = [], {}
        while True:
            page = server.get(
                "/api/search", headers={"X-User-Id": "carol"}, params={"q": f"{word} cre*", "limit": 4, **before}
            ).json()
            found += [result["message"] for result in page["results"]]
            if "cursor" not in page:
                break
            before = {"before": page["cursor"]}
        assert found == [f"{word} Crème {number}" for number in reversed(range(6))]
        bad = server.get("/api/search", headers={"X-User-Id": "carol"}, params={"q": word, "before": "p5"})
        assert bad.status_code == 400 and bad.json()["code"] == "bad_request"


def test_people_of_other_instances_are_found(fleet, make_chat, room):
    one, two = fleet.servers
    make_chat(one, f"{room}-wanted")
    eventually(
        lambda: [user["userId"] for user in two.get("/api/users", headers={"X-User-Id": "carol"}, params={"q": f"{room}-wanted"}).json()]
        == [f"{room}-wanted"],
        "the user is known",
    )
