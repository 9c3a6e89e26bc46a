"""The OpenAPI document as a page to read: made on the server, complete in itself, and usable without scripts."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from typing import Any, Final

from api.docs.page_schema import field_table, fields_of, kind
from domain.kernel import JSON

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_CODE: Final = re.compile(r"`([^`]+)`")


def page(document: JSON) -> str:
    """The whole page."""
    style = (resources.files("api.docs") / "page.css").read_text()
    info = document["info"]
    parts = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])} API</title>\n<style>\n{style}</style>\n</head>\n<body>",
        '<a class="skip" href="#main">Skip to content</a>',
        _navigation(document),
        f'<main id="main">\n<h1>{escape(info["title"])} API</h1>',
        f'<p class="lead">{escape(info["summary"])} {_for_tools(document["openapi"])}</p>',
        f'<div class="guide">\n{markdown(info["description"], level=2)}</div>',
        *(_group(document, tag) for tag in document["tags"]),
        _events(document),
        _schemas(document["components"]["schemas"]),
        "</main>\n</body>\n</html>\n",
    )
    return "\n".join(parts)


def _for_tools(version: str) -> str:
    return f'As an <a href="/openapi.json">OpenAPI {escape(version)} document</a>, for tools.'


def operations(document: JSON, tag: str) -> Iterator[tuple[str, str, JSON]]:
    """Method, path and operation of all that have the tag, in the document's order."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item and tag in item[method]["tags"]:
                yield method, path, item[method]


def _navigation(document: JSON) -> str:
    guide = re.findall(r"^## (.+)$", document["info"]["description"], re.MULTILINE)
    items = [f"<h2>Guide</h2>\n<ul>{''.join(_link(_anchor(title), escape(title)) for title in guide)}</ul>"]
    for tag in document["tags"]:
        links = (
            _link(operation["operationId"], f"{_badge(method)} {escape(operation['summary'])}")
            for method, _, operation in operations(document, tag["name"])
        )
        items.append(f"<h2>{escape(tag['name'])}</h2>\n<ul>{''.join(links)}</ul>")
    items.append(f"<h2>Reference</h2>\n<ul>{_link('events', 'Events')}{_link('schemas', 'Schemas')}</ul>")
    inner = "\n".join(items)
    return (
        f'<nav aria-label="Contents">\n<p class="brand">{escape(document["info"]["title"])}</p>\n'
        f"<details open>\n<summary>Contents</summary>\n{inner}\n</details>\n</nav>"
    )


def _link(anchor: str, inner: str) -> str:
    return f'<li><a href="#{escape(anchor)}">{inner}</a></li>'


def _badge(method: str) -> str:
    return f'<span class="method {method}">{method.upper()}</span>'


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def _group(document: JSON, tag: JSON) -> str:
    inner = "\n".join(_operation(document, *found) for found in operations(document, tag["name"]))
    anchor = f"tag-{_anchor(tag['name'])}"
    return (
        f'<section class="group" aria-labelledby="{anchor}">\n<h2 id="{anchor}">{escape(tag["name"])}</h2>\n'
        f"<p>{inline(tag['description'])}</p>\n{inner}\n</section>"
    )


def _operation(document: JSON, method: str, path: str, operation: JSON) -> str:
    anchor = operation["operationId"]
    parts = [
        f'<h3 id="{anchor}"><a href="#{anchor}">{escape(operation["summary"])}</a></h3>',
        f'<p class="path">{_badge(method)} <code>{_path(path)}</code></p>',
        f'<p class="needs">{_needs(operation)}</p>',
    ]
    if "description" in operation:
        parts.append(markdown(operation["description"], level=4))
    parts += [
        _parameters(document, operation["parameters"]),
        _body(document, operation.get("requestBody")),
        _responses(document, operation["responses"]),
    ]
    examples = _examples(method, path, operation)
    return f'<article class="operation" aria-labelledby="{anchor}">\n<div>\n{"".join(parts)}\n</div>\n{examples}\n</article>'


def _path(path: str) -> str:
    """With places to break a long line at."""
    return escape(path).replace("/", "/<wbr>")


def _needs(operation: JSON) -> str:
    if not operation["security"]:
        return "Public: no key is needed."
    scopes = operation["security"][0]["bearer"]
    return f"Needs the scope <code>{escape(scopes[0])}</code>." if scopes else "Any key or session."


def _parameters(document: JSON, parameters: list[JSON]) -> str:
    rows = [_parameter(resolved(document, parameter)) for parameter in parameters]
    return table("Parameters", ("Name", "In", "Type", "What it is"), rows)


def _parameter(parameter: JSON) -> tuple[str, ...]:
    schema = parameter["schema"]
    name = f"<code>{escape(parameter['name'])}</code>"
    if parameter.get("required") and parameter["in"] != "path":
        name += ' <span class="required">required</span>'
    default = f" Default: <code>{escape(str(schema['default']))}</code>." if "default" in schema else ""
    return name, parameter["in"], kind(schema), inline(parameter.get("description", "")) + default


