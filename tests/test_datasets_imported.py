"""Files of one's own under a name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recbench.cli import cli
from recbench.data import Dataset
from recbench.datasets import builtin_sources, load
from recbench.datasets.checksums import sha256_of
from recbench.datasets.imported import Card, import_file, imported_sources
from recbench.errors import BadData, RecbenchError, UnknownName
from recbench.fingerprints import tables_hash
from recbench.protocols.spec import DataSpec, FileSpec, TableSpec

BUILTIN = {source.name: source for source in builtin_sources()}
TEXT = 'who;what;stars;when\n"a;b";x,y;4.1;2015-06-09T19:39:37\nü;"say ""z""";0.30000001;7\nü;x,y;3;8\n'
COLUMNS = {"user": "who", "item": "what", "rating": "stars", "time": "when"}


@pytest.fixture
def own(tmp_path: Path) -> FileSpec:
    (tmp_path / "own.csv").write_text(TEXT)
    return FileSpec(path=tmp_path / "own.csv", separator=";", columns=COLUMNS)


@pytest.fixture
def items(tmp_path: Path) -> TableSpec:
    (tmp_path / "items.csv").write_text('id,title,year,tags,kind\n"x,y",A "b",1999.5,p|q,k\nnew,,,,\n')
    types = {"title": "text", "year": "number", "tags": "tags", "kind": "category"}
    return TableSpec(path=tmp_path / "items.csv", id="id", types=types)


def same(one: Dataset, other: Dataset) -> bool:
    a, b = one.interactions, other.interactions
    assert (a.time is None) == (b.time is None)
    assert a.time is None or b.time is None or a.time.tolist() == b.time.tolist()
    columns = ("user", "item", "rating")
    return tables_hash(one) == tables_hash(other) and all(
        getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in columns
    )


def test_what_was_imported_is_found_by_name_and_is_the_same(own: FileSpec, items: TableSpec, tmp_path: Path) -> None:
    place = tmp_path / "data"
    imported = import_file(own, name="mine", into=place, items=items, scale=(0.0, 5.0), card=Card(license="CC0"))
    assert imported.folder == place / "mine"
    assert {"users": 2, "items": 3, "interactions": 3, "rows": 3}.items() <= imported.facts.items()
    direct = load(DataSpec(interactions=own, items=items, scale=(0.0, 5.0)), sources={}).dataset
    loaded = load(DataSpec(source="mine"), sources=BUILTIN, data_dir=place)
    assert same(direct, loaded.dataset)
    assert (loaded.facts["license"], loaded.facts["unverified"]) == ("CC0", [])
    assert [source.name for source in imported_sources(place)] == ["mine"]


def test_data_without_ratings_and_times_stays_so(tmp_path: Path) -> None:
    (tmp_path / "lists.txt").write_text("1 2 3\n4 2\n")
    import_file(FileSpec(path=tmp_path / "lists.txt", format="adjacency"), name="lists", into=tmp_path / "data")
    dataset = load(DataSpec(source="lists"), sources={}, data_dir=tmp_path / "data").dataset
    assert (dataset.scale, dataset.interactions.time, len(dataset.interactions)) == (None, None, 3)


