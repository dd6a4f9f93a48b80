# SPDX-License-Identifier: Apache-2.0
"""weight_rules.json: names, configs and values of initializers, regularizers and constraints. Run by generate.py."""
from common import grid, keras, np, tf, write
from keras import constraints, initializers, regularizers


def serialized(rule):
    return keras.saving.serialize_keras_object(rule)


def names(module, base):
    """Every name that module.get() takes, with what it stands for."""
    found = {}
    for name, cls in sorted(module.ALL_OBJECTS_DICT.items()):
        if cls is not base:
            found[name] = serialized(cls())
    return found


def drawn(shape, rule):
    """Statistics over many draws: the extremes show the limit of a uniform rule, the deviation that of a normal one."""
    count = max(1, 200_000 // max(1, int(np.prod(shape))))
    config = rule.get_config()
    values = np.concatenate([np.asarray(type(rule).from_config({**config, "seed": seed})(shape)).reshape(-1)
                             for seed in range(count)]).astype(np.float64)
    return {"config": serialized(rule), "shape": list(shape), "count": int(values.size), "mean": values.mean(),
            "std": values.std(), "min": values.min(), "max": values.max()}


def drawn_cases():
    i = initializers
    scaling = [i.GlorotUniform, i.GlorotNormal, i.HeUniform, i.HeNormal, i.LecunUniform, i.LecunNormal]
    cases = [drawn(shape, make()) for make in scaling for shape in ((50, 20), (3, 5, 4, 30))]
    cases += [drawn(shape, i.VarianceScaling(1.5, mode, distribution))
              for mode in ("fan_in", "fan_out", "fan_avg")
              for distribution in ("uniform", "truncated_normal", "untruncated_normal")
              for shape in ((40, 10), (3, 10, 40))]
    cases += [drawn((500,), i.HeUniform()), drawn((500,), i.GlorotNormal()),
              drawn((10, 5, 20), i.GlorotUniform(input_axes=[0], output_axes=[1, 2])),
              drawn((10, 5, 20), i.HeNormal(input_axes=[-1, 0], output_axes=[1])),
              drawn((10, 5, 20), i.VarianceScaling(2.0, "fan_out", "uniform", input_axes=[0], output_axes=[1, 2])),
              drawn((30, 40), i.RandomNormal(0.5, 0.125)), drawn((30, 40), i.RandomUniform(-0.25, 0.75)),
              drawn((30, 40), i.TruncatedNormal(-1.0, 0.5)), drawn((30, 20), i.Orthogonal(gain=2.0)),
              drawn((3, 5, 40), i.Orthogonal())]
    return cases


def fixed(shape, rule):
    return {"config": {**serialized(rule), "config": vars(rule)}, "value": rule(shape)}  # Identity leaves out its gain


def fixed_cases():
    i = initializers
    cases = [fixed((2, 3), i.Zeros()), fixed((2, 3), i.Ones()), fixed((3,), i.Constant(-2.5)), fixed((), i.Ones()),
             fixed((3, 4), i.Identity(0.5)), fixed((4, 2), i.Identity())]
    windows = ["hann", "hamming", "blackman", "nuttall", "blackmanharris", "flattop", "boxcar", None,
               [0.5, 1.0, -0.25, 2.0, 0.125, 0.75, 0.0]]
    cases += [fixed((7, 1, 5), i.STFT(side, window, "density", periodic))
              for window in windows for side, periodic in (("real", False), ("imag", True))]
    return cases + [fixed((7, 1, 4), i.STFT("real", window, scaling)) for window in ("hann", windows[-1], None)
                    for scaling in ("spectrum", None)] + [fixed((1, 1, 3), i.STFT()), fixed((3, 1, 3), i.STFT("imag"))]


def applied(rule, weight):
    """The value of a rule and the gradient of (the sum of squares of) it."""
    weight = tf.constant(weight)
    with tf.GradientTape() as tape:
        tape.watch(weight)
        value = tf.convert_to_tensor(rule(weight))
        total = tf.reduce_sum(tf.square(value))
    gradient = tape.gradient(total, weight, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return {"config": serialized(rule), "weight": weight, "value": value, "gradient": gradient}


def applied_regularizers(rng):
    r = regularizers
    matrix, kernel = grid(rng, 3, 5), grid(rng, 3, 2, 2, 3)
    short = matrix * np.float32([[1], [2.0**-21], [1]])  # a row of length 1e-6: longer than the bound 1e-7
    cases = [applied(rule, weight) for weight in (matrix, kernel)
             for rule in (r.L1(), r.L1(0.25), r.L2(), r.L2(0.5), r.L1L2(), r.L1L2(0.25, 0.5), r.L1L2(l2=0.125))]
    cases += [applied(r.OrthogonalRegularizer(factor, mode), weight) for weight in (matrix, matrix.T.copy(), short)
              for factor, mode in ((0.01, "rows"), (0.5, "columns"))]
    return cases


def applied_constraints(rng):
    c = constraints
    matrix, kernel = grid(rng, 3, 5), grid(rng, 3, 2, 2, 3)
    return [applied(rule, matrix) for rule in (
        c.MaxNorm(), c.MaxNorm(0.75), c.MaxNorm(1.5, axis=1), c.MaxNorm(1, axis=[0, 1]), c.NonNeg(), c.UnitNorm(),
        c.UnitNorm(axis=-1), c.MinMaxNorm(), c.MinMaxNorm(0.5, 1.25), c.MinMaxNorm(1.0, 1.5, 0.75, axis=1),
        c.MinMaxNorm(2.0, 3.0, rate=0.5, axis=[0, 1]))] + [applied(rule, kernel) for rule in (
            c.MaxNorm(1.0, axis=[0, 1, 2]), c.NonNeg(), c.UnitNorm(axis=[0, 1, 2]), c.MinMaxNorm(0.5, 1.0, axis=[0, 1, 2]))]


def write_weight_rules(folder):
    rng = np.random.default_rng(8)
    from keras.src import constraints as all_constraints, initializers as all_initializers
    from keras.src import regularizers as all_regularizers
    write(folder, "weight_rules.json", {
        "initializer_names": names(all_initializers, all_initializers.Initializer),
        "regularizer_names": names(all_regularizers, all_regularizers.Regularizer),
        "constraint_names": names(all_constraints, all_constraints.Constraint),
        "drawn": drawn_cases(), "fixed": fixed_cases(), "regularizers": applied_regularizers(rng),
        "constraints": applied_constraints(rng)})

