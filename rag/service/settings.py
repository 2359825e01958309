"""What the service can be told, and in which order: a file, then the environment, then the command line; later counts.

The file is TOML with the names of `Settings` as keys: `serve.toml` in the home folder, or the one that is named. In the
environment a name is FOOTNOTE_ and the name in capitals (FOOTNOTE_PORT); lists are separated by commas.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from indexer.errors import NotFound, UsageError
from indexer.home import DEFAULT_COLLECTION, home_folder

FILE = "serve.toml"
MIN_TOKEN = 16
"""Shortest token, in characters; shorter ones can be tried out."""
_NEW_TOKEN = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service runs. Sizes are in bytes, times in seconds."""

    home: str = ""
    """Where collections are kept; "" for the usual place."""
    collection: str = DEFAULT_COLLECTION
    """The collection that is used where a request names none."""
    generator: str = ""
    """What answers from every collection, named as for `ask`; "" for each collection's choice."""
    host: str = "127.0.0.1"
    """Address to listen at. Any other than this machine's own (loopback) needs a token."""
    port: int = 8000
    """0 takes any that is free."""
    token: str = dataclasses.field(default="", repr=False)
    """Bearer token that every request must bring; "" for none, on this machine alone."""
    allowed_hosts: tuple[str, ...] = ()
    """Names under which the service is called, besides its address and localhost; a request to another is refused."""
    max_body: int = 1_000_000
    """Longest request, uploads apart."""
    max_upload: int = 50_000_000
    """Longest file; the indexer reads no longer ones."""
    header_seconds: float = 10.0
    """In which a request's headers must be there."""
    body_seconds: float = 30.0
    """In which its body must be there; an upload has ten times as long."""
    request_seconds: float = 120.0
    """In which it is answered; indexing takes as long as it takes."""
    send_seconds: float = 30.0
    """In which a reader must take a piece of the response."""
    max_connections: int = 256
    """Open at once."""
    max_requests: int = 128
    """In work or waiting at once."""
    queue: int = 64
    """Questions that wait; one more is told to come again (429)."""
    batch: int = 16
    """Questions that are read or answered together, at most."""
    batch_seconds: float = 0.005
    """That a batch waits for company, while there is some."""
    writers: int = 1
    """Answers that language models write at once."""
    drain_seconds: float = 20.0
    """That requests in work are given when the service stops."""
    folders: bool = True
    """Let folders be bound to a collection by their path, where only this machine can reach the address."""
    log_json: bool = False
    """Log lines as JSON objects."""
    log_questions: bool = False
    """Write questions into the log."""
    tracing: bool = False
    """Send OpenTelemetry traces to where the variables OTEL_* say."""

    @property
    def home_path(self) -> Path:
        """The home folder."""
        return home_folder(self.home or None)

    @property
    def is_local(self) -> bool:
        """True when only this machine can reach the address."""
        return is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str]:
        """Names in a Host header that are answered, in lower case and without a port."""
        names = {"localhost", "127.0.0.1", "::1", self.host, *self.allowed_hosts}
        return frozenset(name.lower().strip("[]") for name in names if name not in ("0.0.0.0", "::", ""))


def variables() -> list[str]:
    """Return the names of the variables in which settings may stand."""
    return [f"FOOTNOTE_{field.name.upper()}" for field in dataclasses.fields(Settings)]


def is_loopback(host: str) -> bool:
    """True for this machine's own addresses and localhost."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def load_settings(
    file: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings: those of the file, under those of the environment, under the flags that are not None.

    Raises UsageError for one that is unknown or of the wrong kind, and for an address that needs a token without one.
    """
    environ = os.environ if environment is None else environment
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    told = _from_environment(environ)
    home = given.get("home") or told.get("home")
    path = file or environ.get("FOOTNOTE_SERVE_CONFIG")
    values = {**_from_file(Path(path) if path else home_folder(home) / FILE, required=bool(path)), **told, **given}
    return checked(Settings(**values))


def checked(settings: Settings) -> Settings:
    """Return the settings, if they can be served with. Raises UsageError."""
    for name, kind in _KINDS.items():
        value = getattr(settings, name)
        if kind in (int, float) and not (math.isfinite(value) and value >= (0 if name in _MAY_BE_0 else 1e-9)):
            raise UsageError(f"{name} is {value}, and must be more than that.", "Leave it out for the usual value.")
    if settings.port > 65535:
        raise UsageError(f"There is no port {settings.port}.", "Choose one up to 65535.")
    if settings.token and (len(settings.token) < MIN_TOKEN or not settings.token.isascii() or " " in settings.token):
        raise UsageError(
            f"The token has {len(settings.token)} characters; it needs at least {MIN_TOKEN}, without spaces.",
            f"Make one: {_NEW_TOKEN}",
        )
    if not settings.token and not settings.is_local:
        raise UsageError(
            f"Others can reach {settings.host}, and no token is set.",
            f"Stay with --host 127.0.0.1, or set one first: export FOOTNOTE_TOKEN=$({_NEW_TOKEN})",
        )
    return settings


_KINDS: Mapping[str, Any] = get_type_hints(Settings)
_MAY_BE_0 = ("port", "batch_seconds")


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        text = environment.get(f"FOOTNOTE_{name.upper()}", "")
        if text:
            found[name] = _parsed(f"FOOTNOTE_{name.upper()}", text, kind)
    return found


def _parsed(name: str, text: str, kind: Any) -> Any:
    switches = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    try:
        if kind is bool:
            return switches[text.lower()]
        if kind in (int, float, str):
            return kind(text)
        return tuple(part.strip() for part in text.split(",") if part.strip())
    except (ValueError, KeyError) as error:
        wanted = "true or false" if kind is bool else "a number"
        raise UsageError(
            f"{name} is {text[:80]!r}, and should be {wanted}.", f"Correct it, or: unset {name}"
        ) from error


def _from_file(path: Path, required: bool) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not required:
            return {}
        raise NotFound(
            f"There is no file {path} to configure the service.", "Correct --config, or leave it out."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as TOML: {error}.", "For example: port = 8000") from error
    return {name: _fitting(path, name, value) for name, value in values.items()}


def _fitting(path: Path, name: str, value: Any) -> Any:
    kind = _KINDS.get(name)
    if kind is None:
        raise UsageError(f"{path} has {name!r}, which is no setting.", f"There are: {', '.join(_KINDS)}")
    if kind is float and type(value) is int:
        return float(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = tuple(value)
    if type(value) is not (kind if kind in (str, int, float, bool) else tuple):
        raise UsageError(
            f"{path} has {value!r} as {name}.", "For example: port = 8000, allowed_hosts = ['library.local']"
        )
    return value
