"""The machine and the versions of what was measured on it."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path


def machine(binary: Path) -> dict[str, str]:
    return {
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / (1 << 30):.0f} GiB",
        "virtualMachine": "yes" if "hypervisor" in Path("/proc/cpuinfo").read_text() else "no",
        "kernel": platform.release(),
        "distribution": release(),
        "service": version([str(binary), "--version"]),
        "swift": version(["swift", "--version"]),
        "sqlite": library("sqlite3"),
        "node": version(["node", "--version"]),
        "redis": version(["redis-server", "--version"]),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def release() -> str:
    file = Path("/etc/os-release")
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', file.read_text(), re.MULTILINE) if file.exists() else None
    return found[1] if found else platform.system()


def library(name: str) -> str:
    return version(["pkg-config", "--modversion", name])


def version(command: list[str]) -> str:
    """The first number with a dot in what the command prints."""
    if not shutil.which(command[0]):
        return "–"
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"\d+\.\d+[\w.]*", done.stdout + done.stderr)
    return found[0] if found else "–"
