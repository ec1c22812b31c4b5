"""Files of one's own: every form, every fault with its place, every policy."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbench.data import Categories, Dataset, Numbers, Tags, Texts
from recbench.datasets import Loaded, load, pairs
from recbench.datasets import reading as reading_module
from recbench.datasets.cells import split_block
from recbench.datasets.ids import LONGEST, Ids, factorize, ids_of, merge, natural_order
from recbench.datasets.numbers import number, read_times
from recbench.datasets.opening import read_blocks
from recbench.errors import BadData, RecbenchError
from recbench.protocols.spec import DataSpec, FileSpec, FoldSpec, TableSpec

TRIPLES = ("user", "item", "rating")
TIMED = (*TRIPLES, "time")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str | bytes, name: str = "own.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def read(path: Path, *, data: Mapping[str, Any] | None = None, **file: Any) -> Loaded:
    return load(DataSpec(interactions=FileSpec(path=path, **file), **(data or {})), sources={})


def triples(dataset: Dataset) -> list[tuple[str, str, float]]:
    rows = dataset.interactions
    return [
        (str(dataset.user_ids[user]), str(dataset.item_ids[item]), float(rating))
        for user, item, rating in zip(rows.user, rows.item, rows.rating, strict=True)
    ]


# Forms


def test_a_csv_with_a_header_is_read_by_the_names_in_it(write: Callable[..., Path]) -> None:
    loaded = read(write("rating,when,item,time,user\n4,x,b,20,u\n2.5,y,a,10,u\n"))
    assert triples(loaded.dataset) == [("u", "b", 4.0), ("u", "a", 2.5)]
    assert loaded.dataset.interactions.time is not None
    assert loaded.dataset.interactions.time.tolist() == [20, 10]


def test_a_mapping_says_which_column_is_which(write: Callable[..., Path]) -> None:
    path = write("movieId,userId,stars\n7,1,5\n8,1,3\n")
    loaded = read(path, columns={"user": "userId", "item": "movieId", "rating": "stars"})
    assert triples(loaded.dataset) == [("1", "7", 5.0), ("1", "8", 3.0)]


def test_a_list_names_the_columns_of_a_file_without_a_header(write: Callable[..., Path]) -> None:
    loaded = read(
        write("u::x::a::5\nu::y::b::1\n"), separator="::", header=False, columns=("user", "_", "item", "rating")
    )
    assert triples(loaded.dataset) == [("u", "a", 5.0), ("u", "b", 1.0)]


def test_a_header_is_passed_over_where_a_list_names_the_columns(write: Callable[..., Path]) -> None:
    assert triples(read(write("a,b\nu,i\nv,j\n"), columns=("user", "item")).dataset) == [
        ("u", "i", 1.0),
        ("v", "j", 1.0),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("packed", [False, True])
def test_line_ends_byte_order_marks_gzip_and_empty_lines_change_nothing(
    write: Callable[..., Path], end: str, start: bytes, packed: bool
) -> None:
    text = start + end.join(["user,item,rating", "ü,é,4", "", "v,i,5"]).encode()
    path = write(gzip.compress(text) if packed else text, "own.csv.gz" if packed else "own.csv")
    assert triples(read(path).dataset) == [("ü", "é", 4.0), ("v", "i", 5.0)]


def test_quoted_cells_may_hold_separators_quotes_and_line_feeds(write: Callable[..., Path]) -> None:
    path = write('"user","item","rating"\nu,"a,b",4\nu,"say ""hi""",5\nu,"two\nlines",3\nv,plain,2\n')
    assert [item for _, item, _ in triples(read(path).dataset)] == ["a,b", 'say "hi"', "two\nlines", "plain"]


def test_a_quote_is_a_character_like_others_in_tab_separated_text(write: Callable[..., Path]) -> None:
    path = write('user\titem\n"u\ti"\nv\tj\n', "own.tsv")
    assert [pair[:2] for pair in triples(read(path, separator="\t").dataset)] == [('"u', 'i"'), ("v", "j")]


