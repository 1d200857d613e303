"""Runs the command line as `python -m cemai_opt`."""

from cemai_opt.cli import main

if __name__ == "__main__":
    main()
