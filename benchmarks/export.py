"""How alike the forms of an exported model predict, and how long a single row takes them.

python -m benchmarks.export             every model, both tasks: parity on test rows, median time of one prediction
python -m benchmarks.export memory MB   by how much the peak memory of `predict` grows with its file
python -m benchmarks.export report N    size of a report on N trials, and seconds until a browser has it drawn
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cemai_opt.datasets.demo import tool_wear_runs
from cemai_opt.export import export_model
from cemai_opt.models import MODELS
from cemai_opt.pipeline import OnnxScorer
from cemai_opt.report import RunFolder
from cemai_opt.report.html_report import html_report
from cemai_opt.report.model_folder import ONNX, TrainedModel, load_model
from cemai_opt.report.run_view import RunView
from tests.browser import chromium
from tests.report.test_html_report import inflated
from tests.runs import finished_run, picked_with

PIPELINES: dict[str, dict[str, Any]] = {
    "row": {"clean": {"missing": "median"}},
    "past": {
        "featurize": {"rolling": "mean_std", "window_rows": 8, "trend": "gradient"},
        "sequentialize": {"window_rows": 8},
    },
}
"""One row alone; or features of the last eight rows, and a window of eight of them."""
ROUNDS = 300


def main() -> None:
    """Prints a table, or one ratio."""
    what = sys.argv[1] if len(sys.argv) > 1 else "forms"
    if what == "memory":
        _memory(int(sys.argv[2]))
    elif what == "report":
        _report(int(sys.argv[2]))
    else:
        _forms()


def _forms() -> None:
    print("| model | task | pipeline | ONNX alike | largest difference / spread | native, one row | ONNX, one row |")
    print("|---|---|---|---|---|---|---|")
    for model in MODELS.available():
        for task in ("regression", "classification"):
            for name, stages in PIPELINES.items():
                with TemporaryDirectory() as folder:
                    export_model(picked_with(task, model, **stages), Path(folder) / "model")
                    _row(load_model(Path(folder) / "model"), model, task, name)


def _row(trained: TrainedModel, model: str, task: str, name: str) -> None:
    onnx, scorer = trained.document["onnx"], trained.scorer
    rng = np.random.default_rng(0)
    X = rng.normal(size=(scorer.reach.rows + 1, len(scorer.inputs)))
    group = np.zeros(len(X), np.int64)
    native_s = _median_s(lambda: scorer.predict(X, group))
    if onnx["file"] is None:
        print(f"| {model} | {task} | {name} | none: {onnx['why']} | | {1e6 * native_s:.0f} us | |")
        return
    other = OnnxScorer(trained.folder / ONNX, scorer.reach, scorer.window)
    parity = onnx["parity"]
    worst = ""
    if "largest_difference" in parity:
        worst = f"{parity['largest_difference'] / parity['tolerance'] * 1e-3:.1e}"
    onnx_s = _median_s(lambda: other.predict(X, group))
    times = f"{1e6 * native_s:.0f} us | {1e6 * onnx_s:.0f} us"
    print(f"| {model} | {task} | {name} | {parity['share_alike']:.2%} | {worst} | {times} |", flush=True)


def _median_s(predict: Any) -> float:
    predict()
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        predict()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def _memory(megabytes: int) -> None:
    """Grows a file until it is so large, predicts it in a process of its own, and compares that with a small file."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        stages = {"featurize": {"rolling": "mean_std", "window_rows": 30, "since_start": True}}
        export_model(picked_with("regression", "ridge", **stages), place / "model")
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
            told, peaks[name] = _watched([sys.executable, "-m", "cemai_opt", *command])
            print(f"{told}; peak {peaks[name]:.0f} MB")
        more = (peaks["large"] - peaks["small"]) / (0.75 * megabytes)
        print(f"one group of {n_written:,} rows: {more:.2f} MB more for each MB of the file")


def _watched(command: list[str]) -> tuple[str, float]:
    """First line of what a command says, and the most memory that it held, MB; without pages that lie in files, which
    the system takes back when it needs them."""
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
    """The page on a run that was told again and again until it had so many trials."""
    view = inflated(RunView.of(RunFolder(finished_run("regression").path)), n_trials)
    rng = np.random.default_rng(0)
    results = [replace(r, score=None if r.score is None else r.score * rng.uniform(0.5, 1.0)) for r in view.results]
    start = time.perf_counter()
    page = html_report(replace(view, results=results))
    print(f"{len(results)} trials: {len(page.encode()) / 1e6:.2f} MB, written in {time.perf_counter() - start:.1f} s")
    with TemporaryDirectory() as folder, chromium() as browser:
        (Path(folder) / "report.html").write_text(page)
        browser.get((Path(folder) / "report.html").as_uri())
        timing = browser.execute_script("return performance.getEntriesByType('navigation')[0].toJSON()")
        paint = browser.execute_script("return performance.getEntriesByType('paint').map(p => p.startTime)")
        print(f"loaded after {timing['loadEventEnd'] / 1e3:.2f} s, first drawn after {min(paint) / 1e3:.2f} s")


if __name__ == "__main__":
    main()
