"""The interface as a page for people: made of the OpenAPI document, without scripts or anything from elsewhere."""

from __future__ import annotations

import html
import json
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
        f"<p>{_text(document['info'].get('description', ''))}</p>",
        '<p><a href="/">The page</a> · <a href="/openapi.json">OpenAPI</a></p><nav><ul>',
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
        f"<p>{_text(route.get('description', ''))}</p>",
    ]
    rows = [
        f"<tr><td><code>{_text(each['name'])}</code></td><td>{_text(each['in'])}</td>"
        f"<td>{_text(_kind(each.get('schema', {})))}</td><td>{_text(each.get('description', ''))}</td></tr>"
        for each in route.get("parameters", [])
    ]
    if rows:
        parts.append(f"<table><tr><th>parameter<th>in<th>type<th></tr>{''.join(rows)}</table>")
    for media, body in route.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body: {_text(media)}, {_link(body.get('schema', {}))}</p>")
    for status, response in route["responses"].items():
        if status.startswith("2"):
            for media, body in response.get("content", {}).items():
                parts.append(f"<p>{_text(status)}: {_text(media)}, {_link(body.get('schema', {}))}</p>")
                if "example" in body:
                    example = body["example"]
                    shown = example if isinstance(example, str) else json.dumps(example, indent=1, ensure_ascii=False)
                    parts.append(f"<details><summary>Example</summary><pre>{_text(shown)}</pre></details>")
    refused = [status for status in route["responses"] if not status.startswith("2")]
    form = _link({"$ref": "#/components/schemas/ErrorResponse"})
    parts.append(f"<p>Refusals: {_text(', '.join(refused))}, each an {form}</p>")
    return "".join([*parts, "</section>"])


def _schema(name: str, schema: Schema) -> str:
    required = set(schema.get("required", []))
    rows = [
        f"<tr><td><code>{_text(field)}</code>{'' if field in required else ' (optional)'}</td><td>{_link(value)}</td>"
        f"<td>{_text(value.get('description', ''))}</td></tr>"
        for field, value in schema.get("properties", {}).items()
    ]
    return (
        f'<section id="{_text(name)}"><h3>{_text(name)}</h3><p>{_text(schema.get("description", ""))}</p>'
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


def _text(text: Any) -> str:
    return html.escape(str(text))
