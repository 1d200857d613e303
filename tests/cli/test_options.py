"""Options are fields of the study, everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from click.testing import CliRunner

from cemai_opt.api import optimize
from cemai_opt.cli.optimize import command
from cemai_opt.cli.run import command as run_command
from cemai_opt.core.errors import StudyError
from cemai_opt.core.search_spec import BUDGETED_TRIALS, PRESETS
from cemai_opt.core.study import StudySpec
from cemai_opt.options import StudyOption, changed, options_page, study_options
from tests.conftest import ROOT

OPTIONS = list(study_options().values())
OTHER_VALUES: dict[str, Any] = {
    "country": "NOR",
    "storage": "sqlite:///x.db",
    "intensity": 55.5,
    "positive": "worn",
    "worth": "1 = 5mg",
    "test_last": 0.25,
}
"""Values that fit the options whose range their type does not give."""


def other_value(option: StudyOption) -> Any:
    """A valid value that is not the default."""
    if option.name in OTHER_VALUES:
        return OTHER_VALUES[option.name]
    if option.choices:
        return next(choice for choice in reversed(option.choices) if choice != option.default)
    if option.kind is bool:
        return not option.default
    return {tuple: ("a", "b"), str: "other", int: 7, float: 2.5}[option.kind]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_sets_its_field(option: StudyOption) -> None:
    """The one at its place in a study file, and no other one; a preset and a budget also set what they imply."""
    value = other_value(option)
    before, after = StudySpec().to_json(), changed(StudySpec(), {option.name: value}).to_json()
    place = after
    for step in option.place:
        place = place[step]
    assert place == (list(value) if option.kind is tuple else value)
    expected = before
    for step in option.place[:-1]:
        expected = expected[step]
    expected[option.place[-1]] = place
    expected |= PRESETS[value] if option.name == "preset" else {}
    expected |= {"trials": BUDGETED_TRIALS} if option.name == "budget_grams" else {}
    assert after == before


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_is_on_the_command_line(option: StudyOption) -> None:
    """With its help and default; a switch can be turned off."""
    (parameter,) = (p for p in command.params if option.flag in p.opts)
    assert isinstance(parameter, click.Option)
    assert parameter.name == option.name
    assert parameter.multiple == (option.kind is tuple)  # a list may also be given piece by piece
    assert (parameter.help or "").startswith(option.help)
    assert option.default_text in (parameter.help or "")
    if option.kind is bool:
        assert parameter.secondary_opts == [f"--no-{option.flag.removeprefix('--')}"]


def test_help_lists_all_of_them() -> None:
    """`optimize --help-all`; `run`, which searches nothing, has none of the search."""
    shown = CliRunner().invoke(command, ["--help-all"]).output
    assert all(option.flag in shown for option in OPTIONS)
    flags = {flag for parameter in run_command.params for flag in parameter.opts}
    assert {"--data", "--target", "--country"} <= flags
    assert not flags & {"--trials", "--sampler", "--objective", "--workers"}


def test_names_are_separated_by_commas() -> None:
    """Blanks around them do not count."""
    (parameter,) = (p for p in command.params if p.name == "ignore")
    context = command.make_context("optimize", ["--ignore", "a, b,,c "])
    assert context.params[str(parameter.name)] == ("a", "b", "c")
    assert command.make_context("optimize", []).params["ignore"] is None


def test_no_cache_is_a_cache_of_nothing() -> None:
    """`--no-cache`."""
    assert command.make_context("optimize", ["--no-cache"]).params["cache_mb"] == 0
    assert command.make_context("optimize", ["--cache-mb", "5"]).params["cache_mb"] == 5


def test_each_of_them_is_an_argument_in_python(wear: pd.DataFrame, tmp_path: Path) -> None:
    """None is the study's own value."""
    unset: dict[str, Any] = {option.name: None for option in OPTIONS if option.name != "data"}
    given = {"target": "tool_wear", "group": "run", "space": "quick", "engine": "in_process", "explain": "never"}
    run = optimize(wear, out=tmp_path / "run", **{**unset, **given, "trials": 1, "confirm": 0})
    assert run.summary.search.trials == 1


@pytest.mark.parametrize(
    ("wrong", "right"), [("trails", "trials"), ("budget_g", "budget_grams"), ("workrs", "workers")]
)
def test_an_unknown_option_is_refused_with_the_nearest(
    wrong: str, right: str, wear: pd.DataFrame, tmp_path: Path
) -> None:
    """In Python and on the command line; nothing runs."""
    with pytest.raises(StudyError, match=f"there is no option '{wrong}' \\(did you mean '{right}'"):
        optimize(wear, out=tmp_path / "run", **{wrong: 1})
    done = CliRunner().invoke(command, [f"--{wrong.replace('_', '-')}", "1"])
    assert done.exit_code == 2
    assert f"--{right.replace('_', '-')}" in done.output


def test_docs_list_them_as_they_are() -> None:
    """`python -m cemai_opt.options > docs/options.md`."""
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert page == options_page()
    assert all(f"`{option.flag}" in page and f"`{'.'.join(option.place)}`" in page for option in OPTIONS)


def test_a_list_may_be_given_in_pieces() -> None:
    """A repeated option adds to it, instead of keeping the last piece only."""
    (ignore,) = (p for p in command.params if "--ignore" in p.opts)
    context = click.Context(command)
    assert ignore.process_value(context, ("a,b", "c")) == ("a", "b", "c")
    assert ignore.process_value(context, ()) is None
