"""Boards: what stands where, what is said beside it, and that no name of a stranger's does anything but stand there."""

from __future__ import annotations

import json
import random
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from records_by_hand import PROVENANCE, SPLIT, protocol, record

from recbench import boards, leaderboard
from recbench.errors import BadRecord, RecbenchError
from recbench.leaderboard.commands import commands
from recbench.leaderboard.splitting import sentence
from recbench.leaderboard.standings import board
from recbench.leaderboard.wording import code, cut, escape, pad, plain, width
from recbench.records import Record, Status, Store, trial_id

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = "|<b>"
GITHUB = MarkdownIt("gfm-like")
assert GITHUB.linkify is not None
GITHUB.linkify.set({"fuzzy_link": False})  # it takes "0.al" for a link, GitHub does not


def of(label: str, score: float, **more: Any) -> Record:
    """A row whose primary score is given."""
    return record(label, scores={"ndcg@10": score}, **more)


def rows(text: str) -> list[list[str]]:
    """The cells of the first table, its head first."""
    lines = [line for line in text.partition("<details>")[0].splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("\u00a0", " ") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [cells[0], *cells[2:]]


def names(text: str) -> list[str]:
    return [row[1].partition(" <sub>")[0].strip("*") for row in rows(text)[1:]]


def column(text: str, head: str) -> list[str]:
    place = rows(text)[0].index(head)
    return [row[place] for row in rows(text)[1:]]


# Order


def test_the_primary_metric_sorts() -> None:
    text = leaderboard.render([of("low", 0.1), of("high", 0.3), of("middle", 0.2)])
    assert names(text) == ["high", "middle", "low"]
    assert column(text, "#") == ["1", "2", "3"]


def test_where_low_is_good_the_least_is_first_and_bold() -> None:
    rating = protocol(primary="rmse")
    found = [record(name, scores={"rmse": score}, protocol=rating) for name, score in (("a", 0.95), ("b", 0.9))]
    text = leaderboard.render(found)
    assert names(text) == ["b", "a"]
    assert column(text, "rmse ↓") == ["**0.900**", "0.950"]


def test_equal_rows_share_a_rank_and_the_next_one_counts_on() -> None:
    text = leaderboard.render([of("b", 0.2), of("a", 0.2), of("c", 0.1)])
    assert list(zip(names(text), column(text, "#"), strict=True)) == [("a", "1"), ("b", "1"), ("c", "3")]


def test_all_that_look_like_the_best_are_bold() -> None:
    text = leaderboard.render([of("a", 0.20001), of("b", 0.20004), of("c", 0.1999)])
    assert column(text, "ndcg@10 ↑") == ["**0.2000**", "**0.2000**", "0.1999"]


def test_nothing_is_bold_where_neither_direction_is_better_or_all_are_alike() -> None:
    found = [record(name, scores={"ndcg@10": 0.2, "gini@10": gini}) for name, gini in (("a", 0.1), ("b", 0.9))]
    text = leaderboard.render(found)
    assert column(text, "gini@10") == ["0.1000", "0.9000"]
    assert column(text, "ndcg@10 ↑") == ["0.2000", "0.2000"]


def test_rows_without_the_primary_metric_stand_below_without_a_rank() -> None:
    rating = protocol(primary="rmse")
    found = [record("ranker", scores={"ndcg@10": 0.9}, protocol=rating), record("a", protocol=rating)]
    text = leaderboard.render(found)
    assert column(text, "#") == ["1", "-"]
    assert "ranker" in names(text)[1]
    assert "**not ranked**: no rmse, it predicts no ratings" in text
    assert column(text, "ndcg@10 ↑") == ["0.2500", "0.9000"]


def test_the_mean_and_the_deviation_over_folds_and_seeds_are_shown() -> None:
    scores = [0.2, 0.25, 0.4, 0.1]
    trials = [of("a", x, fold=n // 2, seed=n % 2, deterministic=False) for n, x in enumerate(scores)]
    text = leaderboard.render([*trials, of("b", 0.1, fold=0), of("b", 0.2, fold=1)])
    assert column(text, "ndcg@10 ↑")[0] == f"**{mean(scores):.4f}** ± {stdev(scores):.4f}"
    assert "± is the standard deviation over folds and model seeds" in text


def test_a_single_trial_has_no_deviation() -> None:
    assert "±" not in leaderboard.render([of("a", 0.1)])


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_the_bytes_do_not_depend_on_the_order_of_records(scores: list[float], order: random.Random) -> None:
    found = [of(f"a{n // 2}", score, seed=n % 2, deterministic=False) for n, score in enumerate(scores)]
    shuffled = order.sample(found, len(found))
    assert leaderboard.files(shuffled) == leaderboard.files(found)
    assert leaderboard.terminal(shuffled, width=80, color=False) == leaderboard.terminal(found, width=80, color=False)


# Which records count


def test_protocols_and_metric_versions_never_share_a_table() -> None:
    with pytest.raises(BadRecord, match="several protocols: abababababab, cdcdcdcdcdcd"):
        leaderboard.render([of("a", 0.1), of("b", 0.1, protocol=protocol(fingerprint="cd" * 32))])
    with pytest.raises(BadRecord, match="several metric versions: 1, 2") as caught:
        leaderboard.render([of("a", 0.1), of("b", 0.1, metrics_version=2)])
    assert "recbench rescore" in caught.value.fix
    with pytest.raises(BadRecord, match="there are no records"):
        leaderboard.render([])


def test_an_author_who_edits_and_runs_again_sees_the_new_result_alone() -> None:
    old = of("a", 0.9, source="01", provenance={"recorded": "2026-01-01T00:00:00Z"})
    new = of("a", 0.2, source="02", provenance={"recorded": "2026-01-02T00:00:00Z"})
    text = leaderboard.render([new, old])
    assert column(text, "ndcg@10 ↑") == ["0.2000"]
    assert "1 records of older code" in text


def test_one_label_with_two_sets_of_parameters_is_two_rows_that_say_what_differs() -> None:
    text = leaderboard.render(
        [of("a", 0.1, parameters={"l2": 1.0, "k": 5}), of("a", 0.2, parameters={"l2": 2.0, "k": 5})]
    )
    assert names(text) == ["a (l2=2.0)", "a (l2=1.0)"]


def test_a_protocol_that_got_another_name_keeps_one_board_under_the_newest_name() -> None:
    old = of("a", 0.1, protocol=protocol(name="old"), provenance={"recorded": "2026-01-01T00:00:00Z"})
    new = of("b", 0.2, protocol=protocol(name="new"), provenance={"recorded": "2026-01-02T00:00:00Z"})
    both = replace(old, protocol=new.protocol)
    assert set(leaderboard.files([old, new, both])) == {"new.md", "README.md"}
    assert names(leaderboard.files([old, new, both])["new.md"]) == ["b", "a"]


# Trials that were not ok


def test_a_row_that_failed_stands_in_the_table_with_status_and_reason() -> None:
    text = leaderboard.render(
        [of("a", 0.1), record("b", status=Status.TIMEOUT, reason="was not done after 600 s, in fit")]
    )
    assert names(text)[1] == "b"
    assert "<br>**timeout**: was not done after 600 s, in fit" in rows(text)[2][1]
    assert "- b: **timeout**. was not done after 600 s, in fit (record `" in text


def test_a_row_of_which_some_trials_failed_says_how_many_and_has_no_figures() -> None:
    bad = record("b", fold=1, status=Status.CRASHED, reason="ended by SIGSEGV")
    text = leaderboard.render(
        [of("b", 0.9, fold=0), bad, of("b", 0.9, fold=2), *(of("a", 0.1, fold=n) for n in range(3))]
    )
    assert "**crashed in 1 of 3 trials**: ended by SIGSEGV" in rows(text)[2][1]
    assert column(text, "ndcg@10 ↑")[1] == ""


def test_a_row_that_lacks_folds_is_not_ranked() -> None:
    text = leaderboard.render([of("b", 0.9, fold=0), of("a", 0.1, fold=0), of("a", 0.1, fold=1)])
    assert names(text)[0] == "a"
    assert "**1 of 2 folds so far**" in text


def test_a_long_reason_is_cut_in_the_table_and_in_full_below() -> None:
    reason = "ValueError: " + "very " * 30 + "long\nand a second line"
    text = leaderboard.render([record("b", status=Status.FAILED, reason=reason)])
    assert len(rows(text)[1][1]) < 160
    assert "long and a second line" in text.partition("## Not ok")[2]


def test_a_board_on_which_nothing_is_ranked_can_be_shown() -> None:
    failed = [record("b", status=Status.FAILED, reason="no good")]
    assert "no good" in leaderboard.render(failed)
    assert "b: failed: no good" in leaderboard.terminal(failed, width=80, color=False)
    assert "nobody yet" in leaderboard.files(failed)["README.md"]


# What is said beside the table


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"split": {"leaks_future": True}}, "**Leak of the future: yes.**"),
        ({"split": {"leaks_future": False}}, "**Leak of the future: no.**"),
        ({"split": {"leaks_future": None}}, "**Leak of the future: unknown.**"),
        ({"protocol": protocol(is_pinned=False)}, "**Fingerprint not pinned.**"),
        ({"data": {"unverified": ["u.data"]}}, "No checksum is known of u.data."),
        ({"protocol": protocol(evaluation={"candidates": "uniform:99"})}, "**Not the whole catalogue is ranked**"),
        ({"protocol": protocol(evaluation={"candidates": "uniform:99"})}, "a user's test items and 99 others"),
        ({"counts": {"users_skipped": 1234}}, "1,234 users in test have nothing relevant there, and are skipped."),
        ({"counts": {"cold_items_in_test": 7}}, "7 items occur in test only"),
        ({"provenance": {"jobs": 2}}, "**Costs do not compare.** Some trials ran side by side."),
        ({"provenance": {"memory_limited": False}}, "**Weaker limits.**"),
        ({"provenance": {"sandboxed": False}}, "Trials ran without a sandbox"),
        ({"counts": {"fallbacks": 3, "pairs": 1000}}, "for want of the algorithm's own: a (3 of 1,000)."),
        ({"counts": {"users_short_list": 3, "users_without_list": 1}}, "with a short list or none: a (4)."),
        ({"marks": ("ties by the plugin",)}, "- Ties by the plugin: a."),
        ({"protocol": protocol(settings={"l2": 3})}, "- Parameters set by hand: a."),
        ({"protocol": protocol(tuned=30)}, "Tuned on the validation part, with the number of trials: a (30)."),
        ({"protocol": protocol(tuned=None)}, "No tuning trials are on record for this protocol"),
        ({"data": {"dropped": {"off the scale": 5}}}, "**Left out while reading**: 5 off the scale"),
        ({"data": {"license": "CC0", "citation": "Me, 2020"}}, "- **License**: CC0\n- **Cite**: Me, 2020"),
        ({"baseline": True}, "*a* <sub>baseline, someone 1.0</sub>"),
        ({"deterministic": True}, "0 (deterministic)"),
        ({"parameters": {"l2": 3}}, "l2 = 3"),
        ({}, "A Processor, 2 cores, 1 for a trial, Linux x86_64, Python 3.11.7, recbench 0.1.0, numpy 2.4.6"),
        ({}, "density 91.7 % · **Test** 20 % of each user's interactions, drawn at random (seed 42) · "),
        (
            {},
            "**Relevant** ratings of 4 and more in test · **Users evaluated** 2, 100 % of all · **Leak of the future**",
        ),
        ({}, "- **coverage**: items in at least one list / all items of the data set. Higher is better."),
        ({}, "- **Metric version**: 1\n- **Recorded**: 2026-11-24"),
    ],
)
def test_what_a_reader_must_know_is_said(more: dict[str, Any], said: str) -> None:
    assert said in leaderboard.render([record("a", scores={"ndcg@10": 0.1, "coverage@10": 0.5}, **more)])


