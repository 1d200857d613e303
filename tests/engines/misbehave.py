"""Runs misbehaving trials on one engine and prints their outcomes: `python misbehave.py wear.csv FAULT,... ENGINE`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from cemai_opt import compose
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.serialization import to_json
from cemai_opt.core.study_file import parse_study
from cemai_opt.engines import ENGINES
from cemai_opt.meters import own_descendants

STAGES = ("profile", "clean", "split", "sequentialize", "combine", "train", "evaluate")


def main() -> None:
    """One line a trial, then a last one with what is left below this process."""
    csv, faults = sys.argv[1], sys.argv[2].split(",")
    study = parse_study(
        {
            "name": "faults",
            "data": {"path": csv, "target": "tool_wear", "group": "run"},
            "split": {"folds": 1},
            "engine": {
                "name": sys.argv[3],
                "trial_timeout_s": 4.0,
                "trial_memory_mb": 300,
                "scheduler": sys.argv[4] if len(sys.argv) > 4 else None,
            },
        },
        "faults",
    )
    prepared = compose.prepare(study)
    scratch = Path(csv).parent / "scratch"
    engine = ENGINES.require(study.engine.name).opened(prepared.study, scratch)
    for i, fault in enumerate(faults):
        config = Config({"train": {"model": "misbehaving", "fault": fault, "milliseconds": 0, "variant": i}})
        start_s = time.monotonic()
        result = engine.run(
            TrialPlan(trial=i, study=prepared.study, config=config, phase="search", stages=STAGES, folds=1)
        ).result()
        wall_s = time.monotonic() - start_s
        print(json.dumps({"fault": fault, "wall_s": wall_s, "pids": _named(), **to_json(result)}), flush=True)
    unseen_j = engine.unseen_j()
    engine.close()
    print(json.dumps({"left": own_descendants(), "named": _named(), "unseen_j": unseen_j}))


def _named() -> list[int]:
    """Children that a misbehaving trial has started, wherever they are now."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if b"misbehaving-child" in (place / "cmdline").read_bytes().split(b"\0") and place.name != str(os.getpid()):
                found.append(int(place.name))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    main()
