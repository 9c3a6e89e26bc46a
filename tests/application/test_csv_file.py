"""CSV files as people send them."""

from __future__ import annotations

import io

import pytest

from application.importing.csv_file import CsvFile
from application.importing.csv_rows import MAX_CELLS, MAX_CHARACTERS, Record
from domain.kernel import Refused


def read(content: bytes, **options: str) -> tuple[list[str], list[Record]]:
    file = CsvFile(io.BytesIO(content), **options)
    return file.header, list(file.records())


def cells(content: bytes, **options: str) -> list[list[str]]:
    header, records = read(content, **options)
    return [header, *(record.cells for record in records)]


def refusal(content: bytes, **options: str) -> str:
    with pytest.raises(Refused) as caught:
        read(content, **options)
    assert caught.value.code == "validation_failed"
    assert [detail.field for detail in caught.value.details] == ["file"]
    return caught.value.message


class TestEncoding:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_unicode_is_found_out(self, encoding: str) -> None:
        assert cells("Näme\r\nŁucja\r\n".encode(encoding)) == [["Näme"], ["Łucja"]]

    @pytest.mark.parametrize(
        ("named", "encoding"), [("CP1252", "cp1252"), ("iso-8859-1", "latin-1"), ("utf16", "utf-16")]
    )
    def test_another_is_taken_where_it_is_named(self, named: str, encoding: str) -> None:
        assert cells("Name\nJosé\n".encode(encoding), encoding=named) == [["Name"], ["José"]]

    @pytest.mark.parametrize("before", [0, 70_000])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_the_byte_that_cannot_be_read_is_named(self, before: int, mark: bytes) -> None:
        content = mark + b"Name\n" + b"x" * before + b"\nJos\xe9\n"
        assert f"offset {content.index(0xE9)} (0xe9) is not UTF-8" in refusal(content)

    def test_a_file_that_ends_within_a_character_is_refused(self) -> None:
        assert "offset 8 (0xc3) is not UTF-8" in refusal(b"Name\nJos\xc3")

    def test_a_byte_that_is_not_of_the_named_encoding_is_named(self) -> None:
        assert "offset 5 (0x81) is not CP1252" in refusal(b"Name\n\x81", encoding="cp1252")

    def test_utf_16_without_its_mark_is_refused(self) -> None:
        assert "byte order mark" in refusal("Name".encode("utf-16-le"))

    def test_an_encoding_that_nobody_knows_is_refused(self) -> None:
        with pytest.raises(Refused, match="encoding: must be one of 'utf-8'"):
            read(b"Name", encoding="klingon")


class TestRows:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_found_out(self, delimiter: str) -> None:
        text = f'Name{delimiter}"City, State; Country"{delimiter}Phone\nAda{delimiter}London{delimiter}1\n'
        assert cells(text.encode()) == [["Name", "City, State; Country", "Phone"], ["Ada", "London", "1"]]

    def test_a_delimiter_that_is_named_is_it(self) -> None:
        assert cells(b"a,b;c\n", delimiter="semicolon") == [["a,b", "c"]]
        assert cells(b"a,b\tc\n", delimiter="\t") == [["a,b", "c"]]

    def test_the_first_line_may_name_it_as_spreadsheets_do(self) -> None:
        assert read(b"sep=;\r\na,x;b\r\n1;2\r\n") == (["a,x", "b"], [Record(3, ["1", "2"])])

    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    def test_a_row_knows_the_line_it_begins_on(self, ending: str) -> None:
        lines = ["Name,Notes", 'Ada,"one', 'two"', "", "Bob,", '"Cy ""Q""",x']
        assert read(ending.join(lines).encode())[1] == [
            Record(2, ["Ada", f"one{ending}two"]),
            Record(5, ["Bob", ""]),
            Record(6, ['Cy "Q"', "x"]),
        ]

    def test_what_is_read_once_can_be_read_again(self) -> None:
        file = CsvFile(io.BytesIO(b"Name\nAda\n"))
        assert list(file.records()) == list(file.records()) == [Record(2, ["Ada"])]

    def test_who_stops_reading_may_close_the_file(self) -> None:
        content = io.BytesIO(b"Name\nAda\nBob\n")
        records = CsvFile(content).records()
        assert next(records) == Record(2, ["Ada"])
        content.close()
        del records  # a generator that complains now is an unraisable exception, and so an error


AFTER_QUOTE = "cannot be read: ',' expected after '\"'"