def test_what_is_said_of_rows_names_those_it_is_true_of() -> None:
    tuned = protocol(tuned=30)
    found = [of("a", 0.1, marks=("ties by the plugin",)), of("b", 0.2, marks=("ties by the plugin",)), of("c", 0.3)]
    assert "- Ties by the plugin: b, a." in leaderboard.render(found)
    some = leaderboard.render([of("a", 0.1, protocol=tuned), of("b", 0.2)])
    assert "with the number of trials: a (30); all others have their defaults" in some


def test_how_parameters_came_about_is_shown_and_unknown_where_nobody_says() -> None:
    found = [
        of("said", 0.4, provenance={"tuned_on": "validation | of *ml-100k*"}),
        of("counted", 0.3, protocol=protocol(tuned=20)),
        of("set", 0.2, protocol=protocol(settings={"k": 3})),
        of("silent", 0.1),
    ]
    text = leaderboard.render(found)
    table = text.partition("<summary>Parameters, seeds and code</summary>")[2].partition("</details>")[0]
    shown = [re.split(r"(?<!\\)\|", line)[4].strip() for line in table.splitlines() if line.startswith("| ")][2:]
    assert shown == [r"validation \| of \*ml-100k\*", "20 trials", "by hand", "unknown"]


def test_rows_that_waited_for_a_processor_are_named_with_the_share_they_had() -> None:
    found = [
        of("waited", 0.4, measured={"fit_seconds": 8.0, "rank_seconds": 2.0, "cpu_seconds": 2.5}),
        of("busy", 0.3, measured={"fit_seconds": 8.0, "rank_seconds": 2.0, "cpu_seconds": 9.5}),
        of("short", 0.2, measured={"fit_seconds": 0.2, "rank_seconds": 0.1, "cpu_seconds": 0.1}),
        of("silent", 0.1, measured={"fit_seconds": 8.0, "rank_seconds": None, "cpu_seconds": None}),
    ]
    lines = [line for line in leaderboard.render(found).splitlines() if line.startswith("- Seconds lengthened by")]
    assert [line.partition("processor): ")[2] for line in lines] == ["waited (25 %)."]


