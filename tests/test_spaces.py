"""Search spaces and portfolios from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.shipped import shipped
from cemai_opt.core.space import MODEL, SearchSpaceSpec
from cemai_opt.spaces import NO_PORTFOLIO, PORTFOLIOS, build_space, load_portfolio, load_space_spec


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("name", shipped("search_spaces"))
def test_a_shipped_space_is_one_of_each_task(name: str, task: str) -> None:
    """With a model, and a condition for the hyperparameters of each."""
    spec, where = load_space_spec(name)
    space = build_space(spec, where, task=task)
    models = space.hyperparameters[MODEL].choices
    assert models
    owned = [h for full, h in space.hyperparameters.items() if full.split(".")[0] in models]
    assert all(h.when for h in owned)


@pytest.mark.parametrize("name", shipped(PORTFOLIOS))
def test_a_shipped_portfolio_names_what_exists(name: str) -> None:
    """Its first configurations have a model each."""
    assert all(MODEL in params for params in load_portfolio(name))


def test_none_is_an_empty_portfolio(tmp_path: Path) -> None:
    """A list with an unknown hyperparameter, or no list, is an error with the name of the file."""
    assert load_portfolio(NO_PORTFOLIO) == ()
    path = tmp_path / "own.yaml"
    for text, said in (
        ("configurations: [{train.model: ridge, ridge.alhpa: 1.0}]", "'ridge.alhpa'"),
        ("configurations: [{train.model: rigde}]", "no model called 'rigde'"),
        ("[]", "has a list of configurations"),
    ):
        path.write_text(text)
        with pytest.raises(StudyError, match=said):
            load_portfolio(str(path))


def test_what_a_space_cannot_allow_is_an_error() -> None:
    """A stage that must run, one that does not exist, a model of another task, none at all."""
    for keys, said in (
        ({"skip_stages": ["train"]}, "cannot be skipped"),
        ({"skip_stages": ["trian"]}, "no stage 'trian'"),
        ({"models": ["logistic"]}, "cannot solve a regression"),
        ({"models": []}, "empty list"),
    ):
        with pytest.raises(StudyError, match=said):
            build_space(SearchSpaceSpec.parse(keys, "own.yaml"), "own.yaml", task="regression")
