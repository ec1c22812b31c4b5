"""Protocols: what a TOML file may say, and what it is told when it says something else."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.api import Metric
from recbench.errors import BadProtocol, RecbenchError, UnknownName
from recbench.protocols import DataSpec, EvaluationSpec, FileSpec, Protocol, SplitSpec, TrialSpec, references
from recbench.protocols.loading import MEANINGFUL, check_metrics, load, parse, shipped
from recbench.protocols.sections import KEYS
from recbench.registry import discover

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "protocols.md"
MINIMAL = """
name = "mine"
[data]
source = "somewhere"
[split]
kind = "holdout"
[evaluation]
primary = "ndcg@10"
cutoffs = [5, 10]
metrics = ["ndcg", "rmse"]
"""
OWN_FILE = 'interactions = { path = "all.csv" }'
FILES = 'train = { path = "train.tsv" }\ntest = { path = "test.tsv" }'


def read(text: str) -> Protocol:
    return parse(tomllib.loads(text), Path("folder/mine.toml"))


def with_data(data: str, *, kind: str = "holdout") -> Protocol:
    return read(MINIMAL.replace('source = "somewhere"', data).replace('"holdout"', f'"{kind}"'))


def file(rest: str) -> FileSpec:
    spec = with_data(f"interactions = {{ {rest} }}").data.interactions
    assert spec is not None
    return spec


def complaint(text: str) -> RecbenchError:
    with pytest.raises(BadProtocol) as caught:
        read(text)
    assert caught.value.what.startswith("folder/mine.toml")
    assert caught.value.fix
    return caught.value


def data_complaint(data: str, *, kind: str = "holdout") -> str:
    with pytest.raises(BadProtocol) as caught:
        with_data(data, kind=kind)
    return caught.value.what


# What is shipped


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_protocol_loads_by_the_name_of_its_file(name: str) -> None:
    protocol = load(name, shipped())
    assert protocol.name == name
    assert protocol.title != name
    assert protocol.path is not None
    assert protocol.path.read_text().startswith("# ")


def test_the_promised_protocols_are_shipped() -> None:
    assert {
        "movietweetings",
        "movietweetings-time",
        "movielens-100k",
        "movielens-100k-surprise",
        "table32",
        "movielens-1m",
        "movielens-20m",
    } <= set(shipped())


def test_no_two_shipped_protocols_share_a_fingerprint() -> None:
    prints = {load(name, shipped()).fingerprint for name in shipped()}
    assert len(prints) == len(shipped())


def test_the_default_is_what_was_agreed() -> None:
    protocol = load("movietweetings", shipped())
    assert protocol.data == DataSpec(source="movietweetings-100k", core=5)
    assert protocol.split == SplitSpec(kind="holdout", by="user", test=0.2, validation=0.1, seed=42)
    assert protocol.evaluation.relevant_at_least == 8
    assert protocol.evaluation.primary == "ndcg@10"
    assert protocol.trials == TrialSpec()


def test_movielens_100k_has_the_five_official_folds() -> None:
    folds = load("movielens-100k", shipped()).data.folds
    assert [fold.train.path.name for fold in folds] == [f"u{number}.base" for number in range(1, 6)]
    assert [fold.test.path.name for fold in folds] == [f"u{number}.test" for number in range(1, 6)]
    assert all((fold.train.separator, fold.train.header) == ("\t", False) for fold in folds)


@pytest.mark.parametrize(("name", "folder"), [("movielens-100k", "ml-100k"), ("table32", "spectralcf-ml-1m")])
def test_the_files_of_shipped_folds_are_in_their_source(name: str, folder: str, shared_data: Any) -> None:
    place = shared_data(folder)
    for fold in load(name, shipped()).data.folds:
        assert (place / fold.train.path).is_file()
        assert (place / fold.test.path).is_file()


@pytest.mark.parametrize("name", shipped())
def test_the_parameters_of_a_shipped_protocol_fit_its_algorithms(name: str) -> None:
    protocol = load(name, shipped())
    offered = {each: found.value for each, found in discover().algorithms.items()}
    given = [(row.name, dict(row.parameters)) for row in protocol.rows]
    given += [(each, dict(parameters)) for each, parameters in protocol.parameters.items()]
    for algorithm, parameters in given:
        assert algorithm in offered, algorithm
        if not offered[algorithm].requires:
            module, _, attribute = offered[algorithm].target.partition(":")
            build = getattr(importlib.import_module(module), attribute)
            build(**{**offered[algorithm].parameters, **parameters})


# The reference page


SECTIONS = {
    "protocol": "Top of the file",
    "data": "[data]",
    "fold": "[[data.fold]]",
    "file": "A file of interactions",
    "table": "A table of features",
    "split": "[split]",
    "evaluation": "[evaluation]",
    "trials": "[trials]",
    "algorithm": "[[algorithm]]",
    "pinned": "[pinned]",
    "reference": "Published figures",
    "row": "[[row]]",
}


def documented(kind: str) -> dict[str, list[str]]:
    """The rows of a section's table of keys, by key."""
    sections = dict(
        part.partition("\n")[::2] for part in re.split(r"^## ", REFERENCE.read_text(), flags=re.MULTILINE)[1:]
    )
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", sections[SECTIONS[kind]], flags=re.MULTILINE)
    return {key: [cell.strip() for cell in re.split(r"(?<!\\)\|", rest)] for key, rest in rows}


