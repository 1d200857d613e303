"""Predictions by an exported model: rows per second and joules, native and ONNX, single rows and batches."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cemai_opt.compose import reopen
from cemai_opt.deploy.export import export_model
from cemai_opt.deploy.model_folder import ONNX, load_model
from cemai_opt.deploy.onnx_scorer import OnnxScorer
from cemai_opt.meters import open_meters
from tests.finished import picked_with

MODELS = ("ridge", "decision_tree", "xgboost", "dnn", "lstm")
STAGES = {"featurize": {"rolling": "mean_std", "window_rows": 30}, "sequentialize": {"window_rows": 8}}
BATCH_ROWS = 20_000
MIN_S = 1.0


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    command.add_argument("models", nargs="*", default=MODELS)
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> None:
    """Prints a table: a single row comes with the history that its features need."""
    print("| model | form | rows | rows per second | mJ per 1,000 rows |\n|---|---|---|---|---|")
    for model in args.models:
        with TemporaryDirectory() as folder:
            picked = picked_with("regression", model, **STAGES)
            prepared = reopen(picked.folder)
            export_model(picked, Path(folder) / "model", study=prepared.study, rows=prepared.data)
            trained = load_model(Path(folder) / "model")
            scorer = trained.scorer
            forms = {"native": scorer.predict}
            if trained.document.onnx.file is not None:
                onnx = OnnxScorer(trained.folder / ONNX, scorer.lookback, window=scorer.window)
                forms["onnx"] = onnx.predict
            for form, predict in forms.items():
                for n_rows in (1, BATCH_ROWS):
                    X = np.random.default_rng(0).normal(size=(n_rows + scorer.lookback.rows, len(scorer.inputs)))
                    group = np.zeros(len(X), np.int64)
                    per_s, per_j = _rates(lambda p=predict, X=X, g=group: p(X, g), n_rows)  # type: ignore[misc]
                    print(f"| {model} | {form} | {n_rows} | {per_s:,.0f} | {1e6 / per_j:.2g} |", flush=True)


def _rates(predict: Callable[[], object], n_rows: int) -> tuple[float, float]:
    """Rows per second, and rows per joule."""
    meters = open_meters("auto", "cpu", threads=1)
    predict()
    begun_j, begun_s, n_calls = sum(meter.read_j() for meter in meters), time.perf_counter(), 0
    while time.perf_counter() - begun_s < MIN_S:
        predict()
        n_calls += 1
    took_s = time.perf_counter() - begun_s
    used_j = sum(meter.read_j() for meter in meters) - begun_j
    return n_rows * n_calls / took_s, n_rows * n_calls / used_j
