"""What every request must hold before anything reads it, and what every answer carries.

The host must be one of the server's own, so that no foreign page reaches it by pointing a name of
its own here. What changes something comes as JSON from the server's own pages. A body ends at its
limit.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fabless.errors import Fault
from fabless.web.settings import Settings

SMALL_BODY = 64 * 1024
LARGE_BODY = 4 * 1024 * 1024
"""Bytes of an upload, escapes of JSON included."""
UPLOADS = "/api/cases"
COOKIE = "fabless_token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'")
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY, "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer", "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()", "cache-control": "no-store",
}
"""Headers of every answer that does not set them itself."""


class TooLarge(Exception):
    """A body beyond its limit."""


class Guard:
    """Lets through what the settings allow."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1")
                   for key, value in scope["headers"]}
        answering = _with_headers(send, self._cookie(scope))
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(answering, *refusal)
            return
        limit = LARGE_BODY if scope["path"] == UPLOADS else SMALL_BODY
        try:
            await self._app(scope, _limited(receive, limit), answering)
        except TooLarge:
            await _refuse(answering, *_too_large(limit))

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, Fault] | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._settings.hosts:
            return 421, Fault("Host", f"{host[:80]!r}", "the address under which the server runs",
                              "open the address that `fabless web` prints")
        if self._settings.token and not self._has_token(scope, headers):
            return 401, Fault("token", "none, or another one", "the token of this server",
                              "open the address that `fabless web` prints, token included")
        if scope["method"] in SAFE:
            return None
        if not _is_own_page(headers, host):
            return 403, Fault("Origin", f"{headers.get('origin', 'another site')[:80]!r}",
                              "a page of this server", "send the request from its own page")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] == "POST" and kind != "application/json":
            return 415, Fault("Content-Type", f"{kind[:80]!r}", "application/json", "send JSON")
        size, limit = headers.get("content-length", "0"), (
            LARGE_BODY if scope["path"] == UPLOADS else SMALL_BODY)
        if size.isascii() and size.isdigit() and int(size[:20]) > limit:
            return _too_large(limit)
        return None

    def _has_token(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        given = [bearer] if kind.lower() == "bearer" else []
        given += _asked_token(scope)
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        given += [cookie.value] if cookie else []
        wanted = self._settings.token.encode()
        return any([hmac.compare_digest(text.encode("utf-8", "replace"), wanted) for text in given])

    def _cookie(self, scope: Scope) -> str:
        """Keeps a token that stood in the address, so that it need not stand in any other."""
        token = self._settings.token
        if not token or not any(hmac.compare_digest(text.encode("utf-8", "replace"), token.encode())
                                for text in _asked_token(scope)):
            return ""
        return f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict"


def _asked_token(scope: Scope) -> list[str]:
    query = scope.get("query_string", b"").decode("latin-1")[:2000]
    return parse_qs(query).get("token", [])


def _name_of(host: str) -> str:
    """Name of a host without its port.

    >>> _name_of("[::1]:8765"), _name_of("localhost")
    ('::1', 'localhost')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_own_page(headers: Mapping[str, str], host: str) -> bool:
    """Whether a request comes from the server's own page, or from no page at all."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin in (f"http://{host}", f"https://{host}")


def _limited(receive: Receive, limit: int) -> Receive:
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise TooLarge
        return message

    return limited


def _with_headers(send: Send, cookie: str) -> Send:
    async def answering(message: Message) -> None:
        if message["type"] == "http.response.start":
            named = {key.lower() for key, _ in message.get("headers", [])}
            added = [(key.encode(), value.encode()) for key, value in HEADERS.items()
                     if key.encode() not in named]
            added += [(b"set-cookie", cookie.encode())] if cookie else []
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return answering


def _too_large(limit: int) -> tuple[int, Fault]:
    return 413, Fault("body", "more than the limit", f"at most {limit // 1024:,} kB", "send less")


async def _refuse(send: Send, status: int, fault: Fault) -> None:
    body = json.dumps({"faults": [{"place": fault.place, "found": fault.found,
                                   "allowed": fault.allowed, "remedy": fault.remedy}]}).encode()
    await send({"type": "http.response.start", "status": status, "headers": [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
