#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what ./dev bench measured between ranks: tools/plot_bench.py DIRECTORY PICTURE (by its ending: png, svg or pdf).

Three pictures side by side, each left out when DIRECTORY lacks its file: the speed of sums by size (mpi_allreduce_2.json),
training steps against steps without communication (mpi_step.json), and steps of more blocks than ranks
(blocks_step_2.json)."""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (after the choice of where to draw)


def draw_sums(axes, report):
    sizes = report["sizes"]
    size = [s["bytes"] for s in sizes]
    lines = {"Strata": [s["seconds"] for s in sizes], "MPI_Allreduce": [s["mpi_seconds"] for s in sizes]}
    window = [s["seconds"] * s["of_bare_window"] if "of_bare_window" in s else None for s in sizes]
    if any(window):
        lines["bare loop in shared memory"] = window
    for name, seconds in lines.items():
        points = [(b, b / t / 1e9) for b, t in zip(size, seconds) if t]
        axes.plot(*zip(*points), marker="o", label=name)
    axes.legend(fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel="bytes summed", ylabel="GB/s", title=f"Sums of {report['ranks']} ranks")


def draw_steps(axes, report):
    models = {name: times for name, times in report.items() if isinstance(times, dict)}
    contenders = [name for name in next(iter(models.values())) if name not in ("batch_a_rank", "no communication")]
    width = 0.8 / len(contenders)
    for i, contender in enumerate(contenders):
        ratios = [m[contender]["over_strata"] / m["no communication"]["over_strata"] for m in models.values()]
        bars = axes.bar([x + i * width for x in range(len(models))], ratios, width, label=contender)
        axes.bar_label(bars, fmt="%.2f", fontsize=7, rotation=90, padding=2)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.margins(y=0.2)
    axes.legend(fontsize=8)
    axes.set_xticks([x + 0.4 - width / 2 for x in range(len(models))], models)
    axes.set(yscale="log", ylabel="times a step without communication", title=f"Training steps of {report['ranks']} ranks")


def draw_blocks(axes, report):
    ratios = {name: times["ratio"] for name, times in report.items() if isinstance(times, dict)}
    axes.bar_label(axes.bar(ratios.keys(), ratios.values()), fmt="%.2f")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.tick_params(axis="x", labelrotation=30)
    axes.set(ylabel=f"times a step of {report['ranks']} blocks", title=f"{report['blocks']} blocks on {report['ranks']} ranks")


PANELS = {"mpi_allreduce_2.json": draw_sums, "mpi_step.json": draw_steps, "blocks_step_2.json": draw_blocks}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    directory = pathlib.Path(sys.argv[1])
    found = {draw: json.loads((directory / name).read_text()) for name, draw in PANELS.items() if (directory / name).exists()}
    if not found:
        sys.exit(f"plot_bench: expected one of {', '.join(PANELS)} in {directory}: ./dev bench writes them")
    figure, axes = pyplot.subplots(1, len(found), figsize=(6 * len(found), 4.5), squeeze=False, layout="constrained")
    for panel, (draw, report) in zip(axes[0], found.items()):
        draw(panel, report)
    figure.savefig(sys.argv[2], dpi=120)


if __name__ == "__main__":
    main()