class TestFaults:
    """A row that cannot be read is named by its line; the others go on."""

    @pytest.mark.parametrize(
        ("bad", "fault"),
        [
            ('Bob,"x', "cannot be read: unexpected end of data"),
            ('Bob,"x"y', AFTER_QUOTE),
            ('"Bob"by,x', AFTER_QUOTE),
            ("Bob," + "x" * 131_073, "cannot be read: field larger than field limit (131072)"),
            ("Bob," + "x" * MAX_CHARACTERS, f"cannot be read: it has more than {MAX_CHARACTERS} characters"),
            ("," * MAX_CELLS, f"has more than {MAX_CELLS} cells"),
        ],
        ids=["a missing quote", "a stray quote", "one in the first cell", "a long cell", "a long row", "a wide row"],
    )
    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    def test_the_others_are_read(self, bad: str, fault: str, ending: str) -> None:
        content = ending.join(["Name,Notes", "Ada,x", bad, "Cy,y", "Di,z", ""]).encode()
        assert read(content)[1] == [
            Record(2, ["Ada", "x"]), Record(3, [], fault), Record(4, ["Cy", "y"]), Record(5, ["Di", "z"])
        ]  # fmt: skip

    def test_a_missing_quote_that_another_closes_takes_no_row_with_it(self) -> None:
        content = b'Name,Notes\nBob,"x\nCy,y\nDi,"z"\n"Ed",z\n'
        assert read(content)[1] == [
            Record(2, [], AFTER_QUOTE), Record(3, ["Cy", "y"]), Record(4, ["Di", "z"]), Record(5, ["Ed", "z"])
        ]  # fmt: skip

    def test_no_line_of_a_broken_cell_becomes_a_row(self) -> None:
        content = b'Name,Notes\nBob,"one\ntwo "quoted" three\nfour"\nCy,y\n'
        assert read(content)[1] == [
            Record(2, [], "cannot be read up to line 4: ',' expected after '\"'"), Record(5, ["Cy", "y"])
        ]  # fmt: skip
        long = b"\n".join([b"x" * 1000] * 200)
        fault = "cannot be read up to line 201: field larger than field limit (131072)"
        assert read(b'Name,Notes\nBob,"' + long + b'"\nCy,y\n')[1] == [Record(2, [], fault), Record(202, ["Cy", "y"])]

    def test_each_of_several_is_named(self) -> None:
        content = b'Name,Notes\nAda,"x"y\nBob,"x"y\n\nCy,"x\nDi,z\n"Ed'
        assert [(record.line, record.fault is None) for record in read(content)[1]] == [
            (2, False), (3, False), (5, False), (6, True), (7, False)
        ]  # fmt: skip

    def test_a_header_that_cannot_be_read_is_refused(self) -> None:
        assert "no header row: what begins on line 1 cannot be read" in refusal(b'Name,"Notes\nAda,x\n')
        assert f"line 1 has more than {MAX_CELLS} cells" in refusal(b"," * MAX_CELLS + b"\nAda\n")


class TestHeader:
    @pytest.mark.parametrize("content", [b"", b"\n\n", b" , ,\nAda,,\n"])
    def test_must_be_there(self, content: bytes) -> None:
        assert "must have a header row" in refusal(content)

    def test_is_not_the_first_contact(self) -> None:
        assert "'ada@engine.org' is none" in refusal(b"Ada,ada@engine.org\nBob,bob@engine.org\n")

    def test_may_have_empty_lines_before_it(self) -> None:
        assert read(b"\n\nName\nAda\n") == (["Name"], [Record(4, ["Ada"])])


class TestLimits:
    """A row is no longer than what may be held."""

    def test_a_row_may_have_so_many_cells(self) -> None:
        assert len(cells(b"a,b\n" + b"," * (MAX_CELLS - 1))[1]) == MAX_CELLS

    def test_a_row_of_too_many_characters_is_given_up_before_its_end(self) -> None:
        lines = MAX_CHARACTERS // 1000
        (record,) = read(b'a,b,c\n"' + (b"x" * 1000 + b'\n","') * lines + b'"\n')[1]
        assert record.line == 2
        assert record.fault == f"cannot be read up to line {lines + 2}: it has more than {MAX_CHARACTERS} characters"

    def test_rows_together_may_have_more_than_one_may(self) -> None:
        assert len(cells(b"a\n" + (b"x" * 100_000 + b"\n") * (MAX_CHARACTERS // 100_000 + 1))) > 40