def test_the_front_of_quality_and_cost_names_who_is_beaten_by_nobody() -> None:
    found = [
        of("good", 0.4, measured={"fit_seconds": 9.0}),
        of("quick", 0.2, measured={"fit_seconds": 1.0}),
        of("beaten", 0.1, measured={"fit_seconds": 2.0}),
    ]
    assert "- ndcg@10 against fit s: quick, good.\n" in leaderboard.render(found) + "\n"
    side_by_side = [replace(each, provenance={**each.provenance, "jobs": 2}) for each in found]
    assert "Trade-offs" not in leaderboard.render(side_by_side)


def test_algorithms_of_several_boards_are_put_in_order_by_their_average_rank() -> None:
    other = protocol(name="other", fingerprint="cd" * 32)
    found = [of("a", 0.3), of("b", 0.2), of("c", 0.1), of("alone", 0.5)]
    found += [of("a", 0.1, protocol=other), of("b", 0.3, protocol=other), of("c", 0.05, protocol=other)]
    index = leaderboard.files(found)["README.md"]
    table = [re.sub("[ \u00a0*]+", " ", line) for line in index.partition("## Across protocols")[2].splitlines()]
    rows = [line.split(" | ") for line in table if re.match(r"\| [0-9]", line)]
    assert [[cell.strip("| ") for cell in row] for row in rows] == [
        ["1.5", "a", "2", "2"],
        ["1.5", "b", "1", "3"],
        ["3.0", "c", "3", "4"],
    ]
    assert "these boards alone do not rank them" in index


