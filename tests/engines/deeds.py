"""Runs naughty trials on one engine and prints what became of each: `python deeds.py wear.csv DEED,... ENGINE`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from cemai_opt import compose
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.spec import parse_study
from cemai_opt.engines import ENGINES
from cemai_opt.meters import own_descendants

STAGES = ("profile", "clean", "split", "sequentialize", "combine", "train", "evaluate")


def main() -> None:
    """One line a trial, then a last one with what is left below this process."""
    csv, deeds = sys.argv[1], sys.argv[2].split(",")
    study = parse_study(
        {
            "name": "deeds",
            "data": {"path": csv, "target": "tool_wear", "group": "run"},
            "split": {"folds": 1},
            "engine": {
                "name": sys.argv[3],
                "trial_timeout_s": 4.0,
                "trial_memory_mb": 300,
                "scheduler": sys.argv[4] if len(sys.argv) > 4 else None,
            },
        },
        "deeds",
    )
    settled = compose.settle(study)
    scratch = Path(csv).parent / "scratch"
    engine = ENGINES.require(study.engine.name).opened(settled.study, scratch)
    for i, deed in enumerate(deeds):
        config = Config({"train": {"model": "naughty", "deed": deed, "milliseconds": 0, "variant": i}})
        start_s = time.monotonic()
        result = engine.run(TrialPlan(i, settled.study, config, "search", STAGES, 1)).result()
        wall_s = time.monotonic() - start_s
        print(json.dumps({"deed": deed, "wall_s": wall_s, "pids": _named(), **result.to_json()}), flush=True)
    unseen_j = engine.unseen_j()
    engine.close()
    print(json.dumps({"left": own_descendants(), "named": _named(), "unseen_j": unseen_j}))


def _named() -> list[int]:
    """Children that a naughty trial has started, wherever they are now."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if b"naughty-child" in (place / "cmdline").read_bytes().split(b"\0") and place.name != str(os.getpid()):
                found.append(int(place.name))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    main()
