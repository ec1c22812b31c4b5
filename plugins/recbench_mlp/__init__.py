"""Multi-layer perceptrons: the article's network in TensorFlow and in PyTorch, as published and as it should be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from recbench.api import Algorithm, hookimpl

ARTICLE: Mapping[str, bool | float | int] = {
    "epochs": 10,
    "batch_size": 32,
    "dropout": 0.0,
    "centered": False,
    "early_stopping": False,
}
SPACE = {"dropout": (0.0, 0.3, 0.5), "batch_size": (128, 256, 512), "rate": (0.0005, 0.001, 0.002)}
KERAS_FILE = "Keras writes its settings into the home folder when it is first imported"
WIDE_AND_DEEP = "Covington, Adams and Sargin, Deep Neural Networks for YouTube Recommendations, RecSys 2016"


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer the two frameworks' networks, each with two sets of parameters."""
    for framework, target, requires, failures in (
        ("torch", "recbench_mlp.in_torch:TorchMLP", ("torch",), {}),
        ("keras", "recbench_mlp.in_keras:KerasMLP", ("tensorflow",), {"no-file-is-left": KERAS_FILE}),
    ):
        yield Algorithm(
            name=f"mlp-{framework}",
            target=target,
            requires=requires,
            expected_failures=failures,
            space=SPACE,
            summary="Predicts ratings by a network over user, item and features, stopped before it learns by heart.",
            reference=WIDE_AND_DEEP,
        )
        yield Algorithm(
            name=f"mlp-{framework}-article",
            target=target,
            requires=requires,
            expected_failures=failures,
            parameters=ARTICLE,
            summary="The same network trained for ten epochs whatever comes, as the article does: it learns by heart.",
            reference=WIDE_AND_DEEP,
        )