def test_one_board_has_nothing_to_be_compared_across() -> None:
    assert "Across" not in leaderboard.files([of("a", 0.3), of("b", 0.2)])["README.md"]


def test_what_is_not_so_is_not_said() -> None:
    text = leaderboard.render([of("a", 0.1, provenance={"sandboxed": True})])
    said = text.partition("## Warnings\n\n")[2].partition("\n\n")[0].splitlines()
    assert [line[:20] for line in said] == ["- **Leak of the futu", "- **Not analysed.** "]
    assert "## Not ok" not in text
    assert "baseline" not in text


def test_each_machine_and_the_days_are_listed_once() -> None:
    other = {"provenance": {"cpu": "Another", "recorded": "2026-12-01T00:00:00Z"}}
    text = leaderboard.render([of("a", 0.1), of("b", 0.1), of("c", 0.1, **other)])
    assert text.partition("## Machine")[2].partition("##")[0].count("\n- ") == 2
    assert "2026-11-24 to 2026-12-01" in text


def test_in_protocols_that_show_both_the_scores_of_users_with_a_history_sort() -> None:
    found = [
        record(name, scores={"ndcg@10": of_all, "recall@10": 0.3}, scores_warm={"ndcg@10": warm, "recall@10": 0.5})
        for name, of_all, warm in (("a", 0.2, 0.3), ("b", 0.1, 0.4))
    ]
    text = leaderboard.render(found)
    assert rows(text)[0][2:5] == ["ndcg@10 (warm) ↑", "ndcg@10 (all) ↑", "recall@10 (warm) ↑"]
    assert names(text) == ["b", "a"]
    assert "recall@10 (all)\u00a0↑" in text.partition("<summary>At 10, all users</summary>")[2]


def test_every_score_is_in_exactly_one_table() -> None:
    keys = [f"{name}@{k}" for name in ("ndcg", "recall", "gini") for k in (5, 10)] + ["rmse", "mae"]
    text = leaderboard.render([record("a", scores=dict.fromkeys(keys, 0.5))])
    heads = [line for line in text.splitlines() if line.startswith("|   # |")]
    shown = [head.strip(" \u00a0↑↓") for line in heads for head in line.split("|")]
    assert {key: shown.count(key) for key in keys} == {**dict.fromkeys(keys, 1), "ndcg@10": 2}  # it sorts both


def test_sampled_metrics_are_ranked_under_their_own_name() -> None:
    sampled = protocol(evaluation={"candidates": "uniform:99"})
    text = leaderboard.render([record("a", scores={"ndcg@10~uni99": 0.5, "ndcg@5~uni99": 0.5}, protocol=sampled)])
    assert rows(text)[0][2] == r"ndcg@10\~uni99 ↑"
    assert "<summary>At 5~uni99</summary>" in text


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"kind": "holdout", "by": "user", "test": 0.2, "seed": 1},
         "20 % of each user's interactions, drawn at random (seed 1)"),
        ({"kind": "holdout", "by": "all", "test": 0.125, "seed": 1, "repeats": 3},
         "12.5 % of all interactions, drawn at random, 3 times (seed 1)"),
        ({"kind": "k-fold", "folds": 5, "seed": 0}, "all interactions in turn, in 5 folds drawn at random (seed 0)"),
        ({"kind": "leave-last-out", "validation": 0.1},
         "the last interaction of each user; 10 % of train, by the same rule, for validation"),
        ({"kind": "time", "test": 0.2}, "the latest 20 % of all interactions, from one point in time on"),
        ({"kind": "cold-user", "test": 0.1, "history": 0.8, "seed": 3},
         "the interactions of 10 % of the users, of whom the first 80 % are known (seed 3)"),
        ({"kind": "cold-item", "test": 0.1, "seed": 3},
         "the interactions with 10 % of the items, which nobody has in train (seed 3)"),
        ({"kind": "provided"}, "as the data's owner or a paper gives it, in files"),
        ({"kind": "of the future"}, "of the future"),
    ],
)  # fmt: skip
def test_each_kind_of_split_is_told_in_words(spec: dict[str, Any], said: str) -> None:
    assert sentence(spec) == said


# The command that makes it again


def words(found: Sequence[Record]) -> list[list[str]]:
    return [shlex.split(command) for command in commands(board(found))]


def test_the_command_names_protocol_and_rows() -> None:
    assert words([of("b", 0.1), of("a c", 0.1)]) == [["recbench", "run", "-p", "toy", "-a", "a c", "-a", "b"]]


