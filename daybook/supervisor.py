"""The supervisor: runs the processes of `daybook serve`, starts again those that die, and ends them all together."""

import logging
import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

PARENT_FD = "DAYBOOK_PARENT_FD"
GRACE_SECONDS = 20.0

logger = logging.getLogger("daybook.supervisor")


def watch_parent(*, grace: float = GRACE_SECONDS) -> None:
    """Ask this process to end (SIGTERM) when its supervisor dies, however that dies; SIGKILL after `grace` seconds.

    To be called once, at start. Without a supervisor it does nothing.
    Raises ValueError where the environment names something else than the supervisor's pipe.
    """
    named = os.environ.pop(PARENT_FD, None)  # not for the children of this process
    if named is None:
        return
    descriptor = int(named)
    if not _is_pipe(descriptor):
        raise ValueError(f"{PARENT_FD} is {descriptor}, which is no pipe of a supervisor")
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_end_with, args=(descriptor, grace), name="watch-parent", daemon=True).start()


def _is_pipe(descriptor: int) -> bool:
    with suppress(OSError):
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    return False


def _end_with(descriptor: int, grace: float) -> None:
    os.read(descriptor, 1)  # nobody writes: it returns at the end of the pipe, with the supervisor
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class _Child:
    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    delay: float = 0.0
    due: float = 0.0


@dataclass
class Supervisor:
    """Named child processes that live and end together.

    One that dies is started again after `backoff[0]` seconds, doubling to `backoff[1]`, and from the beginning after a life
    of `steady` seconds. On SIGINT, SIGTERM or SIGHUP all get SIGTERM, and SIGKILL after `grace` seconds or at a Ctrl-C in
    the meantime. Each child leads a process group, so that a Ctrl-C in the terminal reaches the supervisor alone; SIGKILL
    is for the whole group. Children that call `watch_parent` do not outlive a supervisor that is killed.

    `stop` and `pids` may be used from any thread; the rest belongs to the one that calls `run`.
    """

    grace: float = GRACE_SECONDS
    backoff: tuple[float, float] = (0.2, 5.0)
    steady: float = 30.0
    _children: list[_Child] = field(default_factory=list, init=False)
    _requests: SimpleQueue[int] = field(default_factory=SimpleQueue, init=False)  # a signal handler may put into it
    _stopping: bool = field(default=False, init=False)
    _hurry: bool = field(default=False, init=False)

    def add(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Add a child, before `run`; `env` comes on top of our own environment. Raises ValueError for a name in use."""
        if any(child.name == name for child in self._children):
            raise ValueError(f"there is a child named {name} already")
        self._children.append(_Child(name, argv, env or {}))

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the children that run, by name."""
        running = [(child.name, child.process) for child in self._children]
        return {name: process.pid for name, process in running if process is not None}

    def stop(self) -> None:
        """Have `run` end the children and return, as SIGTERM does; called before `run`, none is started."""
        self._requests.put(signal.SIGTERM)

    def run(self) -> int:
        """Start the children and look after them until asked to stop; when all have ended, return the exit code 0.

        In the main thread it listens to signals for as long. May be called once.
        """
        reader, writer = os.pipe()  # the children see its end when our copy of the writer goes, with us
        try:
            with self._listening():
                self._hear(0.0)
                try:
                    while not self._stopping:
                        self._look_after(reader)
                        self._hear(0.1)
                finally:
                    self._end_children()
        finally:
            os.close(reader)
            os.close(writer)
        return 0

    @contextmanager
    def _listening(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup asks to stay
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, lambda number, _: self._requests.put(number)) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, seconds: float) -> None:
        """Wait that long for a request."""
        with suppress(Empty):
            number = self._requests.get(timeout=seconds)
            self._hurry |= self._stopping and number == signal.SIGINT
            self._stopping = True

    def _look_after(self, reader: int) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._put_off(child, now, f"ended with code {child.process.returncode}")
            elif child.process is None and now >= child.due:
                self._start(child, now, reader)

    def _start(self, child: _Child, now: float, reader: int) -> None:
        child.started = now
        try:
            child.process = subprocess.Popen(  # noqa: S603 - the command is our own
                child.argv,
                env={**os.environ, **child.env, PARENT_FD: str(reader)},
                stdin=subprocess.DEVNULL,
                pass_fds=(reader,),
                process_group=0,
            )
        except OSError as error:  # out of processes or memory, it may be: that passes
            self._put_off(child, now, f"cannot be started: {error}")
        else:
            logger.info("%s runs as process %d", child.name, child.process.pid)

    def _put_off(self, child: _Child, now: float, reason: str) -> None:
        first, longest = self.backoff
        steady = child.process is not None and now - child.started >= self.steady
        child.process = None
        child.delay = first if steady or not child.delay else min(2 * child.delay, longest)
        child.due = now + child.delay
        logger.warning("%s %s; starting it again in %.1f s", child.name, reason, child.delay)

    def _end_children(self) -> None:
        deadline = time.monotonic() + self.grace
        for _, process in self._living():
            process.terminate()
        while self._living() and not self._hurry and time.monotonic() < deadline:
            self._hear(0.05)
        late = self._living()
        for name, process in late:
            logger.warning("%s (process %d) is killed: it did not end in time", name, process.pid)
            with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of one that ended just now
                os.killpg(process.pid, signal.SIGKILL)
        for _, process in late:
            process.wait()

    def _living(self) -> list[tuple[str, subprocess.Popen[bytes]]]:
        running = [(child.name, child.process) for child in self._children]
        return [(name, process) for name, process in running if process is not None and process.poll() is None]