def test_without_ratings_every_interaction_counts_as_one(write: Callable[..., Path]) -> None:
    dataset = read(write("user,item\nu,i\nu,j\n")).dataset
    assert dataset.scale is None
    assert dataset.interactions.rating.tolist() == [1.0, 1.0]
    assert dataset.interactions.time is None


def test_ratings_that_are_all_equal_are_no_ratings(write: Callable[..., Path]) -> None:
    dataset = read(write("user,item,rating\nu,i,5\nu,j,5\n")).dataset
    assert (dataset.scale, dataset.interactions.rating.tolist()) == (None, [1.0, 1.0])


def test_the_scale_is_that_of_the_protocol_or_else_what_there_is(write: Callable[..., Path]) -> None:
    path = write("user,item,rating\nu,i,2\nu,j,4\n")
    assert read(path).dataset.scale == (2.0, 4.0)
    assert read(path, data={"scale": (1.0, 5.0)}).dataset.scale == (1.0, 5.0)


def test_adjacency_lists_are_pairs(write: Callable[..., Path]) -> None:
    path = write("0 5 7\n\n2\t7   9 \r\n3\n1 5", "train.txt")
    assert [pair[:2] for pair in triples(read(path, format="adjacency").dataset)] == [
        ("0", "5"),
        ("0", "7"),
        ("2", "7"),
        ("2", "9"),
        ("1", "5"),
    ]


def test_an_item_twice_in_an_adjacency_list_names_its_line(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match=r"train.txt, line 2: user '2' and item '7' are there already, in line 2"):
        read(write("0 5\n2 7 9 7\n", "train.txt"), format="adjacency")


def test_atomic_files_bring_their_types(write: Callable[..., Path]) -> None:
    items = write(
        "item_id:token\tname:token\tclass:token_seq\tyear:float\tv:float_seq\ni\tFoo\tx y\t1999\t1 2\n", "a.item"
    )
    path = write("user_id:token\titem_id:token\trating:float\ttimestamp:float\nu\ti\t4\t12.5\nu\tj\t3\t14\n", "a.inter")
    spec = TableSpec(path=items, id="item_id", format="atomic", separator="\t")
    dataset = read(path, data={"items": spec}, format="atomic").dataset
    assert triples(dataset) == [("u", "i", 4.0), ("u", "j", 3.0)]
    assert dataset.interactions.time is not None
    assert dataset.interactions.time.tolist() == [12, 14]
    assert set(dataset.items) == {"name", "class", "year"}
    kinds = dataset.items["class"], dataset.items["year"]
    assert isinstance(kinds[0], Tags)
    assert isinstance(kinds[1], Numbers)
    assert kinds[0].names == ("x", "y")
    assert kinds[1].values.tolist() == pytest.approx([1999.0, math.nan], nan_ok=True)


def test_parquet_gives_what_the_same_csv_gives(tmp_path: Path, write: Callable[..., Path]) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    times = [datetime(2015, 6, 9, 19, 39, 37, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC)]
    table = pa.table(
        {"user": [1, 2], "item": ["a", "ü"], "rating": [4.5, 1.0], "time": pa.array(times, pa.timestamp("ms"))}
    )
    parquet.write_table(table, tmp_path / "own.parquet")
    found = read(tmp_path / "own.parquet", format="parquet").dataset
    same = read(write("user,item,rating,time\n1,a,4.5,2015-06-09 19:39:37\n2,ü,1.0,2016-01-01\n")).dataset
    assert triples(found) == triples(same)
    assert found.interactions.time is not None
    assert same.interactions.time is not None
    assert found.interactions.time.tolist() == same.interactions.time.tolist() == [1433878777, 1451606400]


