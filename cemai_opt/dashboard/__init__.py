"""Optuna's dashboard for a run: published contents, access control and server."""