def _body(document: JSON, body: JSON | None) -> str:
    if body is None:
        return ""
    made = ["<h4>Request body</h4>"]
    for media, content in body["content"].items():
        made.append(f"<p><code>{escape(media)}</code> · {kind(content['schema'])}</p>")
        made.append(field_table(fields_of(document, content["schema"])))
    return "".join(made)


def _responses(document: JSON, responses: JSON) -> str:
    rows = [_response(status, resolved(document, response)) for status, response in responses.items()]
    return table("Responses", ("Status", "What it means", "Answer"), rows)


def _response(status: str, response: JSON) -> tuple[str, ...]:
    names = [name for name in response.get("headers", {}) if name not in _EVERYWHERE]
    headers = f" <small>Headers: {', '.join(f'<code>{name}</code>' for name in names)}.</small>" if names else ""
    kinds = dict.fromkeys(kind(content["schema"]) for content in response.get("content", {}).values())
    return f"<code>{status}</code>", inline(response["description"]) + headers, ", ".join(kinds)


_EVERYWHERE: Final = frozenset({"X-Request-Id", "RateLimit", "RateLimit-Policy"})


def _examples(method: str, path: str, operation: JSON) -> str:
    made = [_example("Request", _curl(method, path, operation))]
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            found = next(iter(response.get("content", {}).values()), None)
            if found is not None and "example" in found:
                text = json.dumps(found["example"], indent=2, ensure_ascii=False)
                made.append(_example(f"Answer {status}", text))
                break
    return f'<div class="examples">\n{"".join(made)}\n</div>'


def _example(title: str, text: str) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><pre tabindex="0" aria-label="{escape(title)}">'
        f"<code>{escape(text)}</code></pre></figure>"
    )


def _curl(method: str, path: str, operation: JSON) -> str:
    flag = "" if method == "get" or (method == "post" and "requestBody" in operation) else f" -X {method.upper()}"
    target = re.sub(r"{(\w+)}", lambda found: f"${_shell_name(found[1])}", path)
    lines = [f'curl{flag} "$DAYBOOK_URL{target}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $DAYBOOK_KEY"')
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "example" in content:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d {shlex.quote(json.dumps(content['example'], indent=2, ensure_ascii=False))}")
    return " \\\n  ".join(lines)


def _shell_name(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).upper()


def _events(document: JSON) -> str:
    rows = []
    for name, item in document["webhooks"].items():
        _, data = item["post"]["requestBody"]["content"]["application/json"]["schema"]["allOf"]
        schema = data["properties"]["data"]
        about = resolved(document, schema).get("description", "")
        rows.append((f"<code>{escape(name)}</code>", inline(about), kind(schema)))
    return (
        '<section class="group" aria-labelledby="events">\n<h2 id="events">Events</h2>\n'
        "<p>What the log tells, and what webhook endpoints are sent: in the log as"
        f" {kind({'$ref': '#/components/schemas/LogEntry'})}, and to an endpoint as"
        f" {kind({'$ref': '#/components/schemas/WebhookEnvelope'})}.</p>\n"
        f"{table('', ('Event', 'What happened', 'Data'), rows)}\n</section>"
    )


def _schemas(schemas: JSON) -> str:
    made = [
        f'<details class="schema" id="schema-{escape(name)}">\n<summary>{escape(name)}</summary>\n'
        f"{markdown(schema.get('description', ''), level=4)}{field_table(schema)}\n</details>"
        for name, schema in sorted(schemas.items())
    ]
    return (
        f'<section class="group" aria-labelledby="schemas">\n<h2 id="schemas">Schemas</h2>\n{"".join(made)}\n</section>'
    )


def resolved(document: JSON, found: JSON) -> JSON:
    """What a reference refers to."""
    if "$ref" not in found:
        return found
    target: Any = document
    for part in found["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    made: JSON = target
    return made


def table(title: str, columns: Iterable[str], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of cells that are HTML already; nothing where there are no rows."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    heading = f"<h4>{escape(title)}</h4>" if title else ""
    return f'{heading}<div class="table" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def markdown(text: str, *, level: int) -> str:
    """Headings, paragraphs, lists and code, which is all that our texts have."""
    made = []
    for block in filter(None, text.split("\n\n")):
        if block.startswith("## "):
            title = block.removeprefix("## ")
            made.append(f'<h{level} id="{_anchor(title)}">{inline(title)}</h{level}>\n')
        elif block.startswith("- "):
            entries = "".join(f"<li>{inline(entry)}</li>\n" for entry in block.removeprefix("- ").split("\n- "))
            made.append(f"<ul>{entries}</ul>\n")
        else:
            made.append(f"<p>{inline(block)}</p>\n")
    return "".join(made)


def inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))
