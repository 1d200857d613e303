"""Earlier runs as a prior: the configurations of their fronts, and what pipelines cost there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.objective import objective_j
from cemai_opt.core.plan import Config
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.runs.run_folder import RunFolder

DECAY = 50.0
"""After n configurations of the prior, the next one is of it with probability exp(-n^2 / DECAY): a half after six."""
MAX_MEMBERS = 8
"""Members that are taken from one front, spread evenly over it."""


@dataclass(frozen=True)
class KnownCost:
    """Joules of a pipeline in an earlier run: on other data, so they say what is dearer than what, not how much."""

    run: str
    config: Config
    energy_j: float


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is known from earlier runs. `members`: of their fronts, greenest first, taking turns among the runs."""

    members: tuple[Config, ...] = ()
    costs: tuple[KnownCost, ...] = ()

    @staticmethod
    def of(folders: Sequence[RunFolder], study: ResolvedStudy) -> Prior:
        """The prior of runs for a study of the same task. StudyError if a folder holds no run, or one of another task.

        Costs are those of the study's objective.
        """
        fronts, costs = [], list[KnownCost]()
        for folder in folders:
            task, members = folder.study().task, folder.front().members
            if task != study.task:
                raise StudyError(f"{folder.path} is a {task}, this study a {study.task}", "choose another --warm-start")
            n_taken = min(len(members), MAX_MEMBERS)
            places = [round(i * (len(members) - 1) / max(n_taken - 1, 1)) for i in range(n_taken)]
            fronts.append([members[place].config for place in places])
            for result in folder.results():
                energy_j = objective_j(study.objective, result) if result.is_complete and not result.is_repeat else 0.0
                if energy_j > 0.0:
                    costs.append(KnownCost(str(folder.path), result.config, energy_j))
        in_turns = chain.from_iterable(zip_longest(*fronts))
        return Prior(members=tuple(config for config in in_turns if config is not None), costs=tuple(costs))

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
