"""Speed and memory on large data, as ratios within one run: `python -m benchmarks.large COMMAND`.

    generate FOLDER   writes the Broaching demonstration as 40 files
    read FOLDER       CPU seconds and peak memory of reading such a folder
    features          features and windows, compared with other libraries, a Python loop, and a plain copy
    growth            seconds, joules and memory of each stage from 10^4 to 5x10^6 rows, with the fitted exponent
    inference         rows per second and joules of an exported model, native and ONNX, single rows and batches
    cluster           thirty trials on a Dask cluster with three workers, compared with one

`python -m benchmarks.search_cpu TRIALS` has the CPU time and the memory of the driver.
"""

from __future__ import annotations

import argparse

from benchmarks.large import cluster, features, files, growth, inference


def main() -> None:
    """Runs one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    files.add_generate_arguments(commands.add_parser("generate"))
    files.add_read_arguments(commands.add_parser("read"))
    features.add_arguments(commands.add_parser("features"))
    growth.add_arguments(commands.add_parser("growth"))
    inference.add_arguments(commands.add_parser("inference"))
    cluster.add_arguments(commands.add_parser("cluster"))
    args = parser.parse_args()
    args.command(args)


main()
