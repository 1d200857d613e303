"""Model folders with changed files, with fitting checksums or without: broken by a transfer, or by a stranger."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import traceback
import zipfile
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt.core.errors import CemaiError
from cemai_opt.core.files import sha256_of, sha256_of_file
from cemai_opt.deploy.model_folder import CHECKSUM, FORMS, SIDECAR, load_model
from tests.deploy.conftest import export_of, rows_of
from tests.finished import picked_with
from tests.fuzz.outcome import LIMIT_S, WrongError
from tests.fuzz.studies import ODD

TASK = "regression"
CHEAP = (
    "ridge",
    "elastic_net",
    "spline_ridge",
    "nystroem",
    "decision_tree",
    "random_forest",
    "gradient_boosting",
    "quant",
    "dnn",
    "lstm",
)
GUARDED = ("xgboost", "lightgbm")
"""Models whose files are loaded by a child process first, which takes a second."""
GUARDED_SHARE = 0.03
PRELOADED = ("cemai_opt.deploy.model_folder", "skops.io", "sklearn.ensemble", "pandas", "safetensors", "torch")


@cache
def exported(model: str) -> Path:
    """The folder of an exported model."""
    folder = Path(mkdtemp(prefix="cemai-opt-fuzz-")) / model
    export_of(picked_with(TASK, model, sequentialize={"window_rows": 2}), folder)
    return folder


def damaged_model(folder: Path, rng: np.random.Generator) -> bool:
    """Writes a model folder with one changed file; whether its checksums fit."""
    model = str(rng.choice(GUARDED if rng.random() < GUARDED_SHARE else CHEAP))
    fork_server()
    copytree(exported(model), folder, dirs_exist_ok=True)
    document: dict[str, Any] = json.loads((folder / SIDECAR).read_text())
    names = sorted(name for name in document["files"] if name.startswith("model."))
    is_fitting = bool(rng.random() < 0.8)
    if is_fitting and rng.random() < 0.4:
        _change_value(document, rng)
    else:
        path = folder / str(rng.choice(names))
        content = _in_archive(path, rng) if path.suffix == ".skops" else _changed(path.read_bytes(), rng)
        path.write_bytes(content)
    if is_fitting:
        del document[CHECKSUM]
        if isinstance(document.get("files"), dict):
            document["files"] |= {name: sha256_of_file(folder / name) for name in names}
        try:
            text = json.dumps({**document, CHECKSUM: sha256_of(document)})
        except (ValueError, TypeError):
            text = repr(document)
        (folder / SIDECAR).write_bytes(text.encode("utf-8", "surrogatepass"))
    return is_fitting


def _changed(content: bytes, rng: np.random.Generator, *, first: int = 0) -> bytes:
    """Some bytes are others, or the end is missing; at least one byte is changed."""
    changed = bytearray(content)
    for place in rng.integers(first, len(changed), size=int(rng.choice([1, 4, 16]))):
        changed[int(place)] ^= 1 << int(rng.integers(8))
    return bytes(changed[: int(rng.integers(len(changed)))] if rng.random() < 0.1 or changed == content else changed)


def _in_archive(path: Path, rng: np.random.Generator) -> bytes:
    """The archive with one changed file, most often one of numbers, behind its header."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    arrays = [name for name, content in members.items() if name.endswith(".npy") and len(content) > 136]
    name = str(rng.choice(arrays if arrays and rng.random() < 0.9 else list(members)))
    members[name] = _changed(members[name], rng, first=128 if name in arrays else 0)
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path.read_bytes()


def _change_value(document: dict[str, Any], rng: np.random.Generator) -> None:
    """Puts an odd value somewhere into the document, or another number, or removes a key."""
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = keys[int(rng.integers(len(keys)))]
        if isinstance(place[key], (dict, list)) and place[key] and rng.random() < 0.9:
            place = place[key]
            continue
        break
    if rng.random() < 0.1:
        del place[key]
    elif isinstance(place[key], (int, float)) and rng.random() < 0.5:
        place[key] = int(rng.integers(-3, 40))
    else:
        place[key] = copy.deepcopy(ODD[int(rng.integers(len(ODD)))])


@cache
def fork_server() -> ForkServerContext:
    """The server that processes are forked from; it has imported the libraries then, which takes seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    first = context.Process(target=os.getpid)
    first.start()
    first.join()
    return context


def check_model(folder: Path, *, is_fitting: bool, form: str) -> None:
    """Loads and predicts in a process of its own. `WrongError` if a file that was changed by accident is used."""
    said = folder / "said.txt"
    child = fork_server().Process(target=_predict, args=(folder, said, form), daemon=True)
    child.start()
    try:
        child.join(2 * LIMIT_S)
    finally:
        child.kill()
    if child.exitcode != 0:
        raise RuntimeError(f"the process ended with {child.exitcode}: {said.read_text() if said.exists() else ''}")
    message = said.read_text()
    if message:
        raise CemaiError(message, "")
    if not is_fitting:
        raise WrongError("a changed file was used")


def _predict(folder: Path, said: Path, form: str) -> None:
    message, status = "", 0
    try:
        load_model(folder, form).predict(pd.read_csv(rows_file(folder)))
    except CemaiError as error:
        message = error.message
    except BaseException:
        message, status = traceback.format_exc(), 1
    said.write_text(message, errors="replace")
    os._exit(status)


def rows_file(folder: Path) -> Path:
    """The rows that the model predicts, beside it."""
    rows = folder.parent / "rows.csv"
    if not rows.exists():
        pd.read_csv(rows_of(TASK)).head(60).to_csv(rows, index=False)
    return rows


def random_form(rng: np.random.Generator) -> str:
    """The native form, sometimes ONNX."""
    return FORMS[int(rng.random() < 0.2)]
