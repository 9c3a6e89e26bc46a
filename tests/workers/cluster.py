"""A NATS cluster of three servers with JetStream, each a process of its own."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

NAMES = ("one", "two", "three")


@dataclass
class Server:
    name: str
    port: int
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def kill(self) -> None:
        """As a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Cluster:
    servers: dict[str, Server]
    token: str

    @property
    def url(self) -> str:
        """As an operator writes it."""
        return ",".join(f"nats://{self.token}@127.0.0.1:{server.port}" for server in self.servers.values())


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    token = secrets.token_urlsafe(16)
    ports = _free_ports(2 * len(NAMES))
    routes = [f"nats://127.0.0.1:{port}" for port in ports[1::2]]
    cluster = Cluster({}, token)
    with ExitStack() as stack:
        for name, port, route in zip(NAMES, ports[::2], ports[1::2], strict=True):
            config = {
                "server_name": name,
                "host": "127.0.0.1",
                "port": port,
                "authorization": {"token": token},
                "jetstream": {"store_dir": str(folder / name)},
                "cluster": {"name": "daybook", "listen": f"127.0.0.1:{route}", "routes": routes},
            }
            server = cluster.servers[name] = _configured(folder, config)
            stack.callback(server.kill)
            server.start()
        yield cluster


def _configured(folder: Path, config: dict[str, object]) -> Server:
    file = folder / f"{config['server_name']}.json"
    file.write_text(json.dumps(config))
    program = shutil.which("nats-server", path=Path(sys.executable).parent)
    assert program is not None
    name, port = str(config["server_name"]), int(str(config["port"]))
    return Server(name, port, [program, "--config", str(file)], folder / f"{name}.log")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(found.getsockname()[1]) for found in sockets]
