"""The Debian package: built, inspected, extracted, and its program run."""

import gzip
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from support.deadline import TIMEOUT_SECONDS
from support.server import ROOT, binary, clean_environment

LONG = 10 * TIMEOUT_SECONDS


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("package")
    done = subprocess.run(
        [str(ROOT / "scripts/package-debian"), str(binary()), str(directory)],
        env=os.environ | {"DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"},
        capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert re.fullmatch(r"chat-service_[\w.+~-]+_\w+\.deb", path.name)
    return path


@pytest.fixture(scope="module")
def tree(package, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("extracted") / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(directory)], check=True, timeout=LONG)
    return directory


def field(package: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "--field", str(package), name], check=True, capture_output=True, text=True, timeout=LONG).stdout.strip()


def test_it_depends_on_the_libraries_that_the_program_loads(package):
    dependencies = {each.split()[0] for each in field(package, "Depends").split(", ")}
    assert {"libc6", "libssl3", "libsqlite3-0", "libmongoc-1.0-0", "libcurl4", "adduser"} <= dependencies
    done = subprocess.run(["dpkg-query", "--show", *dependencies], capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, f"not packages of this distribution: {done.stderr}"
    version = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, env=clean_environment({}), timeout=LONG)
    assert version.stdout.split() == ["chat-service", field(package, "Version")]


def test_its_files_belong_to_root(package):
    listing = subprocess.run(["dpkg-deb", "--contents", str(package)], check=True, capture_output=True, text=True, timeout=LONG).stdout
    assert {line.split()[1] for line in listing.splitlines()} == {"root/root"}


def test_it_installs_what_the_documents_install(tree):
    expected = {
        "usr/bin/chat-service": 0o755,
        "lib/systemd/system/chat-service.service": 0o644,
        "usr/lib/sysctl.d/90-chat-service.conf": 0o644,
        "etc/chat-service/environment": 0o600,
        "usr/share/man/man8/chat-service.8.gz": 0o644,
        "usr/share/chat-service/client-example/index.html": 0o644,
        "usr/share/chat-service/prometheus/chat-service.rules.yml": 0o644,
        "usr/share/chat-service/grafana/chat-service.json": 0o644,
        "usr/share/doc/chat-service/upgrade.md": 0o644,
    }
    for name, mode in expected.items():
        assert stat.S_IMODE((tree / name).stat().st_mode) == mode, name
    assert (tree / "DEBIAN/conffiles").read_text() == "/etc/chat-service/environment\n"


def test_the_unit_starts_the_installed_program(tree, tmp_path):
    text = (tree / "lib/systemd/system/chat-service.service").read_text()
    assert "ExecStart=/usr/bin/chat-service serve" in text and "/usr/local" not in text
    assert "CLIENT_DIR=/usr/share/chat-service/client-example" in text
    unit = tmp_path / "chat-service.service"
    unit.write_text(text.replace("/usr/bin/chat-service", str(tree / "usr/bin/chat-service")))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_runs(tree, tmp_path):
    program = str(tree / "usr/bin/chat-service")
    settings = clean_environment({"DATA_DIR": str(tmp_path / "data"), "CLIENT_DIR": str(tree / "usr/share/chat-service/client-example"), "SERVE_CLIENT": "true"})
    for arguments in (["--version"], ["--check-config"], ["migrate"], ["doctor"]):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, env=settings, cwd=tmp_path, timeout=LONG)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "data/chat.db").exists()


def test_the_man_page_lists_every_command(tree):
    page = gzip.decompress((tree / "usr/share/man/man8/chat-service.8.gz").read_bytes()).decode()
    assert page.startswith(".TH CHAT-SERVICE 8")
    for command in ("serve", "doctor", "sessions", "tail", "ban USER", "migrate", "PORT (5004)"):
        assert command in page
    # No line of the help is taken for a request of roff.
    requests = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert requests == {".TH", ".SH", ".B", ".nf", ".fi"}


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_its_scripts_are_shell(tree, script):
    path = tree / "DEBIAN" / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["sh", "-n", str(path)], timeout=LONG).returncode == 0


def test_a_purge_keeps_the_messages(tree):
    assert "/var/lib/chat-service" not in (tree / "DEBIAN/postrm").read_text().replace("# The data stay in /var/lib/chat-service", "")