def test_every_kind_of_table_has_its_section() -> None:
    assert set(SECTIONS) == set(KEYS)


@pytest.mark.parametrize("kind", KEYS)
def test_the_reference_documents_every_key_and_no_other(kind: str) -> None:
    assert sorted(documented(kind)) == sorted(KEYS[kind])


@pytest.mark.parametrize("kind", ["data", "split", "evaluation", "trials"])
def test_the_reference_tells_the_true_defaults(kind: str) -> None:
    protocol = read(MINIMAL)
    for key, cells in documented(kind).items():
        told = cells[1].strip("`")
        if told not in {"required", "none"}:
            value = getattr(getattr(protocol, kind), key)
            assert tomllib.loads(f"x = {told}")["x"] == (list(value) if isinstance(value, tuple) else value), key


def test_the_reference_tells_with_which_kinds_a_key_goes() -> None:
    told = {key: tuple(re.findall(r"`([\w-]+)`", cells[2])) for key, cells in documented("split").items()}
    assert {key: kinds for key, kinds in told.items() if kinds} == MEANINGFUL


def test_the_examples_of_the_reference_load() -> None:
    examples = re.findall(r"```toml\n(.*?)```", REFERENCE.read_text(), flags=re.DOTALL)
    assert len(examples) >= 5
    for example in examples:
        if example.startswith("title"):
            references.parse(tomllib.loads(example), Path("folder/paper.toml"))
        else:
            read(example if example.startswith("name") else MINIMAL + example)


def test_the_reference_names_every_shipped_protocol() -> None:
    for name in shipped():
        assert f"| `{name}` |" in REFERENCE.read_text()


# Names and files


def test_absent_keys_have_the_defaults_of_the_types() -> None:
    protocol = read(MINIMAL)
    assert protocol.data == DataSpec(source="somewhere")
    assert protocol.split == SplitSpec(kind="holdout")
    assert protocol.trials == TrialSpec()
    assert protocol.title == "mine"
    expected = EvaluationSpec(primary="ndcg@10", cutoffs=(5, 10), metrics=("ndcg", "rmse"))
    assert protocol.evaluation == expected


def test_a_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "anything.toml"
    path.write_text(MINIMAL)
    assert load(path, {}).name == load(str(path), {}).name == "mine"
    assert load(path, {}).path == path


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL, encoding="utf-8-sig")
    assert load(path, {}).name == "mine"


def test_an_unknown_name_lists_the_close_ones() -> None:
    with pytest.raises(UnknownName, match="'movietweeting' is not the name of a protocol; close: 'movietweetings'"):
        load("movietweeting", shipped())


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BadProtocol, match=r"there is no file '.*gone\.toml'"):
        load(str(tmp_path / "gone.toml"), shipped())


def test_a_folder_is_not_a_protocol(tmp_path: Path) -> None:
    with pytest.raises(BadProtocol, match="Is a directory"):
        load(tmp_path, {})


def test_a_file_of_other_bytes_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(BadProtocol, match=r"mine\.toml: byte 8 is not UTF-8"):
        load(path, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "a"\ncore = = 5', ", line 2 is not TOML: Invalid value"),
        ('name = "a"\n\nname = "b"', ", line 3 is not TOML: Cannot overwrite a value"),
        ('name = "a', ", line 1 is not TOML: "),
        (f"x = {'9' * 5000}", "is not TOML: "),
        (f"x = {'[' * 20000}", "is not TOML: "),
    ],
)
def test_a_fault_of_syntax_names_the_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(BadProtocol) as caught:
        load(path, {})
    assert message in caught.value.what
    assert str(path) in caught.value.what


