"""Importing over HTTP, whatever is imported: as objects, as rows with a mapping, or as a CSV file with options as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Final, Protocol
from uuid import UUID

import msgspec
from litestar.params import QueryParameter
from msgspec import UNSET

from api.http.answers import Answer, Json
from api.http.ask import Act
from api.http.query import malformed
from api.http.upload import Upload
from application.calling.caller import Caller
from application.importing.source import Source
from domain.importing.cells import boolean
from domain.kernel import JSON, FieldError, Refused, invalid
from eventstore.ids import new_id
from eventstore.work import Work
from schemas.job_import import ImportAnswer, ImportOptions
from schemas.wire.page import One
from schemas.wire.reading import MAX_DEPTH, Reader, TooDeepError

Texts = Mapping[str, Sequence[str]]
"""By name, all that was given under it."""
Read = Callable[[Sequence[str]], Any]


MappingText = Annotated[
    str | None, QueryParameter(description='JSON: column → field, `custom.<key>`, or `""` to leave it out.')
]
ConstantsText = Annotated[
    str | None, QueryParameter(name="constantValues", description="JSON: field → value, the same for all rows.")
]
SkipText = Annotated[
    str | None, QueryParameter(name="skipDuplicates", description="true: what exists is left as it is.")
]
EncodingText = Annotated[str | None, QueryParameter(description="utf-8 (the default), utf-16, cp1252 or latin-1.")]
DelimiterText = Annotated[
    str | None, QueryParameter(description="`,` `;` tab or `|`; found out from the header when not given.")
]
AsyncText = Annotated[
    str | None, QueryParameter(name="async", description="true: answer 202 with a job, however few rows there are.")
]
"""The options of a CSV upload in its query, as text."""


def given(**options: str | list[str] | None) -> dict[str, list[str]]:
    """The options that there are; those of JSON are in its body."""
    return {name: [value] if isinstance(value, str) else value for name, value in options.items() if value is not None}


def plain_options(
    mapping: MappingText = None,
    constant_values: ConstantsText = None,
    skip_duplicates: SkipText = None,
    encoding: EncodingText = None,
    delimiter: DelimiterText = None,
    as_job: AsyncText = None,
) -> dict[str, list[str]]:
    """Those of a CSV upload that all imports have."""
    options = {"mapping": mapping, "constantValues": constant_values, "skipDuplicates": skip_duplicates}
    return given(**options, encoding=encoding, delimiter=delimiter, **{"async": as_job})


class Start(Protocol):
    """Carries out an import, or makes a job of it."""

    def __call__(
        self, unit: Work, caller: Caller, import_id: UUID, source: Source, options: Any, *, as_job: bool
    ) -> ImportAnswer: ...


@dataclass(frozen=True)
class FileOptions:
    """What a file's import is to be like; ``None``: to be found out from the file."""

    options: ImportOptions
    encoding: str | None = None
    delimiter: str | None = None
    as_job: bool = False


@dataclass(frozen=True)
class Importing:
    """Imports of one kind of thing, as callers ask for them.

    ``things``: what they are called where they are given, such as ``contacts``. ``request``: a JSON body; ``options``: what
    is in the query or the form beside a file; ``readers``: how those are read that others do not have.
    """

    things: str
    request: type[ImportOptions]
    options: type[ImportOptions]
    start: Start
    readers: Mapping[str, Read] = field(default_factory=dict)

    def imported(self, act: Act, upload: Upload, query: Texts) -> Json[One[ImportAnswer]]:
        """What came of it (200), or the job that does it (202)."""
        source, wanted = self._wanted(upload, query)
        as_job = wanted.as_job or "respond-async" in act.request.headers.get("prefer", "").lower()
        import_id = new_id()

        def work(unit: Work) -> Answer:
            done = self.start(unit, act.caller, import_id, source, wanted.options, as_job=as_job)
            location = f"/api/v1/jobs/{import_id}"
            return Answer(done, None, 202 if done.status == "processing" else 200, location)

        origin = replace(act.caller.origin(), correlation_id=import_id)
        return act.answer(work, body=upload.digest, origin=origin, bulk=True)

    def _wanted(self, upload: Upload, query: Texts) -> tuple[Source, FileOptions]:
        if upload.kind == "json":
            return self._wanted_as_json(upload, query)
        if not upload.has_file:
            raise invalid("file", "is required: the CSV file, as a part of the form")
        twice = sorted(upload.fields.keys() & query.keys())
        if twice:
            raise invalid(twice[0], "must be given in the form or in the query, not in both")
        wanted = self._file_options({**query, **upload.fields})
        source = Source(file=upload.file, encoding=wanted.encoding or upload.charset, delimiter=wanted.delimiter)
        return source, wanted

    def _wanted_as_json(self, upload: Upload, query: Texts) -> tuple[Source, FileOptions]:
        as_job = self._only_async(query)
        body = upload.file.read()
        try:
            text = body.decode()  # a row that is kept as it came is not looked into
        except UnicodeDecodeError as error:
            raise Refused("invalid_request", f"The body is not valid JSON: {error}") from None
        form = self._request.read(text)
        things, rows = (getattr(form, name) for name in (self.things, "rows"))
        if (things is UNSET) == (rows is UNSET):
            raise invalid(self.things, "is required, or rows in its place, or a CSV file")
        source = Source(
            things=None if things is UNSET else things, rows=None if rows is UNSET else rows, noun=self.things
        )
        return source, FileOptions(form, as_job=as_job)

    @cached_property
    def _request(self) -> Reader[Any]:
        return Reader[Any](self.request)

    def _file_options(self, texts: Texts) -> FileOptions:
        """Refuses with every option that is unknown or cannot be read."""
        readers = {**_READERS, **self.readers}
        unknown = sorted(texts.keys() - readers.keys())
        if unknown:
            details = [FieldError(field=name[:64], message="is not an option of an import") for name in unknown[:10]]
            raise malformed("Unknown option", details)
        found: dict[str, Any] = {}
        errors: list[FieldError] = []
        for name, values in texts.items():
            try:
                found[name] = readers[name](values)
            except ValueError as error:
                errors.append(FieldError(field=name, message=str(error)))
        if errors:
            names = ", ".join(error.field for error in errors)
            raise Refused("validation_failed", f"Not acceptable: {names}.", details=errors)
        encoding, delimiter = found.pop("encoding", None), found.pop("delimiter", None)
        as_job = found.pop("async", False)
        return FileOptions(msgspec.convert(found, self.options), encoding, delimiter, as_job)

    def _only_async(self, texts: Texts) -> bool:
        """Whether a JSON import is wanted as a job; its other options belong in the body."""
        misplaced = sorted(texts.keys() - {"async"})
        if misplaced:
            details = [FieldError(field=name, message="belongs in the JSON body") for name in misplaced]
            raise malformed("Misplaced", details)
        return self._file_options(texts).as_job


def one(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise ValueError("must be given once")
    return values[0]


def json_of(kind: Any, expected: str) -> Callable[[Sequence[str]], Any]:
    """Reads JSON of a type."""
    reader = Reader[Any](kind)

    def read(values: Sequence[str]) -> Any:
        try:
            return reader.read(one(values))
        except TooDeepError:
            raise ValueError(f"must be nested at most {MAX_DEPTH} deep") from None
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise ValueError(f"must be {expected}") from None

    return read


def _word(values: Sequence[str]) -> str | None:
    """Tab is white space, and a delimiter."""
    return one(values) or None


_READERS: Final[Mapping[str, Read]] = {
    "mapping": json_of(dict[str, str | None], "a JSON object of column and field"),
    "constantValues": json_of(dict[str, Any], "a JSON object of field and value"),
    "skipDuplicates": lambda values: boolean(one(values)),
    "encoding": _word,
    "delimiter": _word,
    "async": lambda values: boolean(one(values)),
}


def files(csv: str) -> dict[str, JSON]:
    """How a file may come, for the documentation; by the example of this one."""
    file = {
        "type": "string",
        "contentMediaType": "text/csv",
        "description": "The file. Options are other fields of the form.",
    }
    return {
        "text/csv": {"schema": {"type": "string", "description": "The file, with a line of headers."}, "example": csv},
        "multipart/form-data": {
            "schema": {"type": "object", "properties": {"file": file}, "required": ["file"]},
            "example": {"file": csv},
        },
    }
