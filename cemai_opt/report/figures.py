"""The figures of a run, drawn with matplotlib, for the report, papers and notebooks."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cemai_opt.core.units import readable_grams
from cemai_opt.report._drawing import (
    FAMILY_COLORS,
    ON_PAPER,
    Palette,
    ReportFigure,
    finish,
    grams_axis,
    new_figure,
)
from cemai_opt.report.emission_figure import stacked_stages
from cemai_opt.runs.run_view import RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_AXES = 7
"""Hyperparameters that are shown side by side."""
MAX_VARIABLES = 15


def front_figure(view: RunView, palette: Palette = ON_PAPER) -> ReportFigure:
    """Score against grams: the front with its uncertainty, ties and marks, and everything else that was tried."""
    figure, ax = new_figure(3.9)
    low = _lowest_shown(view)
    _draw_trials(ax, view, palette=palette, low=low)
    _draw_members(ax, view, palette=palette, low=low)
    _mark_ties(ax, view, palette=palette)
    _label_members(ax, view, palette=palette)
    grams_axis(ax, is_log=True)
    unit = f"{view.front.unit} of one run" if view.front.unit == "gCO2eq" else view.front.unit
    ax.set_xlabel(f"{unit} (log)")
    ax.set_ylabel(f"{view.front.score} on validation")
    highest = [m.validation + m.error for m in view.candidates] + [point.score for point in view.complete]
    _leave_room(ax, low=low, top=max(highest, default=low + 1.0))
    _draw_pruned(ax, view, palette=palette)
    n_hidden = sum(point.score < low for point in [*view.complete, *view.curve_candidates])
    hidden = "1 trial scores" if n_hidden == 1 else f"{n_hidden} trials score"
    title = "Pareto front" + (f" ({hidden} below {low:.2f})" if n_hidden else "")
    finish(ax, palette, title=title)
    ax.legend(loc="lower right", ncols=2, fontsize=7.5, frameon=False, labelcolor=palette.ink, handletextpad=0.3)
    return ReportFigure(name="front", title=title, alt=_front_in_words(view), figure=figure)


def _draw_trials(ax: Axes, view: RunView, *, palette: Palette, low: float) -> None:
    """Every trial that scores at least `low`: complete ones, and models on learning curves."""
    for points, marker, size, label in (
        (view.complete, "o", 9, "in the search"),
        (view.curve_candidates, "D", 7, "learning curve"),
    ):
        shown = [point for point in points if point.score >= low]
        if shown:
            ax.scatter(
                [point.carbon_g for point in shown],
                [point.score for point in shown],
                s=size,
                marker=marker,
                facecolors="none" if marker == "D" else palette.faint,
                edgecolors=palette.faint,
                linewidths=0.6,
                label=label,
            )


def _draw_members(ax: Axes, view: RunView, *, palette: Palette, low: float) -> None:
    """The front as a step line, its members with error bars by family, the baseline beside it, and test scores."""
    members, colors = view.members, family_colors(view)
    ax.step([m.carbon_g for m in members], [m.validation for m in members], where="post", color=palette.ink, lw=0.8)
    for family in dict.fromkeys(m.model for m in members):
        own = [m for m in members if m.model == family]
        ax.errorbar(
            [m.carbon_g for m in own],
            [m.validation for m in own],
            xerr=[[min(m.uncertainty_g, 0.9 * m.carbon_g) for m in own], [m.uncertainty_g for m in own]],
            yerr=[m.error for m in own],
            fmt="o",
            ms=5,
            color=colors[family],
            ecolor=colors[family],
            capsize=2,
            lw=0,
            elinewidth=1.2,
            label=family,
        )
    if (average := view.front.average) is not None:
        xerr = [[min(average.uncertainty_g, 0.9 * average.carbon_g)], [average.uncertainty_g]]
        ax.errorbar(
            [average.carbon_g],
            [average.validation],
            xerr=xerr,
            fmt="*",
            ms=9,
            color=palette.ink,
            capsize=2,
            label=average.model,
        )
    for untuned in view.beside:
        if untuned.validation >= low:
            at = [untuned.carbon_g], [untuned.validation]
            ax.plot(*at, "s", ms=5, mfc="none", color=palette.ink, label=view.front.mark_of(untuned))
    tested = [(m.carbon_g, m.test) for m in [*view.candidates, *view.beside] if m.test is not None and m.test >= low]
    grams, scores = [g for g, _ in tested], [score for _, score in tested]
    ax.plot(grams, scores, "x", color=palette.ink, ms=4, mew=0.8, label="test")


def _draw_pruned(ax: Axes, view: RunView, *, palette: Palette) -> None:
    """A tick on the axis of grams for each pruned trial."""
    if view.pruned_g:
        heights = [0.012] * len(view.pruned_g)
        transform = ax.get_xaxis_transform()
        ax.plot(view.pruned_g, heights, "|", transform=transform, color=palette.faint, ms=6, label="pruned")


def _leave_room(ax: Axes, *, low: float, top: float) -> None:
    """Makes room for labels above and to the left of the front."""
    ax.set_ylim(low, top + 0.1 * (top - low))
    left, right = (math.log(grams) for grams in ax.get_xlim())
    ax.set_xlim(math.exp(left - 0.18 * (right - left)), math.exp(right))


def hypervolume_figure(view: RunView, palette: Palette = ON_PAPER) -> ReportFigure:
    """The growth of the front with the grams that trials spent."""
    figure, ax = new_figure(2.6)
    points = view.hypervolume
    ax.step([grams for grams, _ in points], [value for _, value in points], where="post", color=FAMILY_COLORS[0])
    grams_axis(ax, is_log=bool(points) and points[0][0] > 0)
    ax.set_xlabel("gCO2eq spent by trials so far (log)")
    ax.set_ylabel("hypervolume")
    finish(ax, palette, title="Hypervolume against grams spent")
    grown = f"from {points[0][1]:.3f} to {points[-1][1]:.3f}" if points else "no trial yet"
    spent = readable_grams(points[-1][0]) if points else "0 g"
    return ReportFigure(
        name="hypervolume",
        title="Hypervolume against grams spent",
        alt=f"Hypervolume rises {grown} for {spent}.",
        figure=figure,
    )


def stages_figure(view: RunView, palette: Palette = ON_PAPER) -> ReportFigure:
    """Grams of every stage of every member, and each stage's share."""
    members = view.members
    rows = {f"{m.trial} {m.model}": {stage: cost.carbon_g for stage, cost in m.stages.items()} for m in members}
    figure = stacked_stages(rows, view.stages, palette=palette)
    most_expensive = _most_expensive_stage(view)
    return ReportFigure(
        name="stages",
        title="Grams by stage",
        alt=f"Stacked bars of {len(members)} members by stage. {most_expensive}",
        figure=figure,
    )


