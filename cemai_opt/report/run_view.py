"""A finished or running study as reports look at it: documents, trials, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from cemai_opt.core.measurement import OVERHEAD
from cemai_opt.core.objective import objective_g
from cemai_opt.core.result import FAILED, NOISY_LOAD, PRUNED, TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.report.documents import marks_of, picks
from cemai_opt.report.run_folder import RunFolder

Member = Mapping[str, Any]


@dataclass(frozen=True)
class Dot:
    """A trial in the plane of grams and score."""

    trial: int
    model: str
    carbon_g: float
    score: float


@dataclass(frozen=True)
class RunView:
    """What `front.json`, `summary.json` and `trials.jsonl` of a run hold."""

    study: StudySpec
    front: Mapping[str, Any]
    summary: Mapping[str, Any]
    results: Sequence[TrialResult]

    @staticmethod
    def of(folder: RunFolder) -> RunView:
        """The run in a folder. StudyError where it has no front yet."""
        return RunView(folder.study(), folder.front(), folder.summary(), folder.results())

    @property
    def members(self) -> list[Member]:
        """Front members, greenest first."""
        return list(self.front["members"])

    @property
    def families(self) -> list[str]:
        """Models of the front, in the order in which they appear there, then all others that were tried."""
        return list(dict.fromkeys([*(m["model"] for m in self.members), *sorted({r.model for r in self.results})]))

    @property
    def marks(self) -> dict[int, str]:
        """Which trial is the knee, the best, the greenest."""
        return marks_of(self.front)

    @property
    def knee(self) -> Member | None:
        """The member that is recommended."""
        return next((m for m in self.members if m["trial"] == self.front["knee"]), None)

    @property
    def untuned(self) -> list[Member]:
        """What there is without a search, where it is no front member itself."""
        baseline = self.front.get("baseline")
        is_member = baseline and baseline["trial"] in [member["trial"] for member in self.members]
        return [baseline] if baseline and not is_member else []

    def mark_of(self, member: Member) -> str:
        """All that a table says of a member: ties, other work beside it, and the rules that pick it."""
        baseline = self.front.get("baseline")
        marks = [
            "~" if member["ties"] else "",
            "!" if member["foreign_load"] > NOISY_LOAD else "",
            self.marks.get(member["trial"], ""),
            "untuned" if baseline and baseline["trial"] == member["trial"] else "",
        ]
        return " ".join(mark for mark in marks if mark)

    @property
    def ties(self) -> list[list[int]]:
        """Chains of neighbours on the front whose grams cannot be told apart."""
        chains: list[list[int]] = []
        for before, member in zip([None, *self.members], self.members, strict=False):
            if before is not None and before["trial"] in member["ties"]:
                if chains and chains[-1][-1] == before["trial"]:
                    chains[-1].append(member["trial"])
                else:
                    chains.append([before["trial"], member["trial"]])
        return chains

    def _dots(self, is_harvested: bool) -> list[Dot]:
        return [
            Dot(r.trial, r.model, objective_g(self.study, r), r.score)
            for r in self.results
            if r.is_complete and r.score is not None and not r.is_repeat and (r.parent is not None) == is_harvested
        ]

    @cached_property
    def complete(self) -> list[Dot]:
        """Trials that ran to their end."""
        return self._dots(is_harvested=False)

    @cached_property
    def harvested(self) -> list[Dot]:
        """Half-grown models that count as trials."""
        return self._dots(is_harvested=True)

    @cached_property
    def pruned_g(self) -> list[float]:
        """Grams of trials that were ended early: they have no score."""
        ended = [r for r in self.results if r.state == PRUNED and r.has_run]
        return [g for g in (self.study.carbon.grams(r.cost.energy_j) for r in ended) if g > 0.0]

    @property
    def n_failed(self) -> int:
        """Trials that failed."""
        return sum(r.state == FAILED for r in self.results)

    @cached_property
    def hypervolume(self) -> list[tuple[float, float]]:
        """Grams that all trials had spent, and hypervolume, after each trial that is a point."""
        spent = accumulate(self.study.carbon.grams(r.spent.energy_j) for r in self.results)
        by_trial = dict(zip((r.trial for r in self.results), spent, strict=True))
        history = self.summary["search"]["hypervolume_history"]
        return [(by_trial[row["trial"]], row["hypervolume"]) for row in history if row["trial"] in by_trial]

    @property
    def stages(self) -> list[str]:
        """Stages of the members, in their order; what lies between them comes last."""
        names = dict.fromkeys(name for member in self.members for name in member["stages"])
        return [*(name for name in names if name != OVERHEAD), *(name for name in names if name == OVERHEAD)]

    @property
    def importances(self) -> dict[str, dict[int, float]]:
        """Share of each variable in the predictions of each member that was explained, the weightiest first."""
        shares: dict[str, dict[int, float]] = {}
        for member in self.members:
            for name, share in (member.get("final") or {}).get("importances", {}).items():
                shares.setdefault(name, {})[member["trial"]] = share
        return dict(sorted(shares.items(), key=lambda item: -sum(item[1].values())))

    @cached_property
    def knobs(self) -> dict[str, list[Any]]:
        """Knobs in which complete trials differ, as "stage.knob", with the values that they take.

        The model comes first, then those in which most members say something.
        """
        values: dict[str, dict[Any, None]] = {}
        for result in self.results:
            for name, value in flat(result.config.to_json()).items():
                if result.is_complete:
                    values.setdefault(name, {})[value] = None
        said = {n: sum(n in flat(m["config"]) for m in self.members) for n in values}
        differing = [name for name, known in values.items() if len(known) > 1]
        ordered = sorted(differing, key=lambda name: (name != "train.model", -said[name]))
        return {name: list(values[name]) for name in ordered if said[name]}

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting a figure."""
        told = [*self.summary["notes"]]
        noisy = [m["trial"] for m in self.members if m["foreign_load"] > NOISY_LOAD]
        if noisy:
            told.append(f"measured beside other work: trials {', '.join(map(str, noisy))}")
        untested = [m["trial"] for m in self.members if m["test"] is None]
        if untested:
            told.append(f"not tested yet: trials {', '.join(map(str, untested))}")
        if self.n_failed:
            told.append(f"{self.n_failed} trials failed; trials.jsonl says why")
        return told

    @property
    def best(self) -> Member | None:
        """The member with the best validation score."""
        points = picks(self.front)
        return next((m for m in self.members if len(points) and m["trial"] == points.best.trial), None)


def flat(config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A configuration as one mapping.

    >>> flat({"train": {"model": "ridge"}})
    {'train.model': 'ridge'}
    """
    return {f"{stage}.{knob}": value for stage, knobs in config.items() for knob, value in knobs.items()}
