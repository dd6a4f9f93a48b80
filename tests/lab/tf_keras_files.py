# SPDX-License-Identifier: Apache-2.0
"""Usage: tf_keras_files.py KERAS_FILE [MODEL...]: model files between real tf.keras 2 (the package tf_keras) and Strata.

For every model that Keras 2 can make: tf_keras builds it, trains it a little and saves it. KERAS_FILE (the example program)
loads that file, predicts, trains three steps and saves in tf.keras' dialect. tf_keras trains on as well. Compared are
Strata's predictions and losses with those of tf_keras; then Strata's file as tf_keras loads it, compiled and with the state
of its optimizer: predictions, and the losses of two more steps, of which the second depends on that state. The guide's
models without models in them are also saved in the default dialect, which tf_keras reads without compiling.
"""
import json
import logging
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import tf_keras as keras  # noqa: E402

sys.modules["keras"] = keras  # the models are made of what both have
from common import as_list, np, train  # noqa: E402
from model_files import MODELS, build, with_optimizer  # noqa: E402

# Keras 3 cannot save it: it gives several arrays one name.
MODELS["optimizer_adafactor"] = with_optimizer(lambda: keras.optimizers.Adafactor(0.01))
TOLERANCE = 1e-5
STEPS = 3
NOT_IN_KERAS_2 = {"heads", "optimizer_lamb", "optimizer_muon", "optimizer_accumulation"}
GUIDE = {"mnist_mlp", "autoencoder", "ticket_router", "shared_embedding", "toy_resnet"}
# tf_keras counts in Python how often it has multiplied Nadam's momenta, so that only eager steps follow its formula, and
# does not save the product.
NADAM = {"sequential", "optimizer_nadam"}
# What tf_keras does not read from its own files, with the state within a LossScaleOptimizer: a run that such a file
# continues is what there is to compare with.
FORGETFUL = NADAM | {"optimizer_loss_scale"}


def difference(a, b):
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return float(np.max(np.abs(a - b)) / max(1e-3, np.max(np.abs(b))))


class Complaints(logging.Handler):
    """What tf_keras logs: that it starts with another optimizer than the file has, for instance."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []
        logging.getLogger("tensorflow").addHandler(self)

    def emit(self, record):
        if "saved optimizer" in record.getMessage() or "not* compiled" in record.getMessage():
            self.texts.append(record.getMessage())


def compare_outputs(found, what, names, results, model, x):
    for k, (key, predicted) in enumerate(zip(names, as_list(model.predict(x, verbose=0)))):
        found[f"{what} {k}"] = difference(results[key], predicted)


def check(name, program, folder):
    model, x, y = build(name)
    model.run_eagerly = name in NADAM
    train(model, x, y, 2)
    before, trained, data, output = (folder / f for f in ("keras.h5", "strata.h5", "x.npz", "y.npz"))
    model.save(before)
    np.savez(data, **(x if isinstance(x, dict) else {"x": x}), **(y if isinstance(y, dict) else {"y": y}))
    command = [str(f) for f in (program, "--model", before, "--input", data, "--output", output)]

    def run(*more):
        subprocess.run([*command, *more], check=True, capture_output=True, text=True, timeout=120)
        return np.load(output)

    found = {}
    results = run("--save", str(trained))
    names = results.files
    compare_outputs(found, "prediction", names, results, model, x)
    if name in GUIDE:
        again = keras.models.load_model(trained, compile=False)
        compare_outputs(found, "tf_keras' prediction, default dialect,", names, results, again, x)

    results = run("--train-steps", str(STEPS), "--save", str(trained), "--dialect", "keras2")
    found["losses"] = difference(results["losses"], train(model, x, y, STEPS))
    compare_outputs(found, "trained prediction", names, results, model, x)

    complaints = Complaints()
    again = keras.models.load_model(trained)
    if complaints.texts and name != "optimizer_loss_scale":
        raise ValueError(" ".join(complaints.texts))
    compare_outputs(found, "tf_keras' prediction", names, results, again, x)
    if name in FORGETFUL:
        model.save(before)
        model = keras.models.load_model(before)
        model.run_eagerly = again.run_eagerly = name in NADAM
    found["tf_keras' next losses"] = difference(train(again, x, y, 2), train(model, x, y, 2))
    worst = max(found, key=found.get)
    print(f"{name:28} {worst}: {found[worst]:.1e}", flush=True)
    return found[worst] <= TOLERANCE


def main():
    program, *wanted = sys.argv[1:]
    failed, count = [], 0
    for name in MODELS:
        if name in NOT_IN_KERAS_2 or (wanted and name not in wanted):
            continue
        count += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                passed = check(name, pathlib.Path(program).resolve(), pathlib.Path(folder))
            except Exception as error:  # whatever keeps a file from being read
                print(f"{name:28} {getattr(error, 'stderr', None) or repr(error)}".rstrip(), flush=True)
                passed = False
        if not passed:
            failed.append(name)
    print(json.dumps({"models": count, "failed": failed}))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
