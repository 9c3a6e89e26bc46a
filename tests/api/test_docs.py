"""The documentation's page: the whole API on one page, without scripts and without the internet."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from tests.api.test_openapi import DOCUMENT, operations

VOID = {"meta", "wbr", "link", "br", "img", "input"}


class Page(HTMLParser):
    """What is on a page: its elements, whether they are closed in order, its ids and links, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: list[str] = []
        self.headings: list[int] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        found = dict(attrs)
        self.attributes |= found.keys()
        if "id" in found:
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found["href"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def answer(http: httpx.Client) -> httpx.Response:
    found = http.get("/docs")
    assert found.status_code == 200
    return found


@pytest.fixture(scope="module")
def page(answer: httpx.Response) -> Page:
    return Page(answer.text)


def test_needs_nothing_from_elsewhere(answer: httpx.Response, page: Page) -> None:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not {"script", "link", "img", "iframe", "object"} & set(page.elements)
    assert not {"src", "style", "onclick", "onload"} & page.attributes
    assert not re.search(r"url\(|@import|https?://(?!.*example)[^\s]*\.(js|css|woff)", answer.text)
    assert all(link.startswith("#") or link == "/openapi.json" for link in page.links)


def test_every_link_on_it_leads_somewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)


def test_has_every_operation_with_its_parameters_and_answers(page: Page) -> None:
    for op in operations():
        assert op.says["operationId"] in page.ids
        assert op.says["summary"] in page.text
        assert op.path in page.text
        assert op.method.upper() in page.text
        for parameter in op.says["parameters"]:
            if "name" in parameter:
                assert parameter["name"] in page.text


def test_has_every_schema_event_and_part_of_the_guide(page: Page) -> None:
    for name in DOCUMENT["components"]["schemas"]:
        assert f"schema-{name}" in page.ids
    for name in DOCUMENT["webhooks"]:
        assert name in page.text
    for title in re.findall(r"^## (.+)$", DOCUMENT["info"]["description"], re.MULTILINE):
        assert title.lower().replace(" ", "-") in page.ids


def test_shows_how_to_ask_with_curl(page: Page) -> None:
    assert 'curl "$DAYBOOK_URL/api/v1/contacts" \\\n  -H "Authorization: Bearer $DAYBOOK_KEY"' in page.text
    assert 'curl -X DELETE "$DAYBOOK_URL/api/v1/contacts/$CONTACT_ID"' in page.text
    assert '"firstName": "Sarah"' in page.text


def test_is_made_for_screen_readers_and_keyboards(answer: httpx.Response, page: Page) -> None:
    assert '<html lang="en">' in answer.text
    assert page.links[0] == "#main"
    assert {"main", "nav", "title"} <= set(page.elements)
    assert page.elements.count("h1") == 1
    for before, after in zip(page.headings, page.headings[1:], strict=False):
        assert after <= before + 1
    assert "prefers-color-scheme: dark" in answer.text
    assert ":focus-visible" in answer.text
