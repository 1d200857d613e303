"""The figures of a run as plotly documents, for Optuna's dashboard."""

from __future__ import annotations

from typing import Any

from cemai_opt.report._drawing import FAMILY_COLORS, STAGE_COLORS
from cemai_opt.report.figures import family_colors
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.run_view import RunView

Document = dict[str, Any]


def plotly_figures(view: RunView) -> dict[str, Document]:
    """Figures by name: front on a log axis with uncertainties, hypervolume against grams, and grams by stage."""
    if not view.members:
        return {}
    return {"front": _front(view), "hypervolume": _hypervolume(view), "stages": _stages(view)}


def _front(view: RunView) -> Document:
    colors = family_colors(view)
    data: list[Document] = [
        _scatter(
            name,
            [(d.carbon_g, d.score) for d in points],
            texts=[f"trial {d.trial} {d.model}" for d in points],
            symbol=symbol,
        )
        for name, points, symbol in (
            ("complete", view.complete, "circle"),
            ("learning curve", view.curve_candidates, "diamond-open"),
        )
        if points
    ]
    steps = [(m.carbon_g, m.validation) for m in view.members]
    line = {"shape": "hv", "color": "#888888", "width": 1}
    data.append({"type": "scatter", "mode": "lines", "name": "front", "line": line, **_xy(steps), "hoverinfo": "skip"})
    for family in dict.fromkeys(m.model for m in view.members):
        own = [m for m in view.members if m.model == family]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": family,
                **_xy([(m.carbon_g, m.validation) for m in own]),
                "error_x": {"type": "data", "array": [m.uncertainty_g for m in own], "thickness": 1.2},
                "error_y": {"type": "data", "array": [m.error for m in own], "thickness": 1.2},
                "text": [_hover(view, m) for m in own],
                "hoverinfo": "text",
                "marker": {"size": 10, "color": colors[family]},
            }
        )
    if (average := view.front.average) is not None:
        point = [(average.carbon_g, average.validation)]
        data.append(_scatter(average.model, point, texts=[_hover(view, average)], symbol="star", color="#888888"))
    for untuned in view.beside:
        point = [(untuned.carbon_g, untuned.validation)]
        data.append(_scatter("untuned", point, texts=[_hover(view, untuned)], symbol="square-open", color="#888888"))
    tested = [(m, m.test) for m in [*view.candidates, *view.beside] if m.test is not None]
    points = [(m.carbon_g, test) for m, test in tested]
    data.append(
        _scatter("on test", points, texts=[_hover(view, m) for m, _ in tested], symbol="x-thin-open", color="#d55e00")
    )
    scores = [score for m in view.candidates for score in (m.validation, m.test) if score is not None]
    low, high = max(min(scores), -1.0), max(scores)
    margin = 0.5 * (high - low) + 0.02
    layout = _layout(f"Pareto front: {view.front.score} against {view.front.unit}", view.front.unit, x_type="log")
    layout["yaxis"] = {"title": {"text": f"{view.front.score} on validation"}, "range": [low - margin, high + 0.05]}
    return {"data": data, "layout": layout}


def _hypervolume(view: RunView) -> Document:
    line = {"shape": "hv", "color": FAMILY_COLORS[0]}
    layout = _layout("Hypervolume against grams spent", "gCO2eq spent by trials so far", x_type="log")
    layout["yaxis"] = {"title": {"text": "hypervolume"}}
    trace = {"type": "scatter", "mode": "lines", "name": "hypervolume", "line": line, **_xy(view.hypervolume)}
    return {"data": [trace], "layout": layout}


def _stages(view: RunView) -> Document:
    names = [f"trial {m.trial} {m.model}" for m in view.members]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": stage,
            "y": names,
            "x": [m.stage_g(stage) for m in view.members],
            "marker": {"color": STAGE_COLORS[i % len(STAGE_COLORS)]},
        }
        for i, stage in enumerate(view.stages)
    ]
    layout = _layout("Grams by stage", "gCO2eq of one run", x_type="linear")
    layout |= {"barmode": "stack", "yaxis": {"autorange": "reversed", "automargin": True}}
    return {"data": data, "layout": layout}


def _scatter(
    name: str, points: list[tuple[float, float]], *, texts: list[str], symbol: str, color: str = "#9a9a9a"
) -> Document:
    marker = {"size": 6, "symbol": symbol, "color": color}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "marker": marker,
        "text": texts,
        "hoverinfo": "text+x+y",
        **_xy(points),
    }


def _xy(points: list[tuple[float, float]]) -> Document:
    return {"x": [x for x, _ in points], "y": [y for _, y in points]}


def _layout(title: str, x_title: str, *, x_type: str) -> Document:
    axis = {"title": {"text": x_title}, "type": x_type, "exponentformat": "SI", "ticksuffix": "g"}
    return {"title": {"text": title}, "xaxis": axis, "hovermode": "closest", "margin": {"l": 70, "t": 50}}


def _hover(view: RunView, member: FrontMember) -> str:
    test = "" if member.test is None else f", test {member.test:.3f}"
    mark = view.front.mark_of(member)
    return (
        f"{member.label}{f' ({mark})' if mark else ''}<br>validation "
        f"{member.validation:.3f}{test}<br>{member.carbon_g:.3g} +- {member.uncertainty_g:.1g} g"
    )
