"""The command line: a thin door. It parses options, calls `api`, prints the outcome and exits with its code.

stdout is data, stderr is progress. Everything but click is imported inside the commands, so that --help stays fast.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from etl_orchestrator import __version__
from etl_orchestrator.cli import door
from etl_orchestrator.errors import OrchestratorError

if TYPE_CHECKING:
    from etl_orchestrator.api import Workplace

_EXIT = (
    "Exit codes: 0 delivered, 1 a gate stands open, 2 usage or bad input, 3 questions, 4 a due gate could not be asked."
)

repo_option = click.option(
    "--repo", type=click.Path(path_type=Path), help="The repository (default: found upwards from the current folder)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the envelope as JSON on stdout.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
verbose_option = click.option("-v", "--verbose", count=True, help="More detail; twice: every gate.")
answer_option = click.option(
    "--answer", "answers", multiple=True, metavar="ELEMENT=VALUE", help="Answer a question of the requirements check."
)


class _Verb(click.Command):
    """A command that answers with the envelope even when there is no repository to work in, or the program is at fault."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OrchestratorError as error:
            if not ctx.params.get("as_json"):
                raise
            door.leave_with_envelope(ctx.info_name or "", error)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("ETLO_DEBUG") or not ctx.params.get("as_json"):
                raise
            door.leave_with_envelope(ctx.info_name or "", door.fault(error))


class _Verbs(click.Group):
    command_class = _Verb


@click.group(
    cls=_Verbs, epilog=_EXIT, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="etl-orchestrator")
def cli() -> None:
    """Requirements in, a finished BigQuery data model out: query, schema, metadata, tests and monitoring, held by gates."""


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--project", default="my-data-project", show_default=True, help="Default project of the repository.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@json_option
def init(folder: Path, project: str, overwrite: bool, as_json: bool) -> None:
    """Make a new repository: settings, dags.yaml, a base schema, folders."""
    from etl_orchestrator import api

    door.leave(api.init(folder, project, overwrite), as_json)


@cli.command()
@click.argument("requirements", nargs=-1, required=True, type=click.Path(path_type=Path))
@repo_option
@answer_option
@json_option
@quiet_option
@verbose_option
def plan(requirements: tuple[Path, ...], repo: Path | None, answers: tuple[str, ...], **how: Any) -> None:
    """Check requirements and show every decision with its reason; writes nothing."""
    from etl_orchestrator import api

    screen = door.Screen(how["quiet"], how["verbose"])
    work = _workplace(repo, screen)
    options = api.BuildOptions(door.answers(answers), interview=door.interview(how["as_json"]))
    door.leave(
        door.batch("plan", [api.plan(work, path, options) for path in requirements]), how["as_json"], how["verbose"]
    )


@cli.command()
@click.argument("requirements", nargs=-1, required=True, type=click.Path(path_type=Path))
@repo_option
@answer_option
@click.option("--dry-run", is_flag=True, help="Ask all gates and write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there; otherwise they are never touched.")
@click.option("--jobs", type=click.IntRange(1, 32), default=1, show_default=True, help="Files built at the same time.")
@json_option
@quiet_option
@verbose_option
def build(requirements: tuple[Path, ...], repo: Path | None, answers: tuple[str, ...], **how: Any) -> None:
    """Build complete models from requirements files: from the check to published files and a report."""
    from etl_orchestrator import api

    screen = door.Screen(how["quiet"], how["verbose"], announce=how["jobs"] > 1)
    work = _workplace(repo, screen)
    interview = door.interview(how["as_json"] or how["jobs"] > 1)
    options = api.BuildOptions(door.answers(answers), how["dry_run"], how["overwrite"], interview)
    outcome = api.build_all(work, requirements, options, screen, how["jobs"])
    door.leave(outcome, how["as_json"], how["verbose"])


@cli.command()
@click.argument("run", required=False)
@repo_option
@json_option
@quiet_option
@verbose_option
def resume(run: str | None, repo: Path | None, **how: Any) -> None:
    """Go on with a run that was stopped or stands open (default: the latest); finished work is not repeated."""
    from etl_orchestrator import api

    screen = door.Screen(how["quiet"], how["verbose"])
    door.leave(api.resume(_workplace(repo, screen), run, screen), how["as_json"], how["verbose"])


@cli.command()
@repo_option
@json_option
def runs(repo: Path | None, as_json: bool) -> None:
    """List the runs of the repository."""
    from etl_orchestrator import api

    door.leave(api.runs(_workplace(repo, None)), as_json)


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="TABLE_OR_PATH…")
@repo_option
@click.option("--jobs", type=click.IntRange(1, 32), help="Tables asked at the same time (default: one a processor).")
@json_option
@quiet_option
@verbose_option
def check(
    targets: tuple[str, ...], repo: Path | None, jobs: int | None, as_json: bool, quiet: bool, verbose: int
) -> None:
    """Ask every gate of models that stand in the repository.

    Names tables, files or folders. What is unchanged since it was last asked is not asked again.
    """
    from etl_orchestrator import api

    screen = door.Screen(quiet, verbose)
    door.leave(api.check(_workplace(repo, screen), targets, jobs, screen.say), as_json, verbose)


