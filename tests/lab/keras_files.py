# SPDX-License-Identifier: Apache-2.0
"""Usage: keras_files.py KERAS_FILE [MODEL...]: model files between real Keras 3 and Strata, both ways.

For every model: Keras builds it, trains it a little and saves it. KERAS_FILE (the example program) loads that file,
predicts, trains three steps and saves. Keras trains on as well. Compared are Strata's predictions with Keras', its
losses with those of Keras, and then Strata's file as Keras loads it: predictions, and the loss of one more step. So are
files of weights alone in Keras' own layout, which have the state of the optimizer, too.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
from common import as_list, train  # noqa: E402
from model_files import MODELS, build  # noqa: E402

TOLERANCE = 1e-5
STEPS = 3
CUSTOM = {"Lamb": keras.optimizers.Lamb}  # Keras forgets it when it reads


def difference(a, b):
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return float(np.max(np.abs(a - b)) / max(1e-3, np.max(np.abs(b))))


def restore_optimizer(model, path):
    """What load_model means to do: Keras 3.15 builds the optimizer for no variables, and then cannot train."""
    with h5py.File(path) as file:
        config = json.loads(file.attrs["training_config"])["optimizer_config"]
        optimizer = keras.optimizers.deserialize(config, CUSTOM)
        optimizer.build(model.trainable_variables)
        group = file["optimizer_weights"]
        saved = [str(n, "utf8") if isinstance(n, bytes) else n for n in group.attrs["weight_names"]]
        known = [v.path for v in optimizer.variables]
        if [group[key].shape for key in saved] != [tuple(v.shape) for v in optimizer.variables]:
            raise ValueError(f"the optimizer's state has other arrays: {saved} instead of {known}")
        for variable, key in zip(optimizer.variables, saved):
            variable.assign(group[key][()])
    model.optimizer = optimizer


def check(name, program, folder):
    model, x, y = build(name)
    untrained, before, trained, data, output = (folder / f for f in ("new.h5", "keras.h5", "strata.h5", "x.npz", "y.npz"))
    weights_before, weights, weights_trained = (folder / f"{f}.weights.h5" for f in ("keras", "strata", "trained"))
    model.save(untrained)
    train(model, x, y, 2)
    model.save(before)
    model.save_weights(weights_before)
    x_arrays = x if isinstance(x, dict) else {"x": x}
    y_arrays = y if isinstance(y, dict) else {"y": y}
    np.savez(data, **x_arrays, **y_arrays)
    found = {}

    def run(start, *more):
        command = [str(f) for f in (program, "--model", start, "--input", data, "--output", output, *more)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)

    run(before)
    names = [f for f in np.load(output).files]
    for k, (key, expected) in enumerate(zip(names, as_list(model.predict(x, verbose=0)))):
        found[f"prediction {k}"] = difference(np.load(output)[key], expected)

    run(untrained, "--weights", weights_before, "--save", weights)
    other, _, _ = build(name)
    other.load_weights(weights)
    predicted = as_list(other.predict(x, verbose=0))
    for k, (key, expected) in enumerate(zip(names, as_list(model.predict(x, verbose=0)))):
        found[f"weights' prediction {k}"] = difference(np.load(output)[key], expected)
        found[f"Keras' prediction of weights {k}"] = difference(predicted[k], expected)

    run(before, "--train-steps", STEPS, "--save", trained, weights_trained)
    results = np.load(output)
    found["losses"] = difference(results["losses"], train(model, x, y, STEPS))
    for k, (key, expected) in enumerate(zip(names, as_list(model.predict(x, verbose=0)))):
        found[f"trained prediction {k}"] = difference(results[key], expected)

    again = keras.models.load_model(trained, CUSTOM)
    for k, (key, predicted) in enumerate(zip(names, as_list(again.predict(x, verbose=0)))):
        found[f"Keras' prediction {k}"] = difference(predicted, results[key])
    restore_optimizer(again, trained)
    other, _, _ = build(name)
    train(other, x, y, 1)  # Keras loads the state of optimizers that have begun
    other.load_weights(weights_trained)
    next_loss = train(model, x, y, 1)
    found["Keras' next loss"] = difference(train(again, x, y, 1), next_loss)
    found["Keras' next loss from weights"] = difference(train(other, x, y, 1), next_loss)
    worst = max(found, key=found.get)
    print(f"{name:28} {worst}: {found[worst]:.1e}", flush=True)
    return found[worst] <= TOLERANCE


def main():
    program, *wanted = sys.argv[1:]
    failed = []
    for name in MODELS:
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                passed = check(name, pathlib.Path(program).resolve(), pathlib.Path(folder))
            except (subprocess.SubprocessError, ValueError, KeyError) as error:
                print(f"{name:28} {getattr(error, 'stderr', None) or error}".rstrip(), flush=True)
                passed = False
        if not passed:
            failed.append(name)
    print(json.dumps({"models": len(wanted or MODELS), "failed": failed}))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