def test_a_protocol_on_offer_is_named_like_its_file(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text(MINIMAL)
    with pytest.raises(BadProtocol, match="name is 'mine', but it is on offer as 'other'"):
        load("other", {"other": path})


# Keys


def test_an_unknown_key_is_named_with_the_close_ones() -> None:
    error = complaint(MINIMAL + "relevant_atleast = 4")
    assert error.what == ("folder/mine.toml: [evaluation] relevant_atleast is not a key; close: 'relevant_at_least'")
    assert "relevant_at_least" in error.fix


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel = 'x'" + MINIMAL, "titel is not a key; close: 'title'"),
        (MINIMAL + "[trial]\nseeds = [0]", "trial is not a key; close: 'trials'"),
        (MINIMAL + "[trials]\nseed = 0", "[trials] seed is not a key; close: 'seeds'"),
        (MINIMAL + "core = 5", "[evaluation] core is not a key; it belongs into [data]"),
        (MINIMAL + "xyzzy = 5", "[evaluation] xyzzy is not a key"),
        (MINIMAL + "[pinned]\nsplit = []", "[pinned] split is not a key; close: 'splits'"),
        (MINIMAL + "[[algorithm]]\nlabel='a'\nnam='b'", "[algorithm#1] nam is not a key; close: 'name'"),
        (MINIMAL + "[algorithm]\nlabel='a'", 'algorithm is {"label": "a"}, not a list of tables'),
        (MINIMAL + "[[trials]]\nseeds=[0]", 'trials is [{"seeds": [0]}], not a table'),
        (MINIMAL.replace('name = "mine"', ""), "name is missing"),
        (MINIMAL.replace('kind = "holdout"', ""), "[split] kind is missing"),
        (MINIMAL.replace('primary = "ndcg@10"', ""), "[evaluation] primary is missing"),
        (MINIMAL.replace("cutoffs = [5, 10]", ""), "[evaluation] cutoffs is missing"),
        ('name = "mine"\n[split]\nkind = "time"', "data is missing"),
    ],
)
def test_keys_that_are_wrong_or_missing_are_named(text: str, message: str) -> None:
    assert complaint(text).what == f"folder/mine.toml: {message}"


@given(key=st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1), kind=st.sampled_from(["split", "evaluation", "trials"]))
def test_no_key_is_passed_over(key: str, kind: str) -> None:
    document = tomllib.loads(MINIMAL)
    if key not in KEYS[kind]:
        document.setdefault(kind, {})[key] = 1
        with pytest.raises(BadProtocol, match=re.escape(f"[{kind}] {key} is not a key")):
            parse(document, Path("mine.toml"))


# Values


