"""What the parts of the requirements check share: where a question belongs, and the error that carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from etl_orchestrator.errors import OrchestratorError
from etl_orchestrator.requirements import Question, Request

#: Names of DAGs with the evidence for each, best first.
RankDags = Callable[[Request], Sequence[tuple[str, str]]]


class NeedsAnswers(OrchestratorError):
    """Raised when questions remain; nothing is built before they are answered. `given` are the answers so far."""

    def __init__(self, asked: tuple[Question, ...], given: Mapping[str, str] | None = None) -> None:
        elements = ", ".join(f"`{question.element}`" for question in asked)
        super().__init__(
            f"{len(asked)} question{'s need' if len(asked) > 1 else ' needs'} an answer: {elements}",
            at=asked[0].at if asked else None,
            fix="answer in the file, or with --answer element=value",
        )
        self.questions = asked
        self.given = dict(given or {})

    def __reduce__(self) -> tuple[type[NeedsAnswers], tuple[tuple[Question, ...], dict[str, str]]]:
        return NeedsAnswers, (self.questions, self.given)


def place_of(request: Request, element: str) -> str:
    """`path:line` of an element, or of the nearest thing around it that stands in the file."""
    words = element.split(".")
    while words:
        if (key := ".".join(words)) in request.lines:
            return request.at(key)
        words.pop()
    return request.origin


def ask(request: Request, element: str, text: str, candidates: Sequence[str] = ()) -> Question:
    """A question with its place."""
    return Question(element, text, tuple(candidates), place_of(request, element))
