"""Runs the command line as `python -m cemai_opt`."""

import os
import sys

if __name__ == "__main__":
    here = os.path.realpath(os.getcwd())
    if os.path.realpath(sys.path[0]) == here != os.path.dirname(os.path.dirname(os.path.realpath(__file__))):
        del sys.path[0]  # the current folder may be a stranger's: its click.py is not imported

    from cemai_opt.cli import main

    main()
