"""Predictions of recommended pipelines for some of the test rows, for pictures of their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.result import ScoredRows

MAX_ROWS = 1000
"""Rows that are kept of a pipeline, evenly spaced over its test rows."""
DIGITS = 6
"""Significant digits that are kept; a picture shows three."""


@dataclass(frozen=True, kw_only=True)
class MemberRows:
    """Test rows of one pipeline, in their order: (n_rows,) each.

    `y` and `value` are numbers, or codes of `classes`. `confidence` is the score of the predicted class if it is a
    probability. `group` is the number of the group in `TestRows.groups`.
    """

    y: tuple[float, ...]
    value: tuple[float, ...]
    group: tuple[int, ...]
    confidence: tuple[float, ...] | None = None

    @staticmethod
    def of(rows: ScoredRows) -> MemberRows:
        """At most `MAX_ROWS` of the rows."""
        n_rows = len(rows.y)
        chosen = np.unique(np.linspace(0, n_rows - 1, min(MAX_ROWS, n_rows)).round().astype(np.int64))
        return MemberRows(
            y=_rounded(rows.y[chosen]),
            value=_rounded(rows.value[chosen]),
            group=tuple(int(number) for number in rows.group[chosen]),
            confidence=None if rows.by_class is None else _confidence(rows.by_class[chosen]),
        )


@dataclass(frozen=True, kw_only=True)
class TestRows:
    """The contents of `test_rows.json`: rows of members by trial; names of classes, and of groups by number."""

    __test__ = False  # its name begins like that of a test

    members: Mapping[int, MemberRows]
    classes: tuple[str, ...] = ()
    groups: Mapping[int, str]

    @staticmethod
    def of(rows: Mapping[int, ScoredRows], *, classes: Sequence[str], group_names: Sequence[str]) -> TestRows:
        """The rows of some trials."""
        members = {trial: MemberRows.of(scored) for trial, scored in rows.items()}
        numbers = sorted({number for member in members.values() for number in member.group})
        return TestRows(
            members=members, classes=tuple(classes), groups={number: group_names[number] for number in numbers}
        )


def never_predicted(rows: Mapping[int, ScoredRows], classes: Sequence[str]) -> list[str]:
    """A note for each trial that predicts none of its test rows as one of their classes; none of a regression."""
    notes = list[str]()
    for trial, scored in rows.items() if classes else ():
        if never := set(scored.y.astype(int)) - set(scored.value.astype(int)):
            named = ", ".join(repr(classes[code]) for code in sorted(never))
            notes.append(f"trial {trial} predicts no test row as {named}, although there are such rows")
    return notes


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)


def _confidence(by_class: np.ndarray) -> tuple[float, ...] | None:
    """The largest score of each row, (n_rows,), if the scores are probabilities."""
    is_probability = by_class.min() >= 0.0 and np.allclose(by_class.sum(axis=1), 1.0, atol=1e-3)
    return _rounded(by_class.max(axis=1)) if is_probability else None
