"""The data sets known by name: what is declared of them, and their readers on tiny files in the owners' forms."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbench.api import Source, SourceFile
from recbench.data import Categories, Column, Dataset, Interactions, Numbers, Tags, Texts
from recbench.datasets import Loaded, builtin_sources, load
from recbench.datasets.known import _OCCUPATIONS_1M
from recbench.datasets.loading import read_source
from recbench.datasets.places import cache_folder, locate, places
from recbench.errors import BadData, RecbenchError, UnknownName
from recbench.protocols.spec import DataSpec, FileSpec, FoldSpec

SOURCES = {source.name: source for source in builtin_sources()}


@pytest.fixture(autouse=True)
def _nothing_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RECBENCH_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def values(column: Column) -> list[Any]:
    """One plain value a row: a number, a text, a category or None, or a list of tags."""
    match column:
        case Numbers() | Texts():
            return [None if value != value else value for value in column.values.tolist()]
        case Categories():
            return [column.names[code] if code >= 0 else None for code in column.codes.tolist()]
        case Tags():
            bounds = zip(column.starts[:-1], column.starts[1:], strict=True)
            return [[column.names[code] for code in column.codes[start:end]] for start, end in bounds]


def rows(dataset: Dataset) -> list[tuple[Any, ...]]:
    table = dataset.interactions
    columns = [dataset.user_ids[table.user].tolist(), dataset.item_ids[table.item].tolist()]
    if dataset.scale is not None:
        columns.append(table.rating.tolist())
    if table.time is not None:
        columns.append(table.time.tolist())
    return list(zip(*columns, strict=True))


def read(name: str, folder: Path, **files: str | bytes) -> Loaded:
    """Read a source by its own reader, from files whose names have __ for a dot and _H_ for a hyphen."""
    for key, text in files.items():
        path = folder / key.replace("__", ".").replace("_H_", "-")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    reading = read_source(SOURCES[name], folder)
    return Loaded(dataset=reading.dataset, facts=reading.facts)


# What is declared


def test_the_names_that_were_promised_are_there() -> None:
    promised = {"ml-100k", "ml-latest-small", "ml-1m", "ml-20m", "movietweetings-100k", "ms-usage"}
    more = {"gowalla", "lastfm-2k", "lastfm-360k", "book-crossing", "steam", "yelp", "goodbooks-10k", "ml-10m"}
    assert promised | more <= set(SOURCES)
    assert any(name.startswith("amazon-") for name in SOURCES)


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_every_source_says_where_it_is_what_is_allowed_and_whom_to_cite(source: Source) -> None:
    assert source.title
    assert source.license
    assert source.citation
    assert source.homepage.startswith("http") or source.bundled
    for file in (*source.files, *source.contents):
        assert file.sha256 is None or len(file.sha256) == 64
        assert Path(file.name).name == file.name
    module, _, name = source.read.partition(":")
    assert callable(getattr(__import__(module, fromlist=[name]), name))


@pytest.mark.parametrize("name", ["movietweetings-100k", "ms-usage"])
def test_what_is_embedded_comes_with_license_and_citation_and_is_what_it_says(name: str) -> None:
    source = SOURCES[name]
    assert source.bundled is not None
    assert list(source.bundled.glob("LICENSE*"))
    assert (source.bundled / "CITATION").read_text()
    for file in source.files:
        content = (source.bundled / file.name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.sha256, file.size)


def test_movietweetings_is_read_whole_and_its_core_is_the_published_one() -> None:
    whole = load(DataSpec(source="movietweetings-100k"), sources=SOURCES)
    assert (len(whole.dataset.interactions), whole.dataset.n_users, whole.dataset.n_items) == (100_000, 16_554, 10_506)
    loaded = load(DataSpec(source="movietweetings-100k", core=5), sources=SOURCES)
    core = loaded.dataset
    assert (len(core.interactions), core.n_users, core.n_items) == (68_055, 4_333, 2_414)
    assert core.scale == (0.0, 10.0)
    film = core.item_ids.tolist().index("1300854")
    assert [values(core.items[name])[film] for name in ("title", "year")] == ["Iron Man 3", 2013.0]
    assert "Sci-Fi" in values(core.items["genres"])[film]
    assert loaded.facts["license"].startswith("MIT")
    assert "Dooms" in loaded.facts["citation"]
    assert (loaded.facts["dropped"], loaded.facts["duplicates"], loaded.facts["unverified"]) == ({}, 0, [])


def test_reading_the_embedded_data_needs_no_pandas() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from recbench.datasets import load, builtin_sources\n"
        "from recbench.protocols.spec import DataSpec\n"
        "sources = {source.name: source for source in builtin_sources()}\n"
        "load(DataSpec(source='movietweetings-100k', core=5), sources=sources)\n"
        "print(sorted({'pandas', 'pyarrow', 'torch', 'urllib.request'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_ms_usage_counts_the_first_purchase() -> None:
    loaded = load(DataSpec(source="ms-usage"), sources=SOURCES)
    assert loaded.facts["rows"] == 11_838
    assert loaded.facts["rows"] - loaded.facts["duplicates"] == len(loaded.dataset.interactions)
    assert loaded.dataset.scale is None
    assert set(loaded.dataset.items) == {"title", "category"}


PAGE = (Path(__file__).resolve().parent.parent / "docs" / "data.md").read_text("utf-8")


@pytest.mark.parametrize("name", SOURCES)
def test_every_data_set_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_example_on_the_page_runs(tmp_path: Path) -> None:
    from recbench.protocols.loading import load as load_protocol

    for name, text in re.findall(r"`(\w+\.(?:csv|toml))`:\n\n```\w+\n(.*?)```", PAGE, flags=re.DOTALL):
        (tmp_path / name).write_text(text)
    protocol = load_protocol(tmp_path / "shop.toml", {})
    loaded = load(protocol.data, sources=SOURCES)
    assert rows(loaded.dataset) == [("ann", "p1", 1709251200), ("ann", "p2", 1709337600), ("bob", "p1", 1709424000)]
    assert (loaded.facts["dropped"], loaded.facts["duplicates"]) == ({"time missing": 1}, 1)
    assert values(loaded.dataset.items["labels"]) == [["red", "new"], ["red"], []]


# Readers, on tiny files in the documented forms


def test_movielens_100k(tmp_path: Path) -> None:
    genres = "unknown|0\nAction|1\nDrama|2\n\n"
    items = "1|Toy Story (1995)|01-Jan-1995||http://x|0|1|1\n2|Caf\xe9|||http://y|1|0|0\n".encode("latin-1")
    loaded = read(
        "ml-100k",
        tmp_path,
        u__data="10\t2\t3\t881250949\n9\t1\t5\t20\n",
        u__user="9|24|M|technician|85711\n10|53|F|other|T8H1N\n",
        u__item=items,
        u__genre=genres,
    )
    data = loaded.dataset
    assert rows(data) == [("10", "2", 3.0, 881250949), ("9", "1", 5.0, 20)]
    assert {name: values(column) for name, column in data.users.items()} == {
        "age": [24.0, 53.0],
        "gender": ["M", "F"],
        "occupation": ["technician", "other"],
    }
    assert {name: values(column) for name, column in data.items.items()} == {
        "title": ["Toy Story", "Café"],
        "year": [1995.0, None],
        "genres": [["Action", "Drama"], []],
    }


def test_movielens_1m(tmp_path: Path) -> None:
    data = read(
        "ml-1m",
        tmp_path,
        ratings__dat="1::1193::5::978300760\n2::1::3::978302109\n",
        users__dat="1::F::1::10::48067\n2::M::56::16::70072\n",
        movies__dat="1::Toy Story (1995)::Animation|Comedy\n1193::Mis\xe9rables, Les (1995)::Drama\n".encode("latin-1"),
    ).dataset
    assert rows(data) == [("1", "1193", 5.0, 978300760), ("2", "1", 3.0, 978302109)]
    assert values(data.users["occupation"]) == [_OCCUPATIONS_1M[10], _OCCUPATIONS_1M[16]]
    assert values(data.users["age"]) == [1.0, 56.0]
    assert values(data.items["title"]) == ["Toy Story", "Misérables, Les"]
    assert values(data.items["genres"]) == [["Animation", "Comedy"], ["Drama"]]


def test_movielens_10m_has_half_stars(tmp_path: Path) -> None:
    data = read(
        "ml-10m", tmp_path, ratings__dat="1::122::4.5::838985046\n", movies__dat="122::Boomerang (1992)::Comedy\n"
    )
    assert rows(data.dataset) == [("1", "122", 4.5, 838985046)]
    assert data.dataset.scale == (0.5, 5.0)


@pytest.mark.parametrize("name", ["ml-latest-small", "ml-20m", "ml-25m", "ml-32m"])
def test_movielens_as_csv(tmp_path: Path, name: str) -> None:
    data = read(
        name,
        tmp_path,
        ratings__csv="userId,movieId,rating,timestamp\r\n1,31,2.5,1260759144\r\n",
        movies__csv='movieId,title,genres\r\n31,"American President, The (1995)",Drama|Romance\r\n'
        "40,Babylon 5,(no genres listed)\r\n",
    ).dataset
    assert rows(data) == [("1", "31", 2.5, 1260759144)]
    assert data.item_ids.tolist() == ["31", "40"]
    assert values(data.items["title"]) == ["American President, The", "Babylon 5"]
    assert values(data.items["genres"]) == [["Drama", "Romance"], []]
    assert values(data.items["year"]) == [1995.0, None]


def test_lastfm_2k_is_implicit(tmp_path: Path) -> None:
    data = read(
        "lastfm-2k",
        tmp_path,
        user_artists__dat="userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n",
        artists__dat='id\tname\turl\tpictureURL\n51\tDuran "Duran\thttp://a\thttp://b\n52\tMorcheeba\thttp://c\t\n',
    ).dataset
    assert rows(data) == [("2", "51"), ("2", "52")]
    assert (data.scale, values(data.items["name"])) == (None, ['Duran "Duran', "Morcheeba"])


def test_lastfm_360k_goes_by_names_of_artists(tmp_path: Path) -> None:
    plays = "a1\t3bd7\tbetty blowtorch\t2137\na1\t\tlove, not mine\t3\nb2\tf2f9\t\t9\nb2\tf2f9\tdie Ärzte\t1099\n"
    loaded = read(
        "lastfm-360k",
        tmp_path,
        usersha1_H_artmbid_H_artname_H_plays__tsv=plays,
        usersha1_H_profile__tsv="a1\tf\t22\tGermany\tFeb 1, 2007\nb2\t\t\tMexico\tApr 1, 2008\n",
    )
    assert rows(loaded.dataset) == [("a1", "betty blowtorch"), ("a1", "love, not mine"), ("b2", "die Ärzte")]
    assert values(loaded.dataset.users["age"]) == [22.0, None]
    assert loaded.facts["dropped"] == {"item missing": 1}


def test_gowalla_counts_the_first_check_in(tmp_path: Path) -> None:
    lines = ("0\t2010-10-19T23:55:27Z\t30.2359\t-97.7951\t22847\n", "0\t2010-10-18T22:17:43Z\t30.2\t-97.7\t22847\n")
    loaded = read("gowalla", tmp_path, loc_H_gowalla_totalCheckins__txt="".join(lines))
    assert rows(loaded.dataset) == [("0", "22847", 1287532527)]
    assert loaded.facts["duplicates"] == 1


def test_book_crossing_drops_what_has_no_rating(tmp_path: Path) -> None:
    loaded = read(
        "book-crossing",
        tmp_path,
        BX_H_Book_H_Ratings__csv='"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n"276726";"0155061224";"5"\r\n',
        BX_H_Books__csv='"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication"\r\n'
        '"0155061224";"Say \\"Rites\\"; again";"Judith Rae";"2001"\r\n"0";"Caf\xe9";"X";"0"\r\n'.encode("latin-1"),
        BX_H_Users__csv='"User-ID";"Location";"Age"\r\n"276726";"usa";NULL\r\n"1";"nyc";"18"\r\n',
    )
    assert rows(loaded.dataset) == [("276726", "0155061224", 5.0)]
    assert loaded.facts["dropped"] == {"rating off the scale": 1}
    assert values(loaded.dataset.items["title"]) == ["Café", 'Say "Rites"; again']
    assert values(loaded.dataset.items["year"]) == [None, 2001.0]
    assert values(loaded.dataset.users["age"]) == [None]


def test_goodbooks(tmp_path: Path) -> None:
    data = read(
        "goodbooks-10k",
        tmp_path,
        ratings__csv="user_id,book_id,rating\n1,258,5\n2,4081,4\n",
        books__csv="book_id,authors,original_publication_year,title,language_code\n"
        '258,"A. Uno, B. Due",2008.0,"Games, The",eng\n4081,C. Tre,-762,Iliad,\n',
    ).dataset
    assert rows(data) == [("1", "258", 5.0), ("2", "4081", 4.0)]
    assert values(data.items["authors"]) == [["A. Uno", "B. Due"], ["C. Tre"]]
    assert values(data.items["year"]) == [2008.0, -762.0]
    assert values(data.items["language"]) == ["eng", None]


def test_amazon_2014_has_no_header(tmp_path: Path) -> None:
    data = read("amazon-2014-beauty", tmp_path, ratings_Beauty__csv="A39H,0205616461,5.0,1369699200\n").dataset
    assert rows(data) == [("A39H", "0205616461", 5.0, 1369699200)]


def test_amazon_2023_has_milliseconds(tmp_path: Path) -> None:
    text = "user_id,parent_asin,rating,timestamp\nAGKA,B006,3.0,1452647382000\nAGKA,B00T,4.0,1454675785999\n"
    data = read("amazon-2023-video-games", tmp_path, Video_Games__csv=text).dataset
    assert rows(data) == [("AGKA", "B006", 3.0, 1452647382), ("AGKA", "B00T", 4.0, 1454675785)]


def test_steam_reads_objects_as_python_prints_them_and_runs_nothing(tmp_path: Path) -> None:
    lines = [
        "{u'username': u'Chaos', u'product_id': u'725280', u'date': u'2017-12-17', u'text': u'tab\\there'}",
        json.dumps({"username": "Ü", "product_id": 328100, "date": "2018-01-04"}),
        "__import__('pathlib').Path('harmed').touch()",
        "{'username': 'no product', 'date': '2018-01-04'}",
        "{" * 5000,
    ]
    loaded = read("steam", tmp_path, steam_reviews__json="\n".join(lines))
    assert rows(loaded.dataset) == [("Chaos", "725280", 1513468800), ("Ü", "328100", 1515024000)]
    assert loaded.facts["dropped"] == {"broken lines": 2, "item missing": 1}
    assert not Path("harmed").exists()


def test_yelp(tmp_path: Path) -> None:
    review = {"review_id": "r", "user_id": "u", "business_id": "b", "stars": 4.0, "date": "2014-02-17 16:48:49"}
    business = {"business_id": "b", "name": "Say\tcheese", "city": "Reno", "categories": "Pubs, Cheese Shops"}
    businesses = [business, {**business, "business_id": "c", "categories": None}]
    loaded = read(
        "yelp",
        tmp_path,
        yelp_academic_dataset_review__json=json.dumps(review) + "\n",
        yelp_academic_dataset_business__json="\n".join(map(json.dumps, businesses)),
    )
    assert rows(loaded.dataset) == [("u", "b", 4.0, 1392655729)]
    assert values(loaded.dataset.items["categories"]) == [["Pubs", "Cheese Shops"], []]
    assert values(loaded.dataset.items["title"]) == ["Say cheese"] * 2


def test_a_bad_line_in_a_file_of_objects_keeps_its_number(tmp_path: Path) -> None:
    review = {"user_id": "u", "business_id": "b", "stars": 4.0, "date": "2014-02-17 16:48:49"}
    texts = [json.dumps(review), "no object at all", json.dumps(review)]
    business = json.dumps({"business_id": "b", "name": "B", "city": "C", "categories": "D"})
    with pytest.raises(BadData, match=r"yelp_academic_dataset_review.json, line 2: 1 cell where 4 are expected"):
        read(
            "yelp",
            tmp_path,
            yelp_academic_dataset_review__json="\n".join(texts),
            yelp_academic_dataset_business__json=business,
        )


def test_spectralcf_is_the_union_of_its_parts(tmp_path: Path) -> None:
    data = read("spectralcf-ml-1m", tmp_path, train_users__dat="0 4 6\n1 4\n", test_users__dat="0 7\n").dataset
    assert rows(data) == [("0", "4"), ("0", "6"), ("1", "4"), ("0", "7")]


# Where they lie


@pytest.mark.parametrize("form", ["plain", "gz", "zip", "tar"])
def test_a_copy_may_lie_unpacked_compressed_or_in_its_archive(tmp_path: Path, form: str) -> None:
    import gzip

    files = {
        "ratings.csv": b"userId,movieId,rating,timestamp\n1,31,2.5,9\n",
        "movies.csv": b"movieId,title,genres\n31,A,B\n",
    }
    folder = tmp_path / "ml-20m"
    folder.mkdir()
    if form == "zip":
        with zipfile.ZipFile(folder / "ml-20m.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(f"ml-20m/{name}", content)
    elif form == "tar":
        with tarfile.open(folder / "copy.tar.gz", "w:gz") as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(f"x/{name}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    else:
        for name, content in files.items():
            path = folder / (f"{name}.gz" if form == "gz" else name)
            path.write_bytes(gzip.compress(content) if form == "gz" else content)
    loaded = load(DataSpec(source="ml-20m"), sources=SOURCES, data_dir=tmp_path)
    assert rows(loaded.dataset) == [("1", "31", 2.5, 9)]
    assert loaded.facts["title"] == "MovieLens 20M"


def test_places_are_searched_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECBENCH_DATA", f"{tmp_path / 'b'}:{tmp_path / 'c'}")
    expected = (tmp_path / "a", tmp_path / "b", tmp_path / "c", tmp_path / "cache" / "recbench" / "data")
    assert places(tmp_path / "a") == expected
    bundled = SOURCES["ms-usage"].bundled
    assert bundled is not None
    for place in reversed(expected):
        folder = place / "ms-usage"
        folder.mkdir(parents=True)
        for file in SOURCES["ms-usage"].files:
            (folder / file.name).write_bytes((bundled / file.name).read_bytes())
        assert locate(SOURCES["ms-usage"], tmp_path / "a") == folder


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder({"HOME": "/home/me"}) == Path("/home/me/.cache/recbench/data")
    assert cache_folder({"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}) == Path("/home/me/.cache/recbench/data")
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder({"HOME": "/Users/me"}) == Path("/Users/me/Library/Caches/recbench/data")


def test_a_data_set_that_is_not_here_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"the data set 'ml-1m' is not in any of") as caught:
        load(DataSpec(source="ml-1m"), sources=SOURCES, data_dir=tmp_path)
    for part in (
        "recbench data fetch ml-1m",
        "ml-1m.zip",
        "no checksum known",
        str(tmp_path / "ml-1m"),
        "RECBENCH_DATA",
    ):
        assert part in caught.value.fix
    with pytest.raises(BadData) as caught:
        load(DataSpec(source="ml-latest-small"), sources=SOURCES)
    assert "sha256 696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436" in caught.value.fix
    with pytest.raises(BadData) as caught:
        load(DataSpec(source="yelp"), sources=SOURCES)
    assert "get it from its owner, see https://www.yelp.com/dataset" in caught.value.fix


def test_a_copy_that_is_not_whole_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "ml-1m").mkdir()
    (tmp_path / "ml-1m" / "ratings.dat").touch()
    with pytest.raises(BadData, match=r"the copy of 'ml-1m' in .* lacks movies.dat, users.dat"):
        load(DataSpec(source="ml-1m"), sources=SOURCES, data_dir=tmp_path)


def test_a_copy_that_was_changed_is_refused(tmp_path: Path) -> None:
    bundled = SOURCES["ms-usage"].bundled
    assert bundled is not None
    (tmp_path / "ms-usage").mkdir()
    for file in SOURCES["ms-usage"].files:
        (tmp_path / "ms-usage" / file.name).write_bytes((bundled / file.name).read_bytes() + b"\n")
    with pytest.raises(BadData, match=r"demoUsage.csv is not the file it should be: its sha256 is \w+, not e91eb994"):
        load(DataSpec(source="ms-usage"), sources=SOURCES, data_dir=tmp_path)


def test_an_unknown_name_lists_the_close_ones() -> None:
    with pytest.raises(UnknownName, match=r"'ml100k' is not the name of a data set; close: 'ml-100k'"):
        load(DataSpec(source="ml100k"), sources=SOURCES)


# Sources of plugins


def offered(read: str, tmp_path: Path) -> Source:
    (tmp_path / "theirs").mkdir(exist_ok=True)
    (tmp_path / "theirs" / "x").touch()
    files = (SourceFile(name="x"),)
    return Source(name="theirs", title="Theirs", files=files, read=f"{__name__}:{read}", license="MIT", citation="them")


def fine(_folder: Path) -> Dataset:
    return made(user=[0, 1], item=[1, 0])


def made(*, user: list[int], item: list[int], rating: list[float] | None = None) -> Dataset:
    interactions = Interactions(
        user=np.array(user, dtype=np.int32),
        item=np.array(item, dtype=np.int32),
        rating=np.array(rating or [1.0] * len(user), dtype=np.float32),
    )
    ids = np.array(["a", "b"])
    return Dataset(name="x", interactions=interactions, user_ids=ids, item_ids=ids, scale=(1, 2) if rating else None)


def twice(_folder: Path) -> Dataset:
    return made(user=[0, 0], item=[1, 1])


def outside(_folder: Path) -> Dataset:
    return made(user=[0, 2], item=[1, 0])


def endless(_folder: Path) -> Dataset:
    return made(user=[0], item=[1], rating=[float("inf")])


def off(_folder: Path) -> Dataset:
    return made(user=[0], item=[1], rating=[3.0])


def none(_folder: Path) -> Dataset:
    return made(user=[], item=[])


def other(_folder: Path) -> Any:
    return {"user": [1]}


def raising(_folder: Path) -> Any:
    raise KeyError("ratings")


def test_a_source_of_a_plugin_is_read_by_its_own_function(tmp_path: Path) -> None:
    loaded = load(DataSpec(source="theirs"), sources={"theirs": offered("fine", tmp_path)}, data_dir=tmp_path)
    assert (loaded.dataset.name, loaded.facts["citation"]) == ("theirs", "them")


@pytest.mark.parametrize(
    ("reader", "problem"),
    [
        ("twice", "gives a pair of user and item twice"),
        ("outside", "gives interactions with users outside their table"),
        ("endless", "gives ratings that are not finite"),
        ("off", r"gives ratings off its scale"),
        ("none", "gives no interactions"),
        ("other", "gives a dict, not a Dataset"),
        ("raising", "failed: KeyError: 'ratings'"),
        ("absent", "failed: AttributeError"),
    ],
)
def test_what_a_plugin_reads_wrongly_is_an_error_that_names_it(tmp_path: Path, reader: str, problem: str) -> None:
    with pytest.raises(RecbenchError, match=problem) as caught:
        load(DataSpec(source="theirs"), sources={"theirs": offered(reader, tmp_path)}, data_dir=tmp_path)
    assert f":{reader} of the data set 'theirs'" in caught.value.what


# The owners' own files, where they are at hand


def test_the_official_folds_of_movielens_100k_are_parts_of_one_data_set(shared_data: Callable[[str], Path]) -> None:
    place = shared_data("ml-100k").parent

    def part(name: str) -> FileSpec:
        return FileSpec(path=Path(name), separator="\t", header=False, columns=("user", "item", "rating", "time"))

    folds = tuple(FoldSpec(train=part(f"u{n}.base"), test=part(f"u{n}.test")) for n in range(1, 6))
    loaded = load(DataSpec(source="ml-100k", folds=folds), sources=SOURCES, data_dir=place)
    data = loaded.dataset
    assert (len(data.interactions), data.n_users, data.n_items) == (100_000, 943, 1_682)
    assert {"age", "gender", "occupation"} == set(data.users)
    tests = np.concatenate([fold.test_rows for fold in loaded.given])
    assert np.array_equal(np.sort(tests), np.arange(100_000))
    for n, fold in enumerate(loaded.given, start=1):
        assert (len(fold.train_rows), len(fold.test_rows)) == (80_000, 20_000)
        lines = np.loadtxt(place / "ml-100k" / f"u{n}.test", dtype=np.int64)
        found = data.interactions.take(fold.test_rows)
        ours = (data.user_ids[found.user].astype(int), data.item_ids[found.item].astype(int), found.rating, found.time)
        for column, expected in zip(ours, lines.T, strict=True):
            assert np.array_equal(column, expected)


def test_movielens_latest_small_is_read_from_the_zip(shared_data: Callable[[str], Path]) -> None:
    place = shared_data("ml-latest-small").parent
    loaded = load(DataSpec(source="ml-latest-small"), sources=SOURCES, data_dir=place)
    data = loaded.dataset
    assert (len(data.interactions), data.n_users, data.n_items) == (100_836, 610, 9_742)
    assert loaded.facts["unverified"] == []


def test_the_split_of_table_32_has_the_published_sizes(shared_data: Callable[[str], Path]) -> None:
    place = shared_data("spectralcf-ml-1m").parent
    train, test = (FileSpec(path=Path(f"{part}_users.dat"), format="adjacency") for part in ("train", "test"))
    spec = DataSpec(source="spectralcf-ml-1m", folds=(FoldSpec(train=train, test=test),))
    loaded = load(spec, sources=SOURCES, data_dir=place)
    (fold,) = loaded.given
    assert (len(fold.train_rows), len(fold.test_rows)) == (179_207, 47_103)
    assert loaded.dataset.n_users == 6_014
