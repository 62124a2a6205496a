"""What all commands share at the way in and out: colours, progress, the interview, printing an outcome."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, NoReturn

import click

from etl_orchestrator.errors import InvalidInput, OrchestratorError

if TYPE_CHECKING:
    from etl_orchestrator.api import Workplace
    from etl_orchestrator.outcome import Outcome
    from etl_orchestrator.phase import Phase
    from etl_orchestrator.proving.suite import Ran
    from etl_orchestrator.requirements import Request
    from etl_orchestrator.run import Run


def styled(text: str, colour: str) -> str:
    """Coloured unless NO_COLOR is set; click drops colours itself where the stream is no terminal."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)


class Screen:
    """Progress on stderr: a line for each room as it is left, and what is slow as it happens."""

    def __init__(self, quiet: bool = False, verbose: int = 0, announce: bool = False) -> None:
        self._quiet = quiet
        self.verbose = verbose
        self._announce = announce  # files of a batch that are built in other processes

    def say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text, err=True)

    def entered(self, run: Run, phase: Phase) -> None:
        if not run.visits:
            self.say(styled(f"building {run.table}", "cyan") + f"  (run {run.id})")

    def left(self, run: Run) -> None:
        from etl_orchestrator.phases.order import PHASES
        from etl_orchestrator.report import terminal

        names = [phase.name for phase in PHASES]
        position = names.index(run.visits[-1].phase) + 1
        self.say(terminal.left(run, position, len(names), styled, self.verbose))

    def finished(self, outcome: Outcome) -> None:
        if self._announce:
            what = outcome.table or outcome.requirements or ""
            self.say(f"{outcome.status.replace('_', ' ')}: {what}  ({outcome.seconds:.2f} s)")


class Tests:
    """Hears of tests as they end: progress on stderr, the failures with the outcome on stdout."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._ran: list[Ran] = []

    def __call__(self, ran: Ran, count: int, total: int) -> None:
        from etl_orchestrator.report import tests

        self._ran.append(ran)
        if self._screen.verbose or ran.status != "passed":
            self._screen.say(f"[{count}/{total}] {tests.line(ran, styled)}")
        elif len(self._ran) % 25 == 0:
            self._screen.say(f"[{count}/{total}]")

    def write_junit(self, file: IO[str], seconds: float) -> None:
        from etl_orchestrator.report import tests

        file.write(tests.junit(self._ran, seconds))

    def leave(self, outcome: Outcome, as_json: bool, verbose: int) -> NoReturn:
        """Print every test that did not pass, or the envelope, and exit."""
        from etl_orchestrator.report import tests

        if as_json or outcome.error is not None:
            leave(outcome, as_json, verbose)
        for ran in sorted(self._ran, key=lambda ran: ran.place.id):
            if ran.status != "passed":
                click.echo(tests.failure(ran, styled, verbose) + "\n")
        click.echo(tests.summary(self._ran, outcome.seconds))
        sys.stdout.flush()
        raise click.exceptions.Exit(outcome.exit_code)


def heed_interrupts() -> None:
    """From here on Ctrl-C says so and ends the process at once, whatever it is doing.

    A thread does it, told by the system itself: Python calls a handler of its own only between two steps of its code, so
    that work in the WASM engine would go on to its end, and a question that is about to be read would stay. An exception
    must not be raised, for it could pass through the engine, which does not survive that; and nothing is lost, for the
    journal is made to survive a kill.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    signal.signal(signal.SIGINT, lambda *_: None)  # with the handler of before, an exception would come as well

    def end() -> None:
        os.read(heard, 1)
        os.write(2, b"\nstopped; a run that had begun goes on with: etl-orchestrator resume\n")
        os._exit(130)

    threading.Thread(target=end, daemon=True).start()


def answers(given: Sequence[str]) -> dict[str, str]:
    """`element=value` pairs. Raises a usage error for one without an equals sign."""
    found: dict[str, str] = {}
    for text in given:
        element, equals, value = text.partition("=")
        if not equals or not element.strip():
            raise click.UsageError(f"--answer {text}: write it as element=value")
        found[element.strip()] = value.strip()
    return found


def interview(off: bool) -> Callable[[Request, Workplace], Request] | None:
    """Asks on the terminal, when there is one on both sides."""
    if off or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(request: Request, workplace: Workplace) -> Request:
        from etl_orchestrator import intake
        from etl_orchestrator.skills.bigquery_etl_core.dag_ranking import rank_dags

        def read(prompt: str) -> str:
            # Not click.prompt, which ends the program at an end of input instead of leaving the question open.
            click.echo(f"{prompt} ", nl=False, err=True)
            return input()

        tools = workplace.tools
        return intake.ask(
            request, tools, read, lambda text: click.echo(text, err=True), lambda asked: rank_dags(asked, tools.catalog)
        )

    return ask


def batch(verb: str, results: Sequence[Outcome]) -> Outcome:
    from etl_orchestrator.outcome import of_batch

    return of_batch(verb, results, sum(result.seconds for result in results))


def stdin_text() -> str:
    """All of stdin, line breaks as they are. Raises InvalidInput when it is not UTF-8."""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"not UTF-8: {error}", at="<stdin>") from error


def leave(outcome: Outcome, as_json: bool = False, verbose: int = 0, faults_aside: bool = False) -> NoReturn:
    """Print the outcome on stdout and exit with its code; `faults_aside` keeps what is wrong out of stdout."""
    if as_json:
        click.echo(json.dumps(outcome.as_dict(), indent=2, ensure_ascii=False))
    else:
        from etl_orchestrator.report import terminal

        said = terminal.summary(outcome, styled, verbose)
        click.echo(said, nl=bool(said), err=faults_aside and bool(outcome.findings or outcome.error))
    sys.stdout.flush()
    raise click.exceptions.Exit(outcome.exit_code)


def leave_with_envelope(verb: str, error: OrchestratorError) -> NoReturn:
    """An error that no verb turned into an outcome, for a reader of JSON."""
    from etl_orchestrator.outcome import of_error

    leave(of_error(verb, error), as_json=True)


def fault(error: Exception) -> OrchestratorError:
    """Says on stderr that the program is at fault; the same as an error for the envelope."""
    message = f"etl-orchestrator failed: {type(error).__name__}: {error}"
    advice = "this is a fault of the program; run with ETLO_DEBUG=1 for the traceback"
    click.echo(f"{message}\n{advice}", err=True)
    return OrchestratorError(message, fix=advice)


def leave_with(error: OrchestratorError) -> NoReturn:
    """An error that no verb turned into an outcome."""
    from etl_orchestrator.outcome import of_error

    click.echo(str(error), err=True)
    sys.exit(of_error("", error).exit_code)