@pytest.mark.parametrize(
    ("section", "assignment", "message"),
    [
        ("split", "test = 0", "test: 0 is not a share above 0 and below 1"),
        ("split", "test = 1.0", "test: 1.0 is not a share above 0 and below 1"),
        ("split", "test = '0.2'", 'test: "0.2" is not a number'),
        ("split", "test = true", "test: true is not a number"),
        ("split", "test = nan", "test: NaN is not a finite number"),
        ("split", "validation = 1", "validation: 1 is not a share from 0 on and below 1"),
        ("split", "validation = -0.1", "validation: -0.1 is not a share from 0 on and below 1"),
        ("split", "seed = -1", "seed: -1 is not a whole number from 0 to 4294967295"),
        ("split", "seed = 4294967296", "seed: 4294967296 is not a whole number from 0 to 4294967295"),
        ("split", "seed = 1.0", "seed: 1.0 is not a whole number from 0 to 4294967295"),
        ("split", "seed = true", "seed: true is not a whole number from 0 to 4294967295"),
        ("split", "repeats = 0", "repeats: 0 is not a whole number of at least 1"),
        ("split", "by = 'users'", "by: \"users\" is not one of 'user', 'all'; close: 'user'"),
        ("split", "folds = 5", "folds means nothing with kind = 'holdout', only with 'k-fold'"),
        ("split", "shuffle = 'pcg64'", "shuffle means nothing with kind = 'holdout', only with 'k-fold'"),
        ("split", "history = 0.8", "history means nothing with kind = 'holdout', only with 'cold-user'"),
        ("evaluation", "relevant_at_least = '8'", 'relevant_at_least: "8" is not a number'),
        ("evaluation", "relevant_at_least = true", "relevant_at_least: true is not a number"),
        ("evaluation", "train_at_least = inf", "train_at_least: Infinity is not a finite number"),
        ("evaluation", f"train_at_least = 1{'0' * 400}", "finite number"),
        ("evaluation", "exclude_seen = 1", "exclude_seen: 1 is not true or false"),
        ("evaluation", "users = 'cold'", "users: \"cold\" is not one of 'all', 'warm'"),
        ("evaluation", "candidates = 'uniform'", "candidates: \"uniform\" is not 'all'"),
        ("evaluation", "candidates = 'uniform:0'", "candidates: \"uniform:0\" is not 'all'"),
        ("evaluation", "candidates = 99", "candidates: 99 is not 'all'"),
        ("trials", "seeds = []", "seeds: [] is not a list of 1 or more"),
        ("trials", "seeds = 0", "seeds: 0 is not a list of 1 or more"),
        ("trials", "seeds = [0, 0]", "seeds: [0, 0] is not a list without repetition: 0 stands twice"),
        ("trials", "seeds = [-1]", "seeds: -1 is not a whole number from 0 to 4294967295"),
        ("trials", "seeds = [false]", "seeds: false is not a whole number from 0 to 4294967295"),
        ("trials", "threads = 0", "threads: 0 is not a whole number of at least 1"),
        ("trials", "seconds = 0", "seconds: 0 is not a number above 0"),
        ("trials", "seconds = inf", "seconds: Infinity is not a finite number"),
        ("trials", "memory_mb = 63", "memory_mb: 63 is not a whole number of at least 64"),
        ("trials", "memory_mb = 512.5", "memory_mb: 512.5 is not a whole number of at least 64"),
        ("trials", "output_mb = 0", "output_mb: 0 is not a whole number of at least 1"),
        ("trials", "algorithms = 'ease'", 'algorithms: "ease" is not a list'),
        ("trials", "algorithms = ['ease', '']", 'algorithms: "" is not a text'),
        ("tuned", "ease = 0", "0 is not a whole number of at least 1"),
        ("pinned", "protocol = 'abc'", 'protocol: "abc" is not a sha256 of 64 hexadecimal digits'),
        ("pinned", f"splits = ['{'A' * 64}']", "is not a sha256 of 64 hexadecimal digits"),
        ("algorithms", "ease = 5", "5 is not a table"),
        ("algorithms.ease", "since = 2020-01-01", '"2020-01-01" is not a text, a number, true, false'),
        ("algorithms.ease", "l2 = nan", "NaN is not a finite number"),
        ("algorithms.ease", "grid = [[inf]]", "Infinity is not a finite number"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(section: str, assignment: str, message: str) -> None:
    header = f"[{section}]\n"
    text = MINIMAL.replace(header, header + assignment + "\n") if header in MINIMAL else MINIMAL + header + assignment
    assert message in complaint(text).what


@pytest.mark.parametrize("kind", ["k-fold", "leave-last-out", "provided"])
def test_a_share_of_test_means_nothing_where_the_kind_sets_it(kind: str) -> None:
    text = MINIMAL.replace('kind = "holdout"', f'kind = "{kind}"\ntest = 0.2')
    assert f"[split] test means nothing with kind = '{kind}'" in complaint(text).what


@pytest.mark.parametrize(("key", "value"), [("by", "'all'"), ("repeats", "3")])
def test_keys_of_the_holdout_mean_nothing_elsewhere(key: str, value: str) -> None:
    text = MINIMAL.replace('kind = "holdout"', f'kind = "time"\n{key} = {value}')
    assert f"[split] {key} means nothing with kind = 'time', only with 'holdout' and" in complaint(text).what


def test_keys_of_a_kind_are_read_with_it() -> None:
    folded = read(MINIMAL.replace('"holdout"', '"k-fold"\nfolds = 3\nshuffle = "mt19937"')).split
    cold = read(MINIMAL.replace('"holdout"', '"cold-user"\nhistory = 0.8\ntest = 0.1')).split
    assert (folded.folds, folded.shuffle) == (3, "mt19937")
    assert (cold.history, cold.test) == (0.8, 0.1)


def test_one_fold_is_none() -> None:
    text = MINIMAL.replace('"holdout"', '"k-fold"\nfolds = 1')
    assert "[split] folds: 1 is not a whole number of at least 2" in complaint(text).what


def test_an_unknown_kind_lists_the_close_ones() -> None:
    what = complaint(MINIMAL.replace('"holdout"', '"hold-out"')).what
    assert '[split] kind: "hold-out" is not one of' in what
    assert what.endswith("close: 'holdout'")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "..", "-x", "é", "x" * 65])
def test_a_name_must_do_as_a_file_name(name: str) -> None:
    assert "name:" in complaint(MINIMAL.replace('"mine"', f'"{name}"')).what


def test_a_whole_number_does_for_a_number() -> None:
    protocol = read(MINIMAL + "relevant_at_least = 4\n[trials]\nseconds = 60")
    assert isinstance(protocol.evaluation.relevant_at_least, float)
    assert isinstance(protocol.trials.seconds, float)
    assert protocol.fingerprint == read(MINIMAL + "relevant_at_least = 4.0").fingerprint


# Evaluation


@pytest.mark.parametrize(
    ("cutoffs", "message"),
    [
        ("[]", "[] is not a list of 1 or more"),
        ("[0]", "0 is not a whole number of at least 1"),
        ("[10, 10]", "10 stands twice"),
        ("[5, true]", "true is not a whole number"),
        ("[5.0]", "5.0 is not a whole number"),
    ],
)
def test_cutoffs_are_unique_whole_numbers_from_1_on(cutoffs: str, message: str) -> None:
    assert message in complaint(MINIMAL.replace("[5, 10]", cutoffs)).what


@pytest.mark.parametrize("metric", ["ndcg@10", "recall~uni99"])
def test_metrics_are_named_without_cutoff(metric: str) -> None:
    what = complaint(MINIMAL.replace('["ndcg"', f'["{metric}"')).what
    assert f'[evaluation] metrics: "{metric}" is not a metric without cut-off' in what


def test_no_metric_stands_twice() -> None:
    assert '"rmse" stands twice' in complaint(MINIMAL.replace('"ndcg", ', '"ndcg", "rmse", ')).what


@pytest.mark.parametrize("primary", ["ndcg@10", "ndcg@5", "rmse"])
def test_the_primary_metric_is_one_of_those_measured(primary: str) -> None:
    assert read(MINIMAL.replace('"ndcg@10"', f'"{primary}"')).evaluation.primary == primary


@pytest.mark.parametrize("primary", ["ndcg@20", "mae", "recall@10", "ndcg@", "@10", "ndcg@010", ""])
def test_a_primary_metric_that_is_not_measured_is_refused(primary: str) -> None:
    assert f'[evaluation] primary: "{primary}" is not' in complaint(MINIMAL.replace('"ndcg@10"', f'"{primary}"')).what


def test_the_primary_metric_is_written_without_the_mark_of_sampling() -> None:
    text = MINIMAL.replace('"ndcg@10"', '"ndcg@10~uni99"') + "candidates = 'uniform:99'"
    assert "is not written without the mark of sampling" in complaint(text).what
    assert read(text.replace("~uni99", "")).evaluation.candidates == "uniform:99"


def test_candidates_may_be_a_file_beside_the_protocol() -> None:
    candidates = read(MINIMAL + 'candidates = { path = "pairs.tsv", columns = ["user", "item"] }').evaluation.candidates
    assert candidates == FileSpec(path=Path("folder/pairs.tsv"), separator="\t", header=False, columns=("user", "item"))


def test_a_threshold_above_the_scale_is_refused() -> None:
    text = MINIMAL.replace('source = "somewhere"', f"{OWN_FILE}\nscale = [1, 5]")
    assert (
        "relevant_at_least: 8.0 is above the scale, which ends at 5.0" in complaint(text + "relevant_at_least = 8").what
    )


def a_metric(name: str, kind: Any) -> Metric:
    return Metric(name=name, target="m:f", kind=kind, best="low", range=(0, 1), definition="")


METRICS = {"ndcg": a_metric("ndcg", "user"), "rmse": a_metric("rmse", "pair")}


@pytest.mark.parametrize("primary", ["ndcg@10", "rmse"])
def test_metrics_on_offer_pass(primary: str) -> None:
    check_metrics(read(MINIMAL.replace('"ndcg@10"', f'"{primary}"')), METRICS)


@pytest.mark.parametrize(("primary", "right"), [("ndcg", "ndcg@5"), ("rmse@10", "rmse")])
def test_a_primary_metric_has_a_cutoff_where_the_metric_has_one(primary: str, right: str) -> None:
    protocol = read(MINIMAL.replace('"ndcg@10"', f'"{primary}"'))
    with pytest.raises(BadProtocol, match=f"{primary!r} is no column") as caught:
        check_metrics(protocol, METRICS)
    assert right in caught.value.fix


def test_a_metric_nobody_offers_is_named_with_the_close_ones() -> None:
    protocol = read(MINIMAL.replace('"rmse"', '"rmsee"'))
    with pytest.raises(UnknownName, match="'rmsee' is not the name of a metric; close: 'rmse'"):
        check_metrics(protocol, METRICS)


# Data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "[data] names no data"),
        ("core = 5", "[data] names no data"),
        (f'source = "x"\n{OWN_FILE}', "interactions cannot stand beside source"),
        (f"{OWN_FILE}\n{FILES}", "interactions cannot stand beside train, test and fold"),
        ('train = { path = "a.csv" }', "test is missing"),
        ('test = { path = "a.csv" }', "train is missing"),
        ('source = "x"\nscale = [1, 5]', "scale means nothing beside source"),
        ('source = "x"\nusers = { path = "u.csv", id = "user" }', "users means nothing beside source"),
        ('source = "x"\nduplicates = "last"', "duplicates means nothing beside source"),
        ('source = "x"\ncore = -1', "core: -1 is not a whole number of at least 0"),
        (f"{OWN_FILE}\nscale = [5, 1]", "scale: [5, 1] is not two numbers, the lesser first"),
        (f"{OWN_FILE}\nscale = [1]", "scale: [1] is not two numbers"),
        (f'{OWN_FILE}\non_bad_rows = "skip"', 'on_bad_rows: "skip" is not one of'),
        (f'{OWN_FILE}\nduplicates = "lst"', "close: 'last'"),
        ('interactions = "all.csv"', 'data.interactions is "all.csv", not a table'),
        ("fold = []", "[data] fold is [], not a list of tables"),
    ],
)
def test_data_comes_in_one_form(data: str, message: str) -> None:
    assert message in data_complaint(data)


