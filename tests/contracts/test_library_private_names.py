"""Private names of libraries that the product uses: each is in one list, and is there in the installed version."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest

from tests.conftest import ROOT

ALLOWED = {
    "carbon/audit.py": {"_hardware", "_mode", "_tdp"},
    "dashboard/published.py": {"_trial_id"},
    "models/_onnx.py": {"_predictors"},
    "models/_trees.py": {"_predictors"},
    "models/gradient_boosting.py": {"_get_loss", "_in_fit"},
}
"""By file; `os._exit` is documented by Python and does not count."""
OWN_OF_SIBLINGS = {
    *("_encoder", "_fit", "_fit_estimator", "_fitted", "_flat", "_flat_input", "_goes_on", "_predict"),
    *("_read", "_solve", "_why_not_partial_fit", "_write"),
}
"""Names of our own base classes that a sibling or a callback class in the same file uses."""
PACKAGE = ROOT / "cemai_opt"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__")


def private_names(path: Path) -> Iterator[str]:
    """Private attributes of other objects than self, as attributes, in getattr, or imported."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls", "os") and not (owner == "super()" and node.attr in OWN_OF_SIBLINGS):
                yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr"):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and is_private(a.value))
        elif isinstance(node, ast.ImportFrom) and not str(node.module).startswith("cemai_opt"):
            names = [*str(node.module).split("."), *(alias.name for alias in node.names)]
            yield from (name for name in names if is_private(name))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_private_names_are_those_on_the_list(path: Path) -> None:
    """A new one needs a reason, an entry in the list, and a test below."""
    used = set(private_names(path)) - OWN_OF_SIBLINGS
    assert used <= ALLOWED.get(str(path.relative_to(PACKAGE)), set())


def test_optuna_keeps_the_generation_of_a_trial_in_a_system_attribute() -> None:
    """`_get_generation_key` names it; `_storage` and `_trial_id` write it while the trial runs."""
    sampler = optuna.samplers.NSGAIISampler(population_size=4, seed=0)
    study = optuna.create_study(sampler=sampler)
    trial = study.ask()
    frozen = study.get_trials(deepcopy=False)[0]
    study._storage.set_trial_system_attr(frozen._trial_id, sampler._get_generation_key(), 3)
    study.tell(trial, 1.0)
    assert sampler.get_trial_generation(study, study.trials[0]) == 3


def test_the_dashboard_notes_a_trial_by_its_id() -> None:
    """`save_note` reads `storage`, `study` and `_trial_id` of what it is given, and nothing else."""
    dashboard = pytest.importorskip("optuna_dashboard")
    study = optuna.create_study()
    number = study.ask().number
    trial_id = study.get_trials(deepcopy=False)[number]._trial_id

    class Trial(optuna.Trial):
        """A trial with these attributes only."""

        def __init__(self) -> None:
            self.storage, self.study, self._trial_id = study._storage, study, trial_id

    dashboard.save_note(Trial(), "text")
    assert "text" in str(study._storage.get_study_system_attrs(study._study_id))


def test_scikit_learn_computes_gradients_once_a_round() -> None:
    """Of the loss that `_get_loss` returns, while `_in_fit` is true; each round adds to `_predictors`."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rounds = []

    class Recorded(HistGradientBoostingRegressor):  # type: ignore[misc]  # scikit-learn ships no types
        def _get_loss(self, sample_weight: object) -> object:
            loss = super()._get_loss(sample_weight)
            gradient = loss.gradient

            def recorded(*args: object, **kwargs: object) -> object:
                rounds.append((self._in_fit, len(getattr(self, "_predictors", ()))))
                return gradient(*args, **kwargs)

            loss.gradient = recorded
            return loss

    X = np.arange(60.0)[:, None]
    fitted = Recorded(max_iter=3, early_stopping=False).fit(X, X[:, 0])
    assert rounds == [(True, 0), (True, 1), (True, 2)]
    assert len(fitted._predictors) == 3


def test_codecarbon_says_how_it_measures() -> None:
    """Its tracker has a list of hardware, whose CPU entry knows mode and thermal design power."""
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(
        country_iso_code="NOR", save_to_file=False, log_level="error", allow_multiple_runs=True
    )
    tracker.start()
    try:
        assert tracker._hardware
        assert any(hasattr(hardware, "_mode") and hasattr(hardware, "_tdp") for hardware in tracker._hardware)
    finally:
        tracker.stop()
