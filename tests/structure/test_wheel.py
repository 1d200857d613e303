"""What a wheel holds."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import ROOT


def test_a_wheel_installs_one_package_that_finds_its_files(tmp_path: Path) -> None:
    """No top-level name but cemai_opt; studies and search spaces travel inside, and are found as in a checkout."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        archive.extractall(tmp_path / "site")
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cemai_opt"}
    code = "from cemai_opt.core.shipped import shipped; print(*shipped('studies'), *shipped('search_spaces'))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, '{tmp_path / 'site'}'); {code}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    in_checkout = [p.stem for kind in ("studies", "search_spaces") for p in sorted((ROOT / kind).glob("*.yaml"))]
    assert done.stdout.split() == in_checkout
