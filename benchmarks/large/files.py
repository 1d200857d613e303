"""Files of the Broaching demonstration: writing them, and the cost of reading them."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.datasets import READERS
from cemai_opt.datasets.broaching_demo import STROKE_ROWS, STROKES, broaching_strokes

PLAIN_READ = "import pandas, sys; [pandas.read_csv(path) for path in sys.argv[1:]]"


def add_generate_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of `generate`."""
    command.add_argument("folder", type=Path)
    command.add_argument("--rows", type=int, default=STROKES * STROKE_ROWS, help="rows in all")
    command.add_argument("--format", choices=("csv", "parquet"), default="csv")
    command.set_defaults(command=generate)


def generate(args: argparse.Namespace) -> None:
    """Writes one file per stroke into a new folder."""
    args.folder.mkdir(parents=True)
    frame = broaching_strokes(n_rows=-(-args.rows // STROKES)).drop(columns="stroke")
    size = len(frame) // STROKES
    for stroke in range(STROKES):
        part, path = frame.iloc[stroke * size : (stroke + 1) * size], args.folder / f"stroke{stroke:02d}.{args.format}"
        part.to_csv(path, index=False) if args.format == "csv" else part.to_parquet(path, index=False)
    n_bytes = sum(path.stat().st_size for path in args.folder.iterdir())
    print(f"{len(frame)} rows, {n_bytes / 1e6:.0f} MB in {STROKES} files")


def add_read_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of `read`."""
    command.add_argument("folder", type=Path)
    command.set_defaults(command=read)


def read(args: argparse.Namespace) -> None:
    """Prints CPU seconds of reading, per million rows, and compared with pandas' `read_csv` of the same files."""
    import pandas  # noqa: F401  # loaded before the clock starts
    import pyarrow.csv  # noqa: F401

    begun = time.process_time()
    spec = DataSpec(path=str(args.folder), target="tool_wear", time="sample")
    data = READERS.require("tabular")().read(spec, "regression")
    took = time.process_time() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{len(data.y)} rows, {len(data.names)} inputs: {took:.1f} s of CPU, peak {peak_mb:.0f} MB, types:")
    print(", ".join(f"{column.name}: {data.X.dtype}" for column in data.schema.columns))
    files = sorted(map(str, args.folder.glob("*.csv")))
    if files:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", PLAIN_READ, *files], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        plain = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(
            f"pandas.read_csv of the same files, imports included: {plain:.1f} s; ours takes {took / plain:.2f} times"
        )
