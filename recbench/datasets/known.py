"""Readers of the data sets that recbench knows by name. Each takes a folder and gives a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recbench.data import Numbers, Tags, Texts
from recbench.datasets.assembling import Reading, assemble, assemble_folds
from recbench.datasets.features import Features, categories, read_features, tags
from recbench.datasets.numbers import number
from recbench.datasets.objects import as_tabs
from recbench.datasets.opening import in_folder
from recbench.datasets.reading import Reader
from recbench.protocols.spec import FileSpec, FoldSpec, TableSpec

_TIMED = ("user", "item", "rating", "time")

# The readme of MovieLens 1M names its codes.
_OCCUPATIONS_1M = (
    "other or not specified",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
)
_NO_GENRE = "(no genres listed)"


def movietweetings(folder: Path) -> Reading:
    """`user::film::rating::time`, with films as `id::title (year)::genre|genre`."""
    reader = Reader(opener=in_folder(folder), scale=(0.0, 10.0))
    return _movies_and_ratings(reader)


def movielens_100k(folder: Path) -> Reading:
    """u.data, u.user and u.item, the last with a flag for each genre of u.genre."""
    reader = Reader(opener=in_folder(folder), scale=(1.0, 5.0), encoding="latin-1")
    users = read_features(
        reader,
        TableSpec(
            path=Path("u.user"),
            id="id",
            separator="|",
            header=False,
            columns=("id", "age", "gender", "occupation", "zip"),
            types={"age": "number", "gender": "category", "occupation": "category"},
        ),
    )
    genres = _genres_100k(reader)
    flags = tuple(f"genre {name}" for name in genres)
    items = read_features(
        reader,
        TableSpec(
            path=Path("u.item"),
            id="id",
            separator="|",
            header=False,
            columns=("id", "title", "released", "video", "address", *flags),
            types={"title": "text", **dict.fromkeys(flags, "text")},
        ),
    )
    marked = [_text_column(items, flag) for flag in flags]
    rows = [[name for name, flag in zip(genres, row, strict=True) if flag == "1"] for row in zip(*marked, strict=True)]
    titled = Features(ids=items.ids, columns={"title": items.columns["title"]}).with_years()
    file = FileSpec(path=Path("u.data"), separator="\t", header=False, columns=_TIMED)
    # "unknown" marks the films without a genre.
    known = tags([genre for genre in row if genre != "unknown"] for row in rows)
    return assemble("ml-100k", file, reader, users=users, items=titled.with_column("genres", known))


def movielens_1m(folder: Path) -> Reading:
    """`::`-separated, with age groups and occupations of users."""
    reader = Reader(opener=in_folder(folder), scale=(1.0, 5.0), encoding="latin-1")
    users = read_features(
        reader,
        TableSpec(
            path=Path("users.dat"),
            id="id",
            separator="::",
            header=False,
            columns=("id", "gender", "age", "occupation", "zip"),
            types={"gender": "category", "age": "number", "occupation": "text"},
        ),
    )
    codes = _text_column(users, "occupation")
    names = [_OCCUPATIONS_1M[int(code)] if code.isdigit() and int(code) < 21 else "" for code in codes]
    return _movies_and_ratings(reader, users=users.with_column("occupation", categories(names)))


def movielens_10m(folder: Path) -> Reading:
    """`::`-separated, half stars, no users."""
    return _movies_and_ratings(Reader(opener=in_folder(folder), scale=(0.5, 5.0)))


def movielens_csv(folder: Path) -> Reading:
    """ratings.csv and movies.csv, as in MovieLens 20M and all later ones."""
    reader = Reader(opener=in_folder(folder), scale=(0.5, 5.0))
    items = read_features(
        reader, TableSpec(path=Path("movies.csv"), id="movieId", types={"title": "text", "genres": "tags"})
    )
    columns = {"user": "userId", "item": "movieId", "rating": "rating", "time": "timestamp"}
    file = FileSpec(path=Path("ratings.csv"), columns=columns)
    return assemble("movielens", file, reader, items=_without_no_genre(items).with_years())


def ms_usage(folder: Path) -> Reading:
    """Purchase events `user,product,time` and a catalogue `product,title,category`. The first purchase counts."""
    reader = Reader(opener=in_folder(folder))
    items = read_features(
        reader,
        TableSpec(
            path=Path("demoCatalog.csv"),
            id="id",
            header=False,
            columns=("id", "title", "category"),
            types={"title": "text", "category": "category"},
        ),
    )
    file = FileSpec(path=Path("demoUsage.csv"), header=False, columns=("user", "item", "time"))
    return assemble("ms-usage", file, reader, items=items, duplicates="first")


def spectralcf_ml_1m(folder: Path) -> Reading:
    """Train and test as adjacency lists; as one data set it is the union of both."""
    reader = Reader(opener=in_folder(folder))
    train, test = (FileSpec(path=Path(f"{part}_users.dat"), format="adjacency") for part in ("train", "test"))
    reading = assemble_folds("spectralcf-ml-1m", [FoldSpec(train=train, test=test)], reader)
    return Reading(dataset=reading.dataset, facts=reading.facts)


def lastfm_2k(folder: Path) -> Reading:
    """Listening counts of HetRec 2011 as implicit feedback, with names of artists."""
    reader = Reader(opener=in_folder(folder))
    items = read_features(reader, TableSpec(path=Path("artists.dat"), id="id", separator="\t", types={"name": "text"}))
    columns = {"user": "userID", "item": "artistID"}
    file = FileSpec(path=Path("user_artists.dat"), separator="\t", columns=columns)
    return assemble("lastfm-2k", file, reader, items=items)


def lastfm_360k(folder: Path) -> Reading:
    """Listening counts as implicit feedback; artists go by their names, since many lack a MusicBrainz id."""
    reader = Reader(opener=in_folder(folder), on_bad_rows="drop")
    users = read_features(
        reader,
        TableSpec(
            path=Path("usersha1-profile.tsv"),
            id="id",
            separator="\t",
            header=False,
            columns=("id", "gender", "age", "country", "signup"),
            types={"gender": "category", "age": "number", "country": "category"},
        ),
    )
    file = FileSpec(
        path=Path("usersha1-artmbid-artname-plays.tsv"),
        separator="\t",
        header=False,
        columns=("user", "mbid", "item", "plays"),
    )
    return assemble("lastfm-360k", file, reader, users=users, duplicates="first")


def gowalla(folder: Path) -> Reading:
    """Check-ins `user time latitude longitude place`; the first at each place counts."""
    file = FileSpec(
        path=Path("loc-gowalla_totalCheckins.txt"),
        separator="\t",
        header=False,
        columns=("user", "time", "latitude", "longitude", "item"),
    )
    return assemble("gowalla", file, Reader(opener=in_folder(folder)), duplicates="first")


def amazon_2014(folder: Path) -> Reading:
    """`user,item,rating,time` of one category, without a header."""
    file = FileSpec(path=_only_csv(folder), header=False, columns=_TIMED)
    return assemble("amazon-2014", file, Reader(opener=in_folder(folder), scale=(1.0, 5.0)), duplicates="last")


def amazon_2023(folder: Path) -> Reading:
    """`user_id,parent_asin,rating,timestamp` of the 5-core of one category; times in milliseconds."""
    columns = {"user": "user_id", "item": "parent_asin", "rating": "rating", "time": "timestamp"}
    file = FileSpec(path=_only_csv(folder), columns=columns)
    reader = Reader(opener=in_folder(folder), scale=(1.0, 5.0))
    return _in_seconds(assemble("amazon-2023", file, reader, duplicates="first"))


def goodbooks(folder: Path) -> Reading:
    """ratings.csv `user_id,book_id,rating` and books.csv."""
    reader = Reader(opener=in_folder(folder), scale=(1.0, 5.0))
    items = read_features(
        reader,
        TableSpec(
            path=Path("books.csv"),
            id="book_id",
            types={
                "title": "text",
                "authors": "tags",
                "original_publication_year": "number",
                "language_code": "category",
            },
            tag_separator=",",
        ),
    )
    named = {"original_publication_year": "year", "language_code": "language"}
    items = Features(ids=items.ids, columns={named.get(name, name): each for name, each in items.columns.items()})
    columns = {"user": "user_id", "item": "book_id", "rating": "rating"}
    return assemble("goodbooks-10k", FileSpec(path=Path("ratings.csv"), columns=columns), reader, items=items)


def book_crossing(folder: Path) -> Reading:
    """Explicit ratings from 1 to 10. A 0 there means "no rating given": such rows are dropped, and counted."""
    reader = Reader(opener=in_folder(folder), scale=(1.0, 10.0), encoding="latin-1", escape="\\", on_bad_rows="drop")
    users = read_features(
        reader, TableSpec(path=Path("BX-Users.csv"), id="User-ID", separator=";", types={"Age": "text"})
    )
    items = read_features(
        reader,
        TableSpec(
            path=Path("BX-Books.csv"),
            id="ISBN",
            separator=";",
            types={"Book-Title": "text", "Book-Author": "category", "Year-Of-Publication": "text"},
        ),
    )
    columns = {"user": "User-ID", "item": "ISBN", "rating": "Book-Rating"}
    return assemble(
        "book-crossing",
        FileSpec(path=Path("BX-Book-Ratings.csv"), separator=";", columns=columns),
        reader,
        users=Features(ids=users.ids, columns={"age": _numbers(users, "Age")}),
        items=Features(
            ids=items.ids,
            columns={
                "title": items.columns["Book-Title"],
                "author": items.columns["Book-Author"],
                "year": _numbers(items, "Year-Of-Publication"),
            },
        ),
        duplicates="last",
    )


def steam(folder: Path) -> Reading:
    """Reviews as implicit feedback: one Python or JSON object a line. The first review of a game counts."""
    reader = Reader(opener=as_tabs(in_folder(folder), ("username", "product_id", "date")), on_bad_rows="drop")
    file = FileSpec(path=Path("steam_reviews.json"), separator="\t", header=False, columns=("user", "item", "time"))
    return assemble("steam", file, reader, duplicates="first")


def yelp(folder: Path) -> Reading:
    """Reviews with stars, and businesses with categories and cities: one JSON object a line."""
    opener = in_folder(folder)
    businesses = Reader(opener=as_tabs(opener, ("business_id", "name", "city", "categories")))
    items = read_features(
        businesses,
        TableSpec(
            path=Path("yelp_academic_dataset_business.json"),
            id="id",
            separator="\t",
            header=False,
            columns=("id", "title", "city", "categories"),
            types={"title": "text", "city": "category", "categories": "tags"},
            tag_separator=",",
        ),
    )
    reader = Reader(opener=as_tabs(opener, ("user_id", "business_id", "stars", "date")), scale=(1.0, 5.0))
    file = FileSpec(path=Path("yelp_academic_dataset_review.json"), separator="\t", header=False, columns=_TIMED)
    return assemble("yelp", file, reader, items=items, duplicates="last")


def _movies_and_ratings(reader: Reader, *, users: Features | None = None) -> Reading:
    """ratings.dat and movies.dat with `::`, the form that MovieLens had until 10M."""
    items = read_features(
        reader,
        TableSpec(
            path=Path("movies.dat"),
            id="id",
            separator="::",
            header=False,
            columns=("id", "title", "genres"),
            types={"title": "text", "genres": "tags"},
        ),
    )
    file = FileSpec(path=Path("ratings.dat"), separator="::", header=False, columns=_TIMED)
    return assemble("movies", file, reader, users=users, items=_without_no_genre(items).with_years())


def _only_csv(folder: Path) -> Path:
    """The file of a source that has but one, named after its category."""
    found = sorted(path.name.removesuffix(".gz") for path in folder.glob("*.csv*"))
    return Path(found[0] if found else "ratings.csv")


def _genres_100k(reader: Reader) -> list[str]:
    """Names of u.genre, by number: `name|number` a line."""
    lines = b"".join(reader.text(Path("u.genre"))).decode().split("\n")
    return [line.rstrip("\r").rpartition("|")[0] for line in lines if "|" in line]


def _without_no_genre(items: Features) -> Features:
    """Genres without the mark for "none"."""
    column = items.columns["genres"]
    assert isinstance(column, Tags)
    if _NO_GENRE not in column.names:
        return items
    names = np.array(column.names, dtype=object)
    rows = np.split(names[column.codes], column.starts[1:-1])
    return items.with_column("genres", tags([name for name in row if name != _NO_GENRE] for row in rows))


def _text_column(features: Features, name: str) -> list[str]:
    column = features.columns[name]
    assert isinstance(column, Texts)
    return [str(value) for value in column.values.tolist()]


def _numbers(features: Features, name: str) -> Numbers:
    """Numbers out of texts, unknown where they are none, as "NULL" and a year of 0."""
    found = [number(text) for text in _text_column(features, name)]
    return Numbers(values=np.array([value if isinstance(value, float) and value > 0 else np.nan for value in found]))


def _in_seconds(reading: Reading) -> Reading:
    """The same with times in seconds that were in milliseconds."""
    rows = reading.dataset.interactions
    assert rows.time is not None
    timed = replace(rows, time=rows.time // 1000)
    return replace(reading, dataset=reading.dataset.with_interactions(timed))
