# SPDX-License-Identifier: Apache-2.0
"""One rank of data-parallel training in PyTorch (DistributedDataParallel on gloo), for mpi_step.cpp to interleave with its
own. Models, batches and optimizer are those of support/workloads.cpp; the batch is that of one rank.

Protocol, one line each: the program prints "ready" after warm-up. "run N" on stdin makes N steps and prints the seconds
they took; "info" prints one line of JSON; "quit" or end of input ends it. All ranks must be told the same.
"""
import argparse
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional

from torch_serve import serve


class Perceptron(nn.Module):
    def __init__(self, units):
        super().__init__()
        sizes = [784, *units]
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        self.out = nn.Linear(sizes[-1], 10)

    def forward(self, x):
        for layer in self.hidden:
            x = functional.relu(layer(x))
        return self.out(x)


class ToyResnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 32, 3)
        self.second = nn.Conv2d(32, 64, 3)
        self.same = nn.ModuleList([nn.Conv2d(64, 64, 3, padding=1) for _ in range(4)])
        self.last = nn.Conv2d(64, 64, 3)
        self.hidden = nn.Linear(64, 256)
        self.dropout = nn.Dropout(0.5)
        self.out = nn.Linear(256, 10)

    def forward(self, x):
        x = functional.relu(self.second(functional.relu(self.first(x))))
        x = functional.max_pool2d(x, 3)
        for a, b in (self.same[:2], self.same[2:]):
            x = x + functional.relu(b(functional.relu(a(x))))
        x = functional.relu(self.last(x)).mean((2, 3))
        return self.out(self.dropout(functional.relu(self.hidden(x))))


class TicketRouter(nn.Module):
    def __init__(self):
        super().__init__()
        self.title_words, self.body_words = nn.Embedding(10000, 64), nn.Embedding(10000, 64)
        self.title, self.body = nn.LSTM(64, 128, batch_first=True), nn.LSTM(64, 32, batch_first=True)
        self.priority, self.department = nn.Linear(172, 1), nn.Linear(172, 4)

    def forward(self, tickets):
        title, body, tags = tickets
        title = self.title(self.title_words(title))[1][0][0]
        body = self.body(self.body_words(body))[1][0][0]
        x = torch.cat([title, body, tags], 1)
        return self.priority(x), self.department(x)


def ticket_loss(outputs, targets):
    return (functional.binary_cross_entropy_with_logits(outputs[0], targets[0]) +
            0.2 * functional.cross_entropy(outputs[1], targets[1]))


def tickets(batch):
    words = [torch.randint(0, 10000, (batch, columns)) for columns in (10, 100)]
    x = (*words, torch.randint(0, 2, (batch, 12)).float())
    return x, (torch.randint(0, 2, (batch, 1)).float(), torch.randint(0, 4, (batch,)))


def classes(*shape):
    return lambda batch: (torch.rand(batch, *shape), torch.randint(0, 10, (batch,)))


WORKLOADS = {
    "mlp": (lambda: Perceptron([64, 64]), classes(784), functional.cross_entropy),
    "mlp25m": (lambda: Perceptron([2800, 4000, 2900]), classes(784), functional.cross_entropy),
    "toy_resnet": (ToyResnet, classes(3, 32, 32), functional.cross_entropy),
    "ticket": (TicketRouter, tickets, ticket_loss),
}


class Trainer:
    def __init__(self, workload, batch):
        make_model, make_data, self.loss_function = WORKLOADS[workload]
        torch.manual_seed(1)
        model = make_model()
        self.model = nn.parallel.DistributedDataParallel(model)
        self.x, self.y = make_data(batch)
        self.optimizer = torch.optim.RMSprop(self.model.parameters(), lr=1e-4, alpha=0.9, eps=1e-7)
        self.loss = None

    def run(self, steps):
        """Makes the steps and returns the seconds they took."""
        begin = time.perf_counter()
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            self.loss = self.loss_function(self.model(self.x), self.y)
            self.loss.backward()
            self.optimizer.step()
        return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description="Times steps of PyTorch DDP; commands come on stdin.")
    parser.add_argument("--workload", choices=sorted(WORKLOADS), required=True)
    parser.add_argument("--batch", type=int, required=True, help="samples of one rank")
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--ranks", type=int, required=True)
    parser.add_argument("--store", required=True, help="a file that does not exist, through which ranks meet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as Strata does: denormal numbers would slow PyTorch down alone
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.distributed.init_process_group("gloo", init_method="file://" + options.store, rank=options.rank,
                                         world_size=options.ranks)
    trainer = Trainer(options.workload, options.batch)
    trainer.run(5)
    print("ready", flush=True)
    status = serve(trainer.run, lambda: {"torch": torch.__version__, "threads": torch.get_num_threads(),
                                         "loss": trainer.loss.item()})
    torch.distributed.destroy_process_group()
    return status


if __name__ == "__main__":
    sys.exit(main())