def hyperparameters_figure(view: RunView, palette: Palette = ON_PAPER) -> ReportFigure:
    """Parallel coordinates: the hyperparameters of the members, among those of all complete trials."""
    names = list(view.hyperparameters)[:MAX_AXES]
    figure, ax = new_figure(3.6)
    scales = {name: _scale(view.hyperparameters[name]) for name in names}
    colors = family_colors(view)
    halo = {"facecolor": palette.paper, "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
    members = {m.trial for m in view.members}
    others = [r for r in view.results if r.is_complete and r.trial not in members and not r.is_repeat]
    lines = [(r.config.flat(), palette.faint, 0.4, 0.35) for r in others[-300:]]
    lines += [(m.config.flat(), colors[m.model], 1.4, 0.9) for m in view.members]
    for config, color, width, alpha in lines:
        heights = [scales[name].get(config[name], -0.12) if name in config else -0.12 for name in names]
        ax.plot(range(len(names)), heights, color=color, lw=width, alpha=alpha)
    for i, name in enumerate(names):
        ax.axvline(i, color=palette.ink, lw=0.6)
        for value, height in _ticks(scales[name]):
            ax.text(i + 0.04, height, _wrapped(value), fontsize=7, color=palette.ink, va="center", bbox=halo)
    ax.set_xticks(range(len(names)), [_wrapped(name.split(".")[1]) for name in names], fontsize=7.5)
    ax.set_yticks([-0.12], ["not used"], fontsize=7.5)
    ax.set_ylim(-0.2, 1.1)
    ax.set_xlim(-0.1, len(names) - 0.4)
    finish(ax, palette, title="Hyperparameters of the members (grey: other complete trials)")
    return ReportFigure(
        name="hyperparameters",
        title="Hyperparameters of the members",
        alt=_hyperparameters_in_words(view, names),
        figure=figure,
    )


def importances_figure(view: RunView, palette: Palette = ON_PAPER) -> ReportFigure | None:
    """Importance of each variable in each member; None if no member was explained."""
    shares = dict(list(view.importances.items())[:MAX_VARIABLES])
    trials = [m.trial for m in view.members if any(m.trial in by for by in shares.values())]
    if not trials:
        return None
    figure, ax = new_figure(1.3 + 0.22 * len(shares))
    rows = [[by.get(trial, math.nan) for trial in trials] for by in shares.values()]
    image = ax.imshow(rows, aspect="auto", cmap="cividis", vmin=0.0)
    ax.set_xticks(range(len(trials)), [str(trial) for trial in trials], rotation=90 if len(trials) > 9 else 0)
    ax.set_yticks(range(len(shares)), list(shares))
    ax.set_xlabel("trial (blank: not an input)")
    bar = figure.colorbar(image, ax=ax, shrink=0.9)
    bar.set_label("share of mean |SHAP|", color=palette.ink, fontsize=8.5)
    bar.ax.tick_params(colors=palette.ink, labelsize=7.5)
    bar.outline.set_edgecolor(palette.ink)
    finish(ax, palette, title="Importances of the variables", grid=False)
    first = next(iter(shares))
    alt = f"Shares of variables in the predictions of {len(trials)} members; {first} has the largest share overall."
    return ReportFigure(name="importances", title="Importances of the variables", alt=alt, figure=figure)


def all_figures(view: RunView, palette: Palette = ON_PAPER) -> list[ReportFigure]:
    """Every figure for which the run has data."""
    if not view.members:
        return []
    drawn = (front_figure, stages_figure, hypervolume_figure, hyperparameters_figure, importances_figure)
    return [figure for figure in (draw(view, palette) for draw in drawn) if figure is not None]


def family_colors(view: RunView) -> dict[str, str]:
    """A colour for every model."""
    return {family: FAMILY_COLORS[i % len(FAMILY_COLORS)] for i, family in enumerate(view.families)}


def _lowest_shown(view: RunView) -> float:
    """Lower end of the score axis: below all validation and test scores shown, except those of -1 or less."""
    scores = [score for m in view.candidates for score in (m.validation, m.test) if score is not None]
    shown = [float(score) for score in scores if score > -1.0] or [-1.0]
    return min(shown) - 0.5 * (max(shown) - min(shown)) - 0.02


def _mark_ties(ax: Axes, view: RunView, *, palette: Palette) -> None:
    """A band behind members whose grams do not differ significantly."""
    by_trial = {m.trial: m for m in view.members}
    for i, chain in enumerate(view.ties):
        grams = [by_trial[trial].carbon_g for trial in chain]
        ax.axvspan(
            min(grams), max(grams), color=palette.faint, alpha=0.25, lw=0, label="tie in grams" if i == 0 else None
        )


def _label_members(ax: Axes, view: RunView, *, palette: Palette) -> None:
    """Labels of the members that a rule picks, above and left of them, where there can be no other member.

    That of the last one is below on its right, so that it does not cover those of close members, or an average.
    """
    marks = view.front.picks
    labelled = [member for member in view.members if member.trial in marks]
    for member in labelled:
        text = f"{marks[member.trial]} ({member.trial})"
        at = (member.carbon_g, member.validation)
        is_knee = member.trial == view.front.knee_trial
        if is_knee:
            ax.plot(*at, "o", ms=11, mfc="none", mec=palette.ink, mew=1.2)
        weight = "bold" if is_knee else "normal"
        is_last = member is view.members[-1] or (member is labelled[-1] and len(labelled) > 1)
        place, side = ((8, -13), "left") if is_last else ((-6, 6), "right")
        ax.annotate(text, at, place, textcoords="offset points", ha=side, fontsize=8, color=palette.ink, weight=weight)


def _scale(values: Sequence[Any]) -> dict[Any, float]:
    """A height from 0 to 1 for each value of a hyperparameter: by magnitude (log over decades), or by name."""
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        low, high = min(values), max(values)
        place: Callable[[float], float] = math.log if low > 0 and high / low > 20 else float
        return {value: (place(value) - place(low)) / (place(high) - place(low)) for value in values}
    names = sorted(values, key=str)
    return {value: i / max(len(names) - 1, 1) for i, value in enumerate(names)}


def _ticks(scale: Mapping[Any, float]) -> Iterator[tuple[str, float]]:
    is_number = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in scale)
    ends = sorted(scale, key=lambda value: scale[value])
    for value in (ends[0], ends[-1]) if is_number else ends:
        yield f"{value:.3g}" if isinstance(value, float) else str(value), scale[value]