def test_bad_data_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("user,item,rating\nu,i,x\n")
    with pytest.raises(BadData, match=r"own.csv, line 2: rating 'x' is not a number"):
        import_file(FileSpec(path=tmp_path / "own.csv"), name="mine", into=tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_an_import_may_be_repeated(own: FileSpec, tmp_path: Path) -> None:
    place = tmp_path / "data"
    import_file(own, name="mine", into=place)
    own.path.write_text(TEXT + "new;x,y;1;9\n")
    import_file(own, name="mine", into=place, taken={"mine"})
    assert load(DataSpec(source="mine"), sources={}, data_dir=place).dataset.n_users == 3


def test_a_name_that_is_taken_is_refused(own: FileSpec, tmp_path: Path) -> None:
    with pytest.raises(RecbenchError, match="the name 'ml-1m' is taken by another data set"):
        import_file(own, name="ml-1m", into=tmp_path / "data", taken=BUILTIN)


def test_a_folder_that_holds_something_else_is_left_alone(own: FileSpec, tmp_path: Path) -> None:
    (tmp_path / "data" / "mine").mkdir(parents=True)
    (tmp_path / "data" / "mine" / "precious").touch()
    with pytest.raises(RecbenchError, match="holds something that was not imported"):
        import_file(own, name="mine", into=tmp_path / "data")


@pytest.mark.parametrize("name", ["../x", "a b", ".hidden", ""])
def test_a_name_that_is_none_for_a_folder_is_refused(own: FileSpec, tmp_path: Path, name: str) -> None:
    with pytest.raises(RecbenchError, match="a data set cannot be called"):
        import_file(own, name=name, into=tmp_path / "data")
    with pytest.raises(UnknownName):
        load(DataSpec(source=name), sources=BUILTIN, data_dir=tmp_path)


def test_imported_data_that_was_changed_is_refused(own: FileSpec, tmp_path: Path) -> None:
    folder = import_file(own, name="mine", into=tmp_path / "data").folder
    with (folder / "interactions.csv").open("a") as file:
        file.write("u,i,1,1\n")
    with pytest.raises(BadData, match=r"interactions.csv is not the file it should be"):
        load(DataSpec(source="mine"), sources={}, data_dir=tmp_path / "data")


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../../own.csv": "0" * 64}},
        {"features": {"items": {"x": "pickle"}}},
        {"scale": "wide"},
        {"files": 3},
        {"title": None, "features": []},
    ],
)
def test_a_card_that_is_odd_makes_no_data_set(own: FileSpec, tmp_path: Path, change: dict[str, object]) -> None:
    folder = import_file(own, name="mine", into=tmp_path / "data").folder
    card = json.loads((folder / "source.json").read_text())
    (folder / "source.json").write_text(json.dumps({**card, **change}))
    assert imported_sources(tmp_path / "data") == ()


def test_a_card_names_the_checksum_of_each_file(own: FileSpec, items: TableSpec, tmp_path: Path) -> None:
    folder = import_file(own, name="mine", into=tmp_path / "data", items=items).folder
    files = json.loads((folder / "source.json").read_text())["files"]
    assert files == {name: sha256_of(folder / name) for name in ("interactions.csv", "items.csv")}


def bring(folder: Path, *more: str) -> Result:
    (folder / "own.csv").write_text("user,item,rating\nann,p1,3\nbob,p2,4\n")
    (folder / "items.csv").write_text("item,genre\np1,a|b\np2,b\np3,c\n")
    arguments = ["data", "import", str(folder / "own.csv"), "--name", "mine", "--data-dir", str(folder / "data"), *more]
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def test_the_command_takes_scale_and_tables_of_features(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id,age\nann,30\nbob,\n")
    done = bring(
        tmp_path,
        *("--scale", "1", "5"),
        *("--items", f'{{ path = "{tmp_path}/items.csv", id = "item", types = {{ genre = "tags" }} }}'),
        *("--users", f'{{ path = "{tmp_path}/users.csv", id = "id", types = {{ age = "number" }} }}'),
    )
    assert done.exception is None, done.output
    loaded = load(DataSpec(source="mine"), sources=BUILTIN, data_dir=tmp_path / "data").dataset
    assert loaded.scale == (1.0, 5.0)
    assert ([*loaded.users], [*loaded.items], loaded.n_items) == (["age"], ["genre"], 3)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--items", "items.csv"), "--items: 'items.csv' is no table in one line"),
        (("--items", '{ path = "a.csv" }\nx = 1'), "is no table in one line"),
        (("--items", '{ path = "a.csv" }'), "--items: [items] id is missing"),
        (("--users", '{ path = "a.csv", idd = "x" }'), "--users: [users] idd is not a key; close: 'id'"),
        (("--scale", "5", "1"), "the lesser first"),
        (("--scale", "1", "inf"), "the lesser first"),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_names_the_option(
    tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    done = bring(tmp_path, *more)
    assert message in str(done.exception)
    assert not (tmp_path / "data").exists()
