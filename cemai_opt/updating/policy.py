"""Decides whether a deployed model is kept, continues its training, is refitted, or is searched for again.

The choice weighs expected gains against grams, as cost-aware policies do: CARA (Mahadevan and Mathioudakis (2023),
arXiv 2310.04216) compares the cost of staleness with that of training, UPF (ICML 2025) forecasts performance with its
uncertainty. Here the gain has two parts: what drift has cost, by the lower bound of an interval of the model's own
errors on labelled rows, and what more training rows are expected to bring, by a power law.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cemai_opt.deploy.unit_errors import UnitErrors

KEEP, CONTINUE, REFIT, SEARCH = "keep", "continue", "refit", "search"
CONFIDENCE = 0.95
"""Of the bounds of the ratio of errors, one-sided. A false alarm costs a refit; with few groups, more confidence would
find no drift at all: the quantile of Student's t for one degree of freedom is 6 at 95 % and 32 at 99 %."""
ACCEPTANCE = 0.95
"""Confidence with which a new model has to be worse on the newest rows to be refused."""
BLOCKS_MARGIN = 1.0
MIN_MEAN = 1e-12
LEARNING_EXPONENT = 0.1
"""Errors fall with the number of training rows to the power of minus this; see docs/decisions/updates.md."""
CONTINUED_SHARE = 0.5
"""Share of the drift that rounds or epochs on new rows are expected to make good."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What an update has to bring. `min_gain`: the reduction of the error that a refit is worth, from 0 to 1; cheaper
    actions need less in proportion. `search_gain`: the excess error from which a search is worth it."""

    min_gain: float = 0.05
    search_gain: float = 0.2


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The ratio of recent errors to expected ones, with bounds: 0 and None if too little is known."""

    ratio: float
    low: float
    high: float | None

    @property
    def excess(self) -> float:
        """The share of the recent error that is certainly too much."""
        return max(1.0 - 1.0 / self.low, 0.0) if self.low > 0.0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is known about a model when new labelled rows have arrived.

    `expected`: its errors on rows like those that it was made for; `newest`: on the rows of this update; `recent`: on
    all rows since it was made. `n_known`: rows that it was trained on; `n_new`: rows with a target since, or since the
    last attempt. `energy_j`: expected joules of each action that is possible, `refit` among them. `is_exact`: whether
    continuing gives the model that a refit gives. `last`: the action that made the model; empty if that was an export,
    or if its errors have been accepted since. `n_drifted`: rows from after a drift that the model was trained on; 0 if
    none was seen. After a drift, these are what more rows are compared with.
    """

    expected: UnitErrors
    newest: UnitErrors
    recent: UnitErrors
    n_known: int
    n_new: int
    energy_j: Mapping[str, float]
    is_exact: bool = False
    last: str = ""
    n_drifted: int = 0

    @property
    def knows_all(self) -> bool:
        """Whether the last action has trained on all rows until then, and its errors have not been accepted since."""
        return self.last in (REFIT, SEARCH) or (self.last == CONTINUE and self.is_exact)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The action, why, and what was weighed. `expected` are the errors from which the next update expects no others."""

    action: str
    reason: str
    drift: Drift
    gains: Mapping[str, float]
    expected: UnitErrors


def drift_of(expected: UnitErrors, recent: UnitErrors) -> Drift:
    """Welch's interval for the logarithm of the ratio of two mean losses, by the delta method."""
    means = [max(errors.mean, MIN_MEAN) for errors in (expected, recent)]
    ratio = means[1] / means[0]
    if min(len(expected.sums), len(recent.sums)) < 2:
        return Drift(ratio=ratio, low=0.0, high=None)
    from scipy.special import stdtrit  # scipy.stats takes four times as long to load

    parts = [(errors.standard_error / mean) ** 2 for errors, mean in zip((expected, recent), means, strict=True)]
    variance = sum(parts)
    if variance == 0.0:
        return Drift(ratio=ratio, low=ratio, high=ratio)
    degrees = variance**2 / sum(
        part**2 / (len(errors.sums) - 1) for part, errors in zip(parts, (expected, recent), strict=True)
    )
    width = float(stdtrit(degrees, CONFIDENCE)) * math.sqrt(variance)
    return Drift(ratio=ratio, low=ratio * math.exp(-width), high=ratio * math.exp(min(width, 700.0)))


