"""The search as scikit-learn estimators: `fit` finds a front, `predict` uses the selected member."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from cemai_opt.compose import prepare
from cemai_opt.core.average import AVERAGE
from cemai_opt.core.batch import Prediction
from cemai_opt.core.errors import CemaiError, StudyError
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.study import StudySpec
from cemai_opt.core.study_file import parse_study
from cemai_opt.deploy.average_scorer import WeightedScorer, average_scorer, restored_scorer
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.meters import open_meters
from cemai_opt.pipeline import Fold, Pipeline, Splits, read_data
from cemai_opt.report.notebook import Front
from cemai_opt.runs import RunFolder, RunView
from cemai_opt.runs.front import GREENEST, RULES
from cemai_opt.runs.recommendation import recommendation_lines, yearly_use
from cemai_opt.session import Session
from cemai_opt.session.shown import events_of

TARGET, GROUP = "target", "group"
MIN_ROWS = 10
"""Fewer rows cannot be split into train, validation and test."""


class _Pareto(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Base class of both estimators."""

    _task: str

    def __init__(
        self,
        *,
        trials: int = 50,
        pick: str = "knee",
        space: str = "tabular",
        scoring: str = "auto",
        split: str = "auto",
        test_share: float = 0.2,
        confirm: int = 3,
        budget_grams: float | None = None,
        intensity: float | None = None,
        random_state: int = 0,
        verbose: int = 0,
    ) -> None:
        self.trials = trials
        self.pick = pick
        self.space = space
        self.scoring = scoring
        self.split = split
        self.test_share = test_share
        self.confirm = confirm
        self.budget_grams = budget_grams
        self.intensity = intensity
        self.random_state = random_state
        self.verbose = verbose

    def _search(self, X: np.ndarray, y: np.ndarray, *, groups: Any) -> None:
        """Finds the front, then fits the member given by `pick` to all rows."""
        if self.pick == AVERAGE and not self.confirm:
            raise ValueError("pick='average' needs confirm=1 or more: an average is made of predictions from there")
        if groups is not None and len(groups) != len(X):
            raise ValueError(f"groups has {len(groups)} entries, X has {len(X)} rows")
        with tempfile.TemporaryDirectory() as place:
            rows = Path(place) / "rows.parquet"
            _frame(X, y, groups=groups).to_parquet(rows)
            folder = RunFolder(Path(place) / "run")
            try:
                prepared = prepare(self._study(rows, groups is not None))
                with events_of(prepared, lambda result: None, is_shown=bool(self.verbose)) as events:
                    Session(prepared, folder, events=events, with_audit=False).run()
                self._view = RunView.of(folder)
            except CemaiError as error:
                raise ValueError(str(error)) from error
            self._stages = prepared.space.stages
            self._study_, self._rows = prepared.study, read_data(prepared.study.data, prepared.study.task)
        self.front_ = Front(self._view)
        self.knee_ = self.front_.knee
        if self.verbose:
            for line in recommendation_lines(self._view.front, yearly_use(prepared.study.objective)):
                print(line)
        self.search_carbon_g_ = self._view.front.search.carbon_g
        pick = self.pick
        if pick == AVERAGE and self.front_.average is None:
            warnings.warn("no average of front members is better than the best of them: picked that one", stacklevel=3)
            pick = "best"
        if pick in RULES and not self._view.front.good:
            warnings.warn(f"{self._view.front.why_none}: picked the greenest member", stacklevel=3)
            pick = GREENEST
        self.select(pick)

    def _study(self, rows: Path, has_groups: bool) -> StudySpec:
        by = ("group" if has_groups else "rows") if self.split == "auto" else self.split
        document = {
            "name": type(self).__name__,
            "data": {"path": str(rows), "target": TARGET, "group": GROUP if has_groups else None},
            "task": self._task,
            "score": self.scoring,
            "split": {"by": by, "test_share": self.test_share},
            "space": self.space,
            "search": {
                "trials": self.trials,
                "confirm": self.confirm,
                "explain": "never",
                "budget_g": self.budget_grams,
                "cache_mb": 0,
            },
            "carbon": {"intensity_g_per_kwh": self.intensity},
            "engine": {"name": "in_process"},
            "seed": int(self.random_state),
        }
        return parse_study(document, type(self).__name__)

    def select(self, pick: str | int = "knee") -> Any:
        """Fits another front member to all rows: "knee", "best", "within", "greenest" or a trial number; returns self.

        "average" fits all members of the average. ValueError if there is no such member, or if the estimator was
        unpickled, which drops the training rows.
        """
        check_is_fitted(self, "front_")
        if self._rows is None:
            raise ValueError(
                "this estimator was unpickled without its training rows and cannot fit another member; call fit again"
            )
        try:
            member = self._view.front.pick(str(pick))
        except StudyError as error:
            raise ValueError(str(error)) from error
        self.selected_, self.fit_carbon_g_ = member, 0.0
        parts = [
            WeightedScorer(self._fitted(part.config), weight, trial=part.trial)
            for weight, part in self._view.front.parts_of(member)
        ]
        self._scorer = average_scorer(parts, member.threshold) if member.parts else parts[0].scorer
        return self

    def _fitted(self, config: Config) -> Scorer:
        """One pipeline, fitted to all rows."""
        rows, study = self._rows, self._study_
        assert rows is not None, "select has checked this"
        everybody = np.isfinite(rows.y)
        fold = Fold(everybody, everybody)
        stages = tuple(name for name in self._stages if name != "explain")
        plan = TrialPlan(trial=0, study=study, config=config, phase="final", stages=stages, folds=1)
        splits = Splits(search=(fold,), confirm=(fold,), final=fold, test=~everybody)
        pipeline = Pipeline(rows, splits, meters=open_meters(study.carbon.meter))
        result, batch = pipeline.fitted(plan)
        if batch is None:
            raise ValueError(f"the selected pipeline cannot be fitted to all rows: {result.reason}")
        self.fit_carbon_g_ += study.carbon.grams(result.cost.energy_j)
        return Scorer.of(batch, rows.names, config=config, stages=stages)

    def _scored(self, X: Any) -> Prediction:
        check_is_fitted(self, "selected_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self._scorer.predict(X, np.zeros(len(X), np.int64))

    def __getstate__(self) -> dict[str, Any]:
        """The state without the training rows, and with the model in its exported form, which contains no code."""
        state = dict(super().__getstate__())
        if "_rows" in state:
            state["_rows"] = None
        scorer = state.pop("_scorer", None)
        if scorer is not None:
            with tempfile.TemporaryDirectory() as folder:
                document = scorer.save(Path(folder))
                paths = [path for path in Path(folder).rglob("*") if path.is_file()]
                files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
            state["_saved"] = (document, files)
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        saved = state.get("_saved")
        super().__setstate__({key: value for key, value in state.items() if key != "_saved"})
        if saved is not None:
            document, files = saved
            with tempfile.TemporaryDirectory() as folder:
                for name, content in files.items():
                    (Path(folder) / name).parent.mkdir(exist_ok=True)
                    (Path(folder) / name).write_bytes(content)
                self._scorer = restored_scorer(Path(folder), document)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # grams are measured, so the front differs between runs
        return tags


class ParetoRegressor(RegressorMixin, _Pareto):  # type: ignore[misc]  # as above
    """Searches for regression pipelines that score well and cost little carbon; predicts with one of them.

    Without groups, rows are split at random, as is usual in scikit-learn; `split="time"` if they are in time order.
    With `groups`, all rows of a group are on the same side of every split. Search spaces other than "tabular" use
    earlier rows: `predict` then treats its rows as one group in time order.

    Parameters
    ----------
    trials : number of pipelines to run.
    pick : which front member predicts: "knee", "best", "within" or "greenest"; "average" for the average of several
        ("best" with a warning if there is none); `select` changes it later.
    space : a search space by name, or the path of a file.
    scoring : "r2", the skill of an error ("rmse", "mae", "mape"), or for classes "f1", "f1_macro", "balanced_accuracy",
        "average_precision"; "auto" picks by task.
    split : "auto", "group", "time" or "rows".
    test_share : share of rows (or groups) that are used for testing the front only.
    confirm : number of repeated measurements of each front member.
    budget_grams : grams of CO2 equivalent that the search may spend.
    intensity : grams of CO2 equivalent per kWh; None for the world mean.
    random_state : seed of splits, samplers and models.
    verbose : 1 shows notes and progress on standard error, and prints what is recommended and why; 0 is silent.

    Attributes
    ----------
    front_ : the Pareto front (`to_frame()`, `plot()`); members were trained without test rows and scored on them.
    knee_ : the recommended member; None, and a warning, if nothing is better than a constant prediction.
    selected_ : the member used by `predict`, fitted to all rows.
    search_carbon_g_, fit_carbon_g_ : grams of the search, and of fitting the selected member to all rows.
    n_features_in_, feature_names_in_ : as in scikit-learn.
    """

    _task = "regression"

    def fit(self, X: Any, y: Any, groups: Any = None) -> ParetoRegressor:
        """Searches, then fits the picked member to all rows; self. `X`: (n, d) numbers, `y`: (n,), `groups`: (n,).

        ValueError for what scikit-learn refuses, and where no pipeline was complete.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=MIN_ROWS)
        self._search(X, y, groups=groups)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predicted numbers: (n,)."""
        return self._scored(X).value


class ParetoClassifier(ClassifierMixin, _Pareto):  # type: ignore[misc]  # as above
    """Searches for classification pipelines that score well and cost little carbon; predicts with one of them.

    Parameters and attributes are those of `ParetoRegressor`, and `classes_`.
    """

    _task = "classification"

    def fit(self, X: Any, y: Any, groups: Any = None) -> ParetoClassifier:
        """Searches, then fits the picked member to all rows; self. `X`: (n, d) numbers, `y`: (n,), `groups`: (n,).

        ValueError for what scikit-learn refuses, and where no pipeline was complete.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=MIN_ROWS)
        check_classification_targets(y)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only ({self.classes_[0]!r}): classification needs at least two")
        self._search(X, encoder.transform(y), groups=groups)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predicted classes: (n,)."""
        codes = self._scored(X).value.astype(np.int64)
        labels: np.ndarray = self.classes_[codes]
        return labels


def _frame(X: np.ndarray, y: np.ndarray, *, groups: Any) -> pd.DataFrame:
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    if groups is not None:
        frame[GROUP] = np.asarray(groups)
    return frame.assign(**{TARGET: y})
