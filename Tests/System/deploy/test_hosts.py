"""The systemd unit and the kernel's settings: valid, and in agreement with the service."""

import re
import subprocess
from pathlib import Path

import pytest
from kustomize import env_file
from support.server import ROOT, binary, clean_environment

UNIT = ROOT / "deploy" / "systemd" / "chat-service.service"
SYSCTL = ROOT / "deploy" / "sysctl" / "90-chat-service.conf"


def unit_settings() -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        settings.setdefault(name, []).append(value)
    return settings


def analyze(command: list[str], directory: Path, text: str) -> subprocess.CompletedProcess[str]:
    """`systemd-analyze` on a unit whose program is the built one."""
    unit = directory / UNIT.name
    unit.write_text(text.replace("/usr/local/bin/chat-service", str(binary())))
    return subprocess.run(["systemd-analyze", *command, str(unit)], capture_output=True, text=True, timeout=60)


def test_the_unit_is_valid(tmp_path):
    done = analyze(["verify"], tmp_path, UNIT.read_text())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("LimitNOFILE=", "LimitNOFiles="),
        ("Type=notify", "Type=notified"),
        ("@system-service", "@no-such-set"),
        ("WatchdogSec=30s", "WatchdogSec=soon"),
    ],
)
def test_a_wrong_line_of_the_unit_is_found(tmp_path, right, wrong):
    text = UNIT.read_text()
    assert right in text
    assert analyze(["verify"], tmp_path, text.replace(right, wrong)).stderr != ""


def test_the_unit_is_hardened(tmp_path):
    """systemd's own rating, from 0 (closed) to 10 times ten."""
    done = analyze(["security", "--offline=true", "--threshold=15"], tmp_path, UNIT.read_text())
    assert done.returncode == 0, done.stdout


def test_the_units_times_fit_the_service():
    settings = unit_settings()
    assert settings["Type"] == ["notify"] and settings["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    default_grace = re.search(r"^\| `SHUTDOWN_GRACE_MS` \| `(\d+)`", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    assert default_grace and int(settings["TimeoutStopSec"][0].removesuffix("s")) >= int(default_grace[1]) / 1000 + 5
    assert "| 78 | the configuration is not allowed |" in (ROOT / "docs/operations.md").read_text()
    assert settings["RestartPreventExitStatus"] == ["78"]


def test_the_service_accepts_the_units_environment(tmp_path):
    (environment,) = unit_settings()["Environment"]
    environment = dict(item.split("=", 1) for item in environment.split()) | {"DATA_DIR": str(tmp_path)}
    example = ROOT / "deploy" / "systemd" / "environment.example"
    fleet = dict(re.findall(r"^#([A-Z_]+)=(.*)$", example.read_text(), re.MULTILINE))
    assert fleet.keys() >= {"INSTANCE_ID", "MONGODB_URI", "REDIS_URL"}
    for more in ({}, fleet):
        settings = environment | env_file(example) | more
        done = subprocess.run(
            [str(binary()), "serve", "--check-config"], env=clean_environment(settings), cwd=tmp_path,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        shown = set(re.findall(r"^([A-Z_]+)=", done.stdout, re.MULTILINE))
        assert settings.keys() - {"MONGOC_DISABLE_SHM"} <= shown


def kernel_settings() -> dict[str, list[str]]:
    lines = [line for line in SYSCTL.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value.split() for name, value in (line.split(" = ") for line in lines)}


def test_the_kernel_has_each_setting_in_that_form():
    for name, value in kernel_settings().items():
        path = Path("/proc/sys") / name.replace(".", "/")
        # There only while the packet filter tracks connections.
        if not path.exists() and name.startswith("net.netfilter."):
            continue
        if name == "net.ipv4.ip_local_reserved_ports":
            assert all(part.isdigit() for part in value[0].split(","))
            continue
        assert len(path.read_text().split()) == len(value), name
        assert all(part.isdigit() for part in value), name


def test_the_settings_agree_with_the_service_and_the_unit():
    settings = kernel_settings()
    (descriptors,) = unit_settings()["LimitNOFILE"]
    assert 100_000 < int(descriptors) <= int(settings["fs.nr_open"][0])
    backlog = re.search(r"backlog: Int32 = (\d+)", (ROOT / "Sources/EventLoop/Listener.swift").read_text())
    assert backlog and int(settings["net.core.somaxconn"][0]) >= int(backlog[1])
    low, high = map(int, settings["net.ipv4.ip_local_port_range"])
    assert not low <= 5004 <= high
    reserved = set(map(int, settings["net.ipv4.ip_local_reserved_ports"][0].split(",")))
    assert {27017, 15672} <= reserved and all(low <= port <= high for port in reserved)


def test_each_setting_has_its_reason_on_the_page():
    page = (ROOT / "docs" / "hosts.md").read_text()
    for name in kernel_settings():
        assert f"`{name}`" in page, name
