# SPDX-License-Identifier: Apache-2.0
"""Summaries that tf.keras 2 (package tf-keras) prints with options, among them models expanded within models: the files
summaries/nested_*. Rows are laid out as TF 2.0 did, whose summary had no such options: see tf_2_0().
"""
import re

import tf_keras as keras
from tf_keras import layers


def chain():
    """A model in a model in a model, and a Sequential after it."""
    code = keras.Input((4,), name="code")
    core = keras.Model(code, layers.Dense(4, name="mix")(code), name="core")
    start = keras.Input((8,), name="start")
    middle = core(layers.Dense(4, activation="relu", name="narrow")(start))
    inner = keras.Model(start, layers.Dropout(0.5, name="drop")(middle), name="inner")
    head = keras.Sequential([keras.Input((4,), name="mixed"), layers.Dense(3, name="first"), layers.Dense(2, name="second")], name="head")
    inputs = keras.Input((8,), name="features")
    return keras.Model(inputs, layers.Softmax(name="odds")(head(inner(inputs))), name="chain")


def graph():
    """A model with branches, which is called twice, and a frozen Sequential beside it."""
    start = keras.Input((6,), name="start")
    shared = layers.Dense(6, name="shared")
    inner = keras.Model(start, layers.Add(name="skip")([shared(shared(start)), start]), name="inner")
    side = keras.Sequential([keras.Input((6,), name="row"), layers.Dense(6, name="first"), layers.Dense(6, name="second")], name="side")
    side.trainable = False
    inputs = keras.Input((6,), name="features")
    branches = [inner(inner(inputs)), side(inputs)]
    return keras.Model(inputs, layers.Dense(1, name="score")(layers.Add(name="sum")(branches)), name="graph")


class Block(keras.Model):
    def __init__(self):
        super().__init__(name="block")
        self.used = layers.Dense(4, name="used")
        self.unused = layers.Dense(4, name="unused")

    def call(self, inputs):
        return self.used(inputs)


def subclassed():
    """A subclassed model, of which a part is never called."""
    inputs = keras.Input((4,), name="features")
    return keras.Model(inputs, Block()(inputs), name="subclassed")


def connections(model):
    """What every layer is connected to, also in models within the model, where Keras prints nothing. In TF 2.0 the
    calls of models are counted from 1.
    """
    found = {}
    for layer in model.layers:
        depths = getattr(model, "_nodes_by_depth", {}).values()
        nodes = [node for node in layer._inbound_nodes if any(node in depth for depth in depths)]
        ends = [end for node in nodes for end in node.iterate_inbound()]
        found[layer.name] = [f"{source.name}[{node + hasattr(source, 'layers')}][{tensor}]" for source, node, tensor, _ in ends]
        if hasattr(layer, "layers"):
            found.update(connections(layer))
    return found


def tf_2_0(lines, ends, connected):
    """No space before the first column of the outer model, '_' between rows, connections as above, totals with commas
    but no bytes, models of class Model.
    """
    rows = []
    for line, following in zip(lines, lines[1:] + [""]):
        bars = len(line) - len(line.lstrip("|"))
        total = re.match(r"((Total|Trainable|Non-trainable) params: )(\d+) \(", line)
        if line.strip("| ") == "":
            rows += [] if following.startswith("=") else [line.replace(" ", "_")]
        elif total:
            rows.append(f"{total.group(1)}{int(total.group(3)):,}")
        elif line.startswith(("Model:", "_", "=")) or line[bars] == "¯":
            rows.append(line)
        else:
            rows += layer_rows(line, bars, ends, connected)
    return "".join(f"{row}\n" for row in rows)


def layer_rows(line, bars, ends, connected):
    """The rows of a layer, for the first of those that Keras prints, none for the others."""
    cells = [line[start:end] for start, end in zip([0, *ends], ends)]
    name = re.match(r"\|* ([^ ]+) \(", cells[0])
    cells[0] = cells[0].replace("(Functional)", "(Model)     ")
    if bars == 0:
        cells[0] = cells[0][1:] + " "
    if len(ends) == 3 or "Connected" in line:
        return ["".join(cells)]
    if name is None:
        return []
    first, *others = connected[name.group(1)] or [""]
    width = ends[3] - ends[2] - (bars if len(ends) == 4 else 0)
    rows = ["".join([*cells[:3], first.ljust(width), *cells[4:]])]
    frame = "|" * bars
    for other in others:
        rows.append(frame + " " * (ends[2] - bars) + other.ljust(ends[3] - ends[2]) + " " * (ends[-1] - ends[3] - bars) + frame)
    return [row[: ends[-1] - bars].ljust(ends[-1] - bars) + frame for row in rows]


CASES = {
    "nested_chain": (chain, [36, 72, 90], {"line_length": 90, "positions": [0.4, 0.8, 1.0], "expand_nested": True}),
    "nested_subclassed": (subclassed, [36, 72, 90], {"line_length": 90, "positions": [0.4, 0.8, 1.0], "expand_nested": True}),
    "nested_graph": (graph, [40, 60, 72, 100], {"line_length": 100, "positions": [40, 60, 72, 100], "expand_nested": True}),
    "nested_closed": (graph, [40, 60, 72, 100], {"line_length": 100, "positions": [0.4, 0.6, 0.72, 1.0]}),
    "nested_trainable": (
        graph,
        [40, 60, 72, 100, 111],
        {
            "line_length": 100,
            "positions": [0.4, 0.6, 0.72, 1.0],
            "expand_nested": True,
            "show_trainable": True,
            "layer_range": ["si", "sum"],
        },
    ),
}


def write_expanded_summaries(folder):
    (folder / "summaries").mkdir(exist_ok=True)
    for name, (make, ends, options) in CASES.items():
        lines, model = [], make()
        model.summary(print_fn=lines.append, **options)
        (folder / "summaries" / f"{name}.txt").write_text(tf_2_0(lines, ends, connections(model)))