def test_a_null_in_parquet_names_its_row(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"user": ["u", None], "item": ["a", "b"]}), tmp_path / "own.parquet")
    with pytest.raises(BadData, match=r"own.parquet, row 2: the user is missing"):
        read(tmp_path / "own.parquet", format="parquet")


def test_what_is_no_parquet_file_is_an_error(write: Callable[..., Path]) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(BadData, match="is no Parquet file"):
        read(write("user,item\nu,i\n", "own.parquet"), format="parquet")


def test_without_pyarrow_the_command_that_mends_it_is_shown(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(RecbenchError, match="pyarrow is not installed") as caught:
        read(write("PAR1", "own.parquet"), format="parquet")
    assert "pip install 'recbench-suite[parquet]'" in caught.value.fix


# Faults

FAULTS = {
    "u,i": "2 cells where 4 are expected",
    "u,i,4,5,6": "5 cells where 4 are expected",
    ",i,4,1": "the user is missing",
    "u,,4,1": "the item is missing",
    "u,i,,1": "the rating is missing",
    "u,i,four,1": "rating 'four' is not a number",
    "u,i,1_0,1": "rating '1_0' is not a number",
    "u,i,NaN,1": "rating 'NaN' is NaN",
    "u,i,-inf,1": "rating '-inf' is infinite",
    "u,i,1e999,1": "rating '1e999' is infinite",
    "u,i,5.5,1": "rating '5.5' is off the scale from 1 to 5",
    "u,i,0,1": "rating '0' is off the scale from 1 to 5",
    "u,i,4,": "the time is missing",
    "u,i,4,noon": "time 'noon' is neither seconds since 1970 nor an ISO 8601 time",
    "u,i,4,2015-02-30T00:00:00": "time '2015-02-30T00:00:00' is neither seconds",
    "u,i,4,1e30": "time '1e30' is out of range",
    "u\0,i,4,1": "has a NUL byte in it",
    "u,i,4," + "9" * 70: "is neither seconds|is not a number|is out of range",
    "x" * 300 + ",i,4,1": f"is longer than {LONGEST} bytes",
}


@pytest.mark.parametrize("bad", FAULTS)
def test_a_bad_row_names_file_line_and_value_and_how_to_go_on(write: Callable[..., Path], bad: str) -> None:
    path = write(f"user,item,rating,time\na,b,1,1\n\nc,d,5,2\n{bad}\ne,f,2,3\n")
    with pytest.raises(BadData, match=rf"own.csv, line 5: .*({FAULTS[bad]})") as caught:
        read(path, data={"scale": (1.0, 5.0)})
    assert 'on_bad_rows = "drop"' in caught.value.fix


@pytest.mark.parametrize("bad", FAULTS)
def test_bad_rows_are_dropped_and_counted_on_demand(write: Callable[..., Path], bad: str) -> None:
    path = write(f"user,item,rating,time\na,b,1,1\n{bad}\nc,d,5,2\n{bad}\n")
    loaded = read(path, data={"scale": (1.0, 5.0), "on_bad_rows": "drop"})
    assert triples(loaded.dataset) == [("a", "b", 1.0), ("c", "d", 5.0)]
    assert list(loaded.facts["dropped"].values()) == [2]
    assert loaded.facts["rows"] == 4


@pytest.mark.parametrize("quote", ["", '"'])
def test_the_topmost_bad_row_is_named_whatever_its_fault(write: Callable[..., Path], quote: str) -> None:
    path = write(f"user,item,rating\n{quote}u{quote},i,4\nu,j,x\nbroken\nu,k,y\n")
    with pytest.raises(BadData, match="line 3: rating 'x'"):
        read(path)
    path = write(f"user,item,rating\n{quote}u{quote},i,4\nbroken\nu,j,x\n")
    with pytest.raises(BadData, match="line 3: 1 cell where 3"):
        read(path)


def test_lines_are_right_behind_quoted_line_feeds(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match="line 4: rating 'x'"):
        read(write('user,item,rating\nu,"two\nlines",4\nu,j,x\n'))


@pytest.mark.parametrize("policy", ["error", "drop"])
def test_a_quote_that_is_never_closed_is_an_error_in_any_case(write: Callable[..., Path], policy: str) -> None:
    with pytest.raises(BadData, match="line 2: a quote is opened, and not closed"):
        read(write('user,item,rating\nu,"i,4\nu,j,3\nv,k,2\n'), data={"on_bad_rows": policy})


def test_text_behind_a_closing_quote_is_a_broken_line(write: Callable[..., Path]) -> None:
    path = write('user,item\nu,"i"x\nv,j\n')
    with pytest.raises(BadData, match="line 2: the line cannot be read"):
        read(path)
    assert read(path, data={"on_bad_rows": "drop"}).facts["dropped"] == {"broken lines": 1}


def test_a_user_of_dropped_rows_only_is_not_in_the_table(write: Callable[..., Path]) -> None:
    dataset = read(write("user,item,rating\nghost,i,x\nu,i,3\nu,j,4\n"), data={"on_bad_rows": "drop"}).dataset
    assert dataset.user_ids.tolist() == ["u"]


def test_a_missing_column_is_named_with_the_closest_there_is(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match=r"line 1: there is no column 'user'; there are 'userId', 'item'") as caught:
        read(write("userId,item\n1,2\n"))
    assert 'columns = { user = "userId", ... }' in caught.value.fix


def test_a_column_that_is_there_twice_is_an_error(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match="column 'item' is there twice"):
        read(write("user,item,item\n1,2,3\n"))


def test_a_wrong_separator_is_an_error(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match="the header 'user;item' has no ',' in it"):
        read(write("user;item\n1;2\n"))


def test_text_that_is_not_utf8_names_its_line(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match=r"line 3: .* is not UTF-8"):
        read(write(b"user,item\nu,i\nv,caf\xe9\n"))


@pytest.mark.parametrize("text", ["", "user,item\n", "\n\n"])
def test_a_file_without_interactions_is_an_error(write: Callable[..., Path], text: str) -> None:
    with pytest.raises(BadData, match="has no"):
        read(write(text), columns=("user", "item"))


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="there is no file"):
        read(tmp_path / "none.csv")
    with pytest.raises(BadData, match="cannot be read"):
        read(tmp_path)


