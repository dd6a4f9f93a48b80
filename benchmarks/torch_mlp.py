# SPDX-License-Identifier: Apache-2.0
"""Times training steps of the MLP 784-64-64-10 in PyTorch eager mode, for mlp_step.cpp to interleave with its own.

RMSprop (learning rate 1e-3, rho 0.9, epsilon 1e-7), sparse cross-entropy on logits, batch 64, float32, one fixed batch.
A step is zero_grad(set_to_none=True), forward, loss, backward, optimizer.step().

Protocol, one line each: the program prints "ready" after warm-up. "run N" on stdin makes N steps and prints the seconds
they took; "info" prints one line of JSON (version, threads, optimizer, batch size, loss, number of denormal slots);
"quit" or end of input ends it. A line that is none of these ends it with status 2.
"""
import argparse
import sys
import time

import torch

from torch_serve import serve


def make_optimizer(parameters, kind):
    # PyTorch has no fused RMSprop: plain is one loop over the tensors, foreach groups them into multi-tensor calls.
    return torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=1e-7, foreach=kind == "foreach")


def make_model():
    return torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
                               torch.nn.Linear(64, 10))


class Trainer:
    """Owns model, batch and optimizer. Every CHUNK steps it goes back to the state after its first step, untimed."""

    # A fixed batch is learnt by heart in about 500 steps; then gradients vanish, RMSprop's averages decay to denormal
    # numbers, and a step takes half as long again (0.65 to 1.0 ms on an EPYC), which says nothing about training.
    CHUNK = 100

    def __init__(self, kind, batch_size):
        torch.manual_seed(1)
        self.x = torch.rand(batch_size, 784)
        self.y = torch.randint(0, 10, (batch_size,))
        self.model = make_model()
        self.loss_function = torch.nn.CrossEntropyLoss()
        self.optimizer = make_optimizer(self.model.parameters(), kind)
        self.loss = None
        self.step()  # makes the slots
        self.start = [(tensor, tensor.clone()) for tensor in [*self.model.state_dict().values(), *self.slots()]]

    def slots(self):
        return [state["square_avg"] for state in self.optimizer.state.values()]

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss = self.loss_function(self.model(self.x), self.y)
        self.loss.backward()
        self.optimizer.step()

    def restore(self):
        with torch.no_grad():
            for tensor, value in self.start:
                tensor.copy_(value)

    def run(self, steps):
        """Makes the steps and returns the seconds they took."""
        seconds = 0.0
        for first in range(0, steps, self.CHUNK):
            self.restore()
            begin = time.perf_counter()
            for _ in range(min(self.CHUNK, steps - first)):
                self.step()
            seconds += time.perf_counter() - begin
        return seconds

    def denormal_slots(self):
        tiny = torch.finfo(torch.float32).tiny
        return sum(int(((slot != 0) & (slot.abs() < tiny)).sum()) for slot in self.slots())


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, received {text}")
    return value


def main():
    parser = argparse.ArgumentParser(description="Times PyTorch training steps of an MLP; commands come on stdin.")
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--batch-size", type=positive, default=64)
    parser.add_argument("--optimizer", choices=["plain", "foreach"], default="plain")
    parser.add_argument("--warm-up", type=positive, default=300, help="steps before ready")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trainer = Trainer(options.optimizer, options.batch_size)
    trainer.run(options.warm_up)
    info = {"torch": torch.__version__, "threads": torch.get_num_threads(), "optimizer": options.optimizer,
            "batch_size": options.batch_size}
    print("ready", flush=True)
    return serve(trainer.run, lambda: {**info, "loss": trainer.loss.item(),
                                       "denormal_slots": trainer.denormal_slots()})


if __name__ == "__main__":
    sys.exit(main())
