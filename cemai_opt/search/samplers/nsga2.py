"""NSGA-II in its steady-state form, which also evolves conditional hyperparameters: those of each model.

Parents are the best of all trials by non-dominated sorting (Deb et al. (2002), IEEE TEVC 6(2), III-A), chosen anew
after each single trial (Durillo et al. (2009), EMO, LNCS 5467): with generations, a search learns from its trials only
after ten of them, which wastes grams. Diversity within a front is kept by contribution to the hypervolume (Beume et al.
(2007), European Journal of Operational Research 181(3)) in place of crowding, which keeps the useless end of a front.
"""

from __future__ import annotations

from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from cemai_opt.core.front import Box, ParetoFront, Point
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._breeding import Breeder, is_warm_start
from cemai_opt.search.samplers._known_trials import KnownTrials
from cemai_opt.search.samplers._sampler import EnqueuingSampler, Sampler, SamplerContext

PARENTS, SHARE_OF_KNOWN = 10, 0.05
"""Parents are drawn from this many trials, or from this share of all, so that longer searches explore more widely."""
MIN_KNOWN = 4
"""With fewer complete trials than this, there is nothing to cross: the next trial is drawn at random."""


class NSGAII(Sampler):
    """NSGA-II, steady state, branch-aware: evolves each model's own hyperparameters, counts warm starts, avoids
    repeats."""

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        return SteadyStateSampler(space, context)


class SteadyStateSampler(EnqueuingSampler):
    """Chooses parents anew for every trial. Everything comes from the study; what is known of it is kept."""

    def __init__(self, space: SearchSpace, context: SamplerContext) -> None:
        self._context, self._breeder = context, Breeder(space, context)
        self._known = KnownTrials(context.constraints, _largest)
        self._random = RandomSampler(seed=context.session_seed)

    def enqueue(self, study: Study) -> None:
        """Adds a waiting trial, a child of two good trials that was not run before."""
        child = self._child(study, len(study.get_trials(deepcopy=False)))
        distributions = {name: self._breeder.distributions[name] for name in child}
        study.add_trial(create_trial(state=TrialState.WAITING, params=dict(child), distributions=distributions))

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All open hyperparameters: a child has only the active ones of them."""
        return self._breeder.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Active hyperparameters of a child of two good trials; none if the trial was enqueued."""
        return {} if is_warm_start(trial) else dict(self._child(study, trial.number))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value of a hyperparameter that an enqueued trial does not fix."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _child(self, study: Study, number: int) -> dict[str, Value]:
        self._known.update(study)
        parents = self._survivors() if len(self._known) >= MIN_KNOWN else ()
        return self._breeder.child(number, self._known, parents=parents)

    def _survivors(self) -> list[FrozenTrial]:
        """The trials from which parents are drawn, within a front by contribution to the hypervolume."""
        n_wanted = self._context.population or max(PARENTS, round(SHARE_OF_KNOWN * len(self._known)))
        return self._known.fittest(n_wanted)


def _largest(front: ParetoFront, box: Box) -> list[Point]:
    """Members of a front, the largest contribution to the hypervolume first."""
    contribution = front.contributions(box)
    return sorted(front, key=lambda point: -contribution[point.trial])