def test_damaged_gzip_is_an_error(write: Callable[..., Path]) -> None:
    whole = gzip.compress(b"user,item\n" + b"u,i\n" * 5000)
    for damaged in (whole[: len(whole) // 2], whole[:20] + b"\xff" * 30 + whole[50:]):
        with pytest.raises(BadData, match="cannot be read"):
            read(write(damaged))


def test_a_line_without_end_is_an_error_and_not_a_full_memory() -> None:
    blocks = read_blocks(io.BytesIO(b"x" * 5000), Path("own.csv"), size=100, longest=1000)
    with pytest.raises(BadData, match="a line of over"):
        list(blocks)


# Duplicates

TWICE = "user,item,rating,time\nu,i,1,30\nu,j,3,5\nu,i,4,10\nv,i,2,1\nu,i,4,20\n"


def test_a_pair_that_comes_twice_names_both_lines(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match=r"line 4: user 'u' and item 'i' are there already, in line 2") as caught:
        read(write(TWICE))
    assert 'duplicates = "last"' in caught.value.fix


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("first", [("u", "i", 1.0, 30), ("u", "j", 3.0, 5), ("v", "i", 2.0, 1)]),
        ("last", [("u", "j", 3.0, 5), ("v", "i", 2.0, 1), ("u", "i", 4.0, 20)]),
        ("mean", [("u", "i", 3.0, 30), ("u", "j", 3.0, 5), ("v", "i", 2.0, 1)]),
    ],
)
def test_duplicates_are_merged_by_the_policy(
    write: Callable[..., Path], policy: str, expected: list[tuple[str, str, float, int]]
) -> None:
    loaded = read(write(TWICE), data={"duplicates": policy})
    time = loaded.dataset.interactions.time
    assert time is not None
    found = [(*row, int(at)) for row, at in zip(triples(loaded.dataset), time, strict=True)]
    assert found == expected
    assert loaded.facts["duplicates"] == 2


