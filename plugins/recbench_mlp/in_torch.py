"""The network in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from recbench_mlp.design import Design
from recbench_mlp.network import MLP, Sample, Schedule, Stopping, Weights, in_epochs


class TorchMLP(MLP):
    """The network in PyTorch; the arguments are those of `MLP`."""

    def train(
        self, weights: Weights, design: Design, sample: Sample, held_out: Sample | None, schedule: Schedule, seed: int
    ) -> tuple[Weights, int]:
        """Train by Adam on the mean squared error."""
        with torch.random.fork_rng():  # layers and dropout draw from the global generator, which is put back
            torch.manual_seed(seed)
            return self._train(weights, design, sample, held_out, schedule, seed)

    def _train(
        self, weights: Weights, design: Design, sample: Sample, held_out: Sample | None, schedule: Schedule, seed: int
    ) -> tuple[Weights, int]:
        device = torch.device(self._place())
        network = Network(weights, design, schedule.dropout).to(device)
        optimizer = torch.optim.Adam(network.parameters(), lr=schedule.rate, eps=1e-7, fused=True)
        stopping = Stopping()
        for rows in in_epochs(sample, schedule.epochs, seed):
            _epoch(network, optimizer, rows, schedule.batch_size, device)
            if held_out is not None and stopping.is_over(_error(network, held_out, device)):
                break
        return network.weights(), schedule.epochs if held_out is None else stopping.best_epoch

    def _place(self) -> str:
        if self.device != "auto":
            return self.device
        return "cuda" if torch.cuda.is_available() else "cpu"


class Network(nn.Module):  # type: ignore[misc]
    """W1 in parts, then two dense layers. Look-ups take the place of the one-hot columns."""

    def __init__(self, weights: Weights, design: Design, dropout: float) -> None:
        super().__init__()
        self.user = nn.Embedding.from_pretrained(_tensor(weights.user), freeze=False)
        self.item = nn.Embedding.from_pretrained(_tensor(weights.item), freeze=False)
        self.user_features = nn.Parameter(_tensor(weights.user_features))
        self.item_features = nn.Parameter(_tensor(weights.item_features))
        self.bias = nn.Parameter(_tensor(weights.bias))
        self.second = _linear(weights.second, weights.second_bias)
        self.third = _linear(weights.third[:, None], np.array([weights.third_bias], np.float32))
        self.drop = nn.Dropout(dropout)
        self.register_buffer("users", _tensor(design.users))
        self.register_buffer("items", _tensor(design.items))

    def forward(self, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
        """(n,) what is to be added to the centre."""
        features = self.users[user] @ self.user_features + self.items[item] @ self.item_features
        first = self.drop(torch.relu(self.user(user) + self.item(item) + features + self.bias))
        found: torch.Tensor = self.third(self.drop(torch.relu(self.second(first))))[:, 0]
        return found

    def weights(self) -> Weights:
        """The weights as arrays."""
        return Weights(
            user=_array(self.user.weight),
            item=_array(self.item.weight),
            user_features=_array(self.user_features),
            item_features=_array(self.item_features),
            bias=_array(self.bias),
            second=_array(self.second.weight.T),
            second_bias=_array(self.second.bias),
            third=_array(self.third.weight[0]),
            third_bias=float(self.third.bias.detach()[0]),
        )


def _epoch(
    network: Network, optimizer: torch.optim.Optimizer, sample: Sample, batch_size: int, device: torch.device
) -> None:
    network.train()
    columns = [torch.from_numpy(column).to(device) for column in (sample.user, sample.item, sample.target)]
    for user, item, target in zip(*(column.split(batch_size) for column in columns), strict=True):
        optimizer.zero_grad()
        loss = (network(user, item) - target).square().mean()
        loss.backward()
        optimizer.step()


def _error(network: Network, sample: Sample, device: torch.device) -> float:
    network.eval()
    with torch.no_grad():
        found = network(torch.from_numpy(sample.user).to(device), torch.from_numpy(sample.item).to(device))
    return float(np.mean((found.cpu().numpy() - sample.target) ** 2))


def _linear(kernel: Any, bias: Any) -> nn.Linear:
    layer = nn.Linear(*kernel.shape)
    with torch.no_grad():
        layer.weight.copy_(_tensor(kernel.T))
        layer.bias.copy_(_tensor(bias))
    return layer


def _tensor(values: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))


def _array(values: torch.Tensor) -> Any:
    return values.detach().cpu().numpy().copy()
