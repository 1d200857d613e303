"""One self-contained page about a run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cemai_opt.core.registry import need
from cemai_opt.core.units import readable_grams
from cemai_opt.core.yaml_text import yaml_text
from cemai_opt.report._drawing import ON_PAGE
from cemai_opt.report.columns import Column, error_text, grams_column, member_columns, score_text
from cemai_opt.report.figures import all_figures, front_figure
from cemai_opt.report.page_data import page_data
from cemai_opt.report.tables import legend
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.recommendation import BALANCED, recommendation_lines, recommendations_of, yearly_use
from cemai_opt.runs.run_folder import RunFolder, write_file
from cemai_opt.runs.run_view import RunView

HTML, PNG, SVG = "report.html", "front.png", "front.svg"
TEMPLATE = Path(__file__).with_name("report.html.jinja")
SCRIPTS = tuple(Path(__file__).with_name(name) for name in ("report_errors.js", "report.js"))
REPORT_LIBRARIES = ("matplotlib", "jinja2")


def write_report(folder: RunFolder, out: Path | None = None) -> list[Path]:
    """Writes the page, and the front as PNG and SVG for papers, to the run's folder or `out`; returns the paths.

    StudyError if the run has no front yet, or a library is missing.
    """
    need(*REPORT_LIBRARIES)
    view, out = RunView.of(folder), out or folder.path
    written = [out / HTML]
    write_file(out / HTML, html_report(view))
    if view.members:
        figure = front_figure(view)
        for name in (PNG, SVG):
            write_file(out / name, figure.file(name.rpartition(".")[2]))
            written.append(out / name)
    return written


def html_report(view: RunView) -> str:
    """The page as text; it loads no other files. Without its script it shows the same in fixed pictures and tables."""
    import jinja2
    import markupsafe

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    markup = markupsafe.Markup
    script = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=f"{view.study.name}: score against grams of CO2",
        subtitle=_subtitle(view),
        headline=_headline(view),
        cards=_cards(view),
        warnings=view.warnings,
        figures=[
            {"name": figure.name, "alt": figure.alt, "svg": markup(figure.svg())}
            for figure in all_figures(view, ON_PAGE)
        ],
        legend=legend(view.front).replace("\n", "; ") + ".",
        columns=_columns(view),
        members=view.front.table_members,
        knee=view.front.knee_trial,
        payback=view.payback_lines,
        advice=recommendation_lines(view.front, yearly_use(view.study.objective)),
        data=markup(page_data(view)),
        ledgers=_ledgers(view),
        facts=measuring_facts(view),
        configs=[{"title": member.name, "text": yaml_text(member.config.mapping())} for member in view.members],
        script=markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _subtitle(view: RunView) -> str:
    search, data = view.front.search, view.study.data
    what = f"{Path(data.path).name}, target {data.target}" if data.path else f"{data.source} data"
    return (
        f"{view.study.task} on {what}. {search.trials} trials ({view.summary.ended}): {search.complete} complete, "
        f"{search.pruned} pruned, {search.failed} failed; {search.curve_candidates} added from learning curves."
    )


def _headline(view: RunView) -> str:
    """What a reader has to know who reads one sentence."""
    use, front = yearly_use(view.study.objective), view.front
    chosen = next((each for each in recommendations_of(front, use) if BALANCED in each.names), None)
    spent = f"The search cost {readable_grams(front.search.carbon_g)} CO2eq."
    if chosen is None:
        return f"Nothing is recommended: {front.why_none}. {spent}" if front.members else spent
    member, score = chosen.member, f"reaches {front.score} {chosen.member.validation:.3f}"
    if front.score == "r2":
        score = f"explains {member.validation:.0%} of the variance of {view.study.data.target or 'the target'}"
    tested = ""
    if member.test is not None:
        tested = f" ({f'{member.test:.0%}' if front.score == 'r2' else f'{member.test:.3f}'} on the test rows)"
    where = "on rows" if view.study.split.by != "group" else "in groups"
    saved = ""
    best = front.best
    if best is not None and best.trial != member.trial and use.grams(member) > 0.0:
        saved = f", {use.grams(best) / use.grams(member):.1f} times less than the best one"
    return (
        f"The balanced pipeline ({member.model}) {score} {where} that it was not trained on{tested}, and emits "
        f"{readable_grams(use.grams(member))} CO2eq a year{saved}. {spent}"
    )


@dataclass(frozen=True)
class Card:
    """One key figure at the top of the page, with its name and a line of detail."""

    what: str
    value: str
    more: str = ""


def _cards(view: RunView) -> list[Card]:
    cards = []
    for what, member in (("knee", view.front.knee), ("best", view.front.best)):
        if member is not None:
            test = "not tested" if member.test is None else f"test {score_text(member.test)}"
            error = f" +- {error_text(member.error)}" if member.error else ""
            more = f"trial {member.trial}: {view.front.score} {score_text(member.validation)}{error}, {test}"
            cards.append(Card(what, f"{member.model}, {readable_grams(member.carbon_g)}", more))
    if len(view.members) > 1:
        grams = [member.carbon_g for member in view.members]
        cards.append(Card("most expensive over greenest member", f"{max(grams) / min(grams):.1f} x"))
    by_entry = view.summary.search.carbon_g_by.entry
    spent = ", ".join(f"{name} {readable_grams(grams)}" for name, grams in by_entry.items())
    search = view.front.search
    box = "share of the box from error 1 to 0.001 and from the cheapest to the most expensive trial, in logarithms"
    return [
        *cards,
        Card("the search has spent", f"{readable_grams(search.carbon_g)} CO2eq", spent),
        Card("hypervolume", f"{search.hypervolume:.3f}", box),
    ]


def _columns(view: RunView) -> list[Column]:
    """The table of members: one row per member, one column per stage."""
    *columns, mark = member_columns(view.front)
    seconds = Column(heading="s", value=lambda m: m.duration_s, text=lambda m: f"{m.duration_s:.3f}")
    stages = [replace(grams_column(stage, _grams_of(stage)), is_detail=True) for stage in view.stages]
    return [replace(column, value=_plain(column)) for column in (*columns, seconds, *stages, mark)]


def _grams_of(stage: str) -> Any:
    return lambda member: member.stage_g(stage)


def _plain(column: Column) -> Any:
    """Values to sort by, as text; empty for None."""

    def value(member: FrontMember) -> str:
        found = column.value(member)
        return "" if found is None else str(found)

    return value


@dataclass(frozen=True)
class LedgerRow:
    """Grams of one kind of spending, and its share of all."""

    name: str
    grams: str
    share: str


def _ledgers(view: RunView) -> list[tuple[str, list[LedgerRow]]]:
    by, total = view.summary.search.carbon_g_by, view.front.search.carbon_g or 1.0

    def rows(grams_by_name: Mapping[str, float]) -> list[LedgerRow]:
        ordered = sorted(grams_by_name.items(), key=lambda item: -item[1])
        return [LedgerRow(name, readable_grams(grams), f"{grams / total:.1%}") for name, grams in ordered]

    return [("by entry", rows(by.entry)), ("by model", rows(by.model)), ("by stage", rows(by.stage))]


def measuring_facts(view: RunView) -> list[tuple[str, str]]:
    """How the run was measured, as pairs of a name and a sentence."""
    carbon, machine, footprint = view.summary.carbon, view.summary.machine, view.summary.footprint
    facts = [
        ("machine", f"{machine.cpu}, {machine.usable_threads} of {machine.threads} threads"),
        ("system", f"{machine.system}, Python {machine.python}"),
        *(("meter", source) for source in carbon.sources),
        ("uncertainty", _uncertainty(view.members)),
        ("carbon intensity", f"{carbon.intensity_g_per_kwh:g} g/kWh ({view.study.carbon.origin})"),
        ("power usage effectiveness", f"{carbon.pue:g}"),
    ]
    if footprint.sessions:
        whole = (
            f"{readable_grams(footprint.carbon_g)} for {footprint.wall_s:.0f} s, idle power included, as if the "
            "machine had been switched on for this run alone; not to be added to the grams above"
        )
        facts.append(("footprint", whole))
    facts.append(("versions", ", ".join(f"{name} {version}" for name, version in view.summary.versions.items())))
    return facts


def _uncertainty(members: Sequence[FrontMember]) -> str:
    shares = [member.uncertainty_g / member.carbon_g for member in members if member.carbon_g > 0]
    if not shares:
        return "no member yet"
    return (
        f"one standard uncertainty, {min(shares):.1%} to {max(shares):.1%} of a member's grams; the error that all of "
        "them share (the processor's power without energy counters, about 50 %) is not included"
    )
