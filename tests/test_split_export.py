"""`recbench split export`: what is in the files, what is not, and that a folder is whole or not there."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from recbench import outside
from recbench.cli.offers import registry
from recbench.data import Categories, Dataset, Interactions, Numbers, Split, Tags, Texts
from recbench.errors import BadData, RecbenchError
from recbench.metrics import builtin_metrics
from recbench.outside import exporting, placing, tables
from recbench.outside.tables import Table, write_parquet, write_text
from recbench.protocols.loading import load
from recbench.protocols.spec import DataSpec, EvaluationSpec, Protocol, SplitSpec
from recbench.scene import Scene, prepare
from recbench.splits import split

N_USERS, N_ITEMS, N_ROWS = 30, 20, 300


def dataset(*, rated: bool = True, timed: bool = True) -> Dataset:
    rng = np.random.default_rng(4)
    codes = rng.permutation(N_USERS * N_ITEMS)[:N_ROWS]
    return Dataset(
        name="toy",
        interactions=Interactions(
            user=codes // N_ITEMS,
            item=codes % N_ITEMS,
            rating=rng.integers(2, 11, N_ROWS) / np.float32(2) if rated else np.ones(N_ROWS),
            time=1_600_000_000 + rng.permutation(N_ROWS) if timed else None,
        ),
        user_ids=np.array([f"u{n}" for n in range(N_USERS)]),
        item_ids=np.array([f'i"{n}' for n in range(N_ITEMS)]),
        users={"age": Numbers(values=np.where(np.arange(N_USERS) % 3, np.arange(N_USERS) + 20.5, np.nan))},
        items={
            "title": Texts(values=np.array([f"The\t{n}\nth" for n in range(N_ITEMS)])),
            "kind": Categories(codes=np.arange(N_ITEMS) % 3 - 1, names=("new", "old")),
            "labels": Tags(
                starts=2 * np.arange(N_ITEMS + 1), codes=np.arange(2 * N_ITEMS) % 3, names=("a", "b|c", "d")
            ),
            "item": Numbers(values=np.arange(N_ITEMS) + 0.0),
        },
        scale=(1.0, 5.0) if rated else None,
    )


def scene(data: Dataset, spec: SplitSpec | None = None, **evaluation: object) -> Scene:
    spec = spec or SplitSpec(kind="holdout", validation=0.2)
    given = {"primary": "ndcg@5", "cutoffs": (3, 5), "metrics": ("ndcg", "rmse"), "relevant_at_least": 3.5}
    protocol = Protocol(
        name="toy",
        title="Toy",
        data=DataSpec(source="toy"),
        split=spec,
        evaluation=EvaluationSpec(**(given | evaluation)),  # type: ignore[arg-type]
    )
    known = {metric.name: metric for metric in builtin_metrics()}
    return Scene(
        protocol=protocol,
        splits=split(data, spec),
        data={"title": "Toy data", "license": "CC0", "citation": "N. Body, 2026"},
        metrics={name: known[name] for name in protocol.evaluation.metrics},
        fingerprint="ab" * 32,
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def pairs(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(row["user"], row["item"]) for row in found]


def as_pairs(data: Dataset, part: Interactions) -> list[tuple[str, str]]:
    return list(zip(data.user_ids[part.user].tolist(), data.item_ids[part.item].tolist(), strict=True))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What is in the files


def test_train_is_there_row_for_row_with_the_data_s_own_ids(tmp_path: Path) -> None:
    shown = scene(dataset())
    (folder,) = outside.export(shown, tmp_path / "out")
    train = shown.splits[0].train().interactions
    found = rows(folder / "train.tsv")
    assert pairs(found) == as_pairs(dataset(), train)
    assert [float(row["rating"]) for row in found] == train.rating.tolist()
    assert train.time is not None
    assert [int(row["time"]) for row in found] == train.time.tolist()
    assert set(pairs(rows(folder / "validation.tsv"))) < set(pairs(found))


def test_everybody_is_to_be_served_and_every_item_is_in_the_catalogue_with_its_features(tmp_path: Path) -> None:
    (folder,) = outside.export(scene(dataset()), tmp_path / "out")
    users, items = rows(folder / "users.tsv"), rows(folder / "items.tsv")
    assert [row["user"] for row in users] == dataset().user_ids.tolist()
    assert [row["age"] for row in users[:3]] == ["", "21.5", "22.5"]
    assert [row["item"] for row in items] == dataset().item_ids.tolist()
    assert items[1] == {
        "item": 'i"1', "title": "The 1 th", "kind": "new", "labels": "d;a", "item (feature)": "1",
    }  # fmt: skip
    assert items[0]["kind"] == ""


def test_data_without_ratings_and_times_has_no_such_columns_and_no_pairs(tmp_path: Path) -> None:
    (folder,) = outside.export(scene(dataset(rated=False, timed=False), relevant_at_least=None), tmp_path / "out")
    assert (folder / "train.tsv").read_text().partition("\n")[0] == "user\titem"
    assert not (folder / "pairs").exists()
    assert "nothing to predict" in (folder / "README.md").read_text()


def test_the_answers_of_the_test_part_are_nowhere(tmp_path: Path) -> None:
    shown = scene(dataset())
    test = set(as_pairs(dataset(), shown.splits[0].test()))
    (folder,) = outside.export(shown, tmp_path / "out", parquet=True)
    for path in folder.rglob("*.tsv"):
        found = rows(path)
        if {"user", "item"} <= set(found[0]):
            held = test.intersection(pairs(found))
            assert path.parent.name == "pairs" or not held, path
    assert set(rows(folder / "pairs" / "pairs.tsv")[0]) == {"user", "item"}
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "SHA256SUMS", "pairs",
        *(f"{name}.{ending}" for name in ("train", "validation", "users", "items") for ending in ("tsv", "parquet")),
    }  # fmt: skip


def test_the_files_depend_on_the_test_ratings_in_nothing(tmp_path: Path) -> None:
    shown = scene(dataset())
    (there,) = shown.splits
    data = there.dataset
    rating = data.interactions.rating.copy()
    rating[there.test_rows] = 6 - rating[there.test_rows]
    other_rows = Interactions(
        user=data.interactions.user, item=data.interactions.item, rating=rating, time=data.interactions.time
    )
    other = Split(
        dataset=data.with_interactions(other_rows), fold=0, train_rows=there.train_rows,
        validation_rows=there.validation_rows, test_rows=there.test_rows, history_rows=there.history_rows,
        fingerprint=there.fingerprint, leaks_future=there.leaks_future,
    )  # fmt: skip
    others = Scene(
        protocol=shown.protocol, splits=(other,), data=shown.data, metrics=shown.metrics, fingerprint=shown.fingerprint
    )
    outside.export(shown, tmp_path / "one")
    outside.export(others, tmp_path / "other")
    assert files_of(tmp_path / "one") == files_of(tmp_path / "other")


def test_pairs_to_predict_are_the_test_pairs_in_another_order(tmp_path: Path) -> None:
    shown = scene(dataset())
    (folder,) = outside.export(shown, tmp_path / "out")
    test, found = as_pairs(dataset(), shown.splits[0].test()), pairs(rows(folder / "pairs" / "pairs.tsv"))
    assert sorted(found) == sorted(test)
    positions = [test.index(pair) for pair in found]
    assert abs(np.corrcoef(positions, np.arange(len(positions)))[0, 1]) < 0.5


def test_held_out_users_have_a_history_that_is_not_in_train(tmp_path: Path) -> None:
    shown = scene(dataset(), SplitSpec(kind="cold-user", history=0.5))
    (folder,) = outside.export(shown, tmp_path / "out")
    history = rows(folder / "history.tsv")
    assert pairs(history) == as_pairs(dataset(), shown.splits[0].history())
    assert not {row["user"] for row in history} & {row["user"] for row in rows(folder / "train.tsv")}
    assert "`history.tsv` must not be in the user's list" in (folder / "README.md").read_text()


def test_candidate_sets_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    shown = scene(dataset(), candidates="uniform:4")
    (folder,) = outside.export(shown, tmp_path / "out")
    sets = shown.candidates(shown.splits[0])
    assert sets is not None
    found = pairs(rows(folder / "candidates" / "candidates.tsv"))
    assert len(found) == (sets >= 0).sum()
    assert set(as_pairs(dataset(), shown.splits[0].test())) <= set(found)


def test_each_fold_has_a_folder_and_one_can_be_had_alone(tmp_path: Path) -> None:
    shown = scene(dataset(), SplitSpec(kind="k-fold", folds=3))
    assert [path.name for path in outside.export(shown, tmp_path / "all")] == ["fold-0", "fold-1", "fold-2"]
    outside.export(shown, tmp_path / "one", fold=1)
    assert files_of(tmp_path / "one" / "fold-1") == files_of(tmp_path / "all" / "fold-1")
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["fold-1"]
    with pytest.raises(RecbenchError, match="has no fold 3") as caught:
        outside.export(shown, tmp_path / "none", fold=3)
    assert "0 to 2" in caught.value.fix


def test_the_readme_says_rules_license_citation_and_fingerprint(tmp_path: Path) -> None:
    shown = scene(dataset())
    (folder,) = outside.export(shown, tmp_path / "out")
    page = (folder / "README.md").read_text()
    for said in (
        "ratings of 3.5 and more", "3, 5", "from 1 to 5", "must not be in the user's list", "CC0", "N. Body, 2026",
        shown.splits[0].fingerprint, "pairs visible in training", "up to 5 items", "parted by `;`",
    ):  # fmt: skip
        assert said in page
    for path in folder.rglob("*.tsv"):
        assert f"`{path.relative_to(folder).as_posix()}`" in page


def test_checksums_are_those_of_all_files(tmp_path: Path) -> None:
    (folder,) = outside.export(scene(dataset()), tmp_path / "out")
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    said = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files_of(folder).items()}
    found.pop("SHA256SUMS")
    assert said == found


# Cells


def test_numbers_are_the_shortest_that_say_the_same(tmp_path: Path) -> None:
    values = np.array([3.7, 4, 0.1, 1e-7, 12345678], dtype=np.float32)
    write_text(Table(name="t", says="", columns={"x": values, "y": Numbers(values=values)}), tmp_path / "t.tsv")
    found = rows(tmp_path / "t.tsv")
    assert [row["x"] for row in found] == ["3.7", "4", "0.1", "0.0000001", "12345678"]
    assert np.array([row["y"] for row in found], dtype=np.float64).tolist() == values.astype(np.float64).tolist()


@pytest.mark.parametrize("bad", ["a\tb", "a\nb", "a\u2028b"])
def test_an_id_that_would_end_a_cell_is_an_error(bad: str, tmp_path: Path) -> None:
    data = dataset()
    odd = Dataset(
        name="odd", interactions=data.interactions, scale=data.scale, item_ids=data.item_ids,
        user_ids=np.array([bad, *data.user_ids.tolist()[1:]]),
    )  # fmt: skip
    with pytest.raises(BadData, match="tab or a line end"):
        outside.export(scene(odd), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_tags_are_parted_by_what_is_in_none_of_them() -> None:
    def parted(*names: str) -> str:
        return tables.tag_separator(Tags(starts=np.array([0]), codes=np.array([]), names=names))

    assert [parted("a", "b"), parted("a|b"), parted("a|b", "c; d")] == ["|", ";", ","]


def test_parquet_says_the_same_as_text(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder,) = outside.export(scene(dataset()), tmp_path / "out", parquet=True)
    for path in folder.rglob("*.tsv"):
        table = parquet.read_table(path.with_suffix(".parquet")).to_pydict()
        text = rows(path)
        assert list(table) == list(text[0])
        for name, values in table.items():
            for value, cell in zip(values, (row[name] for row in text), strict=True):
                assert _same(value, cell), (path, name, value, cell)


def _same(value: object, cell: str) -> bool:
    if value is None or isinstance(value, float):
        return (cell == "") if value is None else float(cell) == value
    return (";".join(value) if isinstance(value, list) else str(value).replace("\t", " ").replace("\n", " ")) == cell


def test_parquet_without_pyarrow_is_an_error_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(RecbenchError, match="pyarrow") as caught:
        outside.export(scene(dataset()), tmp_path / "out", parquet=True)
    assert "[parquet]" in caught.value.fix
    assert not list(tmp_path.iterdir())


def test_an_empty_table_is_a_header(tmp_path: Path) -> None:
    table = Table(name="t", says="", columns={"x": np.zeros(0, dtype=np.float32)})
    write_text(table, tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text() == "x\n"
    pytest.importorskip("pyarrow")
    write_parquet(table, tmp_path / "t.parquet")


# Whole, or not at all


def test_nothing_is_left_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "readme", fail)
    with pytest.raises(RecbenchError, match="No space left"):
        outside.export(scene(dataset()), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_failing_replacement_leaves_the_earlier_export_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.export(scene(dataset()), tmp_path / "out")
    before = files_of(tmp_path)

    def fail(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "readme", fail)
    with pytest.raises(KeyboardInterrupt):
        outside.export(scene(dataset()), tmp_path / "out", force=True)
    assert files_of(tmp_path) == before


def test_an_empty_folder_and_a_link_to_one_are_free(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    outside.export(scene(dataset()), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "fold-0" / "train.tsv").is_file()


def test_an_earlier_export_goes_away_only_by_force(tmp_path: Path) -> None:
    outside.export(scene(dataset(), SplitSpec(kind="k-fold", folds=3)), tmp_path / "out")
    with pytest.raises(RecbenchError, match="holds an export already"):
        outside.export(scene(dataset()), tmp_path / "out")
    outside.export(scene(dataset()), tmp_path / "out", force=True)
    outside.export(scene(dataset()), tmp_path / "fresh")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "fresh")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "out"]


def _a_file_of_ones_own(folder: Path) -> None:
    (folder / "thesis.tex").write_text("years of work")


def _lists_in_a_fold(folder: Path) -> None:
    (folder / "fold-0" / "lists.tsv").write_text("what took days")


def _a_file_beside_folds(folder: Path) -> None:
    (folder / "fold-0" / "notes").mkdir()
    (folder / "fold-0" / "notes" / "n.txt").write_text("notes")


@pytest.mark.parametrize("put", [_a_file_of_ones_own, _lists_in_a_fold, _a_file_beside_folds])
def test_force_takes_away_nothing_but_an_export(tmp_path: Path, put: Callable[[Path], None]) -> None:
    outside.export(scene(dataset()), tmp_path / "out")
    put(tmp_path / "out")
    before = files_of(tmp_path)
    with pytest.raises(RecbenchError, match="would be lost"):
        outside.export(scene(dataset()), tmp_path / "out", force=True)
    assert files_of(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RecbenchError, match="is a file"):
        placing.check_free(tmp_path / "out", force=True)


# The command


def recbench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "recbench", *arguments], capture_output=True, text=True, cwd=cwd)


@pytest.mark.slow
def test_the_command_writes_the_embedded_data(tmp_path: Path) -> None:
    done = recbench("split", "export", "movietweetings", "mt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "mt/fold-0\n"
    offered = registry()
    known = {name: each.value for name, each in offered.protocols.items()}
    (expected,) = prepare(load("movietweetings", known), offered).splits
    assert len(rows(tmp_path / "mt" / "fold-0" / "train.tsv")) == len(expected.train().interactions)
    again = recbench("split", "export", "movietweetings", "mt", cwd=tmp_path)
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert recbench("split", "export", "movietweetings", "mt", "--force", cwd=tmp_path).returncode == 0


def test_two_exports_are_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path; from recbench import outside; import test_split_export as t\n"
        "outside.export(t.scene(t.dataset(), candidates='uniform:4'), Path(sys.argv[1]))\n"
    )
    found: list[Mapping[str, bytes]] = []
    for seed in ("0", "1"):
        folder = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", code, str(folder), str(Path(__file__).parent)],
            check=True, env={"PYTHONHASHSEED": seed, "PATH": ""},
        )  # fmt: skip
        found.append(files_of(folder))
    assert found[0] == found[1]
