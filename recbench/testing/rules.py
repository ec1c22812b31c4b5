"""All rules, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.errors import UnknownName
from recbench.testing import answers, costs, edges, learning, manners, parameters, sameness
from recbench.testing.rule import Rule

RULES: tuple[Rule, ...] = tuple(
    Rule(check=check)
    for check in (
        answers.fits_and_answers,
        answers.shapes_and_types_are_right,
        answers.predictions_stay_near_the_scale,
        answers.another_seed_stays_in_range,
        answers.something_is_said_of_warm_users,
        sameness.one_seed_gives_the_same_bytes,
        sameness.global_random_state_does_not_matter,
        sameness.hash_seed_and_folder_do_not_matter,
        sameness.size_of_the_block_does_not_matter,
        sameness.order_of_users_does_not_matter,
        sameness.relabelling_permutes_the_answers,
        manners.input_is_left_alone,
        manners.global_state_is_left_alone,
        manners.importing_is_cheap,
        manners.nothing_is_printed,
        manners.no_file_is_left,
        manners.network_is_not_used,
        manners.test_data_is_not_sought,
        edges.copes_with_one_user,
        edges.copes_with_one_item,
        edges.copes_with_equal_ratings,
        edges.copes_with_a_short_history,
        edges.copes_with_a_user_who_has_everything,
        edges.copes_with_items_nobody_has,
        edges.copes_with_users_without_history,
        edges.copes_without_ratings,
        edges.copes_without_times_and_features,
        learning.learns_a_checkerboard,
        learning.finds_nothing_in_noise,
        parameters.parameters_are_json,
        parameters.declared_values_are_taken,
        parameters.parameters_are_honoured,
        parameters.wrong_parameters_are_refused,
        costs.ends_in_time,
        costs.memory_grows_with_the_block,
    )
)


def rules_named(names: Iterable[str]) -> tuple[Rule, ...]:
    """The rules called `names`, in the order in which they are shown; all where there are none.

    Raises:
        UnknownName: there is no such rule.
    """
    wanted = set(names)
    for name in sorted(wanted - {rule.name for rule in RULES}):
        known = [rule.name for rule in RULES]
        raise UnknownName.among("rule", name, known, fix="run `recbench check --rules` for all of them")
    return tuple(rule for rule in RULES if not wanted or rule.name in wanted)
