"""Results of the arena as JSON lines: one line per data set, arm, seed and budget."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cemai_opt.core.front import Box, ParetoFront, Point

BOX = Box(-7.0, -2.0)
"""Score from 0 to 1, one fit from 1e-7 to 1e-2 g: the same for every set and arm."""

Key = tuple[str, str, int, float]


@dataclass(frozen=True, kw_only=True)
class Member:
    """A pipeline that an arm offers.

    `grams`: CO2 equivalent of one fit on training and validation rows with its test, g; if it was not tested (`test` is
    None), of the fit on the training rows in the search. `validation` is None where nothing was validated.
    """

    model: str
    config: Mapping[str, Any]
    validation: float | None
    test: float | None
    grams: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one arm found on one data set.

    `picks` are positions in `members` of those that the product recommends, and of its untuned baseline. `run_grams`:
    the run by the product's meter, g. `process_grams`: CPU seconds of its process and all descendants, as the system
    counts them, times the watts of that meter, g; filled in by the parent process, as are `wall_s` and `error`.
    """

    set: str
    arm: str
    seed: int
    budget_mg: float
    score: str = ""
    members: tuple[Member, ...] = ()
    picks: Mapping[str, int] = field(default_factory=dict)
    trials: int = 0
    run_grams: float = 0.0
    process_grams: float = 0.0
    wall_s: float = 0.0
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What identifies a run."""
        return self.set, self.arm, self.seed, self.budget_mg

    @property
    def tested(self) -> list[Member]:
        """Members with a test score."""
        return [member for member in self.members if member.test is not None]

    @property
    def chosen(self) -> Member | None:
        """What the arm recommends if grams do not count: by the product's rule "best", else by the validation score."""
        if "best" in self.picks:
            return self.picked("best")
        known = [member for member in self.tested if member.validation is not None]
        return max(known, key=lambda member: member.validation or 0.0) if known else None

    @property
    def best(self) -> Member | None:
        """The member with the best test score, which only an oracle knows."""
        return max(self.tested, key=lambda member: member.test or 0.0, default=None)

    def picked(self, rule: str) -> Member | None:
        """The member that a rule of the product recommends, if it was tested."""
        member = self.members[self.picks[rule]] if rule in self.picks else None
        return member if member is not None and member.test is not None else None

    @property
    def hypervolume(self) -> float:
        """Share of the box that the members dominate with their test scores."""
        return hypervolume(self.tested)


def front_of(members: Iterable[Member]) -> list[Member]:
    """Members on the Pareto front of test score and grams, greenest first."""
    known = [member for member in members if member.test is not None]
    points = [Point(i, member.test or 0.0, member.grams) for i, member in enumerate(known)]
    return [known[point.trial] for point in ParetoFront.of(points)]


def hypervolume(members: Iterable[Member]) -> float:
    """Share of the box that the members dominate; scores below 0 count 0."""
    low, high = 10.0**BOX.min_log_g, 10.0**BOX.max_log_g
    points = [Point(0, m.test or 0.0, max(m.grams, low)) for m in members if m.test is not None and m.grams < high]
    return linear_hypervolume(ParetoFront.of(points))


def linear_hypervolume(front: ParetoFront) -> float:
    """Share of the box below the front; its height is the score itself, not the logarithm of the error."""
    share, covered = 0.0, 0.0
    for point in front:
        height = min(max(point.score, 0.0), 1.0)
        if height > covered:
            share += (height - covered) * (BOX.max_log_g - point.log_carbon) / (BOX.max_log_g - BOX.min_log_g)
            covered = height
    return share


def to_line(result: Result) -> str:
    """One line of JSON."""
    return json.dumps(asdict(result), default=_plain) + "\n"


def from_line(line: str) -> Result:
    """The inverse of `to_line`."""
    document = json.loads(line)
    members = tuple(Member(**member) for member in document.pop("members"))
    return Result(**{**document, "members": members, "notes": tuple(document["notes"])})


def read(path: Path) -> list[Result]:
    """All results in a file; of those with one key the last one without an error, if any."""
    latest: dict[Key, Result] = {}
    opened = gzip.open if path.suffix == ".gz" else open
    for line in opened(path, "rt").readlines() if path.exists() else []:
        result = from_line(line)
        if not (result.error and result.key in latest):
            latest[result.key] = result
    return list(latest.values())


def _plain(value: Any) -> Any:
    """NumPy scalars as Python's numbers and strings."""
    return value.item() if hasattr(value, "item") else str(value)
