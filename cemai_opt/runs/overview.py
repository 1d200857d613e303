"""What a list of runs says about each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cemai_opt.core.errors import StudyError
from cemai_opt.runs.run_folder import FRONT, TRIALS, RunFolder

UNREADABLE = "unreadable"
UNFINISHED = "not finished"


@dataclass(frozen=True, kw_only=True)
class RunOverview:
    """A run: when its files last changed, how it ended, and the recommended pipeline with its score and grams."""

    name: str
    path: str
    changed: datetime
    state: str
    """Why the run ended, "not finished" if it has no front yet, or "unreadable"."""
    trials: int = 0
    score: str | None = None
    validation: float | None = None
    model: str | None = None
    carbon_g: float | None = None
    search_g: float | None = None


def overviews_in(folder: Path) -> list[RunOverview]:
    """The runs in a folder, newest first, or the run that the folder is. StudyError if there is no such folder."""
    if not folder.is_dir():
        raise StudyError(f"there is no folder {folder}", "name the folder that holds your runs")
    if RunFolder(folder).holds_a_run:
        return [_overview(RunFolder(folder.resolve()))]
    runs = [RunFolder(path) for path in folder.iterdir() if path.is_dir()]
    return sorted((_overview(run) for run in runs if run.holds_a_run), key=lambda run: run.changed, reverse=True)


def _overview(run: RunFolder) -> RunOverview:
    path = run.path
    changed = datetime.fromtimestamp((path / TRIALS if (path / TRIALS).exists() else path).stat().st_mtime)
    begun = RunOverview(name=path.name, path=str(path), changed=changed, state=UNFINISHED)
    if not (path / FRONT).exists():
        return begun
    try:
        front, summary = run.front(), run.summary()
    except StudyError:
        return replace(begun, state=UNREADABLE)
    knee = front.knee
    return replace(
        begun,
        state=summary.ended,
        trials=front.search.trials,
        score=front.score,
        validation=knee.validation if knee is not None else None,
        model=knee.model if knee is not None else None,
        carbon_g=knee.carbon_g if knee is not None else None,
        search_g=front.search.carbon_g,
    )
