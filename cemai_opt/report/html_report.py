"""One self-contained page about a run."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from cemai_opt.core.registry import need
from cemai_opt.core.units import readable_grams
from cemai_opt.report._drawing import ON_PAGE
from cemai_opt.report.figures import all_pictures, front_picture
from cemai_opt.report.payback import payback_lines
from cemai_opt.report.run_folder import RunFolder, write_bytes, write_text, yaml_text
from cemai_opt.report.run_view import Member, RunView
from cemai_opt.report.tables import legend

HTML, PNG, SVG = "report.html", "front.png", "front.svg"
TEMPLATE, SCRIPT = Path(__file__).with_name("report.html.jinja"), Path(__file__).with_name("sort_tables.js")
LIBRARIES = ("matplotlib", "jinja2")


def write_report(folder: RunFolder, out: Path | None = None) -> list[Path]:
    """Writes the page, and the front as PNG and SVG for papers, into the run's folder or `out`: their paths.

    StudyError where the run has no front yet, or a library is missing.
    """
    need(*LIBRARIES)
    view, out = RunView.of(folder), out or folder.path
    written = [out / HTML]
    write_text(out / HTML, html_report(view))
    if view.members:
        picture = front_picture(view)
        for name in (PNG, SVG):
            write_bytes(out / name, picture.file(name.rpartition(".")[2]))
            written.append(out / name)
    return written


def html_report(view: RunView) -> str:
    """The page as text; it loads nothing, and runs no script but its own, which sorts the table."""
    import jinja2
    import markupsafe

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    markup = markupsafe.Markup
    script = SCRIPT.read_text(encoding="utf-8")
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=f"{view.study.name}: score against grams of CO2",
        subtitle=_subtitle(view),
        cards=_cards(view),
        warnings=view.warnings,
        pictures=[
            {"name": picture.name, "alt": picture.alt, "svg": markup(picture.svg())}
            for picture in all_pictures(view, ON_PAGE)
        ],
        legend=legend(view.front).replace("\n", "; ") + ".",
        member_table=_member_table(view),
        payback=payback_lines(view.front),
        ledgers=_ledgers(view),
        facts=measuring_facts(view),
        configs=[{"title": f"trial {m['trial']} ({m['model']})", "text": yaml_text(m["config"])} for m in view.members],
        script=markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _subtitle(view: RunView) -> str:
    search, data = view.front["search"], view.study.data
    what = f"{Path(data.path).name}, target {data.target}" if data.path else f"{data.source} data"
    return (
        f"{view.study.task} on {what}. {search['trials']} trials ({view.summary['ended']}): {search['complete']} "
        f"complete, {search['pruned']} ended early, {search['failed']} failed; {search['harvested']} harvested."
    )


def _cards(view: RunView) -> list[dict[str, str]]:
    cards = []
    for what, member in (("knee", view.knee), ("best on validation", view.best)):
        if member is not None:
            test = "not tested" if member["test"] is None else f"test {member['test']:.3f}"
            cards.append(
                {
                    "what": what,
                    "value": f"{member['model']}, {readable_grams(member['carbon_g'])}",
                    "more": f"trial {member['trial']}: {view.front['score']} {member['validation']:.3f}, {test}",
                }
            )
    if len(view.members) > 1:
        grams = [m["carbon_g"] for m in view.members]
        cards.append({"what": "dearest over greenest member", "value": f"{max(grams) / min(grams):.1f} x", "more": ""})
    search = view.front["search"]
    entries = view.summary["search"]["carbon_g_by"]["entry"]
    cards.append(
        {
            "what": "the search has spent",
            "value": f"{readable_grams(search['carbon_g'])} CO2eq",
            "more": ", ".join(f"{name} {readable_grams(grams)}" for name, grams in entries.items()),
        }
    )
    cards.append(
        {
            "what": "hypervolume",
            "value": f"{search['hypervolume']:.3f}",
            "more": "share of the box from score 0 to 1 and from the cheapest to the dearest trial",
        }
    )
    return cards


def _member_table(view: RunView) -> dict[str, Any]:
    """The slides' table: a row a member, a column a stage."""
    words = ("model", "mark")
    names = ["trial", "model", "validation", "test", "gCO2eq", "+-", "s", *view.stages, "mark"]
    rows = [
        {
            "is_knee": member["trial"] == view.front["knee"],
            "cells": [
                {"value": _plain(value), "shown": shown, "is_text": name in words}
                for name, (value, shown) in zip(names, _cells(view, member), strict=True)
            ],
        }
        for member in [*view.members, *view.untuned]
    ]
    return {"columns": [{"name": name, "is_text": name in words} for name in names], "rows": rows}


def _cells(view: RunView, member: Member) -> list[tuple[Any, str]]:
    """Values to sort by, and what is shown."""
    test = member["test"]
    stages = [member["stages"].get(stage, {}).get("carbon_g", 0.0) for stage in view.stages]
    mark = view.mark_of(member)
    return [
        (member["trial"], str(member["trial"])),
        (member["model"], member["model"]),
        (member["validation"], f"{member['validation']:.3f}"),
        (test, "-" if test is None else f"{test:.3f}"),
        (member["carbon_g"], readable_grams(member["carbon_g"])),
        (member["uncertainty_g"], readable_grams(member["uncertainty_g"])),
        (member["duration_s"], f"{member['duration_s']:.3f}"),
        *((grams, readable_grams(grams)) for grams in stages),
        (mark, mark),
    ]


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _ledgers(view: RunView) -> list[dict[str, Any]]:
    by, total = view.summary["search"]["carbon_g_by"], view.front["search"]["carbon_g"] or 1.0
    titles = {"entry": "on what", "model": "on which models", "stage": "in which stages"}
    return [
        {
            "what": title,
            "rows": [
                {"name": name, "grams": readable_grams(grams), "share": f"{grams / total:.1%}"}
                for name, grams in sorted(by[key].items(), key=lambda item: -item[1])
            ],
        }
        for key, title in titles.items()
    ]


def measuring_facts(view: RunView) -> list[tuple[str, str]]:
    """How the run was measured, in words."""
    carbon, machine, footprint = (view.summary[key] for key in ("carbon", "machine", "footprint"))
    facts = [
        ("machine", f"{machine['cpu']}, {machine['usable_threads']} of {machine['threads']} threads"),
        ("system", f"{machine['system']}, Python {machine['python']}"),
        *(("meter", source) for source in carbon["sources"]),
        ("uncertainty", _uncertainty(view.members)),
        ("carbon intensity", f"{carbon['intensity_g_per_kwh']:g} g/kWh ({view.study.carbon.origin})"),
        ("power usage effectiveness", f"{carbon['pue']:g}"),
    ]
    if footprint["sessions"]:
        whole = (
            f"{readable_grams(footprint['carbon_g'])} for {footprint['wall_s']:.0f} s, idle power included, "
            "as if the machine were switched on for this alone; not to be mixed with the grams above"
        )
        facts.append(("footprint", whole))
    facts.append(("versions", ", ".join(f"{name} {version}" for name, version in view.summary["versions"].items())))
    return facts


def _uncertainty(members: list[Member]) -> str:
    shares = [m["uncertainty_g"] / m["carbon_g"] for m in members if m["carbon_g"] > 0]
    if not shares:
        return "no member yet"
    return (
        f"one standard uncertainty, {min(shares):.1%} to {max(shares):.1%} of a member's grams; what is common to all "
        "of them (the processor's power without energy counters, about 50 %) is not in it"
    )
