"""Idle watts and watts of a busy thread of this machine, measured once and stored."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from cemai_opt.core.errors import MeterError
from cemai_opt.core.files import write_atomic
from cemai_opt.meters._cpu_power import ThreadPower, cpu_model, thread_power

HOME = "CEMAI_OPT_HOME"
"""Environment variable: the folder of stored calibrations."""


BY_WALL_METER = "by a wall meter"
"""How the source of calibrated watts is named."""


def calibration_file() -> Path:
    """The file of idle watts, in `$CEMAI_OPT_HOME` or the user's configuration folder (XDG Base Directory)."""
    default = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "cemai-opt"
    return Path(os.environ.get(HOME, default)) / "calibration.json"


def idle_watts(source: str) -> float | None:
    """Idle watts that `doctor --calibrate` measured for a source on this machine; None if not calibrated."""
    watts = _known().get(source)
    return float(watts) if isinstance(watts, (int, float)) else None


def busy_thread() -> ThreadPower:
    """Watts of a busy thread of this machine: by a wall meter, if `doctor --wall` has stored them, or by its TDP."""
    try:
        stored = _document()["thread"]
        watts, error = float(stored["watts"]), float(stored["error"])  # type: ignore[index]  # what a file holds
    except (KeyError, TypeError, ValueError):
        return thread_power()
    return ThreadPower(watts, f"{watts:.2f} W/thread, {BY_WALL_METER}", error)


def keep_idle_watts(measured: Mapping[str, float]) -> Path:
    """Stores idle watts by source for this machine. MeterError if the file cannot be written."""
    return _keep(idle_w={**_known(), **measured})


def keep_thread_watts(watts: float, error: float) -> Path:
    """Stores watts of a busy thread, with a relative error, for this machine. MeterError if it cannot be written."""
    return _keep(thread={"watts": watts, "error": error})


def _keep(**changed: object) -> Path:
    path = calibration_file()
    document = {**_document(), **changed, "machine": machine_key()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise MeterError(f"cannot write {path}: {error.strerror}", f"set {HOME} to a writable folder") from error
    return path


def machine_key() -> str:
    """A key of this machine, so that the calibration of another machine is not used."""
    return f"{platform.node()}, {cpu_model()}, {os.cpu_count()} threads"


def _known() -> dict[str, object]:
    """Idle watts by source."""
    idle = _document().get("idle_w")
    return idle if isinstance(idle, dict) else {}


def _document() -> dict[str, object]:
    """What is stored; empty if the file is missing, unreadable, or from another machine."""
    try:
        document = json.loads(calibration_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(document, dict) or document.get("machine") != machine_key():
        return {}
    return document
