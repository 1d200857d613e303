"""The options of a study, read from its fields: the command line, Python and docs/options.md are generated from them.

`python -m cemai_opt.options` prints docs/options.md.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.option import OPTION
from cemai_opt.core.search_spec import implied_settings
from cemai_opt.core.study import StudySpec
from cemai_opt.core.study_file import parse_study

NAMES_OF_PARTS = ("sampler", "score", "engine", "meter")
"""Options whose values are names of parts, in which dashes are replaced by underscores (`nsga2-stock`)."""
INTENSITIES = {"country": ("country",), "cloud": ("cloud",), "intensity": ("intensity_g_per_kwh", "live")}
"""Options that set the carbon intensity, and the fields of a study's `carbon` that they set."""


@dataclass(frozen=True, kw_only=True)
class StudyOption:
    """One option: its name in Python, its place in a study file, its type, and its help text."""

    name: str
    place: tuple[str, ...]
    kind: type
    """bool, int, float, str, or tuple for names separated by commas."""
    choices: tuple[str, ...]
    default: Any
    default_text: str
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        """The option on the command line.

        >>> study_options()["budget_grams"].flag
        '--budget-grams'
        """
        return f"--{self.name.replace('_', '-')}"

    @property
    def section(self) -> str:
        """The section of the study that contains the option; "study" for the study itself."""
        return self.place[0] if len(self.place) > 1 else "study"


@cache
def study_options() -> Mapping[str, StudyOption]:
    """Every option by name, in the order of the study's fields."""
    found = list(_options_in(StudySpec, ()))
    by_name = {option.name: option for option in found}
    assert len(by_name) == len(found), "two options have one name"
    return by_name


def _options_in(model: type[BaseModel], place: tuple[str, ...]) -> Iterator[StudyOption]:
    for key, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _options_in(field.annotation, (*place, key))
        elif isinstance(field.json_schema_extra, dict) and OPTION in field.json_schema_extra:
            yield _option_of(field, (*place, key))


def _option_of(field: FieldInfo, place: tuple[str, ...]) -> StudyOption:
    assert isinstance(field.json_schema_extra, dict), "the caller has checked this"
    extra: Any = field.json_schema_extra[OPTION]
    kind, choices = _kind_of(field.annotation)
    return StudyOption(
        name=extra["name"],
        place=place,
        kind=kind,
        choices=choices,
        default=field.default,
        default_text=extra["default_text"] or _default_text(field.default),
        metavar=extra["metavar"],
        help=field.description or "",
    )


def _kind_of(annotation: Any) -> tuple[type, tuple[str, ...]]:
    """The type of an option's value, and its choices if it has any."""
    if get_origin(annotation) is Literal:
        return str, tuple(str(choice) for choice in get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType):
        (inner,) = (arg for arg in get_args(annotation) if arg is not type(None))
        return _kind_of(inner)
    if get_origin(annotation) is tuple:
        return tuple, ()
    return annotation, ()


def _default_text(default: Any) -> str:
    """A default in words; empty if there is none."""
    if default is None or default in ("", ()):
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:,.10g}".replace(",", "") if isinstance(default, float) else str(default)


def changed(study: StudySpec, options: Mapping[str, Any]) -> StudySpec:
    """The study with every given option set; None leaves an option unchanged.

    StudyError if an option is unknown or invalid. An empty string removes a value: `group=""`.
    """
    known = study_options()
    for name in options:
        if name not in known:
            raise StudyError(f"there is no option {name!r}", nearest(name, known))
    document = study.to_json()
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name == "intensity":
            document["carbon"].update(_intensity(value))
        else:
            _put(document, known[name].place, value=_normal(name, value))
    in_search = {
        known[name].place[-1]: value for name, value in given.items() if known[name].section == "search" and value != ""
    }
    unless = in_search.keys() if "preset" in given else in_search.keys() | study.search.model_fields_set
    for key, value in implied_settings(in_search).items():
        if key not in unless:
            document["search"][key] = value
    if "data" in given:
        _reset_for_other_data(document, study, given=given)
    if given.keys() & INTENSITIES.keys():  # the newer source replaces the older one
        document["carbon"]["origin"] = ""
        for name in INTENSITIES.keys() - given.keys():
            document["carbon"].update(dict.fromkeys(INTENSITIES[name]))
    return parse_study(document, "options")


def _put(document: dict[str, Any], place: tuple[str, ...], *, value: Any) -> None:
    for step in place[:-1]:
        document = document[step]
    document[place[-1]] = value


def _normal(name: str, value: Any) -> Any:
    if isinstance(value, str) and name in NAMES_OF_PARTS and "." not in value:
        value = value.replace("-", "_")
    return None if value == "" else value


def _reset_for_other_data(document: dict[str, Any], study: StudySpec, *, given: Mapping[str, Any]) -> None:
    """Resets the split and the test rows, unless given, because the data is not the study's own."""
    document["data"]["source"] = "tabular"
    if "split" not in given:
        document["split"]["by"] = "auto"
    if "folds" not in given:
        document["split"]["folds"] = None
    if document["data"]["path"] != study.data.path and "test" not in given:
        document["data"]["test"] = None
    if document["data"]["path"] != study.data.path and "append" not in given:
        document["data"]["append"] = ()
        document["data"]["test_last"] = 0.0 if "test_last" not in given else document["data"]["test_last"]


def _intensity(text: object) -> dict[str, float | str | None]:
    """A number is a constant intensity; a file or a command gives it over time."""
    try:
        return {"intensity_g_per_kwh": float(str(text)), "live": None}
    except ValueError:
        return {"intensity_g_per_kwh": None, "live": str(text)}


def study_name_of(path: str) -> str:
    """A study's name from a data path: letters, digits, dashes and underscores.

    >>> study_name_of("../my data/press line.csv.gz")
    'press_line'
    """
    stem = Path(path.rstrip("/")).name.split(".")[0]
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem).lstrip("_-")
    return name[:80] or "study"


def options_page() -> str:
    """The contents of docs/options.md: every option by section, with its place in a study file and its default."""
    titles = {
        "data": "Data",
        "study": "The study",
        "split": "Splits",
        "search": "Search",
        "objective": "Objective",
        "carbon": "Energy and carbon",
        "engine": "Where trials run",
    }
    lines = [
        "# Options",
        "",
        "<!-- generated by `python -m cemai_opt.options` from the fields of the study -->",
        "",
        "On the command line, in Python (`optimize(trials=100)`) and in a study file (`search: {trials: 100}`).",
    ]
    for section, title in titles.items():
        lines += ["", f"## {title}", "", "| option | in a study file | what it does | default |", "|---|---|---|---|"]
        for option in study_options().values():
            if option.section == section:
                value = "\\|".join(option.choices) or option.metavar.replace("|", "\\|")
                flag = f"`{option.flag}`" if option.kind is bool else f"`{option.flag} {value}`"
                lines.append(f"| {flag} | `{'.'.join(option.place)}` | {option.help} | {option.default_text or '-'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(options_page(), end="")
