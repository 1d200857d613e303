"""Earlier runs as a prior: the configurations of their fronts, and what pipelines cost there."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.errors import StudyError
from cemai_opt.core.objective import objective_j
from cemai_opt.core.plan import Config
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import Params, SearchSpace
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.runs.run_folder import RunFolder
from cemai_opt.search.initial_design import by_digest, fitted_in

log = logging.getLogger(__name__)

DECAY = 50.0
"""After n configurations of the prior, the next one is of it with probability exp(-n^2 / DECAY): a half after six."""
MIN_SHARED = 8
"""With fewer configurations that both runs have scored, nothing tells whether the runs are related."""
CERTAIN = 2.33
"""Standard errors of a correlation that is positive with 99 % confidence."""
MAX_MEMBERS = 8
"""Members that are taken from one front, spread evenly over it."""


@dataclass(frozen=True)
class KnownCost:
    """Joules of a pipeline in an earlier run: on other data, so they say what is dearer than what, not how much."""

    run: str
    config: Config
    energy_j: float


@dataclass(frozen=True, kw_only=True)
class EarlierRun:
    """One earlier run: members of its front, greenest first, and the scores of all that it tried, by configuration."""

    name: str
    members: tuple[Config, ...]
    scores: Mapping[str, float]

    def is_related(self, scores: Mapping[str, float]) -> bool:
        """Whether the configurations that both runs have scored rank alike in both, with confidence, or are too few.

        Both begin with the same portfolio, so that this costs nothing. The standard error of Spearman's correlation is
        that of Fieller, Hartley and Pearson (1957), Biometrika 44.
        """
        shared = [digest for digest in self.scores if digest in scores]
        if len(shared) < MIN_SHARED:
            return True
        earlier, now = (_ranks([each[digest] for digest in shared]) for each in (self.scores, scores))
        if np.ptp(earlier) == 0.0 or np.ptp(now) == 0.0:  # no configuration is better than another
            return False
        correlation = float(np.corrcoef(earlier, now)[0, 1])
        bounded = min(max(correlation, -0.9999), 0.9999)
        return math.atanh(bounded) * math.sqrt((len(shared) - 3) / 1.06) > CERTAIN


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is known from earlier runs. `members`: of their fronts, greenest first, taking turns among the runs."""

    members: tuple[Config, ...] = ()
    runs: tuple[EarlierRun, ...] = ()
    costs: tuple[KnownCost, ...] = ()

    @staticmethod
    def of(folders: Sequence[RunFolder], study: ResolvedStudy) -> Prior:
        """The prior of runs for a study of the same task. StudyError if a folder holds no run, or one of another task.

        Costs are those of the study's objective.
        """
        runs, costs = list[EarlierRun](), list[KnownCost]()
        for folder in folders:
            task, members = folder.study().task, folder.front().members
            if task != study.task:
                raise StudyError(f"{folder.path} is a {task}, this study a {study.task}", "choose another --warm-start")
            n_taken = min(len(members), MAX_MEMBERS)
            places = [round(i * (len(members) - 1) / max(n_taken - 1, 1)) for i in range(n_taken)]
            results = [result for result in folder.results() if result.is_complete and not result.is_repeat]
            scores = {result.config.digest: result.score for result in results if result.score is not None}
            taken = tuple(members[place].config for place in places)
            runs.append(EarlierRun(name=str(folder.path), members=taken, scores=scores))
            for result in results:
                energy_j = objective_j(study.objective, result)
                if energy_j > 0.0:
                    costs.append(KnownCost(str(folder.path), result.config, energy_j))
        in_turns = chain.from_iterable(zip_longest(*(run.members for run in runs)))
        taking_turns = tuple(config for config in in_turns if config is not None)
        return Prior(members=taking_turns, runs=tuple(runs), costs=tuple(costs))

    @staticmethod
    def share(n_run: int, n_useless: int = 0) -> float:
        """Probability that the next configuration comes from the prior, after `n_run` of them.

        If it is expected to cost more than the next one of the portfolio, that one runs first: with a small budget, a
        prior must not take what the portfolio needs. The decay is that of PriMO (arXiv 2511.08371); those that are not
        on the front count twice more, so that a prior that is wrong costs two or three trials.

        >>> [round(Prior.share(n), 2) for n in (0, 3, 6, 12)]
        [1.0, 0.84, 0.49, 0.06]
        >>> [round(Prior.share(n, n), 2) for n in (1, 2, 3)]
        [0.84, 0.49, 0.2]
        """
        return math.exp(-((n_run + 2 * n_useless) ** 2) / DECAY)


class EarlierConfigs:
    """The members of earlier fronts in this search's space, and which of them may still be tried."""

    def __init__(self, prior: Prior, space: SearchSpace) -> None:
        self.by_digest = _fitted(prior.members, space)
        """Hyperparameters and pipelines by digest, in the order of the prior."""
        self._runs = [(run, set(_fitted(run.members, space))) for run in prior.runs]
        self._unrelated: set[str] = set()

    def related(self, waiting: Sequence[str], found: Mapping[str, TrialResult]) -> list[str]:
        """Those of `waiting`, digests, that are not only of runs which rank pipelines otherwise than this search.

        `found`: what it has found, by digest.
        """
        if not waiting:
            return []
        results = [found[digest] for run, _ in self._runs for digest in run.scores if digest in found]
        scores = {r.config.digest: r.score for r in results if r.is_complete and r.score is not None}
        unrelated = {run.name for run, _ in self._runs if not run.is_related(scores)}
        for name in unrelated - self._unrelated:
            log.info("%s ranks pipelines otherwise than this search: its configurations are not tried for now", name)
        self._unrelated = unrelated
        left_out = {digest for run, digests in self._runs if run.name in unrelated for digest in digests}
        kept = {digest for run, digests in self._runs if run.name not in unrelated for digest in digests}
        left_out -= kept
        return [digest for digest in waiting if digest not in left_out]


def _fitted(configs: Sequence[Config], space: SearchSpace) -> dict[str, tuple[Params, Config]]:
    return by_digest(space, fitted_in(space, [space.params_of(config) for config in configs]))


def _ranks(values: Sequence[float]) -> FloatArray:
    """Ranks of values, equal ones sharing their mean rank: (n,)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: FloatArray = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    return ranks