def test_the_line_of_a_duplicate_counts_dropped_and_empty_lines(write: Callable[..., Path]) -> None:
    path = write("user,item,rating\n\nu,i,x\nu,i,1\n\nu,i,2\n")
    with pytest.raises(BadData, match=r"line 6: .* already, in line 4"):
        read(path, data={"on_bad_rows": "drop"})


# Numbering


def test_the_order_of_rows_has_no_say_in_the_numbers_of_users_and_items(write: Callable[..., Path]) -> None:
    one = read(write("user,item\n10,b\n9,a\n100,a\n")).dataset
    other = read(write("user,item\n100,a\n10,b\n9,a\n")).dataset
    assert one.user_ids.tolist() == other.user_ids.tolist() == ["9", "10", "100"]
    assert one.item_ids.tolist() == other.item_ids.tolist() == ["a", "b"]


def test_ids_of_digits_go_by_value_and_others_by_code_point() -> None:
    assert natural_order(np.array([b"10", b"9", b"010", b"0", b"00"])).tolist() == [3, 4, 1, 2, 0]
    assert natural_order(np.array([b"10", b"9", b"x"])).tolist() == [0, 1, 2]


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda text: "\0" not in text), min_size=1))
def test_factorizing_agrees_with_a_plain_sort(texts: list[str]) -> None:
    encoded = [text.encode("utf-8", "replace") for text in texts]
    width = max(map(len, encoded))
    matrix = np.array([list(text.ljust(width, b"\0")) for text in encoded], dtype=np.uint8)
    found = factorize(matrix)
    assert found.texts.tolist() == sorted(set(encoded))
    assert [found.texts[code] for code in found.codes] == encoded


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), min_size=1, max_size=4))
def test_blocks_put_together_are_numbered_as_one(blocks: list[list[int]]) -> None:
    parts = []
    for block in blocks:
        text = "".join(f"{value}\tx\n" for value in block).encode()
        parts.append(ids_in(text))
    ids, codes = merge(parts)
    every = [value for block in blocks for value in block]
    assert ids.tolist() == [str(value) for value in sorted(set(every))]
    assert [int(ids[code]) for code in codes] == every


def ids_in(text: bytes) -> Ids:
    return ids_of(split_block(text, "\t", n_cells=2, line=1).columns[0])


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@settings(max_examples=200)
@given(
    rows=st.lists(st.tuples(CELLS.filter(bool), CELLS.filter(bool), st.integers(-99, 99)), min_size=1, max_size=12),
    size=st.sampled_from([1, 7, 1 << 20]),
)
def test_whatever_the_csv_module_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]], size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    rows = list({row[:2]: row for row in rows}.values())
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([TRIPLES, *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_module, "read_blocks", lambda stream, path: read_blocks(stream, path, size=size))
        found = read(path, data={"scale": (-100.0, 100.0)})
    assert triples(found.dataset) == [(user, item, float(rating)) for user, item, rating in rows]


@given(st.floats(-1e30, 1e30), st.sampled_from(["{!r}", "{:g}", "{:.3f}", "+{!r}", " {!r} "]))
def test_numbers_are_read_as_python_reads_them(value: float, form: str) -> None:
    text = form.format(abs(value))
    assert number(text) == float(text)


@given(st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=1, max_size=8), st.sampled_from("T "))
def test_times_are_read_as_python_reads_them(times: list[datetime], between: str) -> None:
    texts = [time.replace(microsecond=0).isoformat(between) for time in times]
    block = "".join(f"{text},{text.replace('-', '/')}Z,{text}+02:00\n" for text in texts).encode()
    table = split_block(block, ",", n_cells=3, line=1)
    expected = [int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) for text in texts]
    for column, shift in zip(table.columns, (0, 0, 7200), strict=True):
        found, faults = read_times(column)
        assert faults == ()
        assert found.tolist() == [value - shift for value in expected]