def test_the_command_sets_what_was_set_and_the_seeds_where_they_are_not_the_protocol_s() -> None:
    by_hand = protocol(settings={"l2": 3.5, "kind": "x y"})
    trials = [of("a", 0.1, seed=seed, deterministic=False, protocol=by_hand) for seed in (3, 4)]
    (found,) = words(trials)
    settings = [found[place + 1] for place, word in enumerate(found) if word == "--set"]
    assert settings == ['a.kind="x y"', "a.l2=3.5"]
    assert found[-4:] == ["--seed", "3", "--seed", "4"]
    assert "--seed" not in words([of("a", 0.1, seed=0)])[0]


def test_two_sets_of_parameters_of_one_label_take_two_commands() -> None:
    found = words([
        of("a", 0.1, parameters={"l2": 1}), of("b", 0.1),
        of("a", 0.1, parameters={"l2": 2}, protocol=protocol(settings={"l2": 2})),
    ])  # fmt: skip
    assert [each[4:] for each in found] == [["-a", "a", "-a", "b"], ["-a", "a", "--set", "a.l2=2"]]


def test_the_command_brings_single_file_plugins_and_the_sandbox() -> None:
    (found,) = words([of("a", 0.1, distribution="my_algo.py", version="file", provenance={"sandboxed": True})])
    assert found == ["recbench", "run", "-p", "toy", "--plugin", "my_algo.py", "-a", "a", "--sandbox"]


def test_the_command_names_the_file_of_a_protocol_of_one_s_own() -> None:
    (found,) = words([of("a", 0.1, protocol=protocol(name="shop", file="my shop.toml"))])
    assert found == ["recbench", "run", "-p", "my shop.toml", "-a", "a"]


def test_the_command_says_which_plugins_ran_under_another_python() -> None:
    found = words([of("a", 0.1, provenance={"other_python": "lenskit"}), of("b", 0.1)])
    assert found == [["recbench", "run", "-p", "toy", "--python", "lenskit=PATH", "-a", "a", "-a", "b"]]


def test_the_command_is_folded_and_still_one_command() -> None:
    found = [of(f"algorithm-{n}", 0.1) for n in range(40)]
    (command,) = commands(board(found))
    assert max(map(len, command.splitlines())) <= 102
    assert len(shlex.split(command.replace("\\\n", ""))) == 4 + 80


# Names of strangers

LINKS = "http://x.y https://x.y/z //x.yz www.x.yz WWW.x.yz a@b.cd ftp://a.bc mailto:a@b.c xmpp:a@b.c @someone @10 x@10"
HTML = "<script> </td> <!-- --> &lt; &#58; <br> <https://x.yz>"
MARKUP = "![a](b) [a](b) [a]: ` `` ``` | || \\ \\| ** **a** __a__ _a_ ~~a~~ ~a~ $ $a$ # - + = 1. 1) > *** --- ]( ( )"
BLANKS = ["\n", "\n\n", "\r", "\t", "\u2028", "\u202e", "\x1b[1m", " "]
PIECES = [*LINKS.split(), *HTML.split(), *MARKUP.split(), *BLANKS, "a", "b c"]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="|<>&`*_[]()!#~\\$@:/.w'\" \n-+=1a", max_size=30),
    st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
)


def shown(markdown: str) -> str:
    """What a reader sees of a paragraph; fails where it is more than plain text."""
    tokens = GITHUB.parse(f"a {markdown} b")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    allowed = {"<!-- -->", "<span>", "</span>"}
    kinds = {child.type for child in children if child.type != "html_inline" or child.content not in allowed}
    assert kinds <= {"text", "text_special"}, (markdown, kinds)
    return "".join(child.content for child in children if child.type != "html_inline")[2:-2].strip()


@given(text=TEXTS)
def test_any_text_is_shown_as_it_is_and_does_nothing(text: str) -> None:
    assert shown(escape(text)) == plain(text)


@given(text=TEXTS)
def test_any_text_stays_in_its_cell(text: str) -> None:
    tokens = GITHUB.parse(f"| a | b |\n| - | - |\n| {escape(text)} | end |\n")
    cells = [token.content for token in tokens if token.type == "inline"]
    assert len(cells) == 4
    assert cells[-1] == "end"
    assert "html_block" not in {token.type for token in tokens}


GITHUB_ACTS_ON = re.compile(
    r"""(?:^|\W)@\w                       # people
    | (?:^|[\s*_~(])(?:www\.|https?://|ftp://)\w   # addresses
    | [\w.+-]@[\w-]+\.\w                 # mail
    | \$.*\$                             # math""",
    re.VERBOSE | re.IGNORECASE,
)


@given(text=TEXTS)
def test_no_text_mentions_anybody_links_anywhere_or_starts_math(text: str) -> None:
    """GitHub looks for these after markup is gone, in each stretch of text between tags."""
    stretches = re.split(r"<[^>]*>", GITHUB.renderInline(escape(text)))
    assert [stretch for stretch in stretches if GITHUB_ACTS_ON.search(stretch)] == []


@given(text=TEXTS)
def test_any_text_as_code_is_code_and_nothing_else(text: str) -> None:
    if not plain(text):
        assert code(text) == ""
        return
    (inline,) = [token for token in GITHUB.parse(f"a {code(text)} b") if token.type == "inline"]
    kinds = [child.type for child in inline.children or []]
    assert kinds == ["text", "code_inline", "text"]
    assert (inline.children or [])[1].content.strip() == plain(text)


