"""Parts that are found by the name of their file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.registry import Listing, Part, Registry, need

PART = "from cemai_opt.core.registry import Part\n\n\nclass {name}(Part):\n    '''{name} does it.\n\n    Slowly.'''\n"
NEEDY = PART.format(name="Needy") + "    requires = ('no_such_library',)\n"

MakeRegistry = Callable[..., "Registry[Part]"]


@pytest.fixture
def registry_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRegistry:
    """Makes a registry of the files that are given, as a third party would add them."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in [module for module in sys.modules if module.split(".")[0] == "parts_of_a_test"]:
        monkeypatch.delitem(sys.modules, name)

    def make(**files: str) -> Registry[Part]:
        package = tmp_path / "parts_of_a_test"
        package.mkdir()
        for name, text in {"__init__": "", **files}.items():
            (package / f"{name}.py").write_text(text)
        return Registry("tool", "parts_of_a_test", base=Part)

    return make


def test_a_file_is_a_part_under_its_own_name(registry_of: MakeRegistry) -> None:
    """Nothing else has to be told about it."""
    registry = registry_of(file_saw=PART.format(name="FileSaw"), drill=PART.format(name="Drill"))
    assert registry.names == ("drill", "file_saw")
    assert registry.find("file_saw").__name__ == "FileSaw"
    assert registry.listing("drill") == Listing("drill", "Drill does it.", ())


def test_names_are_known_before_anything_is_imported(registry_of: MakeRegistry) -> None:
    """A broken file does not break a list; a file with an underscore is no part."""
    registry = registry_of(broken="raise RuntimeError('imported')", _helper="raise RuntimeError('imported')")
    assert registry.names == ("broken",)
    with pytest.raises(RuntimeError, match="imported"):
        registry.find("broken")


def test_a_misspelt_name_gets_the_nearest_one(registry_of: MakeRegistry) -> None:
    """And the kind of part that was looked for."""
    registry = registry_of(drill=PART.format(name="Drill"))
    with pytest.raises(StudyError, match=r"no tool called 'dril' \(did you mean 'drill'\?\)"):
        registry.find("dril")


def test_only_the_class_of_the_file_itself_counts(registry_of: MakeRegistry) -> None:
    """Not an imported one, nor one with an underscore."""
    hidden = PART.format(name="_Base")
    saw = f"{PART.format(name='Saw')}\nfrom parts_of_a_test.drill import Drill\n"
    registry = registry_of(drill=f"{hidden}\n{PART.format(name='Drill')}", saw=saw)
    assert registry.find("drill").__name__ == "Drill"
    assert registry.find("saw").__name__ == "Saw"


@pytest.mark.parametrize("text", ["", PART.format(name="One") + PART.format(name="Two")])
def test_a_file_defines_exactly_one_part(registry_of: MakeRegistry, text: str) -> None:
    """None or two are a mistake of its author."""
    with pytest.raises(StudyError, match=r"defines [02] subclasses of Part"):
        registry_of(odd=text).find("odd")


def test_a_part_without_its_library_is_listed_and_not_used(registry_of: MakeRegistry) -> None:
    """With the command that makes it usable."""
    registry = registry_of(needy=NEEDY, drill=PART.format(name="Drill"))
    assert [(line.name, line.is_available) for line in registry.listings()] == [("drill", True), ("needy", False)]
    assert registry.available() == ("drill",)
    with pytest.raises(StudyError, match=r"tool 'needy' needs no_such_library \(pip install no_such_library\)"):
        registry.require("needy")


def test_one_command_installs_everything_that_is_missing() -> None:
    """Libraries of one extra need it once."""
    missing = ("onnx", "other", "skops", "onnxruntime")
    assert Listing("x", "", missing).remedy == "pip install 'cemai-opt[export,onnx]' other"
    assert Listing("x", "", ()).remedy == ""


def test_a_missing_library_is_named_before_it_is_imported() -> None:
    """One that is there is no reason to stop."""
    need("json")
    with pytest.raises(StudyError, match="this needs no_such_library"):
        need("json", "no_such_library")
