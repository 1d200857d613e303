"""Earlier runs as a prior of a search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.compose import prepare
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config
from cemai_opt.runs import RunFolder
from cemai_opt.search import Search
from cemai_opt.search import prior as prior_module
from cemai_opt.search.prior import MAX_MEMBERS, MIN_SHARED, EarlierConfigs, EarlierRun, Prior
from cemai_opt.session import Session
from cemai_opt.testing.searches import FormulaEngine, run_search, search_in, study_of
from tests.conftest import wear_study
from tests.finished import finished_run

CHEAP_AND_DEAR = ({"model": "ridge", "alpha": 3.0}, {"model": "xgboost", "n_estimators": 900, "learning_rate": 0.2})


def search_with(folder: Path, prior: Prior, *, trials: int = 30) -> tuple[Search, FormulaEngine]:
    """A search that has not begun, with what is known from earlier runs."""
    engine = FormulaEngine()
    context = search_in(folder, study_of(trials=trials), engine=engine).context
    return Search(replace(context, prior=prior)), engine


def test_a_prior_has_the_front_and_the_costs_of_a_run() -> None:
    """Greenest first, not more than a dozen; costs of all pipelines that ran."""
    run = finished_run("regression")
    folder = RunFolder(run.path)
    prior = Prior.of([folder], folder.study())
    members = folder.front().members
    assert prior.members[0] == members[0].config
    assert len(prior.members) == min(len(members), MAX_MEMBERS)
    assert {cost.config.digest for cost in prior.costs} <= {result.config.digest for result in folder.results()}
    assert all(cost.energy_j > 0.0 for cost in prior.costs)
    assert Prior.of([folder, folder], folder.study()).members[:2] == (members[0].config,) * 2


def test_a_run_of_another_task_is_no_prior(tmp_path: Path) -> None:
    """Nor is a folder without a run."""
    study = RunFolder(finished_run("regression").path).study()
    with pytest.raises(StudyError, match="is a classification, this study a regression"):
        Prior.of([RunFolder(finished_run("classification").path)], study)
    with pytest.raises(StudyError, match="holds no run"):
        Prior.of([RunFolder(tmp_path)], study)


def test_configurations_of_the_prior_run_first_and_ever_more_rarely(tmp_path: Path) -> None:
    """The first one for certain; a prior that is longer than its decay is never run to its end."""
    earlier = run_search(tmp_path / "earlier", trials=60)
    configs = tuple(dict.fromkeys(result.config.digest for result in earlier.results if result.has_run))
    by_digest = {result.config.digest: result.config for result in earlier.results}
    design = {plan.config.digest for plan in search_plans(tmp_path / "plain", Prior())}
    new = [digest for digest in configs if digest not in design]
    prior = Prior(members=tuple(by_digest[digest] for digest in new))
    digests = [plan.config.digest for plan in search_plans(tmp_path / "warm", prior)]
    assert digests[0] == new[0]
    n_of_prior = len(set(digests) & set(new))
    assert 3 <= n_of_prior < len(new)


def test_what_is_dear_waits_for_cheaper_ones_of_the_initial_design(tmp_path: Path) -> None:
    """With a small budget, a prior must not take what the portfolio needs; before the first trial nothing is known."""
    cheap, dear = (Config({"train": train}) for train in CHEAP_AND_DEAR)
    models = [plan.config.model for plan in search_plans(tmp_path / "run", Prior(members=(cheap, dear)))]
    assert models[0] == "ridge"
    assert "decision_tree" in models[1 : models.index("xgboost")]


def test_runs_are_related_if_they_rank_alike() -> None:
    """With confidence: a few more configurations, or a weaker correlation, and it is chance."""
    scores = {str(number): float(number) for number in range(20)}
    run = EarlierRun(name="run", members=(), scores=scores)
    rng = np.random.default_rng(0)
    assert run.is_related({digest: 10.0 * score**3 for digest, score in scores.items()})
    assert not run.is_related({digest: -score for digest, score in scores.items()})
    assert not run.is_related(dict.fromkeys(scores, 0.5))
    by_chance = [run.is_related(dict(zip(scores, rng.permutation(20).tolist(), strict=True))) for _ in range(300)]
    assert sum(by_chance) < 10
    few = list(scores)[: MIN_SHARED - 1]
    assert run.is_related({digest: -scores[digest] for digest in few})
    assert run.is_related({"another": 1.0})


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_unrelated_run_is_left_alone_once_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: float
) -> None:
    """From what both have scored; nothing runs to find out, and a related one goes on as if nobody had looked."""
    monkeypatch.setattr(prior_module, "MIN_SHARED", 4)  # the initial design here is short
    plain = search_with(tmp_path / "plain", Prior())[0]
    plain.run()
    scores = {r.config.digest: sign * r.score for r in plain.results if r.is_complete and r.score is not None}
    configs = tuple(Config({"train": {"model": "xgboost", "max_depth": depth}}) for depth in (2, 3, 4, 5, 7, 8, 9))
    trusted = Prior(members=configs)
    checked = replace(trusted, runs=(EarlierRun(name="run", members=configs, scores=scores),))
    blindly, with_care = (search_plans(tmp_path / name, prior) for name, prior in (("a", trusted), ("b", checked)))
    known = EarlierConfigs(trusted, plain.context.space).by_digest
    n_blindly, n_with_care = (sum(plan.config.digest in known for plan in plans) for plans in (blindly, with_care))
    if sign > 0.0:
        assert [plan.config for plan in with_care] == [plan.config for plan in blindly]
    else:
        assert n_with_care <= 2 < n_blindly


def search_plans(folder: Path, prior: Prior) -> list:  # type: ignore[type-arg]  # plans of trials
    """What a search has run, in its order."""
    search, engine = search_with(folder, prior)
    search.run()
    return engine.plans


def test_a_prior_of_models_that_the_space_lacks_changes_nothing(tmp_path: Path) -> None:
    """The same trials as without it."""
    unknown = Prior(members=(Config({"train": {"model": "lstm"}}),))
    plain, warm = (search_plans(tmp_path / name, prior) for name, prior in (("a", Prior()), ("b", unknown)))
    assert [plan.config for plan in plain] == [plan.config for plan in warm]


def test_a_run_starts_from_another_one(wear_csv: Path, tmp_path: Path) -> None:
    """The greenest member of the earlier front is the first trial, and the run says where it comes from."""
    earlier = RunFolder(finished_run("regression").path)
    search = {"trials": 3, "confirm": 0, "warm_start": [str(earlier.path)]}
    prepared = prepare(wear_study(wear_csv, engine={"name": "in_process"}, search=search))
    record = Session(prepared, RunFolder(tmp_path / "run"), with_audit=False).run()
    assert record.results[0].config.model == earlier.front().members[0].model
    assert RunFolder(tmp_path / "run").study().search.warm_start == (str(earlier.path),)
