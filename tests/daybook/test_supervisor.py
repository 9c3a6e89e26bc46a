import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from daybook.supervisor import PARENT_FD, Supervisor, watch_parent

SUPERVISE = """
import json, sys
from daybook.supervisor import Supervisor
settings, children = json.loads(sys.argv[1])
supervisor = Supervisor(**settings)
for name, code in children.items():
    supervisor.add(name, [sys.executable, "-c", code])
sys.exit(supervisor.run())
"""
SAY_PID = "import os, signal, time; os.write(1, b'%d\\n' % os.getpid());"  # in one piece: two children share the pipe
SLEEP = SAY_PID + "time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SAY_PID + "time.sleep(60)"
WATCHING = "from daybook.supervisor import watch_parent; watch_parent(grace=0.2);"

Supervise = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def supervise() -> Iterator[Supervise]:
    started: list[subprocess.Popen[str]] = []

    def start(children: dict[str, str], **settings: float) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", SUPERVISE, json.dumps([settings, children])]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        with process:
            process.kill()


def heard_pid(process: subprocess.Popen[str]) -> psutil.Process:
    assert process.stdout is not None
    return psutil.Process(int(process.stdout.readline()))


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def becomes(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def run_until(supervisor: Supervisor, condition: Callable[[], bool]) -> int | None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(supervisor.run()))
    thread.start()
    try:
        assert becomes(condition)
    finally:
        supervisor.stop()
        thread.join(timeout=10)
    return codes[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_child_and_is_no_failure(supervise: Supervise, number: signal.Signals) -> None:
    supervisor = supervise({"one": SLEEP, "two": SLEEP})
    children = [heard_pid(supervisor), heard_pid(supervisor)]

    supervisor.send_signal(number)

    assert supervisor.wait(timeout=10) == 0
    assert all(gone(child) for child in children)


def test_a_child_that_was_killed_is_started_again(supervise: Supervise) -> None:
    supervisor = supervise({"one": SLEEP}, backoff=(0.01, 0.01))
    first = heard_pid(supervisor)

    first.kill()

    assert heard_pid(supervisor).pid != first.pid


def test_a_child_that_keeps_dying_waits_ever_longer_up_to_a_limit(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor(backoff=(0.1, 0.3))
    supervisor.add("one", [sys.executable, "-c", "raise SystemExit(3)"])

    assert run_until(supervisor, lambda: len(caplog.messages) == 4) == 0

    assert [message.split("again in ")[1] for message in caplog.messages[:4]] == ["0.1 s", "0.2 s", "0.3 s", "0.3 s"]
    assert "one ended with code 3" in caplog.messages[0]


def test_a_child_that_lived_long_enough_starts_again_without_a_longer_wait(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor(backoff=(0.1, 5.0), steady=0.0)
    supervisor.add("one", [sys.executable, "-c", ""])

    assert run_until(supervisor, lambda: len(caplog.messages) == 3) == 0

    assert {message.split("again in ")[1] for message in caplog.messages[:3]} == {"0.1 s"}


def test_a_child_that_cannot_be_started_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor(backoff=(0.01, 0.01))
    supervisor.add("one", ["/nowhere/to/be/found"])

    assert run_until(supervisor, lambda: len(caplog.messages) >= 2) == 0

    assert "one cannot be started" in caplog.messages[1]


def test_a_child_that_ignores_sigterm_is_killed_when_its_time_is_over(supervise: Supervise) -> None:
    supervisor = supervise({"one": STUBBORN}, grace=0.2)
    child = heard_pid(supervisor)

    supervisor.terminate()

    assert supervisor.wait(timeout=10) == 0
    assert gone(child)


def test_a_second_ctrl_c_kills_at_once(supervise: Supervise) -> None:
    supervisor = supervise({"one": STUBBORN}, grace=3600)
    child = heard_pid(supervisor)

    supervisor.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert supervisor.poll() is None
    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(timeout=10) == 0
    assert gone(child)


def test_a_second_sigterm_leaves_the_children_their_time(supervise: Supervise) -> None:
    supervisor = supervise({"one": STUBBORN}, grace=3600)
    child = heard_pid(supervisor)

    supervisor.terminate()
    time.sleep(0.3)
    supervisor.terminate()
    time.sleep(0.3)

    assert supervisor.poll() is None
    assert not gone(child)
    child.kill()
    assert supervisor.wait(timeout=10) == 0


def test_what_a_killed_child_started_is_killed_with_it(supervise: Supervise) -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])"
    supervisor = supervise({"one": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + nested}, grace=0.2)
    grandchild = heard_pid(supervisor)

    supervisor.terminate()

    assert supervisor.wait(timeout=10) == 0
    assert becomes(lambda: gone(grandchild))


def test_a_ctrl_c_in_the_terminal_is_not_for_the_children(supervise: Supervise) -> None:
    supervisor = supervise({"one": SLEEP})

    assert os.getpgid(heard_pid(supervisor).pid) != os.getpgid(supervisor.pid)


@pytest.mark.parametrize("code", [SLEEP, STUBBORN], ids=["willing", "stubborn"])
def test_children_do_not_outlive_a_supervisor_that_is_killed(supervise: Supervise, code: str) -> None:
    supervisor = supervise({"one": WATCHING + code, "two": WATCHING + code})
    children = [heard_pid(supervisor), heard_pid(supervisor)]

    supervisor.kill()
    supervisor.wait(timeout=10)

    assert becomes(lambda: all(gone(child) for child in children))


def test_a_child_ends_in_its_own_way_when_its_supervisor_is_killed(supervise: Supervise) -> None:
    said = "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'goodbye\\n'), os._exit(0)));"
    supervisor = supervise({"one": WATCHING + "import signal;" + said + SLEEP})
    heard_pid(supervisor)

    supervisor.kill()

    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "goodbye\n"


def test_a_child_sees_our_environment_and_its_own(supervise: Supervise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    supervisor = Supervisor()
    code = "import os, time; assert os.environ['OURS'] + os.environ['ITS'] == '12'; time.sleep(60)"
    supervisor.add("one", [sys.executable, "-c", code], {"ITS": "2"})

    assert run_until(supervisor, lambda: "one" in supervisor.pids) == 0


def test_stop_before_run_starts_nothing() -> None:
    supervisor = Supervisor()
    supervisor.add("one", [sys.executable, "-c", SLEEP])
    supervisor.stop()

    assert supervisor.run() == 0
    assert supervisor.pids == {}


def test_run_gives_the_signals_back(supervise: Supervise) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    supervisor = Supervisor()
    threading.Timer(0.1, supervisor.stop).start()

    assert supervisor.run() == 0

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_two_children_cannot_have_one_name() -> None:
    supervisor = Supervisor()
    supervisor.add("one", ["true"])

    with pytest.raises(ValueError, match="a child named one already"):
        supervisor.add("one", ["true"])


def test_without_a_supervisor_there_is_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PARENT_FD, raising=False)
    threads = threading.active_count()

    watch_parent()

    assert threading.active_count() == threads


def test_an_environment_that_names_no_pipe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARENT_FD, "9999")

    with pytest.raises(ValueError, match="no pipe of a supervisor"):
        watch_parent()

    assert PARENT_FD not in os.environ
