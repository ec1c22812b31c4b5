"""The network in TensorFlow, with Keras' layers, Adam and training loop, as the article has it."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recbench_mlp.design import Design
from recbench_mlp.network import MLP, Sample, Schedule, Stopping, Weights, in_epochs

AT_ONCE = 1 << 14


class KerasMLP(MLP):
    """The network in Keras; the arguments are those of `MLP`."""

    def train(
        self, weights: Weights, design: Design, sample: Sample, held_out: Sample | None, schedule: Schedule, seed: int
    ) -> tuple[Weights, int]:
        """Train by Adam on the mean squared error."""
        _limit_threads()
        place = contextlib.nullcontext() if self.device == "auto" else tf.device(self.device)
        with _globally_seeded(seed), place:
            return _train(weights, design, sample, held_out, schedule, seed)


def _train(
    weights: Weights, design: Design, sample: Sample, held_out: Sample | None, schedule: Schedule, seed: int
) -> tuple[Weights, int]:
    network = build(weights, design, schedule.dropout)
    network.compile(optimizer=FusedAdam(schedule.rate), loss="mse", steps_per_execution=64)
    stopping = Stopping()
    for rows in in_epochs(sample, schedule.epochs, seed):
        network.fit((rows.user, rows.item), rows.target, batch_size=schedule.batch_size, shuffle=False, verbose=0)
        if held_out is not None and stopping.is_over(_error(network, held_out)):
            break
    return weights_of(network), schedule.epochs if held_out is None else stopping.best_epoch


def _error(network: Any, sample: Sample) -> float:
    found = network.predict((sample.user, sample.item), batch_size=AT_ONCE, verbose=0)
    return float(np.mean((found - sample.target) ** 2))


def build(weights: Weights, design: Design, dropout: float) -> Any:
    """W1 in parts, then two dense layers. Look-ups take the place of the one-hot columns."""
    user = keras.Input((), dtype="int32", name="user")
    item = keras.Input((), dtype="int32", name="item")
    parts = [
        _LookUp(weights.user.shape, name="user_table")(user),
        _LookUp(weights.item.shape, name="item_table")(item),
        keras.layers.Dense(weights.bias.shape[0], name="user_features")(_Table(design.users)(user)),
        keras.layers.Dense(weights.bias.shape[0], use_bias=False, name="item_features")(_Table(design.items)(item)),
    ]
    first = keras.layers.Dropout(dropout)(keras.layers.ReLU()(keras.layers.Add()(parts)))
    second = keras.layers.Dense(weights.second.shape[1], activation="relu", name="second")(first)
    output = keras.layers.Dense(1, name="third")(keras.layers.Dropout(dropout)(second))
    network = keras.Model((user, item), output[:, 0])
    network.get_layer("user_table").set_weights([weights.user])
    network.get_layer("item_table").set_weights([weights.item])
    network.get_layer("user_features").set_weights([weights.user_features, weights.bias])
    network.get_layer("item_features").set_weights([weights.item_features])
    network.get_layer("second").set_weights([weights.second, weights.second_bias])
    network.get_layer("third").set_weights([weights.third[:, None], np.array([weights.third_bias], np.float32)])
    return network


def weights_of(network: Any) -> Weights:
    """The weights as arrays."""
    layer = {name: network.get_layer(name).get_weights() for name in LAYERS}
    return Weights(
        user=layer["user_table"][0],
        item=layer["item_table"][0],
        user_features=layer["user_features"][0],
        item_features=layer["item_features"][0],
        bias=layer["user_features"][1],
        second=layer["second"][0],
        second_bias=layer["second"][1],
        third=layer["third"][0][:, 0],
        third_bias=float(layer["third"][1][0]),
    )


LAYERS = ("user_table", "item_table", "user_features", "item_features", "second", "third")


class _LookUp(keras.layers.Layer):  # type: ignore[misc]
    """A dense layer over a one-hot input.

    Unlike an Embedding it has a dense gradient, so that Adam's moments of absent users and items decay at each step,
    as they do in the dense layer that this stands for.
    """

    def __init__(self, shape: tuple[int, ...], *, name: str) -> None:
        super().__init__(name=name)
        self._table_shape = shape

    def build(self, _input_shape: Any) -> None:
        self.table = self.add_weight(shape=self._table_shape, name="table")

    def call(self, rows: Any) -> Any:
        return tf.gather(tf.convert_to_tensor(self.table) * 1.0, rows)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self._table_shape[1])


class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam by TensorFlow's own kernel: the same formula in one pass over the weights instead of a dozen."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        place = self._get_variable_index(variable)
        moment, velocity = self._momentums[place], self._velocities[place]
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(moment),
            v=_handle(velocity),
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def _handle(variable: Any) -> Any:
    """TensorFlow's handle of a variable, its own or Keras'."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle


class _Table(keras.layers.Layer):  # type: ignore[misc]
    """Looks up rows of a table that is not learned."""

    def __init__(self, table: Any) -> None:
        super().__init__()
        self._rows = tf.constant(table)

    def call(self, rows: Any) -> Any:
        return tf.gather(self._rows, rows)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self._rows.shape[1])


@contextlib.contextmanager
def _globally_seeded(seed: int) -> Iterator[None]:
    """Keras draws the seeds of its layers from `random`; that and NumPy's global generator are put back."""
    kept = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])


def _limit_threads() -> None:
    """TensorFlow does not look at OMP_NUM_THREADS by itself."""
    n_threads = int(os.environ.get("OMP_NUM_THREADS", 0))
    with contextlib.suppress(RuntimeError):  # once it has run something it cannot be told any more
        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(n_threads)
