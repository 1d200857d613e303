"""Emissions of pipelines by stage, in the form of CEMAI's table: for a terminal, as CSV and as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Group
from rich.table import Table

from cemai_opt.core.measurement import OVERHEAD
from cemai_opt.core.units import readable_grams
from cemai_opt.pipeline import stage_order
from cemai_opt.runs.measured import EmissionRow
from cemai_opt.runs.run_folder import csv_text
from cemai_opt.stages import STAGES

UNITS = ((1.0, "g"), (1e-3, "mg"), (1e-6, "ug"))
SHORT = {"profile": "Prof", "featurize": "Feat", "sequentialize": "Seq", "combine": "Comb", "evaluate": "Eval",
         "explain": "Expl", OVERHEAD: "Other", "balanced_accuracy": "bal acc",
         "average_precision": "av prec"}  # fmt: skip
"""Headings that fit a terminal; CSV and LaTeX have the whole names."""
CLASS_SCORES = ("f1", "f1_macro", "balanced_accuracy", "average_precision")
CLASS_METRICS = ("f1", "balanced_accuracy", "average_precision")
"""Scores of a classification, which are shown side by side."""


@dataclass(frozen=True, kw_only=True)
class EmissionTable:
    """Rows of pipelines; `score` is the name of the score that the study maximises, `notes` say how it was measured."""

    title: str
    score: str
    rows: Sequence[EmissionRow]
    notes: Sequence[str] = ()

    @property
    def stages(self) -> list[str]:
        """Stages in the order of a pipeline, then what was spent between them: together they are the total."""
        found = {stage for row in self.rows for stage in row.stages}
        return [*stage_order([stage for stage in found if stage in STAGES.names]), *sorted(found - {*STAGES.names})]

    @property
    def scores(self) -> list[str]:
        """The study's score, then others that are usual for classifications."""
        known = {name for row in self.rows for name in row.metrics}
        others = [name for name in CLASS_METRICS if name in known and name != self.score]
        return [self.score, *(others if self.score in CLASS_SCORES else [])]

    @property
    def unit(self) -> tuple[float, str]:
        """The unit in which the largest total has one to three digits before the point: grams in it, and its name."""
        largest = max((row.total.carbon_g for row in self.rows), default=0.0)
        return next(((grams, name) for grams, name in UNITS if largest >= grams), UNITS[-1])

    def text(self) -> Group:
        """Two tables for a terminal of 80 columns: stages, then totals with scores."""
        grams, unit = self.unit
        stages = plain_table("", *(SHORT.get(stage, stage.capitalize()) for stage in self.stages))
        totals = plain_table(
            "", f"Total {unit}", "+-", "J", "s", "1,000 pred", *(SHORT.get(name, name) for name in self.scores)
        )
        for row in self.rows:
            stages.add_row(row.label, *map(_compact, self._by_stage(row)))
            total, per_1000 = row.total, "-" if row.per_1000_g is None else readable_grams(row.per_1000_g)
            if row.reason:
                totals.add_row(row.label, "failed")
                continue
            numbers = (total.carbon_g / grams, total.uncertainty_g / grams, total.energy_j, total.duration_s)
            totals.add_row(row.label, *map(digits, numbers), per_1000, *self._scores(row))
        heading = f"{self.title}: grams of CO2 equivalent by stage (m: milli, u: micro, n: nano)"
        return Group(heading, stages, "", totals, *self.notes)

    def csv(self) -> str:
        """All numbers with all digits, grams, joules and seconds; one line per pipeline."""
        lines = []
        for row in self.rows:
            total = row.total
            lines.append(
                {
                    "model": row.label,
                    **{f"{s}_g": g for s, g in zip(self.stages, self._by_stage(row), strict=True)},
                    "total_g": total.carbon_g,
                    "uncertainty_g": total.uncertainty_g,
                    **{name: row.metrics.get(name, row.score) for name in self.scores},
                    "energy_j": total.energy_j,
                    "duration_s": total.duration_s,
                    "per_1000_predictions_g": row.per_1000_g,
                    "reason": row.reason,
                }
            )
        return csv_text(lines)

    def latex(self) -> str:
        """A `tabular` with the columns of CEMAI's table; needs the package booktabs."""
        grams, unit = self.unit
        headings = [
            "Model",
            *(latex_escaped(s.capitalize()) for s in self.stages),
            "Total",
            *map(latex_escaped, self.scores),
        ]
        rows = []
        for row in self.rows:
            cells = [digits(g / grams) if g else "--" for g in self._by_stage(row)]
            total = rf"{digits(row.total.carbon_g / grams)} $\pm$ {digits(row.total.uncertainty_g / grams)}"
            rows.append([latex_escaped(row.label), *cells, total, *self._scores(row)])
        notes = (f"{self.title}: {unit} of CO2 equivalent by stage", *self.notes)
        return latex_tabular([headings], rows, notes=notes)

    def _by_stage(self, row: EmissionRow) -> list[float]:
        return [row.stages[stage].carbon_g if stage in row.stages else 0.0 for stage in self.stages]

    def _scores(self, row: EmissionRow) -> list[str]:
        values = (row.metrics.get(name, row.score if name == self.score else None) for name in self.scores)
        return ["-" if value is None else f"{value:.3f}" for value in values]


def plain_table(*headings: str, n_left: int = 1) -> Table:
    """A table without lines, whose first `n_left` columns hold text, the others numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i < n_left else "right", no_wrap=True)
    return table


def _compact(carbon_g: float) -> str:
    """Grams in at most five characters, with the prefix of their unit.

    >>> [_compact(grams) for grams in (0.0, 1.234e-9, 4.5678e-5, 0.9996, 12.3)]
    ['-', '1.23n', '45.7u', '1', '12.3']
    """
    if carbon_g == 0.0:
        return "-"
    number, unit = readable_grams(carbon_g).split(" ")
    return f"{number}{unit.removesuffix('g')}"


def digits(number: float) -> str:
    """Three significant digits without an exponent.

    >>> [digits(number) for number in (0.0, 0.00012345, 0.1, 12.345, 1234.5)]
    ['0', '0.000123', '0.1', '12.3', '1230']
    """
    return f"{Decimal(f'{number:.3g}'):f}"


def latex_tabular(
    headings: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], *, notes: Sequence[str], n_left: int = 1
) -> str:
    """A `tabular` with rules (package booktabs) and notes as comments; the first `n_left` columns hold text."""
    return "\n".join(
        [
            *(f"% {note}" for note in notes),
            rf"\begin{{tabular}}{{{'l' * n_left}{'r' * (len(headings[-1]) - n_left)}}}",
            r"\toprule",
            *(" & ".join(cells) + r" \\" for cells in headings),
            r"\midrule",
            *(" & ".join(cells) + r" \\" for cells in rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def latex_escaped(text: str) -> str:
    """The text for LaTeX, outside mathematics."""
    return text.replace("_", r"\_").replace("%", r"\%").replace("&", r"\&").replace("#", r"\#")
