"""The tree of errors: what stops *us* from doing the work.

A fault in the user's model is no error but a `Finding`, a value. The doors translate these to exit codes.

    OrchestratorError
    ├── InvalidInput          a file, name or option that cannot be read as what it claims to be   (exit 2)
    ├── Refused               the request was understood and may not be carried out now             (exit 1)
    │   └── Locked            another run holds the table
    ├── Unavailable           a tool cannot know the answer: no credentials, no network, no folder  (exit 4)
    ├── EngineError           an analyzer or runner could not do its work                           (exit 4)
    │   ├── Unsupported       it lacks a function or feature, named
    │   └── EngineCrashed     it trapped, ran out of memory or of time
    │       └── TimedOut      of time, which it may not do another time
    └── StoreError            the journal or the target tree could not be read or written           (exit 1)
"""

from __future__ import annotations


class OrchestratorError(Exception):
    """Root of all errors raised on purpose; `fix` says what to do, `at` where (path:line)."""

    def __init__(self, message: str, *, at: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.fix = fix

    def __str__(self) -> str:
        lines = [self.message]
        if self.at:
            lines.append(f"  at {self.at}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class InvalidInput(OrchestratorError):
    """Raised when a file, name or option cannot be read as what it claims to be."""


class Refused(OrchestratorError):
    """Raised when a request was understood and may not be carried out now."""


class Locked(Refused):
    """Raised when another run holds the table."""


class Unavailable(OrchestratorError):
    """Raised when a tool cannot know the answer, which is not the same as a negative answer."""


class EngineError(OrchestratorError):
    """Raised when an analyzer or a runner could not do its work."""


class Unsupported(EngineError):
    """Raised when an engine lacks a function or feature; the message names it."""


class EngineCrashed(EngineError):
    """Raised when an engine trapped, ran out of memory or of time."""


class TimedOut(EngineCrashed):
    """Raised when a call took longer than its engine allows, which it may not do another time."""


class StoreError(OrchestratorError):
    """Raised when the journal or the target tree cannot be read or written."""
