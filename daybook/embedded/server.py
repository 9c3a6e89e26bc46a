"""What the embedded servers have in common: a process that is found again or started, waited for and stopped."""

import os
import pwd
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

import psutil

START_SECONDS = 300.0  # recovery after a crash can be long, and a server that ends is noticed at once
# Nothing of our own environment: PG* variables would change the servers, and secrets are none of their business.
ENVIRONMENT = {"PATH": f"{os.defpath}:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedServerError(Exception):
    """An embedded server cannot start or stop, or its data is in use; the message says why in a sentence."""


class Server(ABC):
    """A server process: found again or started, waited for, and stopped by ever harsher signals.

    One that a killed run left behind is carried on with, under the options it was started with.
    Neither thread-safe nor safe against another process with the same data: see `lock_data`.
    """

    _name: ClassVar[str]
    _signals: ClassVar[Sequence[tuple[signal.Signals, float]]]  # each with the seconds it is given

    def __init__(self, data: Path, folder: str) -> None:
        self._data = data.resolve()
        self._folder = self._data / folder
        self._log = self._data / f"{folder}.log"
        self._log_start = 0
        self._account: pwd.struct_passwd | None = None
        self._process: psutil.Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id; None while it does not run."""
        return self._process.pid if self._process is not None and alive(self._process) else None

    def start(self) -> None:
        """Return when the server answers; at once where it already runs. Raises EmbeddedServerError."""
        if self.pid is not None:
            return
        try:
            self.stop()  # collects what is left of one that died
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._process = self._find()
            if self._process is None or not self._becomes_ready(self._process):
                self._start_anew()
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError | subprocess.SubprocessError):
                raise EmbeddedServerError(f"{self._name} cannot be started: {error}") from error
            raise

    def stop(self) -> None:
        """Return when the server has ended. Raises EmbeddedServerError where it outlives even SIGKILL."""
        if self._process is None:
            return
        for number, seconds in self._signals:
            with suppress(psutil.NoSuchProcess):
                self._process.send_signal(number)
            if ended(self._process, seconds):
                self._process = None
                return
        raise EmbeddedServerError(f"{self._name} (process {self._process.pid}) does not end, not even by SIGKILL")

    @abstractmethod
    def _find(self) -> psutil.Process | None:
        """The server that an earlier run left behind."""

    @abstractmethod
    def _prepare(self) -> list[str]:
        """Make what the server needs on disk, and say the command that starts it."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it takes connections."""

    def _start_anew(self) -> None:
        self._process = self._spawn(self._prepare(), self._folder)
        if not self._becomes_ready(self._process):
            raise EmbeddedServerError(f"{self._name} ended before it was ready{self._tail()}")

    def _becomes_ready(self, process: psutil.Process) -> bool:
        """Whether the server comes to answer, rather than to end. Raises EmbeddedServerError when it takes too long."""
        deadline, pause = time.monotonic() + START_SECONDS, 0.01
        while alive(process):
            if self._answers() and alive(process):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"{self._name} did not answer within {START_SECONDS:.0f} s{self._tail()}")
            time.sleep(pause)
            pause = min(2 * pause, 0.5)  # a server that recovers logs each attempt
        return False

    def _spawn(self, argv: Sequence[str], folder: Path) -> psutil.Popen:
        """Start a program that logs to our log, in a session of its own: a Ctrl-C in the terminal is for us, not for it."""
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as log:
            self._log_start = os.fstat(descriptor).st_size
            return psutil.Popen(
                argv,
                cwd=folder,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                user=self._account.pw_uid if self._account else None,
                group=self._account.pw_gid if self._account else None,
                extra_groups=[] if self._account else None,
            )

    def _tail(self) -> str:
        """The last lines that the server logged since it was started, to end a message with."""
        with self._log.open("rb") as log:
            log.seek(max(self._log_start, os.fstat(log.fileno()).st_size - 65536))
            said = log.read().decode(errors="replace").splitlines()[-20:]
        return "\n".join([f"; the end of {self._log}:", *said]) if said else f"; it logged nothing to {self._log}"


def alive(process: psutil.Process) -> bool:
    """Whether it runs; one that ended and was not collected by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(process: psutil.Process, seconds: float) -> bool:
    """Whether it ends within that time; a child of ours is collected."""
    deadline = time.monotonic() + seconds
    while alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    if isinstance(process, psutil.Popen):
        process.wait()
    return True


def working(program: str, folder: Path) -> list[psutil.Process]:
    """The running processes of a program whose working directory that is; a stranger's cannot be asked and is not ours."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == program and Path(process.cwd()) == folder and alive(process):
                found.append(process)
    return found


def lines(path: Path) -> list[str]:
    """The lines of a small file; none where it is missing."""
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []
