"""Routes: what follows from a handler without being said."""

from __future__ import annotations

import threading

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from api.http.routes import delete, get, post


@get("/function", operation_id="function", summary="A function")
def function() -> str:
    """What it is for,
    and what is to be known.

    What else there is.
    """
    return threading.current_thread().name


@post("/coroutine", operation_id="coroutine", summary="A coroutine")
async def coroutine() -> str:
    return threading.current_thread().name


@delete("/gone", operation_id="gone", summary="What ends something")
def gone() -> None:
    """Nothing is left."""


@pytest.fixture(scope="module")
def client() -> TestClient[Litestar]:
    return TestClient(Litestar([function, coroutine, gone], openapi_config=None, logging_config=None))


def test_a_function_runs_in_a_thread_and_a_coroutine_where_requests_arrive(client: TestClient[Litestar]) -> None:
    with client:
        arriving = client.post("/coroutine").text
        assert client.get("/function").text != arriving


def test_the_status_is_that_of_the_method(client: TestClient[Litestar]) -> None:
    with client:
        asked = [client.get("/function"), client.post("/coroutine"), client.delete("/gone")]
    assert [answer.status_code for answer in asked] == [200, 201, 204]


def test_the_docstring_is_the_description_a_line_for_each_paragraph() -> None:
    assert function.description == "What it is for, and what is to be known.\n\nWhat else there is."
    assert coroutine.description == ""


def test_what_a_route_says_of_itself_is_found_with_it() -> None:
    said = get("/", operation_id="said", summary="Said", scope="tags:read", errors=("conflict",))(lambda: None)
    assert said.opt == {"scope": "tags:read", "errors": ("conflict",)}
