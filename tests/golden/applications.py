# SPDX-License-Identifier: Apache-2.0
"""Models of keras.applications: their layers, what they predict with weights that follow a rule, and a weight file in
the layout of the one that Keras offers for VGG19.
"""
import json

import h5py

from common import keras, np, plain

apps = keras.applications
GRAPHS = [
    (apps.VGG16, {}),
    (apps.VGG16, {"include_top": False, "pooling": "max", "input_shape": (200, 150, 3)}),
    (apps.VGG19, {}),
    (apps.VGG19, {"include_top": False}),
    (apps.VGG19, {"include_top": False, "pooling": "avg", "name": "features"}),
    (apps.ResNet50, {}),
    (apps.ResNet50, {"include_top": False}),
    (apps.ResNet50, {"include_top": False, "pooling": "avg", "input_shape": (65, 97, 1)}),
    (apps.MobileNetV2, {}),
    (apps.MobileNetV2, {"include_top": False}),
    (apps.MobileNetV2, {"include_top": False, "pooling": "max", "input_shape": (75, 96, 3), "alpha": 0.35}),
    (apps.MobileNetV2, {"input_shape": (32, 32, 3), "alpha": 1.3, "classes": 7, "classifier_activation": None}),
]
PREDICTIONS = [
    (apps.VGG16, {"include_top": False, "pooling": "avg", "input_shape": (48, 32, 3)}),
    (apps.VGG19, {"include_top": False, "pooling": "max", "input_shape": (32, 48, 3)}),
    (apps.VGG16, {"input_shape": (32, 32, 3), "classes": 7}),
    (apps.ResNet50, {"include_top": False, "pooling": "avg", "input_shape": (64, 64, 3)}),
    (apps.ResNet50, {"input_shape": (32, 32, 3), "classes": 7, "classifier_activation": None}),
    (apps.MobileNetV2, {"include_top": False, "pooling": "avg", "input_shape": (64, 64, 3)}),
    (apps.MobileNetV2, {"input_shape": (33, 50, 3), "alpha": 0.5, "classes": 7}),
]


def noise(shape, height, stream):
    """Between -height and height: the number of the element and of the stream, mixed as by a 32-bit hash."""
    x = (np.arange(np.prod(shape), dtype="uint64") * 2654435761 + 12345 + stream * 40503) % 2**32
    x = ((x ^ (x >> 16)) * 0x45D9F3B) % 2**32
    x ^= x >> 16
    return (height * (x / 2.0**31 - 1.0)).reshape(shape).astype("float32")


def weight(variable, stream):
    """As high as He's uniform values for kernels; factors and variances near 1, offsets near 0."""
    shape = variable.shape
    if len(shape) > 1:
        depthwise = len(shape) == 4 and shape[3] == 1
        return noise(shape, np.sqrt(6.0 / np.prod(shape[:2] if depthwise else shape[:-1])), stream)
    return noise(shape, 0.1, stream) + np.float32(1 if variable.name in ("gamma", "moving_variance") else 0)


def layer_lines(model):
    """Name, class, output, weights, from which layers the inputs come, and what neither these nor predictions show. The
    input layer has no name here: Keras 3 numbers inputs in its own way.
    """
    names = {layer.name: "" if isinstance(layer, keras.layers.InputLayer) else layer.name for layer in model.layers}
    for layer in model.layers:
        weights = "".join(f" {variable.name} {variable.shape}" for variable in layer.weights)
        inbound = ", ".join(names[parent.operation.name] for parent in layer._inbound_nodes[0].parent_nodes)
        line = f"{names[layer.name]}: {type(layer).__name__} {layer.output.shape}{weights} <- {inbound}"
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        yield line + (f" (momentum {layer.momentum}, epsilon {layer.epsilon})" if normalizes else "")


def graph(build, options):
    keras.utils.clear_session()
    model = build(weights=None, **options)
    return {"model": build.__name__, "options": options, "name": model.name, "params": model.count_params(), "layers": list(layer_lines(model))}


def predictions(build, options):
    keras.utils.clear_session()
    model = build(weights=None, **options)
    for stream, variable in enumerate(model.weights):
        variable.assign(weight(variable, stream))
    images = noise((2, *options["input_shape"]), 1.0, 1000)
    outputs = model.predict(images, verbose=0)
    return {"model": build.__name__, "options": options, "shape": list(outputs.shape), "values": [float(f"{value:.9g}") for value in outputs[:, :64].ravel()]}


def preprocessed():
    """Of whole numbers and of others, in both orders of axes."""
    pixels = (np.arange(2 * 3 * 4 * 3) * 37 % 256).reshape(2, 3, 4, 3)
    for name in ("vgg16", "vgg19", "resnet50", "mobilenet_v2"):
        function = getattr(apps, name).preprocess_input
        for x, data_format in (
            (pixels.astype("uint8"), "channels_last"),
            (pixels.astype("float32") / 2, "channels_last"),
            (pixels[0].astype("float32"), "channels_last"),
            (pixels.transpose(0, 3, 1, 2).astype("float32"), "channels_first"),
            (pixels[1].transpose(2, 0, 1).astype("float32"), "channels_first"),
        ):
            yield {"name": name, "data_format": data_format, "x": x, "y": function(x.copy(), data_format=data_format)}


def write_vgg19(folder):
    """The layout of Keras' own vgg19_weights_tf_dim_ordering_tf_kernels.h5: no version, names of Keras 1. All elements
    of an array have the same value, which HDF5 stores once; features grow slowly from layer to layer.
    """
    model = apps.VGG19(weights=None)
    path = folder / "vgg19.h5"
    values = []
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{kind}_1:0".encode() for kind in "Wb"] if layer.weights else []
            group.attrs["weight_names"] = names
            for name, variable in zip(names, layer.weights):
                values.append(np.float32((1 + len(values) / 64) / np.prod(variable.shape[:-1])))
                group.create_dataset(name, shape=variable.shape, dtype="float32", fillvalue=values[-1])
    model.load_weights(path)
    assert [np.ravel(variable)[-1] for variable in model.weights] == values


def write_applications(folder):
    content = {
        "graphs": [graph(*case) for case in GRAPHS],
        "predictions": [predictions(*case) for case in PREDICTIONS],
        "preprocessed": list(preprocessed()),
    }
    lines = [f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(plain(case)) for case in cases) + "\n]" for key, cases in content.items()]
    (folder / "applications.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
