"""The section of a model card that lists the updates of the model."""

from __future__ import annotations

from collections.abc import Sequence

from cemai_opt.core.units import readable_grams
from cemai_opt.updating.log import UpdateEntry

HEADING = "## Updates"


def readable_score(score: float | None) -> str:
    """A score with four digits; "not defined" such as R2 of a single row."""
    return "not defined" if score is None else f"{score:.4f}"


def with_updates(card: str, entries: Sequence[UpdateEntry]) -> str:
    """The card with a section that lists all updates, in place of the one that it may have."""
    before = card.partition(f"\n{HEADING}\n")[0].rstrip()
    score = entries[-1].score_name
    lines = [
        HEADING,
        "",
        "The text above describes the first export. The model was updated since. Scores are those of the model before",
        "an update on its new rows, which it had not seen; `updates.jsonl` holds every figure.",
        "",
        f"| time | new rows | {score} | choice | outcome | gCO2eq |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {entry.time} | {entry.rows} | {readable_score(entry.score)} | {entry.choice}: {entry.reason} "
        f"| {entry.outcome} | {readable_grams(entry.carbon_g)} |"
        for entry in entries
    ]
    return f"{before}\n\n" + "\n".join(lines) + "\n"
