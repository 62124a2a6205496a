"""The open questions, asked one by one on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.intake.answers import apply_answers
from etl_orchestrator.intake.asking import RankDags
from etl_orchestrator.intake.check import questions
from etl_orchestrator.requirements import Question, Request
from etl_orchestrator.tools import Tools

#: Wrong answers to one question before it is left open.
_TRIES = 3

Say = Callable[[str], None]
#: A request and the questions that are open in it.
Settled = tuple[Request, tuple[Question, ...]]


def ask(
    request: Request,
    tools: Tools,
    read_line: Callable[[str], str],
    say: Say,
    rank_dags: RankDags | None = None,
) -> Request:
    """The request with the answers in it. An empty answer, an end of input or three that cannot be read or are refused
    leave a question open, and what was answered before is kept; the check that follows will name it again."""

    def settled(request: Request, given: Mapping[str, str]) -> Settled:
        answered = apply_answers(request, given)
        return answered, questions(answered, tools, rank_dags)

    left: set[tuple[str, str]] = set()
    request, still = settled(request, {})
    while True:
        asked = [one for one in still if (one.element, one.text) not in left]
        if not asked:
            return request
        say(f"{len(asked)} question{'s' if len(asked) > 1 else ''} open; an empty line leaves one open.")
        question = asked[0]
        answered = _one(question, partial(settled, request), read_line, say)
        if answered is None:
            left.add((question.element, question.text))
            continue
        request, still = answered
        if question in still:
            left.add((question.element, question.text))
            say("That does not settle it.")


def _one(
    question: Question, settle: Callable[[Mapping[str, str]], Settled], read_line: Callable[[str], str], say: Say
) -> Settled | None:
    """The request with the answer to one question and what is open then, None when there is no answer."""
    say(f"\n{question.text}" + (f"  ({question.at})" if question.at else ""))
    for number, candidate in enumerate(question.candidates, 1):
        say(f"  {number}  {candidate}")
    for _ in range(_TRIES):
        try:
            line = read_line(f"{question.element}:").strip()
        except EOFError:
            return None
        if not line:
            return None
        if line.isdigit() and 0 < int(line) <= len(question.candidates):
            line = question.candidates[int(line) - 1]
        try:
            return settle({question.element: line})
        except InvalidInput as error:
            say(f"{error.message}; {error.fix}" if error.fix else error.message)
    return None


def write_answers(request: Request) -> str:
    """The answers as YAML, for keeping beside the requirements."""
    import yaml

    return str(yaml.safe_dump(dict(request.answers), allow_unicode=True, sort_keys=False, width=1000))
