"""`scripts/scale-model`: its arithmetic, and that docs/scaling.md shows what it says."""

import copy
import json
import runpy
import subprocess
import sys

import pytest
from support.server import ROOT

SCRIPT = ROOT / "scripts" / "scale-model"
MODEL = runpy.run_path(str(SCRIPT), run_name="scale_model")
DATA = json.loads((ROOT / "scripts" / "scale-model.json").read_text())
PAGE = (ROOT / "docs" / "scaling.md").read_text()


def small() -> dict:
    """One kind of room, round numbers: 10 users write one message a second each, in rooms of two."""
    data = copy.deepcopy(DATA)
    data["workload"] |= {
        "sessions_per_user": 1,
        "session_minutes": 1 / 6,
        "messages_per_user_hour": 3600,
        "watchers_per_user": 1,
    }
    data["rooms"] = [{"name": "pair", "members": 2, "participants": 3, "joined_per_session": 1, "message_share": 1}]
    return data


def model(data: dict = DATA):
    return MODEL["Model"](data)


def use(users: float, instances: int, design: str, data: dict = DATA) -> dict[str, float]:
    return {part.name: part.use for part in model(data).parts(users, instances, design)}


def test_the_page_shows_what_the_model_says():
    assert MODEL["page"](PAGE, DATA) == PAGE, "run scripts/scale-model --write"


@pytest.mark.parametrize("name", DATA["figures"])
def test_each_figure_counts_and_has_its_source(name):
    figure = DATA["figures"][name]
    assert figure["source"] in {"measured", "assumed"} and figure["what"] and figure["how"]
    changed = copy.deepcopy(DATA)
    changed["figures"][name]["value"] *= 10
    before, after = MODEL["blocks"](DATA), MODEL["blocks"](changed)
    assert any(before[block] != after[block] for block in ("rates", "fleets", "needs"))
    assert MODEL["page"](PAGE, changed) != PAGE


def test_members_are_spread_over_the_instances():
    assert MODEL["instances_with"](1, 10) == pytest.approx(1)
    assert MODEL["instances_with"](2, 2) == 1.5
    assert MODEL["instances_with"](20_000, 300) == pytest.approx(300)


def test_the_traffic_of_a_small_fleet():
    traffic = model(small()).traffic(10, 2, "one-redis")
    # Ten sessions of ten seconds: one begins and one ends every second, and each joins one room.
    assert (traffic.sessions, traffic.messages, traffic.joins, traffic.transitions) == (10, 10, 1, 2)
    # Ten messages and a join and a leave to two members each, and two changes to one watcher.
    assert traffic.client_copies == 10 * 2 + 2 * 2 + 2
    # Five rooms, each on one and a half of the two instances.
    assert traffic.open_rooms == 7.5 and traffic.quiet_room_checks == 7.5 / 30
    # Half of the messages are numbered by the other instance: there and back. Then joins, leaves, checks, changes.
    assert traffic.publications == 10 + 10 + 2 + 0.25 + 2
    # Half of the rooms are on both instances; every change of presence is heard by the other instance.
    assert traffic.publication_copies == 10 * 0.5 + 10 + 2 * 0.5 + 0.25 * 0.5 + 2
    assert traffic.events == 20


def test_events_are_one_for_each_recipient_or_message():
    assert model(small()).traffic(10, 2, "cluster").events == 10


def test_large_rooms_announce_no_joins():
    data = small()
    data["rooms"][0]["members"] = 201
    traffic = model(data).traffic(10, 2, "one-redis")
    assert traffic.client_copies == 10 * 201 + 2


def test_load_follows_the_users():
    one, ten = use(1e6, 30, "sharded"), use(1e7, 30, "sharded")
    for part in one:
        assert ten[part] == pytest.approx(10 * one[part]), part


def test_a_cluster_with_classic_pub_sub_hears_every_publication_on_every_node():
    def publications(nodes: int, sharded: bool) -> float:
        data = copy.deepcopy(DATA)
        data["designs"]["cluster"] |= {"redis_nodes": nodes, "sharded": sharded}
        (part,) = [part for part in model(data).parts(1e6, 30, "cluster") if part.name == "Redis node: processor"]
        return part.terms["publications"]

    assert publications(24, False) == publications(12, False) == publications(1, False)
    assert publications(24, True) == pytest.approx(publications(12, True) / 2)


def test_presence_of_everybody_grows_with_the_instances_and_that_of_watched_users_hardly():
    def copies(instances: int, design: str) -> float:
        data = small()
        data["rooms"][0] |= {"joined_per_session": 0, "message_share": 0}
        traffic = model(data).traffic(1000, instances, design)
        return traffic.publication_copies - 2 * traffic.messages * (1 - 1 / instances)

    assert copies(300, "one-redis") == pytest.approx(299 / 9 * copies(10, "one-redis"))
    assert copies(300, "sharded") == pytest.approx(copies(10, "sharded"))


def test_the_fullest_part_is_named_first():
    parts = model().parts(1e6, 30, "one-redis")
    assert model().first_full(1e6, 30, "one-redis") == max(parts, key=lambda part: part.use)
    assert all(part.lever and part.load == pytest.approx(sum(part.terms.values())) for part in parts)


def test_the_command_shows_one_fleet():
    command = [sys.executable, str(SCRIPT), "--users", "2000000", "--instances", "40", "--design", "sharded"]
    assert " ".join(command[2:]) in PAGE
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("when full: ") == len(model().parts(2e6, 40, "sharded"))


def test_a_page_without_a_place_for_a_table_is_refused():
    with pytest.raises(SystemExit, match="no one place for fleets"):
        MODEL["page"](PAGE.replace("<!-- end of fleets -->", ""), DATA)
