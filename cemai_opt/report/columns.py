"""The columns of a front table, shared by the terminal, the report and notebooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cemai_opt.core.scores import error_of
from cemai_opt.core.units import readable_grams
from cemai_opt.runs.front import RunFront
from cemai_opt.runs.front_member import FrontMember

NOT_TESTED = "-"
NO_NUMBER = ""
SCORE_ERROR = "score +-"
"""Heading of the standard error of the validation score."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A heading, with the value to sort a member by and the text to show for it. Paper has no room for details."""

    heading: str
    value: Callable[[FrontMember], object]
    text: Callable[[FrontMember], str]
    is_text: bool = False
    is_detail: bool = False


def member_columns(front: RunFront) -> tuple[Column, ...]:
    """Trial, model, scores, the error whose skill is the score, grams; each with its uncertainty, then marks."""
    error = error_of(front.score)
    tested = Column(heading="test", value=lambda m: m.test, text=lambda m: score_text(m.test))
    validated = "validation" if error is None else "skill"
    return (
        Column(heading="trial", value=lambda m: m.trial, text=lambda m: NO_NUMBER if m.parts else str(m.trial)),
        Column(heading="model", value=lambda m: m.model, text=lambda m: m.model, is_text=True),
        Column(heading=validated, value=lambda m: m.validation, text=lambda m: f"{m.validation:.3f}"),
        Column(heading=SCORE_ERROR, value=lambda m: m.error, text=lambda m: error_text(m.error)),
        tested if error is None else _error_column(error),
        grams_column("gCO2eq", lambda m: m.carbon_g),
        grams_column("+-", lambda m: m.uncertainty_g),
        Column(heading="mark", value=front.mark_of, text=front.mark_of, is_text=True),
    )


def _error_column(error: str) -> Column:
    def value(member: FrontMember) -> float | None:
        return member.final.metrics.get(error) if member.final is not None else None

    return Column(heading=f"test {error}", value=value, text=lambda m: f"{v:.4g}" if (v := value(m)) else NOT_TESTED)


def grams_column(heading: str, grams: Callable[[FrontMember], float]) -> Column:
    """A column of grams, shown with a suitable SI prefix."""
    return Column(heading=heading, value=grams, text=lambda m: readable_grams(grams(m)))


def error_text(error: float) -> str:
    """A standard error with three decimals, without the zero before them; empty if there is none.

    >>> error_text(0.0123), error_text(0.0)
    ('.012', '')
    """
    return f"{error:.3f}".removeprefix("0") if error else NO_NUMBER


def score_text(score: float | None) -> str:
    """A score with three decimals; a dash if there is none."""
    return NOT_TESTED if score is None else f"{score:.3f}"
