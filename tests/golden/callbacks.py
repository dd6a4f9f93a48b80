# SPDX-License-Identifier: Apache-2.0
"""callbacks.json: what callbacks do with given logs. Run by generate.py."""
import contextlib
import io
import warnings

from common import keras, np, write
from keras import layers


WATCHED = [1.0, 0.5, 0.49995, 0.7, 0.6, 0.4, 0.45, 0.45, 0.44, 0.39995, 0.5, 0.5, 0.5, 0.5]


def watched_model():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    model.evaluate(np.ones((1, 1)), np.ones((1, 1)), verbose=0)  # builds the metrics
    model.optimizer.learning_rate = 0.5
    return model


def callback_case(name, callback, config, key):
    """What a callback does when the log `key` takes the values WATCHED, one an epoch."""
    model = watched_model()
    callback.set_model(model)
    callback.on_train_begin()
    rates, epochs = [], 0
    for epoch, value in enumerate(WATCHED):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0, key: value})
        rates.append(float(np.asarray(model.optimizer.learning_rate)))
        epochs += 1
        if model.stop_training:
            break
    return {"name": name, "class_name": type(callback).__name__, "config": config, "key": key, "rates": rates,
            "epochs": epochs, "best": getattr(callback, "best", None), "best_epoch": getattr(callback, "best_epoch", 0),
            "stopped_epoch": getattr(callback, "stopped_epoch", 0)}


def checkpoint_case(name, filepath, config, key="val_loss", steps=0):
    """The files that ModelCheckpoint writes, and what it says, for the log `key` as above; with `steps` an epoch of so
    many batches has `loss` alone. Nothing is written."""
    from keras.callbacks import ModelCheckpoint
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callback = ModelCheckpoint(filepath, verbose=1, **config)
        model = watched_model()
        files = []
        model.save = model.save_weights = lambda path, overwrite: files.append(path)
        callback.set_model(model)
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            callback.on_train_begin()
            for epoch, value in enumerate(WATCHED):
                callback.on_epoch_begin(epoch)
                for batch in range(steps):
                    callback.on_train_batch_end(batch, {"loss": value + batch})
                callback.on_epoch_end(epoch, {"loss": 1.0} if steps else {"loss": 1.0, key: value})
            callback.on_train_end()
    said = [str(warning.message) for warning in caught]
    return {"name": name, "filepath": filepath, "config": config, "key": key, "steps": steps, "files": files,
            "text": text.getvalue(), "warnings": said, "best": callback.best}


def checkpoint_cases():
    best = {"save_best_only": True}
    return [checkpoint_case("every", "m.h5", {}),
            checkpoint_case("template", "{epoch:02d}-{val_loss:.2f}-{loss}.h5", {}),
            checkpoint_case("weights", "{{x}}/{epoch}.weights.h5", {"save_weights_only": True}),
            checkpoint_case("best", "best.h5", best),
            checkpoint_case("largest", "{epoch}.h5", {**best, "mode": "max"}),
            checkpoint_case("accuracy", "{val_accuracy:5.3f}.h5", {**best, "monitor": "val_accuracy"}, "val_accuracy"),
            checkpoint_case("threshold", "best.h5", {**best, "initial_value_threshold": 0.45}),
            checkpoint_case("absent", "best.h5", {**best, "monitor": "val_mae", "mode": "min"}),
            checkpoint_case("batches", "{epoch}_{batch:03d}_{loss:.1e}.h5", {"save_freq": 4}, steps=3),
            checkpoint_case("best_of_batches", "{batch}.h5", {**best, "save_freq": 5, "monitor": "loss", "mode": "min",
                            "initial_value_threshold": 2.0}, steps=3)]


def write_callbacks(folder):
    from keras import callbacks
    cases = []
    for name, config in (("default", {}), ("patience", {"patience": 3}), ("delta", {"patience": 3, "min_delta": 0.01}),
                         ("baseline", {"patience": 4, "baseline": 0.45}), ("start", {"patience": 1,
                          "start_from_epoch": 4}), ("max", {"patience": 2, "mode": "max"}),
                         ("accuracy", {"patience": 2, "monitor": "val_accuracy"})):
        cases.append(callback_case(f"early_stopping_{name}", callbacks.EarlyStopping(**config), config,
                                   config.get("monitor", "val_loss")))
    for name, config in (("default", {}), ("patience", {"patience": 2}), ("floor", {"patience": 1, "min_lr": 0.1,
                          "factor": 0.5}), ("cooldown", {"patience": 1, "cooldown": 2, "factor": 0.5}),
                         ("delta", {"patience": 2, "min_delta": 0.0, "factor": 0.25})):
        cases.append(callback_case(f"reduce_{name}", callbacks.ReduceLROnPlateau(**config), config, "val_loss"))
    path = folder / "log.csv.tmp"
    logger = callbacks.CSVLogger(str(path))
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 0.1, "accuracy": 1e-07})
    logger.on_epoch_end(1, {"loss": 123456789.0, "accuracy": 0.3414202034473419, "val_loss": 2.0})
    logger.on_train_end()
    text = path.read_bytes().decode()
    path.unlink()
    write(folder, "callbacks.json", {"values": WATCHED, "cases": cases, "checkpoints": checkpoint_cases(),
                                      "csv": text})
