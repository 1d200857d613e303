"""The table and the picture of what `run` has recorded."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.arena.datasets import SETS
from benchmarks.arena.machines import NOW
from benchmarks.arena.result import Member, Result, front_of, hypervolume, read

X_MG = (5e-4, 10.0)
"""Milligrams shown."""
GOALS: tuple[tuple[str, str, float, bool], ...] = (
    ("fd001", "score", 0.85, True),
    ("fd001", "rmse_last", 12.5, False),
    ("skab", "score", 0.90, True),
    ("phm2010", "score", 0.80, True),
)
"""Set, metric, goal, and whether higher is better; each by a pipeline of at most `GOAL_MG`."""
GOAL_MG, GOAL_BUDGET_MG = 1.0, 500.0

PICKS = ("knee", "within", "baseline")

Numbers = Sequence[float | None]


def write(lines: Path, to: Path, *, budget_mg: float) -> None:
    """Writes `arena.md` and `arena.png` from runs with this budget. Exits if there are none."""
    known = [result for result in read(lines) if not result.error]
    results = [result for result in known if result.budget_mg == budget_mg]
    if not results:
        raise SystemExit(f"{lines} has no finished run with a budget of {budget_mg:g} mg")
    to.mkdir(parents=True, exist_ok=True)
    (to / "arena.md").write_text(text_of(results, known, budget_mg=budget_mg))
    drawn(results, to / "arena.png")
    print(f"wrote {to / 'arena.md'} and {to / 'arena.png'}")


def text_of(results: Sequence[Result], known: Sequence[Result], *, budget_mg: float) -> str:
    """The tables in Markdown; goals may be reached with any budget of `known` results up to `GOAL_BUDGET_MG`."""
    names = [name for name in SETS if any(result.set == name for result in results)]
    parts = [
        f"# The arena: {len(names)} data sets, {budget_mg:g} mg of CO2 equivalent per run\n",
        "Medians over seeds, the worst seed in brackets. `best`: best test score of all members that a run offers,",
        "which only an oracle knows. `chosen`: test score of what is recommended if grams do not count (the product's",
        "rule `best`, else the member with the best validation score). `knee`, `within`: the product's other rules;",
        "`baseline`: what it calls untuned. `mg`: one fit of the best member with its test. `run mg`: the whole",
        "process. `hv`: hypervolume of test scores, score 0 to 1, 1e-7 to 1e-2 g. `python -m benchmarks.arena` makes",
        "them, and its docstring says what each arm is: those that end with `_now` ran on another machine, where",
        "equal pipelines cost twice the grams (`machines`).\n",
    ]
    for name in names:
        own = [result for result in results if result.set == name]
        parts.append(f"## {name}\n\n{SETS[name].truth}. Score: {own[0].score}.\n")
        parts.append("| arm | seeds | best | chosen | knee | within | baseline | mg | run mg | trials | hv |")
        parts.append("|---|---|---|---|---|---|---|---|---|---|---|")
        parts += [_row(arm, [r for r in own if r.arm == arm]) for arm in dict.fromkeys(r.arm for r in own)]
        parts.append("")
    within = [result for result in known if result.budget_mg <= GOAL_BUDGET_MG]
    return "\n".join([*parts, *_goals(within), *_families(results, names)]) + "\n"


def _row(arm: str, runs: Sequence[Result]) -> str:
    best = [run.best for run in runs]
    cells = [
        _score([member.test if member else None for member in best]),
        _score([run.chosen.test if run.chosen else None for run in runs]),
        *(_score([m.test if (m := run.picked(rule)) else None for run in runs]) for rule in PICKS),
        _median([1e3 * member.grams if member else None for member in best], "{:.2g}"),
        _median([1e3 * run.process_grams for run in runs], "{:.0f}"),
        _median([float(run.trials) for run in runs], "{:.0f}"),
        _score([run.hypervolume for run in runs]),
    ]
    return f"| {arm} | {len(runs)} | {' | '.join(cells)} |"


def _score(numbers: Numbers) -> str:
    """Median and worst."""
    known = [number for number in numbers if number is not None]
    if not known:
        return ""
    return f"{statistics.median(known):.3f} ({min(known):.3f})" if len(known) > 1 else f"{known[0]:.3f}"


def _median(numbers: Numbers, style: str) -> str:
    known = [number for number in numbers if number is not None]
    return style.format(statistics.median(known)) if known else ""


def _goals(results: Sequence[Result]) -> list[str]:
    """The best of all pipelines of the product's space within the goals' grams."""
    lines = [f"## Goals: one pipeline of the product's space, at most {GOAL_MG:g} mg\n"]
    lines += ["| set | metric | goal | reached | by | mg |", "|---|---|---|---|---|---|"]
    for name, metric, goal, higher in GOALS:
        members = [(m, _metric(m, metric)) for r in results if r.set == name for m in r.tested if _is_own(m)]
        known = [(m, value) for m, value in members if value is not None and m.grams <= GOAL_MG / 1e3]
        if known:
            member, value = (max if higher else min)(known, key=lambda pair: pair[1])
            lines.append(f"| {name} | {metric} | {goal:g} | {value:.4g} | {member.model} | {1e3 * member.grams:.2g} |")
    return [*lines, ""]


def _metric(member: Member, metric: str) -> float | None:
    return member.test if metric == "score" else member.metrics.get(metric)


def _is_own(member: Member) -> bool:
    return ":" not in member.model


def _families(results: Sequence[Result], names: Iterable[str]) -> list[str]:
    """For each family, the sets on whose front it is, and what the fronts lose without it."""
    members = {name: [m for r in results if r.set == name for m in r.tested if _is_own(m)] for name in names}
    families = sorted({m.model for own in members.values() for m in own})
    lines = [
        "## Families\n",
        "Of all members of all arms on the product's space together: on how many sets a family is on the front, its",
        "share of the best, and the hypervolume that the front loses without it (median and largest over the sets).\n",
        "| family | on the front of | best score on | loss, median | loss, largest | where |",
        "|---|---|---|---|---|---|",
    ]
    rows = []
    for family in families:
        losses = {name: _loss_without(family, own) for name, own in members.items() if own}
        on = [name for name, own in members.items() if any(m.model == family for m in front_of(own))]
        best = [n for n, own in members.items() if own and max(own, key=lambda m: m.test or 0.0).model == family]
        where = max(losses, key=lambda name: losses[name])
        cells = f"{len(on)} | {', '.join(best) or '-'} | {statistics.median(losses.values()):.4f}"
        rows.append((losses[where], f"| {family} | {cells} | {losses[where]:.4f} | {where} |"))
    return [*lines, *(row for _, row in sorted(rows, reverse=True))]


def _loss_without(family: str, members: Sequence[Member]) -> float:
    return hypervolume(members) - hypervolume(m for m in members if m.model != family)


def drawn(results: Sequence[Result], to: Path) -> None:
    """A panel per set: the front of test scores of every arm but variants of the product and of another machine, all
    seeds together."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in SETS if any(result.set == name for result in results)]
    arms = list(dict.fromkeys(result.arm for result in results))
    arms = [arm for arm in arms if not (arm.startswith("product_") or arm.endswith(NOW))] or arms
    n_columns = 3
    n_rows = -(-len(names) // n_columns)
    figure, grid = plt.subplots(n_rows, n_columns, figsize=(12, 3.2 * n_rows), squeeze=False, layout="constrained")
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        for number, arm in enumerate(arms):
            front = front_of(m for r in results if r.set == name and r.arm == arm for m in r.tested)
            _step(axes, front, label=arm, color=f"C{number}")
        score = next(result.score for result in results if result.set == name)
        axes.set(title=name, xscale="log", xlabel="mg CO2e of one fit", ylabel=f"test {score}")
        low, high = axes.get_ylim()
        axes.set_ylim(max(-0.05, low), min(1.05, high))
        axes.set_xlim(*X_MG)
        axes.grid(alpha=0.3)
    handles: Mapping[str, object] = dict(zip(*reversed(grid.flat[0].get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(arms), frameon=False)
    figure.savefig(to, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _step(axes: object, front: Sequence[Member], *, label: str, color: str) -> None:
    draw: Callable[..., object] = axes.plot  # type: ignore[attr-defined]  # matplotlib ships no types
    x, y = [1e3 * m.grams for m in front], [m.test for m in front]
    draw(x, y, drawstyle="steps-post", marker="o", markersize=3, linewidth=1.2, label=label, color=color)