def test_files_of_folds_go_with_the_kind_provided() -> None:
    assert "[data] names train and test, but [split] kind is 'holdout'" in data_complaint(FILES)
    assert "[split] kind is 'provided', but [data] names no train" in data_complaint(OWN_FILE, kind="provided")
    assert len(with_data(FILES, kind="provided").data.folds) == 1


def test_given_folds_are_not_filtered() -> None:
    assert "core means nothing where train and test are given" in data_complaint(f"{FILES}\ncore = 5", kind="provided")


def test_train_stands_alone_or_in_folds() -> None:
    data = f'{FILES}\n[[data.fold]]\ntrain = {{ path = "a.csv" }}\ntest = {{ path = "b.csv" }}'
    assert "[data] train means nothing beside [[data.fold]]" in data_complaint(data, kind="provided")


def test_a_fold_that_lacks_a_part_is_named_by_its_number() -> None:
    whole = '[[data.fold]]\ntrain = { path = "a.csv" }\ntest = { path = "b.csv" }\n'
    data = f'{whole}[[data.fold]]\ntrain = {{ path = "c.csv" }}'
    assert "[data.fold#2] test is missing" in data_complaint(data, kind="provided")


def test_paths_start_in_the_folder_of_the_protocol() -> None:
    assert file('path = "sub/all.csv"').path == Path("folder/sub/all.csv")
    assert file('path = "/abs/all.csv"').path == Path("/abs/all.csv")


