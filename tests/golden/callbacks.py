# SPDX-License-Identifier: Apache-2.0
"""callbacks.json: what callbacks do with given logs. Run by generate.py."""
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
    write(folder, "callbacks.json", {"values": WATCHED, "cases": cases, "csv": text})
