"""The documentation's page: drawn by a renderer that comes from here, so that it needs nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import httpx
import pytest

from tests.api.sweeps.operations import DOCUMENT


class Page(HTMLParser):
    """What is on a page: what it loads, what stands in it as script or style, and its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.loads: list[str] = []
        self.inside = ""
        self.inline = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append(tag)
        self.attributes |= found.keys()
        self.loads += [str(found[name]) for name in ("src", "href") if name in found]
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        assert tag in self.elements
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style"):
            self.inline += data


@pytest.fixture(scope="module")
def answer(http: httpx.Client) -> httpx.Response:
    found = http.get("/docs")
    assert found.status_code == 200
    return found


@pytest.fixture(scope="module")
def page(answer: httpx.Response) -> Page:
    return Page(answer.text)


def test_scripts_and_styles_are_files_from_here_and_nothing_else_may_run(answer: httpx.Response, page: Page) -> None:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not page.inline.strip()
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}


def test_everything_that_it_loads_is_there_and_is_what_it_says(http: httpx.Client, page: Page) -> None:
    kinds = {"js": "text/javascript", "css": "text/css", "png": "image/png", "json": "application/vnd.oai.openapi+json"}
    assert len(page.loads) >= 6
    for path in page.loads:
        assert path.startswith("/")
        found = http.get(path)
        assert found.status_code == 200
        assert found.headers["content-type"].startswith(kinds[path.rsplit(".", 1)[1]])
        assert found.content


@pytest.mark.parametrize("name", ["index.html", "swagger-ui-bundle.js", "style.css"])
def test_a_file_is_taken_for_nothing_but_what_it_is_and_kept_for_a_while(http: httpx.Client, name: str) -> None:
    found = http.get(f"/docs/{name}")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "public, max-age=600"


def test_files_are_packed_for_those_who_unpack(http: httpx.Client) -> None:
    packed = http.get("/docs/swagger-ui-bundle.js", headers={"accept-encoding": "gzip"})
    plain = http.get("/docs/swagger-ui-bundle.js", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 3


@pytest.mark.parametrize("name", ["routes.py", "..%2froutes.py", "oauth2-redirect.html", "swagger-ui-bundle.js.map"])
def test_no_other_file_is_given_away(http: httpx.Client, name: str) -> None:
    assert http.get(f"/docs/{name}").status_code == 404


def test_draws_the_document_and_forgets_the_key(http: httpx.Client) -> None:
    script = http.get("/docs/start.js").text
    assert http.get(re.findall(r'url: "(.+)"', script)[0]).json() == DOCUMENT
    assert "persistAuthorization: false" in script
    assert "validatorUrl: null" in script


def test_the_framework_that_the_renderer_is_packed_for_is_not_loaded() -> None:
    code = "import sys, daybook.openapi, api.docs.routes as page; page._asset('swagger-ui.css', zipped=True)"
    subprocess.run([sys.executable, "-c", f"{code}; sys.exit('flask' in sys.modules)"], check=True)


def test_is_made_for_screen_readers_and_says_what_it_needs(answer: httpx.Response, page: Page) -> None:
    assert '<html lang="en">' in answer.text
    assert {"main", "title", "noscript"} <= set(page.elements)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whoever_comes_to_the_root_with_a_browser_is_sent_here(http: httpx.Client, method: str) -> None:
    answer = http.request(method, "/", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert answer.content == b""
    assert http.get("/", follow_redirects=True).headers["content-type"].startswith("text/html")
    assert "/" not in DOCUMENT["paths"]
