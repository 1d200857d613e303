"""The same pipelines on several machines, as in CEMAI's table of hardware, and at other carbon intensities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table

from cemai_opt.core.errors import StudyError
from cemai_opt.core.units import grams_co2eq, readable_grams
from cemai_opt.report.emission_table import digits, latex_escaped, latex_tabular, plain_table
from cemai_opt.runs.measured import MeasuredPipeline, MeasuredRecord
from cemai_opt.runs.run_folder import csv_text

SAME_SCORE = 1e-6
"""Largest difference of scores that count as equal."""


@dataclass(frozen=True)
class Ratio:
    """A ratio of two energies, with its standard uncertainty."""

    value: float
    uncertainty: float

    @staticmethod
    def of(measured: tuple[float, float], reference: tuple[float, float]) -> Ratio:
        """The ratio of joules, each given with its uncertainty; the errors of two machines are independent."""
        value = measured[0] / reference[0]
        return Ratio(value, value * math.hypot(measured[1] / measured[0], reference[1] / reference[0]))


@dataclass(frozen=True, kw_only=True)
class HardwareRow:
    """A pipeline of a case with what it took on each machine, None where it was not measured."""

    case: str
    label: str
    by_machine: tuple[MeasuredPipeline | None, ...]

    def energy_j(self, machine: int) -> tuple[float, float] | None:
        """Joules of one run, all stages, with their uncertainty."""
        measured = self.by_machine[machine]
        return None if measured is None else (measured.cost.energy_j, measured.cost.uncertainty_j)

    def ratio(self, machine: int) -> Ratio | None:
        """Joules relative to the first machine; None if either is missing."""
        own, reference = self.energy_j(machine), self.energy_j(0)
        return None if own is None or reference is None else Ratio.of(own, reference)


@dataclass(frozen=True, kw_only=True)
class HardwareTable:
    """Pipelines that at least two machines have measured, if there are two. `intensities`: other g/kWh, by name."""

    records: Sequence[MeasuredRecord]
    rows: Sequence[HardwareRow]
    intensities: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def of(records: Sequence[MeasuredRecord], intensities: Mapping[str, float]) -> HardwareTable:
        """The table of records with different labels. StudyError if they have no pipeline in common.

        Records of one machine for several cases are joined. A pipeline is the same if configuration, rows and seed are.
        """
        labels = list(dict.fromkeys(record.label for record in records))
        found: dict[tuple[str, str, str], dict[int, MeasuredPipeline]] = {}
        names: dict[tuple[str, str, str], str] = {}
        for record in records:
            for pipeline in record.pipelines:
                if not pipeline.costs:
                    continue
                key = (record.case, f"{record.data} {record.seed}", pipeline.config.digest)
                measured = found.setdefault(key, {})
                if labels.index(record.label) in measured:
                    raise StudyError(
                        f"two records of {record.case} are labelled {record.label!r}", "measure with another --label"
                    )
                measured[labels.index(record.label)] = pipeline
                names.setdefault(key, pipeline.label)
        rows = [
            HardwareRow(case=key[0], label=names[key], by_machine=tuple(map(measured.get, range(len(labels)))))
            for key, measured in found.items()
            if len(measured) > 1 or len(labels) == 1
        ]
        if not rows:
            raise StudyError(
                "these records have no pipeline in common", "measure the same study, seed and data on each machine"
            )
        first = [next(record for record in records if record.label == label) for label in labels]
        return HardwareTable(records=first, rows=rows, intensities=intensities)

    @property
    def labels(self) -> list[str]:
        """Names of the machines."""
        return [record.label for record in self.records]

    @property
    def notes(self) -> list[str]:
        """What each machine is, how it was measured, and where scores differ."""
        notes = [
            f"{r.label}: {r.machine.cpu}, {r.device}, {r.threads} thread{'s' if r.threads > 1 else ''}, "
            f"{r.carbon.intensity_g_per_kwh:g} g/kWh, measured by {', '.join(r.sources)}"
            for r in self.records
        ]
        for row in self.rows:
            scores = [p.score for p in row.by_machine if p is not None and p.score is not None]
            if max(scores) - min(scores) > SAME_SCORE:
                notes.append(f"{row.case} {row.label}: scores from {min(scores):.3f} to {max(scores):.3f}")
        return notes

    def grams(self, row: HardwareRow, machine: int) -> tuple[float, float] | None:
        """Grams of one run with their uncertainty, at the intensity of the machine's own record."""
        energy, carbon = row.energy_j(machine), self.records[machine].carbon
        return None if energy is None else (carbon.grams(energy[0]), carbon.grams(energy[1]))

    def text(self) -> Group:
        """Grams by machine with ratios of joules to the first one; then grams at other intensities."""
        table = plain_table("case", "pipeline", *(name for label in self.labels for name in (label, "+-")), n_left=2)
        ratios = plain_table(
            "case", "pipeline", *(name for label in self.labels[1:] for name in (f"{label} /", "+-")), n_left=2
        )
        for row in self.rows:
            cells, compared = list[str](), list[str]()
            for machine in range(len(self.records)):
                measured = self.grams(row, machine)
                cells += ["-", ""] if measured is None else map(readable_grams, measured)
                ratio = row.ratio(machine)
                if machine:
                    compared += ["-", ""] if ratio is None else [digits(ratio.value), digits(ratio.uncertainty)]
            table.add_row(row.case, row.label, *cells)
            ratios.add_row(row.case, row.label, *compared)
        parts: list[RenderableType] = ["grams of CO2 equivalent of one run", table, ""]
        if len(self.labels) > 1:
            parts += [f"joules relative to {self.labels[0]}", ratios, ""]
        if self.intensities:
            parts += ["grams of one run at other carbon intensities (g/kWh)", self._what_if(), ""]
        return Group(*parts, *self.notes)

    def _what_if(self) -> Table:
        table = plain_table(
            "case", "pipeline", "machine", *(f"{n} ({g:.0f})" for n, g in self.intensities.items()), n_left=3
        )
        for row in self.rows:
            for machine, label in enumerate(self.labels):
                energy = row.energy_j(machine)
                if energy is not None:
                    pue = self.records[machine].carbon.pue
                    grams = (grams_co2eq(energy[0], g, pue=pue) for g in self.intensities.values())
                    table.add_row(row.case, row.label, label, *map(readable_grams, grams))
        return table

    def csv(self) -> str:
        """One line per pipeline and machine, with joules and grams, also at other intensities."""
        lines = []
        for row in self.rows:
            for machine, record in enumerate(self.records):
                energy, grams, ratio = row.energy_j(machine), self.grams(row, machine), row.ratio(machine)
                measured = row.by_machine[machine]
                if energy is None or grams is None or measured is None:
                    continue
                lines.append(
                    {
                        "case": row.case,
                        "pipeline": row.label,
                        "machine": record.label,
                        "score": measured.score,
                        "repeats": len(measured.costs),
                        "energy_j": energy[0],
                        "energy_uncertainty_j": energy[1],
                        "carbon_g": grams[0],
                        "uncertainty_g": grams[1],
                        "ratio": None if ratio is None else ratio.value,
                        "ratio_uncertainty": None if ratio is None else ratio.uncertainty,
                        **{
                            f"carbon_g_{name}": grams_co2eq(energy[0], g, pue=record.carbon.pue)
                            for name, g in self.intensities.items()
                        },
                    }
                )
        return csv_text(lines)

    def latex(self) -> str:
        """A `tabular` like CEMAI's, grams by machine; needs the package booktabs."""
        over = ["", "", rf"\multicolumn{{{len(self.labels)}}}{{c}}{{Carbon emissions (mgCO$_2$eq)}}"]
        headings = ["Case study", "Model", *map(latex_escaped, self.labels)]
        rows = []
        for row in self.rows:
            cells = []
            for machine in range(len(self.records)):
                grams = self.grams(row, machine)
                cells.append("--" if grams is None else rf"{digits(1e3 * grams[0])} $\pm$ {digits(1e3 * grams[1])}")
            rows.append([latex_escaped(row.case), latex_escaped(row.label), *cells])
        return latex_tabular([over, headings], rows, notes=self.notes, n_left=2)