def _wrapped(name: str) -> str:
    """A long name on several lines.

    >>> _wrapped("gradient_boosting")
    'gradient\\nboosting'
    """
    return textwrap.fill(name.replace("_", " "), 10, break_long_words=False)


def _front_in_words(view: RunView) -> str:
    if not view.members:
        return "There is no front member yet."
    first, last, knee = view.members[0], view.members[-1], view.front.knee
    words = (
        f"{len(view.members)} front members from {readable_grams(first.carbon_g)} at {view.front.score} "
        f"{first.validation:.3f} to {readable_grams(last.carbon_g)} at {last.validation:.3f}"
    )
    if knee is None:
        return f"{words}."
    at = f"{readable_grams(knee.carbon_g)} at {knee.validation:.3f}"
    return f"{words}; the knee is trial {knee.trial} ({knee.model}), {at}."


def _most_expensive_stage(view: RunView) -> str:
    sums = {s: sum(m.stage_g(s) for m in view.members) for s in view.stages}
    most_expensive = max(sums, key=lambda stage: sums[stage])
    return f"The most expensive stage is {most_expensive}, {sums[most_expensive] / (sum(sums.values()) or 1.0):.0%}."


def _hyperparameters_in_words(view: RunView, names: Sequence[str]) -> str:
    """Values that at least three quarters of the members share."""
    shared = []
    for name in names:
        taken = [m.config.flat().get(name) for m in view.members]
        common: Any = max(set(taken), key=taken.count)
        if common is not None and taken.count(common) >= 0.75 * len(taken):
            shared.append(f"{name} = {common} in {taken.count(common)} of {len(taken)} members")
    return "; ".join(shared) + "." if shared else "No value is common to three quarters of the members."