def test_paths_of_folds_in_a_source_stay_in_it() -> None:
    data = with_data(f'source = "x"\n{FILES}', kind="provided").data
    assert (data.source, data.folds[0].train.path) == ("x", Path("train.tsv"))
    for path in ("../a.tsv", "/a.tsv", "b/../../a.tsv"):
        what = data_complaint(f'source = "x"\n{FILES.replace("train.tsv", path)}', kind="provided")
        assert f'[data.train] path: "{path}" is not a path inside the source\'s folder' in what


def test_the_ending_tells_the_format() -> None:
    found = {name: file(f'path = "{name}"') for name in ("a.csv", "a.tsv", "a.parquet", "a.inter", "A.CSV")}
    assert [spec.format for spec in found.values()] == ["csv", "csv", "parquet", "atomic", "csv"]
    assert (found["a.csv"].separator, found["a.tsv"].separator) == (",", "\t")
    assert all(spec.header for spec in found.values())


def test_a_separator_makes_any_ending_text() -> None:
    spec = file('path = "u1.base", separator = "\\t", columns = ["user", "item", "rating"]')
    assert spec == FileSpec(
        path=Path("folder/u1.base"), separator="\t", header=False, columns=("user", "item", "rating")
    )


def test_a_dat_file_has_colons_and_no_header() -> None:
    spec = file('path = "ratings.dat", columns = ["user", "item", "rating", "time"]')
    assert (spec.format, spec.separator, spec.header) == ("csv", "::", False)


