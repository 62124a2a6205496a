"""The program on a real (pseudo) terminal: colours, and the interview."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
QUESTIONED = str(EXAMPLES / "questions" / "no_partitioning.yaml")
SECONDS = 60


class _Session:
    """The program with a terminal on stdin, stdout and stderr; what it prints is kept in `shown`."""

    def __init__(self, root: Path, *words: str, **environment: str) -> None:
        ours, theirs = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self._terminal = ours
        self._process = subprocess.Popen(
            [sys.executable, "-m", "etl_orchestrator", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=root,
            env={**kept, "TERM": "xterm", **environment},
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def read_until(self, text: str) -> None:
        """Reads until the text has come or the program has ended."""
        end = time.monotonic() + SECONDS
        while text not in self.shown:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{text!r} did not come after:\n{self.shown}"
            try:
                data = os.read(self._terminal, 65536)
            except OSError:  # Linux tells so that the other side is closed
                data = b""
            if not data:
                break
            self.shown += data.decode().replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def interrupt(self) -> None:
        """What a terminal does on Control-C."""
        self._process.send_signal(signal.SIGINT)

    def ended(self) -> int:
        """The exit code; everything printed is in `shown`."""
        self.read_until("\0never")
        code = self._process.wait(SECONDS)
        os.close(self._terminal)
        return code


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal") / "repository"
    shutil.copytree(EXAMPLES / "repository", folder)
    return folder


def test_a_terminal_gets_colours_unless_no_color_is_set(root: Path) -> None:
    words = ("check", "pedalo-data-prod.rides_derived.rider_days_v1")
    coloured, bare = _Session(root, *words), _Session(root, *words, NO_COLOR="1")
    assert (coloured.ended(), bare.ended()) == (1, 1)
    assert "\x1b[31mopen\x1b[0m" in coloured.shown
    assert "\x1b" not in bare.shown
    assert "open  pedalo-data-prod.rides_derived.rider_days_v1" in bare.shown


def test_the_interview_asks_only_what_is_open_and_goes_on_with_the_answer(root: Path) -> None:
    session = _Session(root, "plan", QUESTIONED, NO_COLOR="1")
    session.read_until("partitioning: ")
    assert "1 question open; an empty line leaves one open.\n" in session.shown
    session.type("full refresh\n")
    assert session.ended() == 0
    assert "planned  " in session.shown
    assert "full refresh  [" in session.shown


@pytest.mark.parametrize("typed", ["\n", "\x04"], ids=["an empty line", "the end of input"])
def test_a_question_that_is_not_answered_stays_open(typed: str, root: Path) -> None:
    session = _Session(root, "plan", QUESTIONED, NO_COLOR="1")
    session.read_until("partitioning: ")
    session.type(typed)
    assert session.ended() == 3
    assert "1. partitioning: " in session.shown
    assert "--answer partitioning=…" in session.shown


def test_nobody_is_asked_where_json_is_wanted(root: Path) -> None:
    session = _Session(root, "plan", QUESTIONED, "--json")
    assert session.ended() == 3
    assert session.shown.startswith('{\n  "version": 1,')


def test_control_c_in_the_interview_stops_without_a_traceback(root: Path) -> None:
    session = _Session(root, "plan", QUESTIONED, NO_COLOR="1")
    session.read_until("partitioning: ")
    session.interrupt()
    assert session.ended() == 130
    assert "stopped; a run that had begun goes on with: etl-orchestrator resume" in session.shown
    assert "Traceback" not in session.shown


def test_control_c_is_heeded_while_python_has_no_step_to_go() -> None:
    """Where the signal comes just before a question is read, nothing ends that reading: here for certain."""
    program = """if True:
        import signal, sys
        from etl_orchestrator.cli import door
        door.heed_interrupts()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # of this thread only
        print("reading", file=sys.stderr, flush=True)
        sys.stdin.read()
    """
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "reading\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert process.stderr.read().startswith("\nstopped; ")


def test_control_c_ends_the_processes_of_a_command_as_well(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "repository", tmp_path / "repository")
    given = next((tmp_path / "repository/tests").rglob("test_two_cities"))
    for number in range(500):
        shutil.copytree(given, given.with_name(f"test_{number}"), copy_function=os.link)
    words = [sys.executable, "-m", "etl_orchestrator", "test", "tests/sql", "--jobs", "2", "--verbose"]
    root = tmp_path / "repository"
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=root, start_new_session=True, text=True
    ) as process:
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith("[1/501]"):  # the engine may have to be compiled first
            assert line
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, said = process.communicate(timeout=SECONDS)  # until no process has it open
        assert process.wait(SECONDS) == 130
    told = "\nstopped; a run that had begun goes on with: etl-orchestrator resume\n"
    assert said.partition(told)[1:] == (told, "")