# Features


def test_features_come_as_typed_columns(write: Callable[..., Path]) -> None:
    users = write("id,age,sex\nu,31,f\nw,9,m\nv,,\n", "users.csv")
    items = write("id|tags|name\nb|x;y;x|Bee\na||\nc|y|Cee, the third\n", "items.csv")
    loaded = read(
        write("user,item\nu,a\nv,b\n"),
        data={
            "users": TableSpec(path=users, id="id", types={"age": "number", "sex": "category"}),
            "items": TableSpec(
                path=items, id="id", separator="|", tag_separator=";", types={"tags": "tags", "name": "text"}
            ),
        },
    )
    age, sex, tags, name = (
        loaded.dataset.users["age"],
        loaded.dataset.users["sex"],
        loaded.dataset.items["tags"],
        loaded.dataset.items["name"],
    )
    assert isinstance(age, Numbers)
    assert age.values.tolist() == pytest.approx([31.0, math.nan], nan_ok=True)
    assert isinstance(sex, Categories)
    assert (sex.codes.tolist(), sex.names) == ([0, -1], ("f", "m"))
    assert isinstance(tags, Tags)
    assert (tags.starts.tolist(), tags.codes.tolist(), tags.names) == ([0, 0, 2, 3], [0, 1, 1], ("x", "y"))
    assert isinstance(name, Texts)
    assert name.values.tolist() == ["", "Bee", "Cee, the third"]


def test_items_without_interactions_are_in_the_catalogue_and_users_without_are_not(write: Callable[..., Path]) -> None:
    users, items = write("id,x\nu,1\nw,2\n", "users.csv"), write("id,x\na,1\nz,2\n", "items.csv")
    tables = {"users": TableSpec(path=users, id="id"), "items": TableSpec(path=items, id="id")}
    dataset = read(write("user,item\nu,a\n"), data=tables).dataset
    assert (dataset.user_ids.tolist(), dataset.item_ids.tolist()) == (["u"], ["a", "z"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,year\na,old\n", r"items.csv, line 2: year 'old' is not a number"),
        ("id,year\na,1\nb,2\na,3\n", r"items.csv, line 4: id 'a' is there already, in line 2"),
        ("id,year\na,1\nb\n", r"items.csv, line 3: 1 cell where 2 are expected"),
        ("name,year\na,1\n", r"items.csv, line 1: there is no column 'id'"),
        ("id,when\na,1\n", r"items.csv, line 1: there is no column 'year'"),
        ("id,year\n,1\n", r"items.csv, line 2: the id is missing"),
    ],
)
def test_a_bad_table_names_its_line(write: Callable[..., Path], text: str, message: str) -> None:
    table = TableSpec(path=write(text, "items.csv"), id="id", types={"year": "number"})
    with pytest.raises(BadData, match=message):
        read(write("user,item\nu,a\n"), data={"items": table})


# Core, folds, candidates


def test_a_core_leaves_out_users_and_items_and_their_features(write: Callable[..., Path]) -> None:
    items = write("id,year\na,1\nb,2\nc,3\n", "items.csv")
    table = TableSpec(path=items, id="id", types={"year": "number"})
    path = write("user,item\nu,a\nu,b\nv,a\nv,b\nw,c\nw,a\n")
    dataset = read(path, data={"items": table, "core": 2}).dataset
    assert (dataset.user_ids.tolist(), dataset.item_ids.tolist()) == (["u", "v"], ["a", "b"])
    year = dataset.items["year"]
    assert isinstance(year, Numbers)
    assert year.values.tolist() == [1.0, 2.0]
    whole = load(DataSpec(interactions=FileSpec(path=path), core=2), sources={}, core=0).dataset
    assert whole.n_users == 3


