"""The answer to a join holds all that the join's events say, so that a client with several joins under way knows which is which."""

import pytest

ROOMS = 5


@pytest.mark.parametrize("path,framing", [("/", "event"), ("/ws?userId=ben", "type")])
def test_simultaneous_joins_are_distinguished(shared, make_chat, room, path, framing):
    ada = make_chat(shared, "ada")
    rooms = [f"{room}-{number}" for number in range(ROOMS)]
    for number, each in enumerate(rooms):
        ada.join(each)
        for seq in range(number):
            ada.send(each, f"{each} {seq}")
    ada.ask("mark_read", {"roomId": rooms[1], "seq": 1})
    ben = make_chat(shared, "ben", path=path, framing=framing)
    ids = {each: ben.emit_with_id("join_room", {"roomId": each}) for each in rooms}
    for number, each in reversed(list(enumerate(rooms))):
        answer = ben.reply(ids[each])
        assert answer["success"] and answer["roomId"] == each and answer["lastSeq"] == number
        assert [message["message"] for message in answer["messages"]] == [f"{each} {seq}" for seq in range(number)]
        assert {"userId": "ada", "username": "ada"} in answer["users"]
        assert answer["online"] == 2 and answer["members"] == 2 and "resync" not in answer
    assert ben.reply(ben.emit_with_id("join_room", {"roomId": rooms[1]}))["readMarks"] == [{"userId": "ada", "seq": 1}]


def test_an_answer_says_when_more_was_missed(shared, make_chat, room):
    ada = make_chat(shared, "ada")
    ada.join(room)
    for number in range(3):
        ada.send(room, f"{number}")
    answer = make_chat(shared, "ben").ask("join_room", {"roomId": room, "since": 9, "limit": 2})
    assert answer["resync"] is True
    assert [message["message"] for message in answer["messages"]] == ["1", "2"]


def test_an_answer_stays_below_what_clients_take(shared, make_chat, room):
    ada = make_chat(shared, "ada")
    ada.join(room)
    for _ in range(80):
        ada.send(room, "\x01" * 16_000)
    # The websockets client's own bound: a larger frame would end the connection with 1009.
    ben = make_chat(shared, "ben", max_size=2**20)
    answer = ben.ask("join_room", {"roomId": room, "limit": 1000})
    assert answer["lastSeq"] == 80 and 1 <= len(answer["messages"]) < 80
    assert answer["messages"][-1]["seq"] == 80
    ben.ask("ping", {"n": 1})
