"""Access control for a web application that has none: by host, token, method and origin of a request."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "cemai_opt_token"
SAFE_METHODS = ("GET", "HEAD")
ARTIFACTS = "/artifacts/"
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)

Environment = dict[str, Any]
Headers = list[tuple[str, str]]


class AccessControl:
    """WSGI middleware that accepts only requests to a loopback host, with the token, and by default read-only.

    - `Host` must be a loopback name, which prevents DNS rebinding. The port may differ, for tunnels.
    - The token is read from the address once, then stored in a cookie that is not sent with requests of other sites.
    - Requests with other methods than GET and HEAD are refused unless `is_writable`, and must be of the same origin.
    - Artifacts are shown in a sandbox: no scripts, no forms, no access to the dashboard.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], token: str, *, is_writable: bool = False) -> None:
        self._app, self._token, self._is_writable = app, token, is_writable

    def __call__(self, environ: Environment, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The application's response, or a refusal with its reason."""
        host = environ.get("HTTP_HOST", "")
        if _name_of(host) not in LOOPBACK:
            return _refused(start_response, "403 Forbidden", reason="this server answers to loopback names only")
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        if "token" in query and environ["REQUEST_METHOD"] == "GET":
            return self._let_in(query, environ, start_response=start_response)
        if not self._is_known(_cookie(environ)):
            return _refused(start_response, "401 Unauthorized", reason="open the address that the command has printed")
        if environ["REQUEST_METHOD"] not in SAFE_METHODS:
            if not self._is_writable:
                return _refused(
                    start_response, "403 Forbidden", reason="read-only; --writable lets the dashboard write"
                )
            if urlsplit(environ.get("HTTP_ORIGIN", "")).netloc != host:
                return _refused(start_response, "403 Forbidden", reason="the request comes from another site")
        return self._app(environ, self._guarded(environ, start_response))

    def _is_known(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _let_in(
        self, query: dict[str, str], environ: Environment, *, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Moves the token from the address, so that it is not in the browser's history, to a cookie."""
        if not self._is_known(query.pop("token")):
            return _refused(start_response, "401 Unauthorized", reason="the token is not the one that was printed")
        place = environ.get("PATH_INFO", "/") + (f"?{urlencode(query)}" if query else "")
        cookie = f"{COOKIE}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        # a page that refreshes itself: on a redirect, browsers may not send a cookie that was just set
        page = f'<!doctype html><meta http-equiv="refresh" content="0; url={_escaped(place)}">'.encode()
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", cookie), *HEADERS]
        start_response("200 OK", [*headers, ("Content-Security-Policy", "default-src 'none'")])
        return [page]

    def _guarded(self, environ: Environment, start_response: Callable[..., Any]) -> Callable[..., Any]:
        def start(status: str, headers: Headers, *rest: Any) -> Any:
            dropped = {"access-control-allow-origin", *(name.lower() for name, _ in HEADERS)}
            kept = [(name, value) for name, value in headers if name.lower() not in dropped]
            if environ.get("PATH_INFO", "").startswith(ARTIFACTS):
                kept = [(name, value) for name, value in kept if name.lower() != "content-security-policy"]
                kept.append(("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'"))
            return start_response(status, [*kept, *HEADERS], *rest)

        return start


def _name_of(host: str) -> str | None:
    """The name in a `Host` header, without its port; None if it is invalid."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # an open bracket
        return None


def _cookie(environ: Environment) -> str:
    try:
        morsel = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _escaped(place: str) -> str:
    import html

    return html.escape(place if place.startswith("/") and not place.startswith("//") else "/", quote=True)


def _refused(start_response: Callable[..., Any], status: str, *, reason: str) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json"), *HEADERS])
    return [json.dumps({"reason": reason}).encode()]
