"""A finished or running study as shown in reports: its documents and trials, and values computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.measurement import OVERHEAD
from cemai_opt.core.objective import objective_g
from cemai_opt.core.result import FAILED, PRUNED, TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.runs.front import RunFront, counts_of
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.payback import payback_lines
from cemai_opt.runs.run_folder import TRIALS, RunFolder
from cemai_opt.runs.summary import RunSummary
from cemai_opt.runs.test_rows import TestRows


@dataclass(frozen=True, kw_only=True)
class TrialPoint:
    """A trial in the plane of grams and score."""

    trial: int
    model: str
    carbon_g: float
    score: float


@dataclass(frozen=True, kw_only=True)
class RunView:
    """The contents of `front.json`, `summary.json` and `trials.jsonl` of a run."""

    study: ResolvedStudy
    front: RunFront
    summary: RunSummary
    results: Sequence[TrialResult]
    test_rows: TestRows | None = None

    @staticmethod
    def of(folder: RunFolder) -> RunView:
        """The run in a folder. StudyError if it has no front yet, or if it has lost trials since."""
        front, results = folder.front(), folder.results()  # in this order: a search may be adding trials
        counts = counts_of(results)
        kinds = ("trials", "curve_candidates", "not_run", "repeats")
        n_lost = max(getattr(front.search, kind) - getattr(counts, kind) for kind in kinds)
        if n_lost > 0:
            raise StudyError(f"{folder.path / TRIALS} has lost {n_lost} trials", "restore the file")
        return RunView(
            study=folder.study(), front=front, summary=folder.summary(), results=results, test_rows=folder.test_rows()
        )

    @property
    def members(self) -> tuple[FrontMember, ...]:
        """Front members, greenest first."""
        return self.front.members

    @property
    def candidates(self) -> list[FrontMember]:
        """Front members, then their average if there is one."""
        return [*self.members, *([self.front.average] if self.front.average is not None else [])]

    @property
    def beside(self) -> list[FrontMember]:
        """The untuned baseline, if it is not on the front; a rule may recommend it all the same."""
        baseline = self.front.baseline
        return [] if baseline is None or baseline.trial in self.front.by_trial else [baseline]

    @property
    def families(self) -> list[str]:
        """Models of the front, in the order in which they appear there, then all others that were tried."""
        return list(dict.fromkeys([*(m.model for m in self.members), *sorted({r.model for r in self.results})]))

    @property
    def ties(self) -> list[list[int]]:
        """Chains of neighbours on the front whose grams do not differ significantly."""
        chains: list[list[int]] = []
        for before, member in zip([None, *self.members], self.members, strict=False):
            if before is not None and before.trial in member.ties:
                if chains and chains[-1][-1] == before.trial:
                    chains[-1].append(member.trial)
                else:
                    chains.append([before.trial, member.trial])
        return chains

    def _trial_points(self, *, are_candidates: bool) -> list[TrialPoint]:
        return [
            TrialPoint(trial=r.trial, model=r.model, carbon_g=objective_g(self.study, r), score=r.score)
            for r in self.results
            if r.is_complete and r.score is not None and not r.is_repeat and (r.parent is not None) == are_candidates
        ]

    @cached_property
    def complete(self) -> list[TrialPoint]:
        """Trials that ran to their end."""
        return self._trial_points(are_candidates=False)

    @cached_property
    def curve_candidates(self) -> list[TrialPoint]:
        """Smaller models on learning curves that count as trials."""
        return self._trial_points(are_candidates=True)

    @cached_property
    def pruned_g(self) -> list[float]:
        """Grams of pruned trials, which have no score."""
        pruned = [r for r in self.results if r.state == PRUNED and r.has_run]
        return [g for g in (self.study.carbon.grams(r.cost.energy_j) for r in pruned) if g > 0.0]

    @property
    def n_failed(self) -> int:
        """Trials that failed."""
        return sum(r.state == FAILED for r in self.results)

    @cached_property
    def hypervolume(self) -> list[tuple[float, float]]:
        """Cumulative grams of all trials, and hypervolume, after each trial that is a point."""
        spent = accumulate(self.study.carbon.grams(r.spent.energy_j) for r in self.results)
        by_trial = dict(zip((r.trial for r in self.results), spent, strict=True))
        history = self.summary.search.hypervolume_history
        return [(by_trial[point.trial], point.hypervolume) for point in history if point.trial in by_trial]

    @property
    def stages(self) -> list[str]:
        """Stages of the members, in their order; the overhead comes last."""
        names = dict.fromkeys(name for member in self.members for name in member.stages)
        return [*(name for name in names if name != OVERHEAD), *(name for name in names if name == OVERHEAD)]

    @property
    def importances(self) -> dict[str, dict[int, float]]:
        """Share of each variable in the predictions of each member that was explained, largest first."""
        shares: dict[str, dict[int, float]] = {}
        for member in self.members:
            for name, share in member.importances.items():
                shares.setdefault(name, {})[member.trial] = share
        return dict(sorted(shares.items(), key=lambda item: -sum(item[1].values())))

    @cached_property
    def hyperparameters(self) -> dict[str, list[Value]]:
        """Hyperparameters in which complete trials differ, as "stage.name", with their values.

        The model comes first, then those that most members have.
        """
        values: dict[str, dict[Value, None]] = {}
        for result in self.results:
            if result.is_complete:
                for name, value in result.config.flat().items():
                    values.setdefault(name, {})[value] = None
        n_members = {name: sum(name in member.config.flat() for member in self.members) for name in values}
        differing = [name for name, known in values.items() if len(known) > 1]
        ordered = sorted(differing, key=lambda name: (name != "train.model", -n_members[name]))
        return {name: list(values[name]) for name in ordered if n_members[name]}

    @property
    def payback_lines(self) -> list[str]:
        """Sentences on what the choice of a greener member saves."""
        search_g = self.front.search.carbon_g
        return payback_lines(self.front.payback, search_g, tolerance=self.front.tolerance)

    @property
    def warnings(self) -> list[str]:
        """Caveats on the figures of the run."""
        warnings = [*self.summary.notes]
        noisy = [member.trial for member in self.members if member.is_noisy]
        if noisy:
            warnings.append(f"measured while other processes were busy: trials {', '.join(map(str, noisy))}")
        untested = [member.trial for member in self.members if member.test is None]
        if untested:
            warnings.append(f"not tested yet: trials {', '.join(map(str, untested))}")
        if self.n_failed:
            warnings.append(f"{self.n_failed} trials failed; see trials.jsonl for the reasons")
        return warnings
