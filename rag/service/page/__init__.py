"""The page: the files a browser loads, and the policy that it is held to. It asks the service and nothing else.

There is no build step: what lies here is what is sent. Documents and answers are put into the page as text nodes only,
and the policy would stop whatever slipped through: no inline script or style, no foreign address, no HTML out of text.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from indexer.errors import NotFound

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The Content-Security-Policy that goes with each file of the page."""

INDEX = "index.html"
"""The file that `/` gives; it names the others relative to itself, as `page/NAME`."""

_SCRIPT = "text/javascript; charset=utf-8"
FILES: Mapping[str, str] = {
    INDEX: "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "address.js": _SCRIPT,
    "answer.js": _SCRIPT,
    "app.js": _SCRIPT,
    "asking.js": _SCRIPT,
    "body.js": _SCRIPT,
    "copying.js": _SCRIPT,
    "documents.js": _SCRIPT,
    "elements.js": _SCRIPT,
    "explained.js": _SCRIPT,
    "folders.js": _SCRIPT,
    "history.js": _SCRIPT,
    "inline.js": _SCRIPT,
    "keys.js": _SCRIPT,
    "library.js": _SCRIPT,
    "options.js": _SCRIPT,
    "pages.js": _SCRIPT,
    "places.js": _SCRIPT,
    "reader.js": _SCRIPT,
    "rows.js": _SCRIPT,
    "service.js": _SCRIPT,
    "spans.js": _SCRIPT,
    "start.js": _SCRIPT,
    "tables.js": _SCRIPT,
    "text.js": _SCRIPT,
    "uploads.js": _SCRIPT,
}
"""The files of the page and their media types; nothing else is sent."""


def page_file(name: str) -> tuple[bytes, str]:
    """Return the content and media type of a file of the page. Raises NotFound for every other name."""
    if name not in FILES:
        raise NotFound(f"The page has no file {name!r}.", "Open the address of the service itself.")
    return files(__name__).joinpath(name).read_bytes(), FILES[name]
