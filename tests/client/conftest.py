"""A running Herald on a real socket, in a thread of this process, on an empty SQLite file."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
import uvicorn

from app.main import create_app
from app.settings import Settings
from herald_client import Herald


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    """Calls are sent again at once, as often as they would be."""
    with stamina.set_testing(True, attempts=1_000, cap=True):
        yield


@pytest.fixture
def base_url(tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The address of a server with nothing stored."""
    path = tmp_path / "herald.sqlite3"
    shutil.copyfile(sqlite_template, path)
    app = create_app(Settings(database_url=f"sqlite:///{path}", migrate_on_start=False, log_level="error"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)


@pytest.fixture
def herald(base_url: str) -> Iterator[Herald]:
    """A client of that server."""
    with Herald(base_url, sender="North LIS") as herald:
        yield herald
