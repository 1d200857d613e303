"""When a search has paid back its grams: what a greener choice saves, against what the search has burned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cemai_opt.core.front import Front, Point
from cemai_opt.core.units import readable_grams

PER_READING = 1000
"""Predictions that one reading of inference grams stands for."""


def payback_document(
    front: Front, members: Mapping[int, Mapping[str, Any]], search_g: float, tolerance: float
) -> list[dict[str, Any]]:
    """Two choices against the member with the best score, which is what one would take without looking at grams.

    `saves_g_per_retraining` and `saves_g_per_1000_predictions` may be negative; `retrainings` and `predictions` say
    after how many of either alone the grams of the search are saved, None where that is never.
    """
    if not len(front):
        return []
    return [
        _choice(name, point, front.best, members, search_g)
        for name, point in (("knee", front.knee), ("within", front.within(tolerance)))
    ]


def _choice(
    name: str, point: Point, best: Point, members: Mapping[int, Mapping[str, Any]], search_g: float
) -> dict[str, Any]:
    chosen, dearest = members[point.trial], members[best.trial]
    per_retraining = dearest["retraining_g"] - chosen["retraining_g"]
    known = chosen["inference_g_per_1000"] is not None and dearest["inference_g_per_1000"] is not None
    per_1000 = dearest["inference_g_per_1000"] - chosen["inference_g_per_1000"] if known else None
    return {
        "choice": name,
        "trial": point.trial,
        "instead_of": best.trial,
        "score_given_up": best.score - point.score,
        "saves_g_per_retraining": per_retraining,
        "saves_g_per_1000_predictions": per_1000,
        "retrainings": math.ceil(search_g / per_retraining) if per_retraining > 0.0 else None,
        "predictions": math.ceil(search_g / per_1000) * PER_READING
        if per_1000 is not None and per_1000 > 0.0
        else None,
    }


def payback_lines(document: Mapping[str, Any]) -> list[str]:
    """The same for people, a line a choice."""
    lines: list[str] = []
    for choice in document["payback"]:
        name = (
            "the knee" if choice["choice"] == "knee" else f"the greenest within {document['tolerance']:g} of the best"
        )
        if choice["trial"] == choice["instead_of"]:
            lines.append(f"{name} is trial {choice['trial']}, the best itself: nothing to choose")
        else:
            lines.append(_line(name, choice, document["search"]["carbon_g"]))
    return lines


def _line(name: str, choice: Mapping[str, Any], search_g: float) -> str:
    given_up = choice["score_given_up"]
    saved, ways = [], []
    for unit, grams, times in (
        ("per retraining", choice["saves_g_per_retraining"], choice["retrainings"]),
        ("per 1,000 predictions", choice["saves_g_per_1000_predictions"], choice["predictions"]),
    ):
        if grams is None:
            continue
        verb = ("saves ", "") if grams >= 0.0 else ("costs ", " more")
        saved.append(f"{verb[0]}{readable_grams(abs(grams))}{verb[1]} {unit}")
        if times is not None:
            ways.append(f"{times:,} {'retrainings' if unit == 'per retraining' else 'predictions'}")
    back = f"; the search ({readable_grams(search_g)}) is paid back after {' or '.join(ways)}" if ways else ""
    return (
        f"{name} (trial {choice['trial']}) instead of the best (trial {choice['instead_of']}) gives up {given_up:.3f} "
        f"and {_joined(saved)}{back}"
    )


def _joined(saved: list[str]) -> str:
    """Two halves of a sentence; the verb once where it is the same."""
    both_save = all(text.startswith("saves ") for text in saved)
    return " and ".join([saved[0], *(text.removeprefix("saves ") if both_save else text for text in saved[1:])])
