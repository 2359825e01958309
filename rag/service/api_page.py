"""The interface as a page for people: made of the OpenAPI document, without scripts or anything from elsewhere."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def api_page(document: Schema) -> str:
    """Return the page."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1">',
        f"<title>{_text(document['info']['title'])}</title>",
        '<link rel="stylesheet" href="/page/style.css"></head><body><main class="api">',
        f"<h1>{_text(document['info']['title'])} {_text(document['info']['version'])}</h1>",
        _prose(document["info"].get("description", "")),
        '<p><a href="/">The page</a> · <a href="/openapi.json">OpenAPI</a> · every refusal is an '
        '<a href="#ErrorResponse">ErrorResponse</a></p><nav><ul>',
        *(f'<li><a href="#{_anchor(m, path)}">{m.upper()} {_text(path)}</a></li>' for m, path, _ in _routes(document)),
        "</ul></nav>",
        *(_route(document, *each) for each in _routes(document)),
        "<h2>Schemas</h2>",
        *(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())),
        "</main></body></html>",
    ]
    return "\n".join(parts)


def _routes(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            yield method, path, route


def _route(document: Schema, method: str, path: str, route: Schema) -> str:
    parts = [
        f'<section id="{_anchor(method, path)}"><h2>{method.upper()} {_text(path)}</h2>',
        _prose(route.get("description", "")),
    ]
    rows = [
        f"<tr><td><code>{_text(each['name'])}</code></td><td>{_text(each['in'])}</td>"
        f"<td>{_text(_kind(each.get('schema', {})))}</td><td>{_marked(each.get('description', ''))}</td></tr>"
        for each in route.get("parameters", [])
    ]
    if rows:
        parts.append(f"<table><tr><th>parameter<th>in<th>type<th></tr>{''.join(rows)}</table>")
    for media, body in route.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body: {_text(media)}, {_link(body.get('schema', {}))}</p>")
    for status, response in route["responses"].items():
        if status.startswith("2"):
            parts += [_response(status, media, body) for media, body in response.get("content", {}).items()]
    return "".join([*parts, "</section>"])


def _response(status: str, media: str, body: Schema) -> str:
    kind = _events(body["itemSchema"]) if "itemSchema" in body else _link(body.get("schema", {}))
    said = f"<p>{_text(status)}: {_text(media)}, {kind}</p>"
    if "example" not in body:
        return said
    example = body["example"]
    shown = example if isinstance(example, str) else json.dumps(example, indent=1, ensure_ascii=False)
    return f"{said}<details><summary>Example</summary><pre>{_text(shown)}</pre></details>"


def _events(schema: Schema) -> str:
    """Return the events of a stream, with what each holds."""
    told = []
    for event in schema["anyOf"]:
        name, data = event["properties"].get("event", {}).get("const", ""), event["properties"]["data"]
        what = _link(data["contentSchema"]) if "contentSchema" in data else f"<code>{_text(data['const'])}</code>"
        told.append(f"<code>{_text(name)}</code> {what}" if name else what)
    return f"events: {', '.join(told)}"


def _schema(name: str, schema: Schema) -> str:
    required = set(schema.get("required", []))
    rows = [
        f"<tr><td><code>{_text(field)}</code>{'' if field in required else ' (optional)'}</td><td>{_link(value)}</td>"
        f"<td>{_marked(value.get('description', ''))}</td></tr>"
        for field, value in schema.get("properties", {}).items()
    ]
    return (
        f'<section id="{_text(name)}"><h3>{_text(name)}</h3>{_prose(schema.get("description", ""))}'
        f"<table>{''.join(rows)}</table></section>"
    )


def _link(schema: Schema) -> str:
    """Return the type of a schema, with a link where it has a name."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name:
        return f'<a href="#{_text(name)}">{_text(name)}</a>'
    if "items" in schema:
        return f"list of {_link(schema['items'])}"
    if "anyOf" in schema:
        return " or ".join(_link(each) for each in schema["anyOf"])
    return _text(_kind(schema))


def _kind(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(json.dumps(each) for each in schema["enum"])
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    return " ".join([str(schema.get("const", schema.get("type", "any"))), *limits])


_LIMITS = {"minimum": "from", "maximum": "to", "exclusiveMinimum": "above", "exclusiveMaximum": "below",
           "maxLength": "up to", "maxItems": "at most"}  # fmt: skip


def _anchor(method: str, path: str) -> str:
    return _text(f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""))


def _prose(text: str) -> str:
    """Return paragraphs."""
    return "".join(f"<p>{_marked(part)}</p>" for part in text.split("\n\n"))


def _marked(text: str) -> str:
    """Return text in which what stands between backquotes is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _text(text: Any) -> str:
    return html.escape(str(text))