def is_worse(before: UnitErrors, after: UnitErrors, *, are_blocks: bool = False) -> bool:
    """Whether the errors of a new model on the same units are certainly higher: a paired t-test, one-sided.

    More training rows rarely make a model worse, so that weak evidence is not enough. Blocks of time (`are_blocks`) of
    a few groups resemble each other: there, errors also have to be higher by `BLOCKS_MARGIN`.
    """
    change = UnitErrors(
        loss=before.loss,
        sums=tuple(new - old for new, old in zip(after.sums, before.sums, strict=True)),
        rows=before.rows,
    )
    if change.mean <= (BLOCKS_MARGIN * before.mean if are_blocks else 0.0) or len(change.sums) < 2:
        return False
    from scipy.special import stdtrit

    return change.mean > float(stdtrit(len(change.sums) - 1, ACCEPTANCE)) * change.standard_error


def choose(situation: Situation, rules: Rules | None = None) -> Choice:
    """The action with the largest expected gain beyond its price; `keep` has neither.

    Drift that a refit did not remove calls for a search; without one, the errors since are those expected from now on.
    """
    rules = rules or Rules()
    drifts = [drift_of(situation.expected, errors) for errors in (situation.recent, situation.newest)]
    drift = max(drifts, key=lambda found: (found.excess, found.high is not None))
    energy_j, is_stubborn = situation.energy_j, situation.knows_all and drift.excess > 0.0
    can_search = SEARCH in energy_j and situation.last != SEARCH
    if is_stubborn and can_search and drift.excess >= rules.search_gain:
        return Choice(
            action=SEARCH,
            reason=f"training on all rows did not remove {drift.excess:.0%} of excess error",
            drift=drift,
            gains={SEARCH: drift.excess},
            expected=situation.expected,
        )
    more = max(_more_rows(situation.n_known, situation.n_new), _more_rows(situation.n_drifted, situation.n_new))
    excess = 0.0 if is_stubborn else drift.excess
    gains = {REFIT: _together(excess, more)}
    if CONTINUE in energy_j:
        made_good = 0.0 if situation.last == CONTINUE else CONTINUED_SHARE * excess
        gains[CONTINUE] = gains[REFIT] if situation.is_exact else made_good
    per_j = rules.min_gain / energy_j[REFIT]
    net = {action: gain - per_j * energy_j[action] for action, gain in gains.items()}
    action = max(net, key=lambda name: (net[name], -energy_j[name]))
    is_new_level = is_stubborn or (drift.high is not None and drift.high < 1.0)
    return Choice(
        action=action if net[action] >= 0.0 else KEEP,
        reason=_reason(drift, more, is_stubborn=is_stubborn),
        drift=drift,
        gains=gains,
        expected=situation.recent if is_new_level else situation.expected,
    )


def _more_rows(n_known: int, n_new: int) -> float:
    """The reduction of the error that more training rows are expected to bring; 0 if none are known."""
    return 1.0 - (n_known / (n_known + n_new)) ** LEARNING_EXPONENT if n_known else 0.0


def _together(*gains: float) -> float:
    """The reduction of the error by several reductions, one after another."""
    return 1.0 - math.prod(1.0 - gain for gain in gains)


def _reason(drift: Drift, more: float, *, is_stubborn: bool) -> str:
    """What the choice rests on, in words."""
    if drift.high is None:
        seen = "one unit of rows says nothing about drift"
    elif is_stubborn:
        seen = f"errors stay {drift.ratio:.2f} times those expected, which are the expected ones from now on"
    elif drift.excess > 0.0:
        seen = f"errors are {drift.ratio:.2f} times those expected ({drift.low:.2f} at least)"
    else:
        seen = f"errors are {drift.ratio:.2f} times those expected ({drift.low:.2f} to {drift.high:.2f}): no drift"
    return f"{seen}; more rows bring {more:.1%}"