def test_an_adjacency_list_needs_its_format_alone() -> None:
    spec = file('path = "train_users.dat", format = "adjacency"')
    assert (spec.format, spec.columns, spec.header) == ("adjacency", None, False)


def test_the_form_of_the_issue_is_taken() -> None:
    spec = file(r'path = "train.tsv", format = "csv", separator = "\t", columns = ["user", "item", "rating"]')
    assert spec.columns == ("user", "item", "rating")
    assert not spec.header


def test_a_table_maps_the_columns_of_a_header() -> None:
    spec = file('path = "all.csv", columns = { user = "userId", item = "movieId" }')
    assert spec.header
    assert spec.columns == {"user": "userId", "item": "movieId"}


def test_a_list_of_columns_may_stand_for_a_header() -> None:
    assert file('path = "all.csv", columns = ["user", "_", "item", "_"], header = true').header


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ('format = "csv"', "[data.interactions] path is missing"),
        ('path = ""', 'path: "" is not a text'),
        ('path = "u1.base"', "format is missing, and the ending of 'u1.base' does not tell"),
        ('path = "a.csv", format = "cvs"', "close: 'csv'"),
        ('path = "a.csv", header = false', "columns is missing: nothing names the columns of 'a.csv'"),
        ('path = "a.dat"', "columns is missing: nothing names the columns of 'a.dat'"),
        ('path = "a.csv", separator = ""', 'separator: "" is not one or more characters of a line'),
        (r'path = "a.csv", separator = "\n"', "separator: "),
        ('path = "a.csv", columns = ["user", "rating"]', "is not a naming of user and item at least: it lacks 'item'"),
        ('path = "a.csv", columns = ["user", "item", "user"]', '"user" stands twice'),
        ('path = "a.csv", columns = { user = "u" }', "it lacks 'item'"),
        ('path = "a.csv", columns = { user = "u", item = "u" }', '"u" stands twice'),
        ('path = "a.csv", columns = { usr = "u", item = "i" }', "close: 'user'"),
        ('path = "a.csv", columns = "user item"', "is not a list of names in the order of the columns"),
        ('path = "a.dat", format = "adjacency", columns = ["user", "item"]', "columns means nothing with format"),
        ('path = "a.parquet", separator = ","', "separator means nothing with format = 'parquet'"),
        ('path = "a.inter", header = true', "header means nothing with format = 'atomic'"),
        ('path = "a.parquet", columns = ["user", "item"]', "columns means nothing as a list with format = 'parquet'"),
        ('path = "a.csv", seperator = ","', "[data.interactions] seperator is not a key; close: 'separator'"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(rest: str, message: str) -> None:
    assert message in data_complaint(f"interactions = {{ {rest} }}")


def table_of_items(rest: str) -> str:
    return f"{OWN_FILE}\nitems = {{ {rest} }}"


def test_a_table_of_features_names_id_and_types() -> None:
    data = with_data(table_of_items('path = "i.csv", id = "product", types = { price = "number", labels = "tags" }'))
    items = data.data.items
    assert items is not None
    assert (items.path, items.id, items.tag_separator) == (Path("folder/i.csv"), "product", "|")
    assert items.types == {"price": "number", "labels": "tags"}


def test_tables_of_recbole_have_their_own_ids() -> None:
    data = with_data(f'{OWN_FILE}\nusers = {{ path = "x.user" }}\nitems = {{ path = "x.item" }}').data
    assert data.users is not None
    assert data.items is not None
    assert (data.users.id, data.items.id) == ("user_id", "item_id")


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ('path = "i.csv"', "[data.items] id is missing"),
        ('path = "i.csv", id = "a", types = { b = "numeric" }', "types: \"numeric\" is not one of 'number'"),
        ('path = "i.csv", id = "a", types = { a = "number" }', '"a" is not a column other than the id'),
        ('path = "i.csv", id = "a", columns = ["b", "c"]', "id: \"a\" is not one of the columns 'b', 'c'"),
        ('path = "i.csv", id = "a", columns = ["a", "c"], types = { d = "text" }', '"d" is not a column other than'),
        ('path = "i.csv", id = "a", columns = ["a", "a"]', '"a" stands twice'),
        ('path = "i.csv", id = "a", format = "adjacency"', "is not one of 'csv', 'parquet', 'atomic'"),
        ('path = "i.parquet", id = "a", columns = ["a"]', "columns means nothing with format = 'parquet'"),
        ('path = "i.csv", id = "a", tag_separator = ""', "tag_separator: "),
    ],
)
def test_a_table_of_features_that_cannot_be_meant_is_refused(rest: str, message: str) -> None:
    assert message in data_complaint(table_of_items(rest))


