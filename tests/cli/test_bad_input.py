"""Bad input of any kind: one clear message, exit 2, no traceback, nothing half-written."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder full of trouble."""
    n = 60
    rng = np.random.default_rng(0)
    good = pd.DataFrame({"unit": np.repeat(list("abcdef"), 10), "x": rng.normal(size=n), "y": rng.normal(size=n)})
    good.to_csv(tmp_path / "good.csv", index=False)
    good.assign(y="high").to_csv(tmp_path / "text.csv", index=False)
    good.assign(y=["low", "high"] * 30).to_csv(tmp_path / "words.csv", index=False)
    good.assign(y=1.0).to_csv(tmp_path / "constant.csv", index=False)
    good.assign(x=[np.inf, *range(n - 1)]).to_csv(tmp_path / "infinite.csv", index=False)
    good.assign(unit="a").to_csv(tmp_path / "one.csv", index=False)
    good[good["unit"].isin(["a", "b"])].to_csv(tmp_path / "two.csv", index=False)
    good.drop(columns="x").to_csv(tmp_path / "lacks.csv", index=False)
    good.assign(unit=[None, *good["unit"][1:]]).to_csv(tmp_path / "hole.csv", index=False)
    good.assign(when=["2024-01-01", "yesterday"] * 30).to_csv(tmp_path / "when.csv", index=False)
    good.assign(when="01/02/2024").to_csv(tmp_path / "slash.csv", index=False)
    good.assign(x=[*map(str, good["x"][:4]), "ERR", *map(str, good["x"][5:])]).to_csv(
        tmp_path / "cell.csv", index=False
    )
    good.assign(y=["bad", *map(str, good["y"][1:])]).to_csv(tmp_path / "aim.csv", index=False)
    (tmp_path / "ragged.csv").write_text("unit,x,y\na,1,2,3\nb,2,3,4\n")
    (tmp_path / "twice.csv").write_text("x,y,x\n1,2,3\n2,3,4\n")
    (tmp_path / "number.yaml").write_text("config: {5: {a: 1}, train: {model: ridge}}\nstudy: {data: {source: demo}}\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("unit,x,y\n")
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "broken.csv.gz").write_bytes(b"not gzip")
    (tmp_path / "good.xlsx").write_bytes(b"x")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "mixed" / "b.csv").write_text("x,z\n1,2\n")
    (tmp_path / "key.yaml").write_text("name: a\nserch: {trials: 3}\n")
    (tmp_path / "range.yaml").write_text("name: a\nsearch: {trials: -3}\n")
    (tmp_path / "torn.yaml").write_text("name: [a\n")
    (tmp_path / "space.yaml").write_text("models: [rigde]\n")
    (tmp_path / "wide.yaml").write_text("hyperparameters: {ridge.alpha: {low: 0, high: 1}}\n")
    (tmp_path / "config.yaml").write_text("config: {train: {model: ridge, alhpa: 1}}\nstudy: {data: {source: demo}}\n")
    (tmp_path / "stage.yaml").write_text("config: {trian: {model: ridge}}\nstudy: {data: {source: demo}}\n")
    (tmp_path / "far.yaml").write_text("config: {train: {model: ridge, alpha: -1}}\nstudy: {data: {source: demo}}\n")
    return tmp_path


DATA = ["optimize", "--trials", "2", "--space", "quick", "--target", "y", "--data"]

