"""The payback of a search: what a greener choice saves, compared with what the search has spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cemai_opt.core.units import readable_grams

PER_READING = 1000
"""Number of predictions that one inference measurement refers to."""


@dataclass(frozen=True, kw_only=True)
class Payback:
    """A greener choice compared with the member that has the best score.

    The savings may be negative; `retrainings` and `predictions` are the numbers of either alone after which the grams
    of the search are saved, None if they never are.
    """

    choice: str
    """"knee" or "within"."""
    trial: int
    instead_of: int
    score_given_up: float
    saves_g_per_retraining: float
    saves_g_per_1000_predictions: float | None
    retrainings: int | None
    predictions: int | None

    @staticmethod
    def of(
        choice: str,
        *,
        trial: int,
        instead_of: int,
        score_given_up: float,
        per_retraining_g: float,
        per_1000_predictions_g: float | None,
        search_g: float,
    ) -> Payback:
        """The payback of one choice, from what it saves per retraining and per 1,000 predictions."""
        has_inference_gain = per_1000_predictions_g is not None and per_1000_predictions_g > 0.0
        return Payback(
            choice=choice,
            trial=trial,
            instead_of=instead_of,
            score_given_up=score_given_up,
            saves_g_per_retraining=per_retraining_g,
            saves_g_per_1000_predictions=per_1000_predictions_g,
            retrainings=math.ceil(search_g / per_retraining_g) if per_retraining_g > 0.0 else None,
            predictions=math.ceil(search_g / per_1000_predictions_g) * PER_READING
            if per_1000_predictions_g is not None and has_inference_gain
            else None,
        )


def payback_lines(paybacks: Sequence[Payback], search_g: float, *, tolerance: float) -> list[str]:
    """One sentence for each pipeline that is chosen in place of the best one."""
    lines: list[str] = []
    told = set[int]()
    for payback in paybacks:
        name = "the knee" if payback.choice == "knee" else f"the greenest within {tolerance:g} of the best"
        if payback.trial != payback.instead_of and payback.trial not in told:
            told.add(payback.trial)
            lines.append(_line(name, payback, search_g=search_g))
    return lines


def _line(name: str, payback: Payback, *, search_g: float) -> str:
    saved, ways = [], []
    for unit, grams, times in (
        ("per retraining", payback.saves_g_per_retraining, payback.retrainings),
        ("per 1,000 predictions", payback.saves_g_per_1000_predictions, payback.predictions),
    ):
        if grams is None:
            continue
        amount = readable_grams(abs(grams))
        saved.append(f"saves {amount} {unit}" if grams >= 0.0 else f"costs {amount} more {unit}")
        if times is not None:
            ways.append(f"{times:,} {'retrainings' if unit == 'per retraining' else 'predictions'}")
    back = f"; the search ({readable_grams(search_g)}) is paid back after {' or '.join(ways)}" if ways else ""
    return (
        f"{name} (trial {payback.trial}) instead of the best (trial {payback.instead_of}) gives up "
        f"{payback.score_given_up:.3f} and {joined_savings(saved)}{back}"
    )


def joined_savings(saved: Sequence[str]) -> str:
    """One or two savings as one phrase; the verb occurs only once if both are savings.

    >>> joined_savings(["saves 1 g per retraining", "saves 2 g per 1,000 predictions"])
    'saves 1 g per retraining and 2 g per 1,000 predictions'
    """
    both_save = all(text.startswith("saves ") for text in saved)
    return " and ".join([saved[0], *(text.removeprefix("saves ") if both_save else text for text in saved[1:])])
