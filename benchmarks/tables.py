"""Tables that nobody says anything about, against scikit-learn's defaults: `python -m benchmarks.tables [--sets A,B]`.

Each set is generated, or a CSV file of yours (`--data FILE --target COL`). A random quarter of its rows is the test,
and the product gets the rest as a CSV file with the name of the target, nothing else: with its defaults, or within
a budget of grams. Printed is the test score of the member that each rule recommends; of one of four defaults of
scikit-learn, chosen by five-fold cross-validation on the same rows, as its user would; of the best of them on the test
rows, which only an oracle knows; and of each: a ridge or logistic regression, a forest, histogram boosting and a
network, with columns of text one-hot encoded and numbers standardised.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt import optimize

TARGET, SEED, TEST_SHARE = "y", 11, 0.25
RULES = ("knee", "within", "best")


def _table(X: Any, y: Any) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(**{TARGET: y})


def friedman() -> pd.DataFrame:
    """Friedman's first function with noise of variance 1, which leaves R2 .96: 3,000 rows, 5 of 10 inputs count."""
    from sklearn.datasets import make_friedman1

    return _table(*make_friedman1(3000, noise=1.0, random_state=1))


def moons() -> pd.DataFrame:
    """Two interleaved half circles, and ten inputs without effect: 2,500 rows."""
    from sklearn.datasets import make_moons

    X, y = make_moons(2500, noise=0.25, random_state=0)
    noise = np.random.default_rng(SEED).normal(size=(len(X), 10))
    return _table(np.column_stack([X, noise]), np.where(y, "bad", "good"))


def clusters() -> pd.DataFrame:
    """Five classes from 3 to 50 % of 5,000 rows, two clusters each in eight dimensions."""
    from sklearn.datasets import make_classification

    X, y = make_classification(
        5000, 20, n_informative=8, n_redundant=4, n_classes=5, n_clusters_per_class=2,
        weights=[0.5, 0.25, 0.15, 0.07, 0.03], flip_y=0.03, random_state=3,
    )  # fmt: skip
    return _table(X, [f"class {code}" for code in y])


