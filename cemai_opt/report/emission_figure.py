"""Grams of every stage as stacked bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cemai_opt.report._drawing import ON_PAPER, STAGE_COLORS, Palette, ReportFigure, finish, grams_axis, new_figure
from cemai_opt.report.emission_table import EmissionTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def emission_figure(table: EmissionTable, palette: Palette = ON_PAPER) -> ReportFigure:
    """Grams of every stage of every pipeline, and each stage's share; the first pipeline on top."""
    rows = {row.label: {stage: cost.carbon_g for stage, cost in row.stages.items()} for row in table.rows}
    return ReportFigure(
        name="emissions",
        title=table.title,
        alt=f"Stacked bars of {len(rows)} pipelines by stage.",
        figure=stacked_stages(rows, table.stages, palette=palette),
    )


def stacked_stages(rows: Mapping[str, Mapping[str, float]], stages: Sequence[str], *, palette: Palette) -> Figure:
    """Two panels of bars by label: grams by stage, and their shares. `rows`: grams by label and stage."""
    figure, axes = new_figure(1.2 + 0.24 * len(rows), n_columns=2)
    totals = [sum(grams.values()) or 1.0 for grams in rows.values()]
    for ax, is_share in zip(axes, (False, True), strict=True):
        left = [0.0] * len(rows)
        for i, stage in enumerate(stages):
            grams = [row.get(stage, 0.0) for row in rows.values()]
            values = [g / t * 100 for g, t in zip(grams, totals, strict=True)] if is_share else grams
            color = STAGE_COLORS[i % len(STAGE_COLORS)]
            ax.barh(list(rows), values, left=left, color=color, label=stage, height=0.75)
            left = [a + b for a, b in zip(left, values, strict=True)]
        if is_share:
            ax.set_xlabel("share of the total, %")
        else:
            ax.set_xlabel("gCO2eq of one run")
            grams_axis(ax, is_log=False)
        finish(ax, palette, title="Share of each stage" if is_share else "Grams by stage")
        ax.tick_params(axis="y", labelleft=not is_share, length=0)
    axes[0].invert_yaxis()  # the first row on top, as in a table
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=5,
        fontsize=7.5,
        frameon=False,
        labelcolor=palette.ink,
        handlelength=1.0,
    )
    return figure