@settings(deadline=None)
@given(text=TEXTS, reason=TEXTS, title=TEXTS)
def test_a_board_keeps_its_shape_whatever_the_names(text: str, reason: str, title: str) -> None:
    def kinds(name: str, why: str, heading: str) -> list[str]:
        strange = protocol(name=name, title=heading, settings={name: name})
        found = [
            record(name, algorithm=name, distribution=name, version=name, marks=(name,), protocol=strange,
                   data={"title": name, "license": name, "citation": name}, provenance={"cpu": name, "git": None}),
            record("failed", status=Status.FAILED, reason=why or "x", protocol=strange),
        ]  # fmt: skip
        return [token.type for token in GITHUB.parse(leaderboard.render(found)) if token.type != "fence"]

    def safe(value: str) -> str:
        return value if plain(value) else "x"

    assert kinds(safe(text), safe(reason), safe(title)) == kinds("x", "x", "x")


def test_a_plugin_with_a_hostile_name_harms_nothing() -> None:
    hostile = [of(HOSTILE, 0.1, distribution=HOSTILE, version=HOSTILE, protocol=protocol(title=HOSTILE)), of("a", 0.2)]
    tame = [of("x", 0.1, distribution="x", version="x", protocol=protocol(title="x")), of("a", 0.2)]
    text = leaderboard.render(hostile)
    page, like = (re.sub("\u00a0+", " ", GITHUB.render(each)) for each in (text, leaderboard.render(tame)))
    assert "<b>" not in page
    assert page.replace("|&lt;b&gt;", "x").replace("'x'", "x") == like
    assert names(text) == ["a", r"\|&lt;b&gt;"]
    assert HOSTILE in leaderboard.terminal(hostile, width=80, color=False)


def test_the_terminal_shows_no_control_characters() -> None:
    found = [of("a\x1b[2Jb", 0.1), record("c", status=Status.FAILED, reason="\x07bell\u202e")]
    text = leaderboard.terminal(found, width=80, color=False, unavailable=[("\x1b", "\x1b")])
    assert all(char == "\n" or char.isprintable() for char in text)


@given(text=st.text(max_size=30), columns=st.integers(1, 30))
def test_cut_and_padded_text_takes_the_columns_it_should(text: str, columns: int) -> None:
    line = cut(plain(text), columns)
    assert width(line) <= columns
    assert width(pad(line, columns, right=True)) == columns


# The terminal


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 100, 200])
def test_the_terminal_s_table_fits_and_counts_what_it_leaves_out(columns: int) -> None:
    keys = [f"{name}@{k}" for name in ("ndcg", "recall", "coverage", "gini") for k in (5, 10)] + ["rmse", "mae"]
    found = [record(f"a quite long name {n} 推薦", scores=dict.fromkeys(keys, 0.5), baseline=n == 1) for n in range(12)]
    found += [record("b" * 60, status=Status.FAILED, reason="no good " * 40)]
    text = leaderboard.terminal(found, width=columns, color=False, unavailable=[("mlp", "not installed: " + "x" * 90)])
    assert max(map(width, text.splitlines())) <= columns
    table = next(line for line in text.splitlines() if line.lstrip().startswith("#"))
    assert "ndcg@10" in table
    n_shown = len(table.split()) - 2 - ("fit" in table)
    n_hidden = re.search(r"(\d+) more columns", text)
    assert n_shown + int(n_hidden[1] if n_hidden else 0) == len(keys) + 3
    assert "no good" in text
    assert "mlp: not installed" in text


def test_rows_that_one_command_mends_are_named_together() -> None:
    a, s = "not installed: pip install a", "not installed: pip install s"
    lacking = [("als", a), ("svd", s), ("bpr", a)]
    text = leaderboard.terminal([of("x", 0.1)], width=80, color=False, unavailable=lacking)
    assert text.splitlines()[-2:] == ["als, bpr: not installed: pip install a", "svd: not installed: pip install s"]


def test_colour_is_only_there_where_it_is_asked_for() -> None:
    found = [of("a", 0.1), of("b", 0.2, baseline=True), record("c", status=Status.FAILED, reason="no\x1b[31m good")]
    plainly = leaderboard.terminal(found, width=80, color=False)
    painted = leaderboard.terminal(found, width=80, color=True)
    assert "\x1b" not in plainly
    assert [line.rstrip() for line in re.sub(r"\x1b\[\d+m", "", painted).splitlines()] == plainly.splitlines()


# Files


