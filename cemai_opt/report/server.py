"""A small web server on the loopback interface, one thread a request."""

from __future__ import annotations

from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no fault of ours."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # the base class names it so
        """Requests are not told: their addresses may hold the token."""


def serve(app: Callable[..., Any], port: int) -> WSGIServer:
    """A server of a WSGI application on 127.0.0.1, not yet answering. OSError where the port is taken."""
    return make_server("127.0.0.1", port, app, _Server, _Quiet)
