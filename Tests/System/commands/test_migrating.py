"""`migrate`, and what `--dry-run` says before it; `--json` of the commands on stores."""

import hashlib
import json
import sqlite3
from pathlib import Path

from support.command import run
from support.services import MongoDB


def digests(directory: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(directory.iterdir()) if file.is_file()}


def plan(directory: Path, environment: dict[str, str]) -> dict:
    done = run(directory, "migrate", "--dry-run", "--json", env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_dry_run_changes_nothing_of_the_embedded_store(make_server, make_chat, tmp_path):
    environment = {"DATA_DIR": str(tmp_path / "data")}
    fresh = plan(tmp_path, environment)
    assert "make table messages" in fresh["changes"] and not (tmp_path / "data").exists()
    server = make_server()
    ada = make_chat(server, "ada")
    ada.join("kitchen")
    ada.send("kitchen", "hello")
    running = plan(server.directory, server.env)
    assert running["changes"] == [] and running["version"] == running["newest"] and running["notes"]
    # The log of a killed server is not copied back, not by a dry run either.
    server.kill()
    data = Path(server.env["DATA_DIR"])
    before = digests(data)
    assert "chat.db-wal" in before
    stopped = plan(server.directory, server.env)
    assert stopped["changes"] == [] and stopped["notes"] == [] and digests(data) == before


def test_the_embedded_store_is_brought_up_to_date(tmp_path):
    environment = {"DATA_DIR": str(tmp_path / "data")}
    done = run(tmp_path, "migrate", "--json", env=environment)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["dryRun"] is False and answer["numberedMessages"] == 0 and answer["changes"]
    assert plan(tmp_path, environment)["changes"] == []


def test_a_store_of_a_newer_program_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    database = sqlite3.connect(tmp_path / "data" / "chat.db")
    database.execute("PRAGMA user_version = 99")
    database.execute("CREATE TABLE later(a)")
    database.commit()
    database.close()
    done = run(tmp_path, "migrate", "--dry-run", env={"DATA_DIR": str(tmp_path / "data")})
    assert done.returncode == 1 and "version 99" in done.stderr


def test_a_dry_run_changes_nothing_of_mongodb(tmp_path):
    mongo = MongoDB(tmp_path / "mongo")
    mongo.start()
    environment = {"MONGODB_URI": mongo.uri()}
    try:
        with mongo.client() as client:
            client.chat.messages.insert_many([{"roomId": "old", "message": str(number)} for number in range(3)])
            found = plan(tmp_path, environment)
            assert "number 3 messages" in found["changes"]
            assert "make index roomId_1_seq_1 of messages" in found["changes"]
            assert client.chat.list_collection_names() == ["messages"]
            assert client.chat.messages.count_documents({"seq": {"$exists": True}}) == 0
            assert list(client.chat.messages.index_information()) == ["_id_"]
            done = run(tmp_path, "migrate", "--json", env=environment)
            assert done.returncode == 0 and json.loads(done.stdout)["numberedMessages"] == 3
            assert sorted(document["seq"] for document in client.chat.messages.find()) == [1, 2, 3]
        assert plan(tmp_path, environment)["changes"] == []
    finally:
        mongo.kill()


def test_backups_and_restores_answer_in_json(make_server, make_chat, tmp_path):
    server = make_server()
    ada = make_chat(server, "ada")
    ada.join("kitchen")
    ada.send("kitchen", "hello")
    done = run(server.directory, "backup", "copy.db", "--json", env=server.env)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["rooms"], made["messages"], made["path"]) == (1, 1, str(server.directory / "copy.db"))
    server.terminate()
    done = run(server.directory, "restore", "copy.db", "--json", env=server.env)
    assert done.returncode == 0, done.stderr
    restored = json.loads(done.stdout)
    assert restored["messages"] == 1 and Path(restored["previous"]).is_dir()