def test_one_name_with_two_fingerprints_gives_two_boards() -> None:
    found = [of("a", 0.1), of("a", 0.1, protocol=protocol(fingerprint="cd" * 32))]
    assert set(leaderboard.files(found)) == {"toy-abababab.md", "toy-cdcdcdcd.md", "README.md"}


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [
        ([("Toy", "ab"), ("toy", "cd")], ["Toy-abababab.md", "toy-cdcdcdcd.md"]),
        ([("README", "ab")], ["README-board.md"]),
        ([("../../etc/passwd", "ab"), ("", "cd")], ["etc-passwd.md", "protocol.md"]),
        ([("a", "ab"), ("a", "cd"), ("a-abababab", "ef")],
         [f"a-{'ab' * 32}.md", "a-cdcdcdcd.md", f"a-abababab-{'ef' * 32}.md"]),
    ],
)  # fmt: skip
def test_no_two_boards_share_a_file_and_none_leaves_the_folder(
    protocols: list[tuple[str, str]], expected: list[str]
) -> None:
    found = [of("a", 0.1, protocol=protocol(name=name, fingerprint=two * 32)) for name, two in protocols]
    assert set(leaderboard.files(found)) == {*expected, "README.md"}
    assert set(leaderboard.file_names(found).values()) == set(expected)


def test_the_index_names_every_board_with_its_best() -> None:
    found = [of("a", 0.1), of("b", 0.25), of("x", 0.5, protocol=protocol(name="other", fingerprint="cd" * 32))]
    index = leaderboard.files(found)["README.md"]
    assert "| [Toy ratings, 5-core](other.md)" in index
    assert "| b 0.2500 |" in index


def save(folder: Path, found: Sequence[Record]) -> None:
    for each in found:
        Store(folder).save(each, lists=None, predictions=None)


def test_what_is_written_from_a_store_is_in_agreement_with_it_until_something_changes(tmp_path: Path) -> None:
    save(tmp_path, [of("a", 0.1), of("b", 0.2)])
    written = boards.write(tmp_path)
    assert written == {"ab" * 32: tmp_path / "toy.md", "README.md": tmp_path / "README.md"}
    assert boards.check(tmp_path) == []
    (tmp_path / "notes.md").write_text("mine")
    assert boards.check(tmp_path) == []
    (tmp_path / "stale.md").write_bytes((tmp_path / "toy.md").read_bytes())
    (tmp_path / "toy.md").write_text("edited")
    (tmp_path / "README.md").unlink()
    assert boards.check(tmp_path) == [
        f"{tmp_path / 'toy.md'} differs from what the records say",
        f"{tmp_path / 'README.md'} is missing",
        f"{tmp_path / 'stale.md'} is a board without records: remove it",
    ]


def test_a_damaged_record_stops_a_rendering_unless_somebody_hears_of_it(tmp_path: Path) -> None:
    save(tmp_path, [of("a", 0.1), of("b", 0.2)])
    damaged = Store(tmp_path).find(of("b", 0.2).trial_id)[0]
    damaged.write_text(damaged.read_text()[:99])
    with pytest.raises(BadRecord, match=damaged.name):
        boards.write(tmp_path)
    heard: list[BadRecord] = []
    boards.write(tmp_path, damaged=heard.append)
    assert [damaged.name in problem.what for problem in heard] == [True]
    assert names((tmp_path / "toy.md").read_text()) == ["a"]


def test_what_others_saved_or_damaged_since_a_store_was_read_is_not_lost(tmp_path: Path) -> None:
    save(tmp_path, [of("a", 0.1), of("b", 0.2)])
    store = Store(tmp_path)
    store.load_all()
    save(tmp_path, [replace(of("a", 0.1), scores={"ndcg@10": 0.5}), of("c", 0.3)])
    damaged = store.find(of("b", 0.2).trial_id)[0]
    damaged.write_text(damaged.read_text()[:99])
    heard: list[BadRecord] = []
    boards.write(tmp_path, damaged=heard.append, store=store)
    assert [damaged.name in problem.what for problem in heard] == [True]
    assert names((tmp_path / "toy.md").read_text()) == ["a", "c"]


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecbenchError, match="holds no records"):
        boards.write(tmp_path)


# Golden files


