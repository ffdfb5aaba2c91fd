"""What a pod of the manifests runs: the command that starts the service, and the liveness probe."""

import os
import re
import resource
import subprocess

import requests
from kustomize import Object, one, render
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import ROOT, binary, clean_environment, die_with_parent


def container() -> Object:
    (container,) = one(render(ROOT / "deploy/kubernetes/base"), "StatefulSet", "chat")["spec"]["template"]["spec"]["containers"]
    return container


def environment(server) -> dict[str, str]:
    """With the service on the PATH, as in the image."""
    programs = server.directory / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "chat-service"
    program.unlink(missing_ok=True)
    program.symlink_to(binary())
    found = clean_environment(server.env)
    return found | {"PATH": f"{programs}{os.pathsep}{found['PATH']}"}


def test_the_service_may_open_as_many_descriptors_as_the_runtime_allows(make_server):
    server = make_server(start=False)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def limit() -> None:
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))

    with server.log.open("ab") as log:
        server.process = subprocess.Popen(
            container()["command"], env=environment(server), cwd=server.directory, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, preexec_fn=limit,
        )  # fmt: skip
    server.wait_until_healthy()
    (most,) = re.findall(r"^process_max_fds (\S+)$", server.get("/metrics").text, re.MULTILINE)
    assert float(most) == hard
    assert server.terminate() == 0, "SIGTERM reaches the service and not a shell"


def alive(server) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        container()["livenessProbe"]["exec"]["command"], env=environment(server), cwd=server.directory, capture_output=True, text=True,
        timeout=TIMEOUT_SECONDS,
    )  # fmt: skip


def test_a_server_that_answers_is_alive_even_when_it_is_full(make_server, make_chat):
    # One place is taken by the connection that the test's own requests keep.
    server = make_server({"MAX_CONNECTIONS": "2"})
    make_chat(server, "alice")
    eventually(lambda: requests.get(server.url + "/health", timeout=TIMEOUT_SECONDS).status_code == 503, "it is full")
    assert alive(server).returncode == 0


def test_a_server_that_does_not_answer_is_not_alive(make_server):
    server = make_server()
    server.pause()
    try:
        done = alive(server)
        assert done.returncode == 1 and "unhealthy" in done.stderr
    finally:
        server.unpause()
    server.kill()
    assert alive(server).returncode == 1
