"""A front member that was picked, and its configuration as a file."""

from __future__ import annotations

import json

import pytest

from cemai_opt.compose import reopen
from cemai_opt.core.errors import StudyError
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.picked import d2m_document, pick
from cemai_opt.runs import RunFolder
from tests.conftest import Cli
from tests.finished import finished_run, picked_with


def test_a_member_is_picked_by_rule_or_number() -> None:
    """The rules are those of the front; a trial that is not on it is refused, and so is an unknown rule."""
    folder = RunFolder(finished_run("regression").path)
    front = folder.front()
    assert pick(folder, "knee").member.trial == front.knee_trial
    assert pick(folder, "best").member.trial == front.recommended.best.trial
    assert pick(folder, "within", tolerance=99.0).member.trial == front.recommended.members[0].trial
    for member in front.members:
        assert pick(folder, str(member.trial)).member == member
    for wrong in ("kneee", "999"):
        with pytest.raises(StudyError):
            pick(folder, wrong)


def test_its_file_holds_the_member_its_configuration_and_its_study() -> None:
    """With scores and cost as they are on the front."""
    picked = pick(RunFolder(finished_run("regression").path), "best")
    document = picked.config_document()
    assert document["config"] == picked.member.config.mapping()
    assert document["study"] == picked.study.to_json()
    member = picked.member
    wanted = {"rule": "best", "score": "r2", "trial": member.trial, "model": member.model, "test": member.test}
    assert {key: document["picked"][key] for key in wanted} == wanted


def test_its_plan_is_that_of_its_test_without_explanations() -> None:
    """All other stages of the search, on training and validation rows."""
    picked = pick(RunFolder(finished_run("regression").path), "knee")
    (plan,) = picked.plans(picked.study)
    assert (plan.trial, plan.phase, plan.config) == (picked.member.trial, "final", picked.member.config)
    assert (*plan.stages, "explain") == picked.folder.space().stages


def test_features_have_their_names_in_d2m() -> None:
    """The statistics that a choice of the search space stands for."""
    picked = picked_with("regression", "ridge", featurize={"rolling": "mean_std_range", "trend": "none"})
    document, _ = d2m_document(picked, reopen(picked.folder).data)
    added = {name for name, value in document["featurize"].items() if name.startswith("add_") and value}
    assert added == {"add_mean", "add_standard_deviation", "add_min_max_range"}


def test_the_exported_configuration_scores_the_same(ridge: Exported, cli: Cli) -> None:
    """`run config.yaml` trains that pipeline once more, from the folder alone."""
    done = cli("run", ridge.folder / "config.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["test"] == pytest.approx(ridge.document.test.value, abs=1e-12)
