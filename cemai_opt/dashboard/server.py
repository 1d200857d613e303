"""A small web server on the loopback interface, with one thread per request."""

from __future__ import annotations

from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores errors such as a browser that disconnects during a response."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # name given by the base class
        """Does not log requests, because their addresses may contain the token."""


def serve(app: Callable[..., Any], port: int) -> WSGIServer:
    """A server of a WSGI application on 127.0.0.1, not yet started. OSError if the port is in use."""
    return make_server("127.0.0.1", port, app, _Server, _Quiet)
