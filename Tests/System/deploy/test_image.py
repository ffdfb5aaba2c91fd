"""The container image's file system, made here and run in a chroot."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
import requests
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import ROOT, binary, die_with_parent, free_port

SCRIPT = ROOT / "scripts" / "image-root"
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """The image's root, and what the script said of it."""
    root = tmp_path_factory.mktemp("image") / "root"
    done = subprocess.run([str(SCRIPT), str(binary()), str(root)], capture_output=True, text=True, timeout=10 * TIMEOUT_SECONDS)
    assert done.returncode == 0, done.stderr
    (root / "data").mkdir()
    yield root, done.stdout
    shutil.rmtree(root)


def inside(root: Path, *command: str, **options) -> list[str]:
    """A command in the image, with /proc, as a container has it, and the Dockerfile's environment."""
    mounted = 'mount -t proc proc "$0/proc" && root="$0" && exec chroot "$root" "$@"'
    # Without the account of root, a user namespace gives the right to change the root.
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user", "--pid", "--fork"]
    return [*namespace, "sh", "-c", mounted, str(root), *command]


def environment(**more: str) -> dict[str, str]:
    settings = dict(pair.split("=") for line in re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE) for pair in line.split())
    # A debug build keeps the Swift libraries apart.
    return settings | {"LD_LIBRARY_PATH": "/usr/lib/swift-runtime"} | more


def sizes(output: str) -> dict[str, float]:
    return {name: float(size) for name, size in re.findall(r"^(\w+) +([\d.]+) MB$", output, re.MULTILINE)}


def test_all_but_the_program_is_small(image):
    """The Dockerfile holds the whole image to 60 MB; a debug build says nothing of the program's size."""
    _, output = image
    parts = sizes(output)
    assert set(parts) == {"program", "swift", "libraries", "page", "licences", "all"}
    assert parts["libraries"] + parts["page"] + parts["licences"] < 34
    assert abs(parts["all"] - sum(size for name, size in parts.items() if name != "all")) < 1
    assert "scripts/image-root --limit 60 " in DOCKERFILE and "FROM scratch" in DOCKERFILE


def test_a_larger_image_is_refused(tmp_path):
    done = subprocess.run([str(SCRIPT), "--limit", "1", "/bin/true", str(tmp_path / "root")], capture_output=True, text=True, timeout=10 * TIMEOUT_SECONDS)
    assert done.returncode == 1 and "are more than 1 MB" in done.stderr


def test_only_the_program_is_in_it(image):
    root, _ = image
    programs = {path.name for path in root.rglob("*") if path.is_file() and os.access(path, os.X_OK) and ".so" not in path.name}
    assert programs == {"chat-service"}
    assert (root / "usr/share/doc/libssl3/copyright").exists()
    assert "chat:x:10001:10001" in (root / "etc/passwd").read_text() and "USER 10001:10001" in DOCKERFILE


def test_the_service_runs_in_it(image):
    root, _ = image
    port = str(free_port())
    settings = environment(PORT=port, HOST="127.0.0.1", AUTH_MODE="trusted", EVENT_LOOPS="1", SERVE_CLIENT="true")
    server = subprocess.Popen(
        inside(root, "/usr/local/bin/chat-service", "serve"), env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | settings | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=die_with_parent,
    )  # fmt: skip
    try:
        eventually(lambda: server.poll() is not None or _answers(port), "the service in the image answers")
        assert server.poll() is None, server.stderr.read()
        with requests.Session() as session:
            session.trust_env = False
            assert "<html" in session.get(f"http://127.0.0.1:{port}/", timeout=TIMEOUT_SECONDS).text
        done = subprocess.run(
            inside(root, "/usr/local/bin/chat-service", "healthcheck"), env=settings | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (root / "data/chat.db").exists()
    finally:
        server.terminate()
        server.wait(TIMEOUT_SECONDS)
        server.stderr.close()


def test_passwords_beyond_ascii_can_be_prepared(image, tmp_path):
    """What is left of ICU's data is enough for SASLprep (RFC 4013), which MongoDB's driver asks for."""
    root, _ = image
    source = tmp_path / "prepare.c"
    source.write_text(
        r"""
        #include <stdio.h>
        #include <unicode/usprep.h>
        int main(void) {
            UErrorCode error = U_ZERO_ERROR;
            UStringPrepProfile *profile = usprep_openByType(USPREP_RFC4013_SASLPREP, &error);
            UChar in[] = {'p', 0xE4, 0x17F, 0x2163}, out[16];
            int length = usprep_prepare(profile, in, 4, out, 16, USPREP_DEFAULT, NULL, &error);
            printf("%d %d", (int)error, length);
            for (int i = 0; i < length; i++) printf(" %x", out[i]);
            return 0;
        }
        """
    )
    program = root / "prepare"
    subprocess.run(["gcc", str(source), "-o", str(program), "-licuuc"], check=True, timeout=TIMEOUT_SECONDS)
    try:
        done = subprocess.run(inside(root, "/prepare"), capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        # päſⅣ: the long s becomes an s, the Roman numeral two letters.
        assert done.stdout == "0 5 70 e4 73 49 56", done.stdout + done.stderr
    finally:
        program.unlink()


def _answers(port: str) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False
