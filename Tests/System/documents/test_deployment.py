"""The commands that deploy the service, with stand-ins for the programs that would change a host or a cluster."""

import os
import re
import shlex
import stat
from pathlib import Path

from blocks import ALL
from support.server import ROOT, binary


def stand_in(shell, name: str) -> Path:
    """A program that notes how it is called."""
    calls = shell.directory / f"{name}.calls"
    program = shell.directory / "bin" / name
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{calls}\n')
    program.chmod(0o755)
    return calls


def test_a_host_is_set_up(shell):
    (shell.directory / "deploy").symlink_to(ROOT / "deploy")
    (shell.directory / ".build" / "release").mkdir(parents=True)
    (shell.directory / ".build" / "release" / "chat-service").symlink_to(binary())
    for place in ("usr/local/bin", "etc/systemd/system", "etc/sysctl.d"):
        (shell.directory / "host" / place).mkdir(parents=True)
    accounts = stand_in(shell, "useradd")
    text = ALL["docs/hosts.md › systemd"].text
    done = shell.run(re.sub(r" /(usr|etc)/", rf" {shell.directory}/host/\1/", text))
    assert done.returncode == 0, done.stderr
    host = shell.directory / "host"
    assert os.access(host / "usr/local/bin/chat-service", os.X_OK)
    assert stat.S_IMODE((host / "etc/chat-service/environment").stat().st_mode) == 0o600
    unit = (host / "etc/systemd/system/chat-service.service").read_text()
    # The unit uses what these commands make.
    assert "EnvironmentFile=/etc/chat-service/environment" in unit and "ExecStart=/usr/local/bin/chat-service serve" in unit
    assert "User=chat" in unit and accounts.read_text().split()[-1] == "chat"
    assert (host / "etc/sysctl.d/90-chat-service.conf").exists()


def test_a_fleet_is_set_up_in_kubernetes(shell):
    (shell.directory / "deploy").symlink_to(ROOT / "deploy")
    calls = stand_in(shell, "kubectl")
    done = shell.run(ALL["docs/kubernetes.md › Kubernetes"].text)
    assert done.returncode == 0, done.stderr
    namespace, secret, apply, status = map(shlex.split, calls.read_text().splitlines())
    assert namespace == ["create", "namespace", "chat"]
    manifests = (ROOT / "deploy/kubernetes/base/instances.yaml").read_text()
    assert f"name: {secret[3]}\n" in manifests and secret[secret.index("--namespace") + 1] == "chat"
    (file,) = [word.split("=")[1] for word in secret if word.startswith("--from-env-file=")]
    assert (shell.directory / file).exists()
    assert (shell.directory / apply[2] / "kustomization.yaml").exists()
    assert status[2] == "statefulset/chat"
