"""Writes the page that tests CEMAI's claims on recorded measurements.

    cemai-opt table rq1_broaching --data-root FOLDER --out docs/results/cemai/broaching
    cemai-opt table rq1_piston_rod --data-root FOLDER --out docs/results/cemai/piston_rod
    cemai-opt table rq1_bosch_cnc --data-root FOLDER --out docs/results/cemai/bosch_cnc
    python -m benchmarks.cemai [--records docs/results/cemai] [--to docs/results/cemai.md]

Nothing is measured by it: it reads every `record.json` below --records.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cemai.claims import (
    ADEQUATE,
    Row,
    deviations,
    feature_effects,
    greenest_adequate,
    largest_stages,
    rows_of,
    slides,
    wrong_totals,
)
from cemai_opt.cli.table import RECORD_FILE, table_of
from cemai_opt.core.units import readable_grams
from cemai_opt.runs.measured import MeasuredRecord

RESULTS = Path("docs/results")
SHOWN_STAGES = 3


def main() -> int:
    """Writes the page; 1 if there is no record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=Path, default=RESULTS / "cemai")
    parser.add_argument("--to", type=Path, default=RESULTS / "cemai.md")
    args = parser.parse_args()
    files = sorted(args.records.rglob(RECORD_FILE))
    if not files:
        print(f"{args.records} holds no {RECORD_FILE}: write some with `cemai-opt table`", file=sys.stderr)
        return 1
    args.to.write_text("\n".join(page([MeasuredRecord.read(file) for file in files])) + "\n", encoding="utf-8")
    return 0


def page(records: Sequence[MeasuredRecord]) -> Iterator[str]:
    """The lines of the page."""
    yield "# CEMAI's claims, measured\n"
    yield "The slides of CEMAI (Husom, Sen, Goknil, CAIN 2024) have one table of emissions by stage, on data that is"
    yield "not public. Here are the same models in library-default form on public data of the same kind: `w/FE` with"
    yield "feature engineering, `w/FE 5%` the same on a twentieth of the training windows. `python -m benchmarks.cemai`"
    yield "writes this page from the records in `docs/results/cemai`; its docstring has the commands that made them.\n"
    yield from _claims(records)
    for record in records:
        yield from _case(record)


def _claims(records: Sequence[MeasuredRecord]) -> Iterator[str]:
    their_rows, _ = slides()
    tables = {"slides (Broaching)": their_rows, **{record.case: rows_of(record) for record in records}}
    yield "## Which stages emit most\n"
    yield "Rows in which a stage is the largest, and the median of its share. Slides: training and evaluation.\n"
    yield "| table | largest | second | third | evaluation |\n|---|---|---|---|---|"
    for name, rows in tables.items():
        cells = {s: f"{s}: {n} of {len(rows)}, {share:.0%}" for s, (n, share) in largest_stages(rows).items()}
        yield f"| {name} | {' | '.join([*cells.values()][:SHOWN_STAGES])} | {cells.get('evaluate', '-')} |"
    yield "\n## Does feature engineering raise emissions?\n"
    yield "Total with feature engineering relative to that without (gain in score in brackets); then that on few rows"
    yield "relative to that on all rows. Slides: it adds emissions, but can improve the score.\n"
    yield "| table | " + " | ".join(effect.label for effect in feature_effects(their_rows)) + " |"
    yield "|---" * (1 + len(feature_effects(their_rows))) + "|"
    for name, rows in tables.items():
        effects = feature_effects(rows)
        yield f"| {name} | {' | '.join(f'{e.ratio:.2g} ({e.score_gain:+.2f})' for e in effects)} |"
        if any(effect.few_rows_ratio is not None for effect in effects):
            few = ["-" if e.few_rows_ratio is None else f"{e.few_rows_ratio:.2g}" for e in effects]
            yield f"| {name}, few rows | {' | '.join(few)} |"
    yield "\n## Which pipeline would be chosen\n"
    yield f"The greenest whose score is within {ADEQUATE} of the best in its table.\n"
    yield "| table | greenest adequate | score | best score |\n|---|---|---|---|"
    for name, rows in tables.items():
        chosen, best = greenest_adequate(rows), max(rows, key=lambda row: row.score)
        yield f"| {name} | {chosen.label} | {chosen.score:.3f} | {best.score:.3f} ({best.label}) |"
    yield from _their_choice(records, greenest_adequate(their_rows))
    yield "\n## How large repeats vary\n"
    yield "Relative standard deviation of the joules of equal runs. The slides have no repeats.\n"
    yield "| table | median | largest | runs of each |\n|---|---|---|---|"
    for record in records:
        spread, times = deviations(record.pipelines), {len(p.costs) for p in record.pipelines if p.costs}
        if spread:
            n_runs = ", ".join(map(str, sorted(times)))
            yield f"| {record.case} | {statistics.median(spread):.1%} | {max(spread):.1%} | {n_runs} |"
    yield "\n## What the slides print\n"
    for label, (total, printed) in wrong_totals().items():
        yield f"- {label}: the stages add up to {total:.4f} g; the total is printed as {printed:.4f} g."
    yield "- Profile and Clean are the same in every row: one measurement, used again. Here all stages run each time.\n"


def _their_choice(records: Sequence[MeasuredRecord], theirs: Row) -> Iterator[str]:
    """How the pipeline that the slides' table would have chosen does elsewhere."""
    yield ""
    for record in records:
        rows = rows_of(record)
        chosen, same = greenest_adequate(rows), next((row for row in rows if row.label == theirs.label), None)
        if same is not None:
            yield (
                f"- {record.case}: {theirs.label}, the choice by the slides' table, scores {same.score:.3f} for "
                f"{same.total / chosen.total:.2g} times the energy of {chosen.label}."
            )


def _case(record: MeasuredRecord) -> Iterator[str]:
    """The table of one record."""
    table = table_of(record)
    yield f"## {record.case}\n"
    yield f"{'. '.join(table.notes)}. {record.machine.system}, Python {record.machine.python}; seed {record.seed}.\n"
    headings = ["model", *table.stages, "total", "+-", *table.scores, "J", "s", "1,000 predictions"]
    yield f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}"
    for row in table.rows:
        stages = [readable_grams(row.stages[s].carbon_g) if s in row.stages else "-" for s in table.stages]
        total, per_1000 = row.total, "-" if row.per_1000_g is None else readable_grams(row.per_1000_g)
        scores = [f"{row.metrics[name]:.3f}" if name in row.metrics else "-" for name in table.scores]
        totals = [readable_grams(total.carbon_g), readable_grams(total.uncertainty_g)]
        cells = [row.label, *stages, *totals, *scores, f"{total.energy_j:.3g}", f"{total.duration_s:.3g}", per_1000]
        yield f"| {' | '.join(cells)} |" if not row.reason else f"| {row.label} | failed: {row.reason} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
