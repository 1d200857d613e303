"""Run folders that were damaged: cut off, changed, emptied, mixed up. No number may be another one in silence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cemai_opt.core.serialization import to_json
from cemai_opt.runs import RunFolder, RunView
from tests.finished import finished_run
from tests.fuzz.outcome import WrongError

READ = ("study.yaml", "space.lock.yaml", "trials.jsonl", "front.json", "summary.json", "confirmed.json", "spent.json")


def contents() -> dict[str, bytes]:
    """The files of a finished run."""
    return {file.name: file.read_bytes() for file in finished_run("regression").path.iterdir() if file.is_file()}


def damaged_folder(folder: Path, rng: np.random.Generator) -> None:
    """Writes the run with one or two of its files damaged."""
    for name, content in contents().items():
        (folder / name).write_bytes(content)
    for name in rng.choice(READ, size=int(rng.integers(1, 3)), replace=False):
        path = folder / str(name)
        content = path.read_bytes()
        place = int(rng.integers(len(content)))
        kind = rng.choice(["flip", "digit", "cut", "line", "empty", "gone", "zeros", "twice"])
        if kind == "flip":
            content = content[:place] + bytes([content[place] ^ (1 << int(rng.integers(8)))]) + content[place + 1 :]
        elif kind == "digit":
            digits = [i for i, byte in enumerate(content) if chr(byte).isdigit()]
            i = int(rng.choice(digits))
            content = (
                content[:i] + str((int(chr(content[i])) + int(rng.integers(1, 10))) % 10).encode() + content[i + 1 :]
            )
        elif kind == "cut":
            content = content[:place]
        elif kind == "line":
            lines = content.splitlines(keepends=True)
            del lines[int(rng.integers(len(lines)))]
            content = b"".join(lines)
        elif kind == "zeros":
            content = content[:place] + bytes(min(64, len(content) - place)) + content[place + 64 :]
        elif kind == "twice":
            content += content
        path.write_bytes(b"" if kind == "empty" else content)
        if kind == "gone":
            path.unlink()


def facts(folder: RunFolder) -> dict[str, object]:
    """What readers show of a run."""
    view = RunView.of(folder)
    return {
        "study": view.study.comparable_settings(),
        "front": to_json(view.front),
        "spent": view.summary.search.carbon_g,
        "trials": [to_json(result) for result in view.results],
        "space": to_json(folder.space()),
        "members": to_json(folder.members()),
    }


def check(folder: Path) -> None:
    """`WrongError` if the folder can be read, and says something else than the whole one."""
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    found, whole = facts(RunFolder(folder)), facts(RunFolder(finished_run("regression").path))
    if {file.name: file.read_bytes() for file in folder.iterdir()} != before:
        raise WrongError("reading has changed a file")
    for key, wanted in whole.items():
        is_noted = key == "members" and found[key] == to_json(RunFolder(folder / "nothing").members())
        if found[key] != wanted and not is_noted:
            raise WrongError(f"{key} is another one: {json.dumps(found[key])[:200]}")
