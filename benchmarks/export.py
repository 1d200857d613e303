"""Parity and speed of exported models, memory of `predict`, size of reports.

python -m benchmarks.export [MODEL ...]   parity of native and ONNX form, median time of one prediction
python -m benchmarks.export memory MB     growth of the peak memory of `predict` with the size of its file
python -m benchmarks.export report N      size of a report on N trials, and seconds until a browser has drawn it
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cemai_opt.compose import reopen
from cemai_opt.datasets.demo import tool_wear_runs
from cemai_opt.deploy.export import export_model
from cemai_opt.deploy.model_folder import ONNX, TrainedModel, load_model
from cemai_opt.deploy.onnx_scorer import OnnxScorer
from cemai_opt.deploy.parity import ONNX_TOLERANCE
from cemai_opt.models import MODELS
from cemai_opt.report.html_report import html_report
from cemai_opt.runs import RunFolder, RunView
from tests.browser import chromium
from tests.finished import finished_run, picked_with

PIPELINES: dict[str, dict[str, Any]] = {
    "row": {"clean": {"missing": "median"}},
    "past": {
        "featurize": {"rolling": "mean_std", "window_rows": 8, "trend": "gradient"},
        "sequentialize": {"window_rows": 8},
    },
}
"""Single rows; or features of the last eight rows, and a window of eight of them."""
ROUNDS = 300


def main() -> None:
    """Prints a table, or the figures of one part."""
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what == "memory":
        _memory(int(sys.argv[2]))
    elif what == "report":
        _report(int(sys.argv[2]))
    else:
        _forms(sys.argv[1:] or MODELS.available())


def _forms(models: Sequence[str]) -> None:
    print("| model | task | pipeline | ONNX equal | largest difference / spread | native, one row | ONNX, one row |")
    print("|---|---|---|---|---|---|---|")
    for model in models:
        for task in ("regression", "classification"):
            for name, stages in PIPELINES.items():
                with TemporaryDirectory() as folder:
                    trained = _exported(task, model, folder=Path(folder) / "model", stages=stages)
                    print(f"| {model} | {task} | {name} | {_parity_and_times(trained)} |", flush=True)


def _exported(task: str, model: str, *, folder: Path, stages: dict[str, Any]) -> TrainedModel:
    """The knee of a small run with another model and other stages, exported and loaded."""
    picked = picked_with(task, model, **stages)
    prepared = reopen(picked.folder)
    export_model(picked, folder, study=prepared.study, rows=prepared.data)
    return load_model(folder)


def _parity_and_times(trained: TrainedModel) -> str:
    onnx, scorer = trained.document.onnx, trained.scorer
    rng = np.random.default_rng(0)
    X = rng.normal(size=(scorer.lookback.rows + 1, len(scorer.inputs)))
    group = np.zeros(len(X), np.int64)
    native_s = _median_s(lambda: scorer.predict(X, group))
    if onnx.file is None or onnx.parity is None:
        return f"none: {onnx.why} | | {1e6 * native_s:.0f} us | "
    other = OnnxScorer(trained.folder / ONNX, scorer.lookback, window=scorer.window)
    parity, worst = onnx.parity, ""
    if parity.largest_difference is not None and not isinstance(parity.tolerance, str):
        worst = f"{parity.largest_difference / parity.tolerance * ONNX_TOLERANCE:.1e}"
    onnx_s = _median_s(lambda: other.predict(X, group))
    return f"{parity.share_alike:.2%} | {worst} | {1e6 * native_s:.0f} us | {1e6 * onnx_s:.0f} us"


def _median_s(predict: Callable[[], object]) -> float:
    predict()
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        predict()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def _memory(megabytes: int) -> None:
    """Predicts a file of this size and one of a quarter of it, each in its own process, and compares peak memory."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        stages = {"featurize": {"rolling": "mean_std", "window_rows": 30, "since_start": True}}
        _exported("regression", "ridge", folder=place / "model", stages=stages)
        rows = tool_wear_runs(n_runs=60).drop(columns="tool_wear").assign(material="steel")
        peaks = {}
        for name, size in (("small", megabytes / 4), ("large", megabytes)):
            with (place / f"{name}.csv").open("w") as stream:
                n_written = 0
                while stream.tell() < size * 1e6:
                    rows.assign(run="one machine", cut=np.arange(len(rows)) + n_written).to_csv(
                        stream, index=False, header=n_written == 0
                    )
                    n_written += len(rows)
            command = ["predict", str(place / "model"), "--data", str(place / f"{name}.csv")]
            command += ["--out", str(place / "out.csv")]
            message, peaks[name] = _watched([sys.executable, "-m", "cemai_opt", *command])
            print(f"{message}; peak {peaks[name]:.0f} MB")
        more = (peaks["large"] - peaks["small"]) / (0.75 * megabytes)
        print(f"one group of {n_written:,} rows: {more:.2f} MB more per MB of the file")


def _watched(command: list[str]) -> tuple[str, float]:
    """First line of a command's output, and its peak memory in MB.

    Pages that are backed by files are left out, because the system reclaims them when it needs memory.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak_kb, status = 0, Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        held = [line for line in status.read_text().splitlines() if line.startswith("RssAnon")]
        peak_kb = max([peak_kb, *(int(line.split()[1]) for line in held)])
        time.sleep(0.01)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return stdout.splitlines()[0], peak_kb / 1e3


def _report(n_trials: int) -> None:
    """Size and drawing time of a report on a run that was lengthened to this many trials."""
    view = _lengthened(RunView.of(RunFolder(finished_run("regression").path)), n_trials)
    rng = np.random.default_rng(0)
    results = [replace(r, score=None if r.score is None else r.score * rng.uniform(0.5, 1.0)) for r in view.results]
    start = time.perf_counter()
    page = html_report(replace(view, results=results))
    print(f"{len(results)} trials: {len(page.encode()) / 1e6:.2f} MB, written in {time.perf_counter() - start:.1f} s")
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print("not drawn: chromium and chromedriver are not installed")
        return
    with TemporaryDirectory() as folder, chromium() as browser:
        (Path(folder) / "report.html").write_text(page)
        browser.get((Path(folder) / "report.html").as_uri())
        timing = browser.execute_script("return performance.getEntriesByType('navigation')[0].toJSON()")
        paint = browser.execute_script("return performance.getEntriesByType('paint').map(p => p.startTime)")
        print(f"loaded after {timing['loadEventEnd'] / 1e3:.2f} s, first paint after {min(paint) / 1e3:.2f} s")


def _lengthened(view: RunView, n_trials: int) -> RunView:
    """The run with its trials repeated under new numbers."""
    last = max(result.trial for result in view.results)
    copies = [view.results[i % len(view.results)] for i in range(n_trials - len(view.results))]
    more = [replace(result, trial=last + 1 + i) for i, result in enumerate(copies)]
    search = view.summary.search
    history = (*search.hypervolume_history, *(replace(search.hypervolume_history[-1], trial=r.trial) for r in more))
    summary = replace(view.summary, search=replace(search, hypervolume_history=history))
    return replace(view, results=[*view.results, *more], summary=summary)


if __name__ == "__main__":
    main()
