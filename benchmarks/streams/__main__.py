"""Compares policies of updating a deployed model on streams of real data: score and grams.

    python -m benchmarks.streams run --data-root FOLDER --out streams.jsonl [--seeds 3] [--streams A,B]
    python -m benchmarks.streams table --out streams.jsonl --to docs/results/updates.md

A search on the first rows of a stream exports its knee, or its best member; then batch by batch the present model
predicts the rows, and is updated with them. Two policies run as they are: `always` refits after every batch, the
product's own decides. All models of `always` predict all later batches, from which follow the other policies that only
refit: `never`, after every third or tenth batch, and the best schedule in hindsight (`oracle`) for at most a tenth of
the grams of `always`. The grams are those of scoring (the product's policy only), training, and writing and comparing
models. The page is that of `--out benchmarks/streams/recorded.jsonl.gz`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.streams.streams import STREAMS, Stream
from cemai_opt.api import load_run, optimize
from cemai_opt.core.units import grams_co2eq, readable_grams
from cemai_opt.deploy.model_folder import load_model
from cemai_opt.runs.machine import this_machine
from cemai_opt.updating import Choice, Situation, choose, update_model
from cemai_opt.updating.policy import REFIT

INTENSITY_G_PER_KWH = 475.0
EVERY = (3, 10)
PICKS = ("knee", "best")
ORACLE_SHARE = 0.1


@dataclass(kw_only=True)
class StreamRun:
    """What is kept of one stream and seed. Sums of a batch are n, sum of y, sum of y2, or of F1: true positives, false
    positives and negatives; `errors[i][j]`: of model i (after i updates) on batch j, from i on."""

    stream: str
    seed: int
    machine: str
    pick: str
    model: str
    is_classification: bool
    targets: list[list[float]] = field(default_factory=list)
    errors: list[list[list[float]]] = field(default_factory=list)
    refit_j: list[dict[str, float]] = field(default_factory=list)
    own_errors: list[list[float]] = field(default_factory=list)
    own_j: list[dict[str, float]] = field(default_factory=list)
    own_choices: list[str] = field(default_factory=list)
    own_reasons: list[str] = field(default_factory=list)


def always(situation: Situation) -> Choice:
    """Refits after every batch."""
    return replace(choose(situation), action=REFIT)


def run_stream(stream: Stream, seed: int, *, pick: str, root: Path) -> StreamRun:
    """Searches, exports, and runs both policies."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        first, batches = stream.written(root, scratch)
        options = {**stream.options, "budget_grams": stream.budget_mg / 1000.0, "seed": seed}
        optimize(first, out=scratch / "run", intensity=INTENSITY_G_PER_KWH, **options)
        load_run(scratch / "run").export(scratch / "always", pick)
        shutil.copytree(scratch / "always", scratch / "own")
        document = load_model(scratch / "own").document
        found = StreamRun(
            stream=stream.name,
            seed=seed,
            machine=this_machine().cpu,
            pick=pick,
            model=document.picked.model,
            is_classification=document.kind == "classification",
        )
        for i, batch in enumerate(batches):
            rows = pd.read_csv(batch)
            y = _targets(rows, stream)
            found.targets.append([float(len(y)), float(y.sum()), float((y**2).sum())])
            shutil.copytree(scratch / "always", scratch / f"model-{i}")
            found.errors.append([_errors(scratch / f"model-{i}", later, stream) for later in batches[i:]])
            found.own_errors.append(_errors(scratch / "own", batch, stream))
            found.refit_j.append(dict(update_model(scratch / "always", batch, decide=always).entry.energy_j))
            entry = update_model(scratch / "own", batch).entry
            found.own_j.append(dict(entry.energy_j))
            found.own_choices.append(f"{entry.choice} ({entry.outcome})" if entry.held_out else entry.choice)
            found.own_reasons.append(entry.reason)
            print(f"{stream.name} {pick} {seed} {i}: {found.own_choices[-1]}; {entry.reason}", flush=True)
        return found


def _targets(rows: pd.DataFrame, stream: Stream) -> np.ndarray:
    y = rows[stream.options["target"]].to_numpy(float)
    return np.minimum(y, stream.options.get("clip_target", np.inf))


def _errors(folder: Path, batch: Path, stream: Stream) -> list[float]:
    """Sums of the errors of a model on a batch: squared errors, or counts for F1."""
    rows = pd.read_csv(batch)
    y, value = _targets(rows, stream), load_model(folder).predict(rows).astype(float)
    if stream.options.get("task") == "classification":
        return [float(((value == a) & (y == b)).sum()) for a, b in ((1, 1), (1, 0), (0, 1))]
    return [float(((value - y) ** 2).sum())]


def score(run: StreamRun, errors: Sequence[Sequence[float]]) -> float:
    """R2 or F1 over all batches, from the sums of each."""
    total = np.sum(np.array(errors), axis=0)
    if run.is_classification:
        return float(2 * total[0] / max(2 * total[0] + total[1] + total[2], 1.0))
    n, y, y2 = np.sum(np.array(run.targets), axis=0)
    return float(1.0 - total[0] / (y2 - y**2 / n))


def scheduled(run: StreamRun, refits: Sequence[int]) -> tuple[float, float]:
    """Score and grams if the model is refitted after the batches `refits` only."""
    errors, model = [], 0
    for j in range(len(run.targets)):
        errors.append(run.errors[model][j - model])
        if j in refits:
            model = j + 1
    joules = sum(run.refit_j[j][phase] for j in refits for phase in ("train", "files"))
    return score(run, errors), grams_co2eq(joules, INTENSITY_G_PER_KWH)


