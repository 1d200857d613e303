"""Studies, search spaces and options with values that nobody expects."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.compose import load_study, prepare
from cemai_opt.core.shipped import shipped
from cemai_opt.core.yaml_text import parsed_yaml, yaml_text
from cemai_opt.engines import ENGINES
from cemai_opt.options import changed, study_options
from cemai_opt.search.samplers import sampler_named
from cemai_opt.spaces import build_space, load_portfolio, load_space_spec

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**9, 10**400, 1e308, float("nan"), float("-inf"), "", " ", ".", "..", "../x", "/dev/null"),
    *("a\0b", "\ud800", "ü" * 300, "${HOME}", "$(true)", "~", "%n%s", "cmd:true", "2026-02-30", "1e5", "-0", "[", "{}"),
    *([], [[]], {}, {"a": 1}, [None], ["x"] * 50, {"": ""}, "nsga2", "os.system", "a.b.c", "..."),
)
TEXTS = (
    "a: &a [*a]",
    "- " * 2000,
    "{" * 300,
    "? ",
    "!!python/name:os.system",
    "a: 2026-02-30",
    "a: " + "9" * 5000,
    "%YAML 9.9\n---\na",
    "\t",
    "a: b: c",
    "\x00",
    "a: !!binary x",
    "<<: *x",
)


def random_study(rng: np.random.Generator) -> str:
    """The text of a study file, or of something like it."""
    if rng.random() < 0.1:
        return str(rng.choice(TEXTS))
    names = sorted(shipped("studies"))
    document = parsed_yaml(shipped("studies")[str(rng.choice(names))].read_text())
    for _ in range(int(rng.integers(1, 4))):
        _change(document, rng)
    try:
        text = yaml_text(document)
    except (ValueError, TypeError):
        text = repr(document)
    if rng.random() < 0.1:
        place = int(rng.integers(len(text)))
        text = text[:place] + str(rng.choice([":", "-", "\t", "&a", "*a", "'", "{", "\n  "])) + text[place:]
    return text


def _change(document: Any, rng: np.random.Generator) -> None:
    """Puts an odd value somewhere: at a known key, at an option's place, or at a new one."""
    places = [option.place for option in study_options().values()]
    place = places[int(rng.integers(len(places)))]
    if rng.random() < 0.1:
        place = (*place[:-1], str(rng.choice(["nmae", "", "search", "0"])))
    for step in place[:-1]:
        if not isinstance(document.get(step), dict):
            document[step] = {}
        document = document[step]
    document[place[-1]] = copy.deepcopy(ODD[int(rng.integers(len(ODD)))])


def check_study(text: str, folder: Path) -> None:
    """Everything that a search reads before its first trial. CemaiError is fine."""
    path = folder / "study.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    study = load_study(str(path))
    sampler_named(study.search.sampler)
    ENGINES.require(study.engine.name)
    load_portfolio(study.search.portfolio)
    spec, where = load_space_spec(study.space if study.space != "auto" else "default")
    build_space(spec, where, task="regression")
    if study.data.source == "demo":
        prepare(study, data_root=folder)


def random_space(rng: np.random.Generator) -> str:
    """The text of a search space file, or of something like it."""
    keys = ["models", "skip_stages", "hyperparameters", "description", "genes", "x"]
    document = {str(rng.choice(keys)): copy.deepcopy(ODD[int(rng.integers(len(ODD)))]) for _ in range(2)}
    if rng.random() < 0.6:
        names = ["ridge.alpha", "train.model", "featurize.rolling", "featurize.window_rows", "xgboost.max_depth", "x.y"]
        low, high = (ODD[int(rng.integers(len(ODD)))] for _ in range(2))
        value = {"low": low, "high": high} if rng.random() < 0.5 else low
        document["hyperparameters"] = {str(rng.choice(names)): value}
    try:
        return yaml_text(document)
    except (ValueError, TypeError):
        return repr(document)


def check_space(text: str, folder: Path) -> None:
    """A search space file on its own."""
    path = folder / "space.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    spec, where = load_space_spec(str(path))
    build_space(spec, where, task="regression")


def check_options(rng: np.random.Generator) -> None:
    """Odd values of options, as the Python API takes them."""
    names = list(study_options())
    given = {str(rng.choice(names)): copy.deepcopy(ODD[int(rng.integers(len(ODD)))]) for _ in range(3)}
    changed(load_study("demo"), given)