def test_a_core_that_leaves_nothing_is_an_error(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match=r"no user and item of 'own.csv' have 9 interactions each"):
        read(write("user,item\nu,a\n"), data={"core": 9})


def folds(write: Callable[..., Path], *texts: str) -> DataSpec:
    files = [FileSpec(path=write(text, f"part{n}.csv")) for n, text in enumerate(texts)]
    return DataSpec(folds=tuple(FoldSpec(train=a, test=b) for a, b in zip(files[::2], files[1::2], strict=True)))


def test_folds_are_rows_of_one_data_set(write: Callable[..., Path]) -> None:
    head = "user,item,rating\n"
    spec = folds(write, f"{head}u,a,1\nu,b,2\n", f"{head}v,a,3\n", f"{head}v,a,3\nu,b,2\n", f"{head}u,a,1\nw,c,4\n")
    loaded = load(spec, sources={})
    assert triples(loaded.dataset) == [("u", "a", 1.0), ("u", "b", 2.0), ("v", "a", 3.0), ("w", "c", 4.0)]
    assert [(given.train_rows.tolist(), given.test_rows.tolist()) for given in loaded.given] == [
        ([0, 1], [2]),
        ([2, 1], [0, 3]),
    ]


def test_folds_that_differ_in_a_rating_are_an_error(write: Callable[..., Path]) -> None:
    head = "user,item,rating\n"
    spec = folds(write, f"{head}u,a,1\n", f"{head}u,b,2\n", f"{head}u,a,5\n", f"{head}u,b,2\n")
    with pytest.raises(BadData, match=r"part2.csv: user 'u' and item 'a' have rating 5, and 1 in .*part0.csv"):
        load(spec, sources={})


def test_folds_that_differ_in_their_columns_are_an_error(write: Callable[..., Path]) -> None:
    with pytest.raises(BadData, match=r"part1.csv has no column rating, and others have one"):
        load(folds(write, "user,item,rating\nu,a,1\n", "user,item\nu,b\n"), sources={})


def test_pairs_of_a_file_are_rows_of_the_tables(write: Callable[..., Path]) -> None:
    dataset = read(write("user,item\nu,a\nv,b\n")).dataset
    file = FileSpec(path=write("v a\nu b x\nghost a\n", "candidates.txt"), format="adjacency")
    user, item = pairs(file, dataset)
    assert list(zip(user.tolist(), item.tolist(), strict=True)) == [(1, 0), (0, 1)]


def test_facts_hold_the_checksum_of_each_file(write: Callable[..., Path]) -> None:
    import hashlib

    path = write("user,item\nu,a\n")
    assert read(path).facts["files"] == {"own.csv": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_ids_may_hold_any_text(write: Callable[..., Path]) -> None:
    ids = ["=cmd()", "../../etc/passwd", "<b>|", "\u202e", "' OR 1=1", "💥", " blank ", "a\tb"]
    path = write("user,item\n" + "".join(f"{each},i\n" for each in ids))
    assert sorted(read(path).dataset.user_ids.tolist()) == sorted(ids)


@pytest.mark.slow
def test_a_million_rows_are_read_in_less_than_three_times_what_pandas_takes(write: Callable[..., Path]) -> None:
    import time

    import pandas as pd

    rng = np.random.default_rng(0)
    codes = rng.permutation(50_000_000)[:1_000_000]
    text = "\n".join(f"{code // 1000},{code % 1000},{code % 5 + 1},{code}" for code in codes.tolist())
    path = write(f"user,item,rating,time\n{text}\n")
    began = time.process_time()
    assert len(pd.read_csv(path, dtype={"user": str, "item": str})) == 1_000_000
    parsed = time.process_time()
    dataset = read(path).dataset
    taken = time.process_time() - parsed
    assert len(dataset.interactions) == 1_000_000
    assert taken < 3 * (parsed - began)