def toy() -> list[Record]:
    """One fold; what can be said of a row is said of one of them."""
    draw = random.Random(5)

    def scores(quality: float, *, rates: bool) -> dict[str, float]:
        keys = ["ndcg", "recall", "coverage", "gini"]
        found = {f"{key}@{k}": round(quality * draw.uniform(0.8, 1.2) * k / 10, 6) for key in keys for k in (5, 10, 20)}
        return found | ({"rmse": round(1.4 - quality, 6), "mae": round(1.1 - quality, 6)} if rates else {})

    big = {"split": {"users": 4333, "items": 2414, "train": 55926, "validation": 3453, "test": 12129, "density": 0.005}}
    counted = {"users_evaluated": 2965, "users_in_test": 4333, "users_skipped": 1368, "pairs": 12129}
    shared = protocol(cutoffs=(5, 10, 20), metrics=("ndcg", "recall", "coverage", "gini", "rmse", "mae"))
    tuned, by_hand = {**shared, "tuned": 30}, {**shared, "settings": {"factors": 16}}
    suite = {"distribution": "recbench-suite", "version": "0.1.0", **big}

    def row(label: str, quality: float, *, rates: bool = False, **more: Any) -> Record:
        given = {"protocol": shared, "counts": counted, **suite, **more}
        costs = {
            "fit_seconds": draw.uniform(0, 9),
            "latency_p50_ms": draw.uniform(0.1, 2),
            "peak_memory_mb": draw.uniform(40, 900),
        }
        return record(label, scores=scores(quality, rates=rates), measured=costs, **given)

    def bad(label: str, status: Status, reason: str, **more: Any) -> Record:
        return record(label, status=status, reason=reason, **{"protocol": shared, **suite, **more})

    stranger = {"distribution": "some-plugin", "version": "2.3"}
    hostile = {"distribution": "[evil](http://evil.example)", "version": "@everyone"}
    wordy = "ValueError: no such column: 'a|b' <i>\nsecond line " + "and so on " * 20
    return [
        row("popularity", 0.121, baseline=True),
        row("random", 0.003, rates=True, baseline=True, deterministic=False),
        row("item-mean", 0.0012, rates=True, baseline=True, counts={**counted, "fallbacks": 214}),
        row("ease", 0.1673, protocol=tuned, parameters={"l2": 458.0}),
        row("item-cosine", 0.1615, rates=True, protocol=tuned, parameters={"k": 100, "similarity": "cosine"}),
        row("bpr", 0.1129, deterministic=False, seed=0),
        row("bpr", 0.1149, deterministic=False, seed=1),
        row("svd", 0.0118, rates=True, deterministic=False, protocol=by_hand, parameters={"factors": 16}),
        row("neighbours at large", 0.1552, **stranger, marks=("ties by the plugin",)),
        row(HOSTILE, 0.05, **hostile, counts={**counted, "users_short_list": 3}),
        bad("mlp", Status.TIMEOUT, "was not done after 600 s, in fit"),
        bad("deep", Status.OUT_OF_MEMORY, "took more than 4096 MB in rank", seed=1, deterministic=False),
        row("deep", 0.1, seed=0, deterministic=False),
        bad("broken", Status.FAILED, wordy, **stranger),
        bad("segfault", Status.CRASHED, "ended by SIGSEGV (a segmentation fault), in fit", **stranger),
    ]  # fmt: skip


def folds() -> list[Record]:
    """Two folds and two seeds, a rating metric that sorts, rankers below."""
    split = {"kind": "k-fold", "folds": 2, "shuffle": "mt19937", "seed": 0, "validation": 0.0}
    shared = protocol(
        name="folds", title="Two folds", fingerprint="f0" * 32, primary="rmse", split=split, is_pinned=False
    )

    def row(label: str, fold: int, scores: dict[str, float], **more: Any) -> Record:
        part = {**SPLIT, "fold": fold, "fingerprint": f"{fold}5" * 32, "leaks_future": None}
        return record(label, scores=scores, fold=fold, split=part, protocol=shared, **more)

    def rating(rmse: float) -> dict[str, float]:
        return {"rmse": rmse, "mae": rmse - 0.2, "ndcg@10": 0.02}

    return [
        row_of_fold
        for fold in (0, 1)
        for row_of_fold in (
            row("bias", fold, rating(0.944 + fold / 100), baseline=True),
            row("puresvd", fold, {"ndcg@10": 0.3 + fold / 50}),
            row("slope-one", fold, rating(0.946 - fold / 100)),
            row("svd", fold, rating(0.934 + fold / 200), deterministic=False, seed=0),
            row("svd", fold, rating(0.939 + fold / 200), deterministic=False, seed=1),
        )
    ]


def in_time() -> list[Record]:
    """One point in time: users with a history sort, all are shown."""
    split = {"kind": "time", "test": 0.2, "validation": 0.1, "seed": 42}
    shared = protocol(name="time", fingerprint="71" * 32, split=split, title="One point in time")
    part = {"protocol": shared, "split": {"leaks_future": False}, "provenance": {**PROVENANCE, "sandboxed": True}}
    return [
        record(
            name,
            scores={"ndcg@5": warm / 3, "ndcg@10": warm / 2, "recall@10": warm / 2, "rmse": 1.5},
            scores_warm={"ndcg@5": warm / 2, "ndcg@10": warm, "recall@10": warm, "rmse": 1.4},
            counts={"users_evaluated": 2, "cold_items_in_test": 41},
            baseline="popularity" in name,
            **part,
        )
        for name, warm in (("ease", 0.058), ("recent-popularity", 0.094), ("popularity", 0.05))
    ]


def golden_contents() -> dict[str, str]:
    found = leaderboard.files([*toy(), *folds(), *in_time()])
    terminals = {f"terminal-{n}.txt": leaderboard.terminal(toy(), width=n, color=False) + "\n" for n in (80, 120)}
    return {**found, **terminals}


@pytest.mark.parametrize("name", sorted(golden_contents()))
def test_boards_are_what_the_golden_files_say(name: str, update_golden: bool) -> None:
    content = golden_contents()[name]
    if update_golden:
        (GOLDEN / name).write_text(content)
    assert (GOLDEN / name).read_text() == content


def test_every_golden_file_has_a_reader() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(golden_contents())


def test_records_of_the_golden_boards_can_be_written_and_read() -> None:
    for each in [*toy(), *folds(), *in_time()]:
        assert each.trial_id == trial_id(json.loads(json.dumps(dict(each.identity))))
