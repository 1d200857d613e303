"""YAML files that the product ships, and those of the user."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.yaml_text import parsed_yaml


def shipped(kind: str) -> dict[str, Path]:
    """Files included in the product, by name: `kind` is their folder, such as "studies".

    In a wheel they are inside the package, in a checkout next to it.
    """
    package = Path(__file__).parents[1]
    for folder in (package / kind, package.parent / kind):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def document_of(kind: str, name: str) -> tuple[object, str]:
    """A shipped document by name, or a file by path; and the path of the file. StudyError if there is none."""
    known = shipped(kind)
    path = Path(name) if name.endswith((".yaml", ".yml")) else known.get(name)
    if path is None and Path(name).exists():
        raise StudyError(f"{name} is not YAML", f"if it is data: --data {name}; `cemai-opt init` writes a study for it")
    if path is None:
        raise StudyError(f"{kind}: there is no {name!r}", f"{nearest(name, known)} (a path ends in .yaml)")
    return read_yaml(path), str(path)


def read_yaml(path: Path) -> object:
    """The document in a YAML file. StudyError if it is missing or not YAML."""
    try:
        return parsed_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        siblings = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise StudyError(f"there is no file {path}", nearest(path.name, siblings)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot read {path}: {error}", "is it a YAML file?") from error
    except ValueError as error:
        raise StudyError(f"{path} is not YAML: {error}", "fix the file") from error
