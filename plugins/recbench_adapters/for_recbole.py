"""Rankers of RecBole, by name."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import recbole
import torch
import yaml
from numpy.typing import NDArray
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.interaction import Interaction
from recbole.data.utils import get_dataloader
from recbole.model import general_recommender
from recbole.sampler import Sampler
from recbole.utils import get_trainer, init_seed

from recbench.api import Dataset, Interactions
from recbench_adapters.models import close, model_named

# What may be set besides a model's own parameters.
_TRAINING = (
    "epochs",
    "train_batch_size",
    "learner",
    "learning_rate",
    "train_neg_sample_args",
    "clip_grad_norm",
    "weight_decay",
    "require_pow",
    "shuffle",
)
# All of train is trained on: what is held back, recbench holds back.
_FIXED: dict[str, Any] = {
    "gpu_id": "",
    "use_gpu": False,
    "show_progress": False,
    "load_col": {"inter": ["user_id", "item_id"]},
    "eval_args": {"split": {"RS": [1.0, 0.0, 0.0]}, "group_by": "none", "order": "RO", "mode": "full"},
}
# What RecBole puts back into NumPy under the names it once had.
_ALIASES = ("bool", "int", "float", "complex", "object", "str", "long", "unicode")


class RecBoleRanker:
    """Ranks by a general model of RecBole, trained on what counts as positive.

    It is trained for all its epochs, without a validation part and so without early stopping. Users and items without
    a positive in train have no score.

    Args:
        model: name of a class in `recbole.model.general_recommender`, such as "BPR".
        parameters: what RecBole's configuration takes for that model and for training, such as `learning_rate`.

    Source: Zhao and others, RecBole: Towards a Unified, Comprehensive and Efficient Framework for Recommendation
    Algorithms, CIKM 2021.
    """

    def __init__(self, *, model: str = "Pop", **parameters: Any) -> None:
        self._class = model_named(model, _models(), library="RecBole")
        taken = (*_own_parameters(model), *_TRAINING)
        for name in parameters:
            if name not in taken:
                raise ValueError(f"{model} has no parameter {name!r}; {close(name, taken)}")
        self._parameters = parameters

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on the positives of train."""
        self._seed = seed % 2**32
        self._n_items = train.n_items
        self._ids = np.zeros(train.n_users, dtype=np.int64)  # RecBole's own indexes, from 1; 0 has no history
        with _contained(self._seed) as folder:
            self._train(train.positives(), folder)
        self._model.eval()

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items)."""
        scores = np.full((len(users), self._n_items), -np.inf)
        warm = np.flatnonzero(self._ids[users])
        if len(warm):
            with _contained(self._seed), torch.no_grad():
                scores[np.ix_(warm, self._items)] = self._scores(self._ids[users[warm]])
        return np.where(np.isnan(scores), -np.inf, scores)

    def _train(self, rows: Interactions, folder: Path) -> None:
        config = self._configured(rows, folder)
        data = create_dataset(config)
        known = data.build()[0]
        negatives = config["train_neg_sample_args"]
        sampler = Sampler(["train"], [known], negatives["distribution"], negatives["alpha"]).set_phase("train")
        batches = get_dataloader(config, "train")(config, known, sampler, shuffle=config["shuffle"])
        init_seed(self._seed, reproducibility=True)  # as RecBole does before it makes a model
        self._model = self._class(config, known).to(config["device"])
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, self._model)
        trainer.fit(batches, saved=False, verbose=False)
        trainer.tensorboard.close()
        self._items = data.field2id_token["item_id"][1:].astype(np.int64)  # in the order of RecBole's own indexes
        self._ids[data.field2id_token["user_id"][1:].astype(np.int64)] = np.arange(1, data.user_num)

    def _configured(self, rows: Interactions, folder: Path) -> Config:
        name = "train"
        (folder / name).mkdir()
        pairs = [f"{user}\t{item}\n" for user, item in zip(rows.user.tolist(), rows.item.tolist(), strict=True)]
        (folder / name / f"{name}.inter").write_text("user_id:token\titem_id:token\n" + "".join(pairs))
        where = {"data_path": str(folder), "checkpoint_dir": str(folder / "saved"), "seed": self._seed}
        return Config(self._class.__name__, name, config_dict={**self._parameters, **_FIXED, **where})

    def _scores(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        users = torch.from_numpy(ids)
        n_items = len(self._items) + 1  # RecBole's item 0 is padding
        try:
            said = self._model.full_sort_predict(Interaction({"user_id": users}))
        except NotImplementedError:
            items = torch.arange(n_items).repeat(len(ids))
            said = self._model.predict(Interaction({"user_id": users.repeat_interleave(n_items), "item_id": items}))
        scores: NDArray[np.float64] = said.reshape(len(ids), n_items)[:, 1:].double().numpy()
        return scores


@contextmanager
def _contained(seed: int) -> Iterator[Path]:
    """A folder to write into, which is then gone, and all that RecBole changes in the process put back."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        stack.enter_context(_globals_put_back())
        sys.argv = sys.argv[:1]  # RecBole takes the arguments of the program for its own
        torch.set_num_threads(1)
        logging.disable(logging.WARNING)
        init_seed(seed, reproducibility=True)
        Config.compatibility_settings(None)
        yield folder


@contextmanager
def _globals_put_back() -> Iterator[None]:
    drawn = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    argv, threads, visible = sys.argv, torch.get_num_threads(), os.environ.get("CUDA_VISIBLE_DEVICES")
    silent = logging.root.manager.disable
    aliases = {name: vars(np)[name] for name in _ALIASES if name in vars(np)}
    try:
        yield
    finally:
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])
        torch.set_rng_state(drawn[2])
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn
        torch.set_num_threads(threads)
        logging.disable(silent)
        sys.argv = argv
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        if visible is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
        for name in _ALIASES:
            vars(np).pop(name, None)
        vars(np).update(aliases)


def _own_parameters(model: str) -> tuple[str, ...]:
    path = Path(recbole.__file__).parent / "properties" / "model" / f"{model}.yaml"
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8")) or ()) if path.is_file() else ()


def _models() -> dict[str, Any]:
    unfit = ("RaCT",)  # trained in stages, by files
    classes = [each for each in vars(general_recommender).values() if isinstance(each, type)]
    return {each.__name__: each for each in classes if each.__name__ not in unfit}