BAD = [
    (["optimize", "demo2"], "no 'demo2'.*demo"),
    (["optimize", "nowhere.yaml"], "no file nowhere.yaml"),
    (["optimize", "key.yaml"], "unknown key 'serch'.*'search'"),
    (["optimize", "range.yaml"], "search.trials"),
    (["optimize", "torn.yaml"], "not YAML"),
    ([*DATA, "god.csv"], "no file .*god.csv.*'good.csv'"),
    ([*DATA, "empty.csv"], "empty"),
    ([*DATA, "header.csv"], "no rows"),
    ([*DATA, "bytes.csv"], "holds NUL bytes"),
    ([*DATA, "broken.parquet"], "cannot read"),
    ([*DATA, "broken.csv.gz"], "cannot read"),
    ([*DATA, "good.xlsx"], "unknown file extension"),
    ([*DATA, "nothing"], "no CSV or Parquet"),
    ([*DATA, "mixed"], "b.csv has other columns than a.csv"),
    ([*DATA, "good.csv", "--target", "yy"], "target column 'yy'.*'y'"),
    (["optimize", "--data", "good.csv"], "no target column was given"),
    ([*DATA, "good.csv", "--group", "units"], "group column 'units'.*'unit'"),
    ([*DATA, "good.csv", "--time", "tme"], "time column 'tme'"),
    ([*DATA, "good.csv", "--ignore", "z"], "ignored column 'z'"),
    ([*DATA, "good.csv", "--ignore", "x,unit"], "no input column"),
    ([*DATA, "text.csv", "--task", "regression"], "constant|not numeric"),
    ([*DATA, "words.csv", "--task", "regression"], "not numeric.*'low'"),
    ([*DATA, "constant.csv"], "constant"),
    ([*DATA, "infinite.csv"], "'x' holds 1 infinite"),
    ([*DATA, "one.csv", "--group", "unit"], "one group only"),
    ([*DATA, "two.csv", "--group", "unit"], "2 groups.*cannot be split"),
    ([*DATA, "hole.csv", "--group", "unit"], "empty in row 0"),
    ([*DATA, "when.csv", "--time", "when"], "cannot read 'yesterday'"),
    ([*DATA, "good.csv", "--group", "unit", "--test-groups", "z"], "no group 'z'"),
    ([*DATA, "good.csv", "--test-groups", "a"], "needs groups"),
    ([*DATA, "good.csv", "--test", "lacks.csv"], "lacks column 'x'"),
    ([*DATA, "good.csv", "--split", "group"], "needs groups"),
    ([*DATA, "good.csv", "--group", "unit", "--folds", "40"], "40 folds of 5 groups"),
    ([*DATA, "good.csv", "--folds", "0"], "split.folds"),
    ([*DATA, "good.csv", "--horizon", "99"], "99 rows later"),
    ([*DATA, "good.csv", "--horizon", "-1"], "data.horizon"),
    ([*DATA, "good.csv", "--score", "f1"], "does not fit a regression"),
    ([*DATA, "good.csv", "--score", "rr"], "score"),
    ([*DATA, "good.csv", "--space", "space.yaml"], "no model called 'rigde'.*'ridge'"),
    ([*DATA, "good.csv", "--space", "wide.yaml"], "is outside"),
    ([*DATA, "good.csv", "--space", "defualt"], "no 'defualt'.*'default'"),
    ([*DATA, "good.csv", "--sampler", "nsga3"], "no sampler called 'nsga3'.*'nsga2'"),
    ([*DATA, "good.csv", "--engine", "rocket"], "no engine called 'rocket'"),
    ([*DATA, "good.csv", "--meter", "rapl2"], "no meter called 'rapl2'"),
    ([*DATA, "good.csv", "--country", "GERMANY"], "did you mean 'DEU'"),
    ([*DATA, "good.csv", "--intensity", "-5"], "carbon.intensity"),
    ([*DATA, "good.csv", "--trials", "0"], "search.trials"),
    ([*DATA, "good.csv", "--trials", "many"], "not a valid integer"),
    ([*DATA, "good.csv", "--seed", "-1"], "seed"),
    ([*DATA, "good.csv", "--max-grams", "0"], r"search.max_carbon_g \(--max-grams\): Input should be greater than 0"),
    (["optimize", "--trails", "3"], "--trails.*'--trials'.*optimize --help"),
    (["init", "constant.csv", "--target", "y", "--yes"], "one value only"),
    (["check"], "Missing argument.*check --help"),
    ([*DATA, "good.csv", "--out", "full"], "not empty"),
    ([*DATA, "good.csv", "--out", "good.csv"], "is a file"),
    ([*DATA, "good.csv", "--data-root", "nowhere"], "no folder nowhere"),
    ([*DATA, "ragged.csv"], "first row has 4 fields, the header 3"),
    ([*DATA, "good.csv", "--test", "header.csv"], "header.csv has no rows"),
    ([*DATA, "twice.csv"], "'x' occurs twice"),
    ([*DATA, "cell.csv"], "'x' is numeric except for 1 of 60 values.*'ERR' in row 4"),
    ([*DATA, "aim.csv"], "'y' is numeric except for 1 of 60 values.*'bad'"),
    ([*DATA, "good.csv", "--clip-target", "-99"], "makes all targets equal"),
    ([*DATA, "good.csv", "--clip-target", "nan"], "data.clip_target"),
    ([*DATA, "good.csv", "--folds", "50"], "split cannot be made|folds"),
    ([*DATA, "slash.csv", "--time", "when"], "may have the day or the month first, such as '01/02/2024'"),
    ([*DATA, "words.csv", "--positive", "hgh"], "no such class.*'high'"),
    ([*DATA, "good.csv", "--intensity", "inf"], "carbon.intensity"),
    ([*DATA, "good.csv", "--intensity", "nowhere.csv"], "cannot read intensity file"),
    ([*DATA, "good.csv", "--intensity", "cmd:false"], "intensity command 'false' failed"),
    ([*DATA, "good.csv", "--cloud", "gcp/europe-nort1"], "no cloud region.*europe-north1"),
    ([*DATA, "good.csv", "--embodied-kg", "-1"], "carbon.embodied_kg"),
    ([*DATA, "good.csv", "--meter", "ram"], "reads ram energy"),
    (["run", "number.yaml"], "no stage called 5"),
    (["optimise"], "did you mean 'optimize'"),
    (["front", "runs/x"], "holds no run"),
    (["export", "full", "--out", "a.yaml"], "holds no run"),
    (["run", "nowhere.yaml"], "no file nowhere.yaml"),
    (["run", "key.yaml"], "holds no configuration"),
    (["run", "config.yaml"], "'train' has no hyperparameter 'alhpa'.*'alpha'"),
    (["run", "stage.yaml"], "no stage called 'trian'.*'train'"),
    (["run", "far.yaml"], "-1 is outside"),
    (["doctor", "--country", "XX"], "no country 'XX'"),
    (["doctor", "--intensity", "0"], "not above 0"),
    (["doctor", "--wall", "plug.csv"], "go together"),
    (["doctor", "--wall", "plug.csv", "--run", "nowhere"], "holds no run"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda x: " ".join(x[-3:]) if isinstance(x, list) else "")
def test_bad_input_is_one_message(
    folder: Path,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What and where and what to try; exit 2; the folder is as it was. In this process: an exception would end it."""
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["cemai-opt", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capfd.readouterr()
    shown = " ".join(err.split())
    assert ended.value.code == 2, shown
    assert re.search(message, shown), shown
    assert "error: " in shown
    assert not {"Traceback", "Usage:"} & set(shown.split())
    assert out == ""
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
