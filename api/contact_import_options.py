"""An import's options where they are text: in the query of a CSV upload, or in the fields of a form beside its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from api.http.query import malformed
from domain.importing.cells import boolean, names
from domain.kernel import FieldError, Refused
from schemas.contact_import import ImportOptions
from schemas.wire.reading import MAX_DEPTH, Reader, TooDeepError

T = TypeVar("T")

Texts = Mapping[str, Sequence[str]]
"""By name, all that was given under it."""


@dataclass(frozen=True)
class FileOptions:
    """What a file's import is to be like; ``None``: to be found out from the file."""

    options: ImportOptions
    encoding: str | None = None
    delimiter: str | None = None
    as_job: bool = False


def import_query(
    mapping: Annotated[
        str | None,
        QueryParameter(description='JSON: column → field, `custom.<key>`, `name`, `tags` or `""` to leave it out.'),
    ] = None,
    constant_values: Annotated[
        str | None, QueryParameter(name="constantValues", description="JSON: field → value, the same for all rows.")
    ] = None,
    skip_duplicates: Annotated[
        str | None, QueryParameter(name="skipDuplicates", description="true: contacts that exist are left as they are.")
    ] = None,
    tags: Annotated[
        list[str] | None, QueryParameter(description="Names of tags for all contacts; several between commas.")
    ] = None,
    tag_ids: Annotated[
        list[str] | None, QueryParameter(name="tagIds", description="Ids of tags for all contacts.")
    ] = None,
    source: Annotated[str | None, QueryParameter(description="Lead source of all contacts.")] = None,
    encoding: Annotated[
        str | None, QueryParameter(description="utf-8 (the default), utf-16, cp1252 or latin-1.")
    ] = None,
    delimiter: Annotated[
        str | None, QueryParameter(description="`,` `;` tab or `|`; found out from the header when not given.")
    ] = None,
    as_job: Annotated[
        str | None, QueryParameter(name="async", description="true: answer 202 with a job, however few rows there are.")
    ] = None,
) -> dict[str, list[str]]:
    """The options of a CSV upload; those of JSON are in its body."""
    given: dict[str, str | list[str] | None] = {
        "mapping": mapping,
        "constantValues": constant_values,
        "skipDuplicates": skip_duplicates,
        "tags": tags,
        "tagIds": tag_ids,
        "source": source,
        "encoding": encoding,
        "delimiter": delimiter,
        "async": as_job,
    }
    return {name: [value] if isinstance(value, str) else value for name, value in given.items() if value is not None}


def file_options(texts: Texts) -> FileOptions:
    """Refuses with every option that is unknown or cannot be read."""
    unknown = sorted(texts.keys() - _READERS.keys())
    if unknown:
        details = [FieldError(field=name[:64], message="is not an option of an import") for name in unknown[:10]]
        raise malformed("Unknown option", details)
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, values in texts.items():
        try:
            found[name] = _READERS[name](values)
        except ValueError as error:
            errors.append(FieldError(field=name, message=str(error)))
    if errors:
        names = ", ".join(error.field for error in errors)
        raise Refused("validation_failed", f"Not acceptable: {names}.", details=errors)
    encoding, delimiter = found.pop("encoding", None), found.pop("delimiter", None)
    as_job = found.pop("async", False)
    return FileOptions(msgspec.convert(found, ImportOptions), encoding, delimiter, as_job)


def only_async(texts: Texts) -> bool:
    """Whether a JSON import is wanted as a job; its other options belong in the body."""
    misplaced = sorted(texts.keys() - {"async"})
    if misplaced:
        raise malformed("Misplaced", [FieldError(field=name, message="belongs in the JSON body") for name in misplaced])
    return file_options(texts).as_job


def _one(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise ValueError("must be given once")
    return values[0]


def _json(kind: type[T], expected: str) -> Callable[[Sequence[str]], T]:
    reader = Reader[T](kind)

    def read(values: Sequence[str]) -> T:
        try:
            return reader.read(_one(values))
        except TooDeepError:
            raise ValueError(f"must be nested at most {MAX_DEPTH} deep") from None
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise ValueError(f"must be {expected}") from None

    return read


_names = _json(list[str], "a JSON list of names")


def _listed(values: Sequence[str]) -> list[str]:
    """Names given several times, between commas, or as a JSON list."""
    if len(values) == 1 and values[0].lstrip().startswith("["):
        return _names(values)
    return [name for value in values for name in names(value)]


def _ids(values: Sequence[str]) -> list[UUID]:
    try:
        return [UUID(value) for value in _listed(values)]
    except ValueError:
        raise ValueError("must be ids of tags (UUID)") from None


def _word(values: Sequence[str]) -> str | None:
    """Tab is white space, and a delimiter."""
    return _one(values) or None


_READERS: Final[dict[str, Callable[[Sequence[str]], Any]]] = {
    "mapping": _json(dict[str, str | None], "a JSON object of column and field"),
    "constantValues": _json(dict[str, Any], "a JSON object of field and value"),
    "skipDuplicates": lambda values: boolean(_one(values)),
    "tags": _listed,
    "tagIds": _ids,
    "source": lambda values: _one(values).strip() or None,
    "encoding": _word,
    "delimiter": _word,
    "async": lambda values: boolean(_one(values)),
}