@cli.command("format")
@click.argument("targets", nargs=-1, required=True, metavar="PATH…")
@repo_option
@click.option("--check", "check_only", is_flag=True, help="Change nothing; exit 1 when a file is not formatted.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change, and exit 1 when something would.")
@json_option
def format_(targets: tuple[str, ...], repo: Path | None, check_only: bool, diff: bool, as_json: bool) -> None:
    """Format SQL files in place, as the repository's own formatter does; `-` formats stdin to stdout."""
    from etl_orchestrator import api

    if "-" not in targets:
        work = _workplace(repo, door.Screen())
        door.leave(api.format_sql_files(work, targets, check_only, diff), as_json)
    if len(targets) > 1:
        raise click.UsageError("`-` is stdin, and goes with no other path")
    text = door.stdin_text()
    outcome = api.format_text(_workplace(repo, door.Screen(), optional=True), text, check_only, diff)
    door.leave(outcome, as_json, faults_aside=True)


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="PATH…")
@repo_option
@click.option("--jobs", type=click.IntRange(1, 32), help="Files asked at the same time (default: one a processor).")
@json_option
@quiet_option
def validate(targets: tuple[str, ...], repo: Path | None, jobs: int | None, as_json: bool, quiet: bool) -> None:
    """Dry-run queries, views, scripts, routines and checks with Google's own analyzer, offline.

    Names tables, folders or .sql files. What is unchanged since it was last asked is not asked again.
    """
    from etl_orchestrator import api

    screen = door.Screen(quiet)
    door.leave(api.validate(_workplace(repo, screen), targets, jobs, screen.say), as_json)


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="PATH…")
@repo_option
@click.option("--write", is_flag=True, help="Change schema.yaml where it differs, and only there.")
@click.option("--describe", is_flag=True, help="Describe fields that have no description; else new ones get none.")
@json_option
def schema(targets: tuple[str, ...], repo: Path | None, write: bool, describe: bool, as_json: bool) -> None:
    """Show schema.yaml with the columns that the query gives."""
    from etl_orchestrator import api

    door.leave(api.schema(_workplace(repo, door.Screen()), targets, write, describe), as_json)


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="TABLE_OR_PATH…")
@repo_option
@click.option("--downstream", is_flag=True, help="Who in the repository reads these tables, column by column.")
@click.option("--stop-at-views", is_flag=True, help="Name the columns of a view that is read, not what it reads.")
@json_option
def lineage(targets: tuple[str, ...], repo: Path | None, **how: Any) -> None:
    """Tell of every output column where it comes from and how it is made."""
    from etl_orchestrator import api

    work = _workplace(repo, door.Screen())
    door.leave(api.lineage(work, targets, how["downstream"], not how["stop_at_views"]), how["as_json"])


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="PATH…")
@repo_option
@click.option("-k", "expression", default="", metavar="EXPR", help="Only tests whose path fits: words, and, or, not.")
@click.option("-x", "first_failure", is_flag=True, help="Stop at the first failure.")
@click.option("--strict", is_flag=True, help="See NULL against absent, 1 against '1', and column types.")
@click.option("--jobs", type=click.IntRange(1, 32), default=1, show_default=True, help="Tests run at the same time.")
@click.option(
    "--junit-xml", type=click.File("w", encoding="utf-8"), metavar="FILE", help="Write the results as JUnit XML."
)
@json_option
@quiet_option
@verbose_option
def test(targets: tuple[str, ...], repo: Path | None, junit_xml: IO[str] | None, **how: Any) -> None:
    """Run SQL tests and assertions of routines locally; no way to production."""
    from etl_orchestrator import api

    screen = door.Screen(how["quiet"], how["verbose"])
    heard = door.Tests(screen)
    selection = api.Selection(how["expression"], how["first_failure"], how["strict"], how["jobs"])
    outcome = api.test(_workplace(repo, screen), targets, selection, heard)
    if junit_xml is not None and outcome.error is None:
        heard.write_junit(junit_xml, outcome.seconds)
    heard.leave(outcome, how["as_json"], how["verbose"])


@cli.command()
@click.argument("code")
@json_option
def explain(code: str, as_json: bool) -> None:
    """Explain a gate by its code or name."""
    from etl_orchestrator import api

    door.leave(api.explain(code), as_json)


@cli.command("list")
@click.argument("kind", type=click.Choice(["phases", "gates", "skills", "engines", "monitors"]))
@json_option
def list_(kind: str, as_json: bool) -> None:
    """List the phases, gates, skills, engines or monitors."""
    from etl_orchestrator import api

    door.leave(api.listing(kind), as_json)


def _workplace(repo: Path | None, screen: door.Screen | None, optional: bool = False) -> Workplace:
    """The repository of a command; where it is `optional`, any folder will do."""
    from etl_orchestrator.api import Workplace

    if optional and repo is None:
        return Workplace.around(Path.cwd(), screen.say if screen else None)
    return Workplace.find(repo or Path.cwd(), screen.say if screen else None, exact=repo is not None)


def main() -> None:
    """The entry point. The process ends at once: to take apart what goes with it takes 10 ms, after large work 80."""
    try:
        run()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed before the start
                with suppress(OSError, ValueError):  # nobody reads it any more
                    stream.flush()
        os._exit(ended.code)


def run() -> None:
    """Errors of ours become one clear message and an exit code, never a traceback."""
    door.heed_interrupts()
    # Modules and trees stay: looking for garbage as often as usual takes 8 % of a start.
    gc.set_threshold(20_000, 20, 20)
    try:
        # Not standalone, click gives back the code of an Exit instead of ending the process.
        sys.exit(cli.main(standalone_mode=False, prog_name="etl-orchestrator"))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    except OrchestratorError as error:
        door.leave_with(error)
    except Exception as error:
        if os.environ.get("ETLO_DEBUG"):
            raise
        door.fault(error)
        sys.exit(1)