def oracle(run: StreamRun) -> tuple[float, float]:
    """Score and grams of the schedule with the least loss for a share of the grams of `always`; joules in a grid."""
    n, cells = len(run.targets), 200
    joules = [sum(refit[phase] for phase in ("train", "files")) for refit in run.refit_j]
    limit = ORACLE_SHARE * sum(joules)
    price = [int(np.ceil(each / limit * cells)) for each in joules]

    def loss(model: int, batch: int) -> float:
        errors = run.errors[model][batch - model]
        return errors[1] + errors[2] if run.is_classification else errors[0]

    best: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {(0, 0): (0.0, ())}
    for j in range(n):
        after: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}
        for (model, spent), (total, refits) in best.items():
            total += loss(model, j)
            moves = [((model, spent), (total, refits))]
            if spent + price[j] <= cells and j + 1 < n:
                moves.append(((j + 1, spent + price[j]), (total, (*refits, j))))
            for state, value in moves:
                if state not in after or value[0] < after[state][0]:
                    after[state] = value
        best = after
    return scheduled(run, min(best.values())[1])


def policies(run: StreamRun) -> dict[str, tuple[float, float]]:
    """Score and grams of every policy."""
    last = range(len(run.targets) - 1)  # an update after the last batch helps nobody
    own_j = sum(sum(each.values()) for each in run.own_j[:-1]) + run.own_j[-1]["check"]
    return {
        "always": scheduled(run, list(last)),
        "never": scheduled(run, []),
        **{f"every {k}": scheduled(run, [j for j in last if j % k == k - 1]) for k in EVERY},
        "oracle": oracle(run),
        "product": (score(run, run.own_errors), grams_co2eq(own_j, INTENSITY_G_PER_KWH)),
    }


def page(runs: Sequence[StreamRun]) -> Iterator[str]:
    """The lines of the page."""
    yield "# Policies of updating, compared\n"
    machines = ", ".join(sorted({run.machine for run in runs}))
    yield "Streams of the groups of real data sets in their order; batch by batch the model predicts, then is updated."
    yield "R2, or F1 for skab, over all batches, and grams of all updates, relative to refitting after every batch:"
    yield "medians over the seeds of the first search (listed below), the worst in brackets. Every policy refuses"
    yield "a model that is certainly worse on the newest rows."
    yield f"{INTENSITY_G_PER_KWH:g} g/kWh, one thread, CPU time, {machines}."
    yield "Made by the commands in `benchmarks/streams/__main__.py`.\n"
    yield "| stream, batches | pick: models | policy | score | of always | grams | of always |"
    yield "|---|---|---|---|---|---|---|"
    for name, pick in dict.fromkeys((run.stream, run.pick) for run in runs):
        own = [run for run in runs if (run.stream, run.pick) == (name, pick)]
        found = [policies(run) for run in own]
        models = ", ".join(sorted({run.model for run in own}))
        for policy in found[0]:
            scores = [each[policy][0] for each in found]
            grams = [each[policy][1] for each in found]
            ratios = [each[policy][0] / each["always"][0] for each in found]
            prices = [each[policy][1] / each["always"][1] for each in found]
            cells = [
                *(f"{name}, {len(own[0].targets)}", f"{pick}: {models}", policy),
                f"{statistics.median(scores):.3f}",
                f"{statistics.median(ratios):.1%} ({min(ratios):.1%})",
                readable_grams(statistics.median(grams)),
                f"{statistics.median(prices):.1%} ({max(prices):.1%})",
            ]
            yield f"| {' | '.join(cells)} |"
    yield "\nWhat the product's policy did, by stream and seed:\n"
    for run in runs:
        counts: dict[str, int] = {}
        for choice in run.own_choices:
            counts[choice] = counts.get(choice, 0) + 1
        phases = {phase: sum(each.get(phase, 0.0) for each in run.own_j) for phase in ("check", "train", "files")}
        spent = ", ".join(f"{name} {readable_grams(grams_co2eq(j, INTENSITY_G_PER_KWH))}" for name, j in phases.items())
        shown = ", ".join(f"{n} {choice}" for choice, n in counts.items())
        yield f"- {run.stream}, {run.pick}, seed {run.seed}, {run.model}: {shown} ({spent})"


def lines_of(path: Path) -> list[str]:
    """The lines of a file, which may be compressed; none if it does not exist."""
    if not path.exists():
        return []
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode().splitlines()


def main() -> int:
    """Runs streams, or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--out", type=Path, required=True, help="file of results")
    parser.add_argument("--data-root", type=Path, default=Path("."))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--picks", default=",".join(PICKS))
    parser.add_argument("--streams", default=",".join(STREAMS))
    parser.add_argument("--to", type=Path, default=Path("docs/results/updates.md"))
    args = parser.parse_args()
    known = [StreamRun(**json.loads(line)) for line in lines_of(args.out)]
    if args.action == "table":
        args.to.write_text("\n".join(page(known)) + "\n", encoding="utf-8")
        return 0
    done = {(run.stream, run.pick, run.seed) for run in known}
    for seed in range(args.seeds):
        for name, pick in product(args.streams.split(","), args.picks.split(",")):
            if (name, pick, seed) not in done:
                run = run_stream(STREAMS[name], seed, pick=pick, root=args.data_root)
                with args.out.open("a") as stream:
                    stream.write(json.dumps(asdict(run)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