def gaps() -> pd.DataFrame:
    """The sign of a product decides, and a fifth of all values is missing: 5,000 rows."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(5000, 8))
    y = np.where((X[:, 0] * X[:, 1] > 0) ^ (X[:, 2] > 1), "yes", "no")
    X[rng.random(X.shape) < 0.2] = np.nan
    return _table(X, y)


def prices() -> pd.DataFrame:
    """Prices of 8,000 cars: factors of 40 brands, 320 models, age, distance and fuel, and 12 % noise."""
    rng, n = np.random.default_rng(SEED), 8000
    brand = rng.integers(0, 40, n)
    model = brand * 8 + rng.integers(0, 8, n)
    worth = rng.normal(0, 0.4, 40)[brand] + rng.normal(0, 0.3, 320)[model]
    age = rng.integers(1, 25, n)
    km = age * 15_000 * rng.lognormal(0, 0.4, n)
    fuel = rng.choice(["petrol", "diesel", "electric", "hybrid"], n, p=[0.5, 0.35, 0.05, 0.1])
    extra = np.select([fuel == "electric", fuel == "hybrid"], [0.3, 0.1], 0.0)
    price = np.exp(10 + worth + extra - 0.08 * age - km / 4e5 + rng.normal(0, 0.12, n))
    names = {"brand": [f"brand {i}" for i in brand], "model": [f"model {i}" for i in model], "fuel": fuel}
    return pd.DataFrame({**names, "age": age, "km": km.round(), TARGET: price.round()})


def sparse() -> pd.DataFrame:
    """300 rows, and 15 of 1,000 inputs have a linear effect."""
    rng = np.random.default_rng(SEED)
    X, weights = rng.normal(size=(300, 1000)), np.zeros(1000)
    weights[rng.choice(1000, 15, replace=False)] = rng.normal(size=15)
    return _table(X, X @ weights + rng.normal(size=300))


SETS: dict[str, Callable[[], pd.DataFrame]] = {
    made.__name__: made for made in (friedman, moons, clusters, gaps, prices, sparse)
}


def main() -> None:
    """Prints a line for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--data", type=Path, help="a CSV file in place of the generated sets")
    parser.add_argument("--target", help="its target")
    parser.add_argument("--budget-mg", type=float, help="without it, the product runs its default number of trials")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # of defaults that do not converge
    columns = ["set", *RULES, "default by CV", "which", "best default", "which", "all", "run mg"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name in [args.data.stem] if args.data else args.sets.split(","):
        rows = _read(args.data, args.target) if args.data else SETS[name]()
        is_test = np.random.default_rng(0).permutation(len(rows)) < TEST_SHARE * len(rows)
        train, test = rows[~is_test].reset_index(drop=True), rows[is_test].reset_index(drop=True)
        score = _score(train[TARGET])
        picked, spent_g = _product(train, test, score=score, budget_mg=args.budget_mg, seed=args.seed)
        by_default = _defaults(train, test, score=score)
        best = max(by_default, key=lambda which: by_default[which])
        chosen = _chosen(train, score=score)
        shown = " ".join(f"{which} {value:.3f}" for which, value in by_default.items())
        cells = " | ".join(f"{picked[rule]:.3f}" for rule in RULES)
        cells = f"{cells} | {by_default[chosen]:.3f} | {chosen} | {by_default[best]:.3f} | {best}"
        print(f"| {name} | {cells} | {shown} | {1000 * spent_g:.0f} |", flush=True)


def _read(path: Path, target: str) -> pd.DataFrame:
    """The rows of a file whose target is known; a target of two values is a class."""
    rows = pd.read_csv(path).dropna(subset=[target])
    rows = rows.rename(columns={target: TARGET} if target == TARGET else {target: TARGET, TARGET: f"{TARGET}_"})
    return rows.astype({TARGET: str}) if rows[TARGET].nunique() == 2 else rows


Score = Callable[[Any, Any], float]


def _product(
    train: pd.DataFrame, test: pd.DataFrame, *, score: Score, budget_mg: float | None, seed: int
) -> tuple[dict[str, float], float]:
    """Test scores by rule, and the grams of the run."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "train.csv"
        train.to_csv(path, index=False)
        limits = {} if budget_mg is None else {"budget_grams": budget_mg / 1000, "trials": 1000}
        run = optimize(path, target=TARGET, seed=seed, out=Path(scratch) / "run", **limits)
        models = {rule: run.export(Path(scratch) / rule, rule) for rule in RULES}
        predicted = {rule: model.predict(test.drop(columns=TARGET)) for rule, model in models.items()}
        return {rule: score(test[TARGET], p) for rule, p in predicted.items()}, run.summary.search.carbon_g


def _score(target: pd.Series) -> Score:
    """R2, F1 of the rarer class, or the mean F1 of several: what the product maximises."""
    from sklearn.metrics import f1_score, r2_score

    if pd.api.types.is_numeric_dtype(target):
        return lambda y, predicted: float(r2_score(y, predicted))
    if target.nunique() > 2:
        return lambda y, predicted: float(f1_score(y, predicted, average="macro"))
    return lambda y, predicted: float(f1_score(y, predicted, pos_label=target.value_counts().index[-1]))


def _chosen(train: pd.DataFrame, *, score: Score) -> str:
    """The default with the best mean score of five folds of shuffled rows."""
    from sklearn.model_selection import KFold

    folds = KFold(5, shuffle=True, random_state=0).split(train)
    scores = pd.DataFrame([_defaults(train.iloc[kept], train.iloc[out], score=score) for kept, out in folds])
    return str(scores.mean().idxmax())


def _defaults(train: pd.DataFrame, test: pd.DataFrame, *, score: Score) -> dict[str, float]:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    is_number = pd.api.types.is_numeric_dtype(train[TARGET])
    kinds: dict[str, Any] = {
        "linear": RidgeCV() if is_number else LogisticRegression(max_iter=1000),
        "forest": RandomForestRegressor(random_state=0) if is_number else RandomForestClassifier(random_state=0),
        "boosting": HistGradientBoostingRegressor() if is_number else HistGradientBoostingClassifier(),
        "network": MLPRegressor(random_state=0) if is_number else MLPClassifier(random_state=0),
    }
    found = {}
    for name, kind in kinds.items():
        numbers = (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number"))
        if name == "boosting":
            numbers = ("passthrough", numbers[1])  # it knows missing values
        text = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        columns = make_column_transformer(numbers, (text, make_column_selector(dtype_exclude="number")))
        model = make_pipeline(columns, kind).fit(train.drop(columns=TARGET), train[TARGET])
        found[name] = score(test[TARGET], model.predict(test.drop(columns=TARGET)))
    return found


if __name__ == "__main__":
    main()
