"""What is raised when an argument, a table or a file is refused: one error, every problem in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what, what was expected and what was got (empty when it says nothing more)."""

    where: str
    what: str
    expected: str = ""
    got: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.expected:
            text += f", expected {self.expected}"
        if self.got:
            text += f", got {self.got}"
        return text


class AnderhalfError(Exception):
    """Base of every error of anderhalf. ``problems`` lists all of them; the message reads as sentences."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem("", problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        # Not left to KeyError, which would print the repr.
        if len(self.problems) == 1:
            return str(self.problems[0])
        return "\n".join([f"{len(self.problems)} problems:", *(f"  {problem}" for problem in self.problems)])


class ShapeError(AnderhalfError, ValueError):
    """Columns that are missing, unknown, or of different length."""


class DomainError(AnderhalfError, ValueError):
    """Values outside their range, or that contradict each other."""


class NotFoundError(AnderhalfError, KeyError):
    """A name that is not there; the message gives the names that look like it."""


class ParameterError(AnderhalfError, ValueError):
    """A parameter file that is refused; knows the file and the key."""

    file: str
    key: str

    def __init__(self, problems: str | Problem | Iterable[Problem], file: str = "", key: str = "") -> None:
        super().__init__(problems)
        self.file = file
        self.key = key

    def __reduce__(self) -> tuple[type[ParameterError], tuple[tuple[Problem, ...], str, str]]:
        return type(self), (self.problems, self.file, self.key)

    def __str__(self) -> str:
        place = " ".join(part for part in (self.file, self.key) if part)
        text = super().__str__()
        return f"{place}: {text}" if place and not text.startswith(place) else text


def near_matches(name: str, names: Sequence[str], count: int = 3) -> list[str]:
    """The names that look like ``name``, nearest first, regardless of case and punctuation."""
    import difflib

    plain = {"".join(c for c in n.casefold() if c.isalnum()): n for n in names}
    wanted = "".join(c for c in name.casefold() if c.isalnum())
    near = difflib.get_close_matches(wanted, list(plain), n=count, cutoff=0.6)
    starts = [key for key in plain if wanted and (key.startswith(wanted) or wanted.startswith(key)) and key not in near]
    return [plain[key] for key in [*near, *starts][:count]]


def not_found(where: str, kind: str, names: Iterable[str], known: Sequence[str]) -> NotFoundError:
    """A NotFoundError naming every unknown name and what looks like it."""
    problems = []
    for name in names:
        near = near_matches(name, known)
        hint = f"one of {', '.join(near)}" if near else f"one of {len(known)} names, such as {', '.join(known[:3])}"
        problems.append(Problem(where, f"no {kind} {name!r}", expected=hint))
    return NotFoundError(problems)
