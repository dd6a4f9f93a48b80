# SPDX-License-Identifier: Apache-2.0
"""initializers.json: statistics of random initial values. Run by generate.py."""
from common import keras, np, write


QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def initializer_case(name, shape):
    """Statistics over many draws of the same shape: the shape sets the scale, the number of draws the precision."""
    draws = max(1, 2_000_000 // int(np.prod(shape))) if name != "orthogonal" else 40
    make = keras.initializers.get(name).__class__
    seeded = name not in ("zeros", "ones")
    values = [np.asarray((make(seed=seed) if seeded else make())(shape)) for seed in range(draws)]
    pooled = np.concatenate([value.reshape(-1) for value in values]).astype(np.float64)
    case = {"name": name, "shape": list(shape), "draws": draws, "count": pooled.size, "mean": pooled.mean(),
            "std": pooled.std(), "min": pooled.min(), "max": pooled.max(), "quantile_levels": QUANTILES,
            "quantiles": np.quantile(pooled, QUANTILES).tolist()}
    if name == "orthogonal":
        matrix = values[0].reshape(-1, shape[-1]).astype(np.float64)
        case["columns_gram_error"] = np.abs(matrix.T @ matrix - np.eye(shape[-1])).max()
    return case


def write_initializers(folder):
    names = ["glorot_uniform", "he_normal", "lecun_uniform", "random_normal", "truncated_normal", "random_uniform",
             "orthogonal", "zeros", "ones"]
    write(folder, "initializers.json", {
        "cases": [initializer_case(name, shape) for name in names for shape in ((784, 64), (3, 3, 16, 32))]})