# Algorithms


def test_rows_have_labels_of_their_own() -> None:
    row = "[[algorithm]]\nlabel = 'weak'\nname = 'ease'\nparameters = { l2 = 1 }\n"
    (found,) = read(MINIMAL + row).rows
    assert (found.label, found.name, found.parameters) == ("weak", "ease", {"l2": 1})
    assert "[algorithm#2] label: 'weak' stands twice" in complaint(MINIMAL + row + row).what


@pytest.mark.parametrize("label", ["", " x", "x" * 65, "a\\tb"])
def test_a_label_fits_into_a_table(label: str) -> None:
    assert "label:" in complaint(MINIMAL + f'[[algorithm]]\nlabel = "{label}"\nname = "ease"').what


def test_parameters_tuning_and_pins_are_read() -> None:
    pin = read(MINIMAL).fingerprint
    protocol = read(
        MINIMAL
        + "[algorithms.ease]\nl2 = 250\nnested = { a = [1, 'x', true] }\n[tuned]\nease = 30\n"
        + f"[pinned]\nprotocol = '{pin}'\nsplits = ['{pin}', '{pin}']"
    )
    assert protocol.parameters == {"ease": {"l2": 250, "nested": {"a": [1, "x", True]}}}
    assert protocol.tuned == {"ease": 30}
    assert (protocol.pinned.protocol, protocol.pinned.splits) == (pin, (pin, pin))


def test_a_pinned_protocol_that_was_changed_is_refused() -> None:
    pin = read(MINIMAL).fingerprint
    error = complaint(MINIMAL + f"users = 'warm'\n[pinned]\nprotocol = '{pin}'")
    assert f"[pinned] protocol is {pin[:12]}..., but this protocol is" in error.what
    assert read(MINIMAL + "users = 'warm'").fingerprint in error.fix


def test_the_list_of_algorithms_may_be_empty() -> None:
    assert read(MINIMAL + "[trials]\nalgorithms = []").trials.algorithms == ()


# Fingerprints


def test_what_does_not_decide_scores_leaves_the_fingerprint_alone() -> None:
    plain = read(MINIMAL)
    other = read(
        MINIMAL.replace('"mine"', '"other"\ntitle = "Other"') + "[trials]\nseconds = 5\n[algorithms.ease]\nl2 = 1.0"
    )
    assert plain.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    "change", ["core = 5", "[split]\nseed = 43", "[evaluation]\nrelevant_at_least = 4", "[evaluation]\nusers = 'warm'"]
)
def test_what_decides_scores_changes_the_fingerprint(change: str) -> None:
    header, _, assignment = change.rpartition("\n")
    changed = MINIMAL.replace((header or "[data]") + "\n", f"{header or '[data]'}\n{assignment}\n")
    assert read(changed).fingerprint != read(MINIMAL).fingerprint


def test_the_folder_of_a_file_leaves_the_fingerprint_alone() -> None:
    document = tomllib.loads(MINIMAL.replace('source = "somewhere"', OWN_FILE))
    assert parse(document, Path("a/x.toml")).fingerprint == parse(document, Path("b/y.toml")).fingerprint


def test_a_protocol_keeps_nothing_that_its_reader_can_change() -> None:
    document = tomllib.loads(MINIMAL + "[algorithms.ease]\ngrid = [1]")
    protocol = parse(document, Path("mine.toml"))
    document["algorithms"]["ease"]["grid"].append(2)
    assert protocol.parameters["ease"]["grid"] == [1]
