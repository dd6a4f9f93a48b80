# SPDX-License-Identifier: Apache-2.0
"""optimizers.json: twenty steps of every optimizer and option, and learning-rate schedules. Run by generate.py."""
import json

import keras
import numpy as np
import tensorflow as tf
from keras import constraints
from keras import optimizers as o
from keras.optimizers import schedules
from common import grid, plain, write

STEPS = 20
SEEN = (1, 2, 5, STEPS)  # steps after which the variables are recorded
SHAPES = {"dense/kernel": (3, 5), "dense/bias": (5,), "conv/kernel": (2, 3, 3)}


def short(value):
    """Arrays of float32 in their shortest decimals, which round to the same bits."""
    array = np.asarray(value)
    return {"shape": list(array.shape), "dtype": str(array.dtype), "values": [float(str(v)) for v in array.reshape(-1)]}


def text_of(config):
    """As JSON text, which keeps the order of the keys."""
    return json.dumps(plain(config))


def gradients(rng):
    """Some so small that the place of epsilon in a formula shows, one that is always zero, and large ones to clip."""
    steps = [[grid(rng, *shape) for shape in SHAPES.values()] for _ in range(STEPS)]
    for kernel, bias, conv in steps:
        kernel[0] *= np.float32(2.0**-12)
        kernel[2, 3] = 0
        bias[4] *= np.float32(2.0**-20)
        conv[1] *= 4
    steps[0][1][0] = 0
    return steps


def make_variables(start, constraint):
    variables = []
    for path, value in zip(SHAPES, start):
        scope, name = path.split("/")
        with keras.name_scope(scope):
            variables.append(keras.Variable(value, name=name))
        variables[-1].constraint = constraint
    return variables


def spoilt(step, value):
    """The same with one element that is not finite."""
    changed = [gradient.copy() for gradient in step]
    changed[1][2] = value
    return changed


def keras_case(name, optimizer, start, steps, exclude=None, constraint=None, finalize=False, not_finite=None):
    variables = make_variables(start, constraint)
    config = keras.saving.serialize_keras_object(optimizer)
    optimizer.name = config["config"]["name"] = config["class_name"].lower()
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=exclude)
    after = {}
    for number, step in enumerate(steps, 1):
        if number in (not_finite or {}):
            step = spoilt(step, not_finite[number])
        optimizer.apply([tf.constant(gradient) for gradient in step], variables)
        if number in SEEN:
            after[number] = [short(variable) for variable in variables]
    slots = [v for v in optimizer.variables if v.path.split("/")[-1] not in ("iteration", "learning_rate")]
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(inner, o.Nadam) and inner is not optimizer:
        slots.append(inner._u_product)  # which Keras' LossScaleOptimizer does not list
    case = {"name": name, "optimizer": text_of(config), "exclude": exclude or [], "weights": after,
            "slots": [{"name": v.path, **short(v)} for v in slots], "iterations": int(optimizer.iterations)}
    if isinstance(inner, o.Nadam):
        case["slots"][-1]["exception"] = {
            "rtol": 4e-6, "reason": "u_product is rounded to float32 three times a step; Strata keeps it in float64"}
    if not_finite:
        case["not_finite"] = {number: str(value) for number, value in not_finite.items()}
    if constraint:
        case["constraint"] = text_of(keras.saving.serialize_keras_object(constraint))
    if finalize:
        optimizer.finalize_variable_values(variables)
        case["finalized"] = [short(variable) for variable in variables]
    return case


def lars_case(name, start, steps, learning_rate=0.5, momentum=0.9, trust_coefficient=0.01, beta=0.0, epsilon=0.0):
    """You, Gitman and Ginsburg 2017, algorithm 1, in float64."""
    weights = [value.astype(np.float64) for value in start]
    velocities = [np.zeros_like(value) for value in weights]
    after = {}
    for number, step in enumerate(steps, 1):
        for i, gradient in enumerate(step):
            w, g = weights[i], gradient.astype(np.float64)
            w_norm, g_norm = np.linalg.norm(w), np.linalg.norm(g)
            local = trust_coefficient * w_norm / (g_norm + beta * w_norm + epsilon) if w_norm > 0 and g_norm > 0 else 1.0
            velocities[i] = momentum * velocities[i] + learning_rate * local * (g + beta * w)
            weights[i] = w - velocities[i]
        if number in SEEN:
            after[number] = [short(w.astype(np.float32)) for w in weights]
    config = {"name": "lars", "learning_rate": learning_rate, "momentum": momentum,
              "trust_coefficient": trust_coefficient, "beta": beta, "epsilon": epsilon}
    names = [f"lars/{path.replace('/', '_')}_momentum" for path in SHAPES]
    return {"name": name, "optimizer": text_of({"class_name": "LARS", "config": config}), "exclude": [], "weights": after,
            "slots": [{"name": n, **short(v.astype(np.float32))} for n, v in zip(names, velocities)],
            "iterations": STEPS}


def rules(case):
    """Every optimizer, and every argument of its own at least once."""
    return [
        case("sgd", o.SGD()), case("sgd_momentum", o.SGD(0.1, momentum=0.9)),
        case("sgd_nesterov", o.SGD(0.1, momentum=0.9, nesterov=True)),
        case("rmsprop", o.RMSprop()), case("rmsprop_rho", o.RMSprop(0.05, rho=0.7, epsilon=1e-5)),
        case("rmsprop_momentum", o.RMSprop(0.05, momentum=0.8)), case("rmsprop_centered", o.RMSprop(0.05, centered=True)),
        case("rmsprop_all", o.RMSprop(0.05, rho=0.8, momentum=0.5, centered=True)),
        case("adam", o.Adam()), case("adam_betas", o.Adam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-4)),
        case("adam_amsgrad", o.Adam(0.05, beta_2=0.5, amsgrad=True)),
        case("adamw", o.AdamW()), case("adamw_decay", o.AdamW(0.05, weight_decay=0.2, amsgrad=True), exclude=["bias"]),
        case("adagrad", o.Adagrad()), case("adagrad_all", o.Adagrad(0.1, initial_accumulator_value=0.3, epsilon=1e-3)),
        case("adadelta", o.Adadelta()), case("adadelta_all", o.Adadelta(1.0, rho=0.8, epsilon=1e-4)),
        case("adamax", o.Adamax()), case("adamax_all", o.Adamax(0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3)),
        case("nadam", o.Nadam()), case("nadam_all", o.Nadam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-4)),
        case("ftrl", o.Ftrl()),
        case("ftrl_all", o.Ftrl(0.1, learning_rate_power=-0.7, initial_accumulator_value=0.2,
                                l1_regularization_strength=0.05, l2_regularization_strength=0.1,
                                l2_shrinkage_regularization_strength=0.02, beta=0.3)),
        case("lion", o.Lion()), case("lion_all", o.Lion(0.05, beta_1=0.7, beta_2=0.9)),
        case("lamb", o.Lamb()), case("lamb_all", o.Lamb(0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3)),
        case("adafactor", o.Adafactor()),
        case("adafactor_all", o.Adafactor(0.1, beta_2_decay=-0.6, epsilon_1=1e-5, epsilon_2=1e-2, clip_threshold=0.5,
                                          relative_step=False)),
        case("muon", o.Muon()),
        case("muon_all", o.Muon(0.05, adam_beta_1=0.8, adam_beta_2=0.9, adam_weight_decay=0.1, epsilon=1e-4,
                                weight_decay=0.2, muon_a=3.0, muon_b=-4.0, muon_c=2.0, adam_lr_ratio=0.5, momentum=0.8,
                                ns_steps=3, nesterov=False, rms_rate=None)),
        case("muon_excluded", o.Muon(0.05, exclude_layers=["den"], adam_weight_decay=None)),
    ]


def options(case):
    """Every option that all optimizers have, alone and in pairs that meet."""
    decay = schedules.ExponentialDecay(0.1, 3, 0.8)
    return [
        case("clipnorm", o.SGD(0.1, clipnorm=1.5)), case("clipvalue", o.SGD(0.1, clipvalue=0.5)),
        case("global_clipnorm", o.SGD(0.1, global_clipnorm=2.0)),
        case("global_clipnorm_unused", o.SGD(0.1, global_clipnorm=1000.0)),
        case("clipnorm_lamb", o.Lamb(0.05, clipnorm=1.0, weight_decay=0.1)),
        case("global_clipnorm_adafactor", o.Adafactor(0.1, global_clipnorm=1.0)),
        case("global_clipnorm_lamb", o.Lamb(0.05, global_clipnorm=1.0)),
        case("weight_decay", o.SGD(0.1, momentum=0.9, weight_decay=0.3)),
        case("weight_decay_excluded", o.SGD(0.1, weight_decay=0.3), exclude=["bias", "conv/k"]),
        case("weight_decay_ftrl", o.Ftrl(0.1, weight_decay=0.3)),
        case("ema", o.SGD(0.1, use_ema=True, ema_momentum=0.8), finalize=True),
        case("ema_overwrite", o.Adam(0.05, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3)),
        case("loss_scale_factor", o.Adam(0.05, loss_scale_factor=8.0)),
        case("loss_scale", o.LossScaleOptimizer(o.SGD(0.5, momentum=0.9, name="sgd"), initial_scale=16.0,
                                                dynamic_growth_steps=3), not_finite={5: np.inf, 6: np.nan, 15: -np.inf}),
        case("loss_scale_clipped", o.LossScaleOptimizer(o.Adam(0.05, global_clipnorm=0.5, weight_decay=0.1, name="adam"),
                                                        initial_scale=4.0, dynamic_growth_steps=4),
             not_finite={1: np.nan, 12: np.inf}),
        case("loss_scale_accumulation", o.LossScaleOptimizer(
            o.Nadam(decay, gradient_accumulation_steps=2, clipnorm=0.5, name="nadam"), initial_scale=2.0,
            dynamic_growth_steps=100), not_finite={4: np.inf}),
        case("accumulation", o.SGD(0.1, momentum=0.9, gradient_accumulation_steps=3)),
        case("accumulation_schedule_adam", o.Adam(decay, gradient_accumulation_steps=3, weight_decay=0.1)),
        case("accumulation_nadam", o.Nadam(0.05, gradient_accumulation_steps=3)),
        case("accumulation_clipnorm", o.RMSprop(0.05, gradient_accumulation_steps=2, clipnorm=0.5)),
        case("accumulation_global_clipnorm", o.Adam(0.05, gradient_accumulation_steps=4, global_clipnorm=0.5)),
        case("accumulation_ema", o.Lion(0.05, gradient_accumulation_steps=3, use_ema=True, ema_momentum=0.6,
                                        ema_overwrite_frequency=2)),
        case("accumulation_constraint", o.SGD(0.1, gradient_accumulation_steps=3),
             constraint=constraints.MinMaxNorm(0.5, 1.0, rate=0.25)),
        case("ema_constraint", o.SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=4),
             constraint=constraints.MaxNorm(1.0)),
        case("schedule", o.RMSprop(schedules.CosineDecay(0.0, 12, alpha=0.1, warmup_target=0.1, warmup_steps=4))),
        case("all_of_it", o.AdamW(decay, weight_decay=0.1, amsgrad=True, global_clipnorm=1.0, use_ema=True,
                                  ema_momentum=0.9, ema_overwrite_frequency=2, loss_scale_factor=4.0,
                                  gradient_accumulation_steps=2), exclude=["bias"], finalize=True),
    ]


def schedule_case(make, *args, **kwargs):
    """In float64, the dtype of the first argument. Keras takes the other numbers through float32: they are exact there."""
    schedule = make(*args, **kwargs)
    steps = [*range(0, 24), 29, 30, 31, 47, 60, 69, 71, 100, 1000]
    return {"schedule": text_of(keras.saving.serialize_keras_object(schedule)), "steps": steps,
            "rates": [float(schedule(tf.constant(step, tf.int64))) for step in steps]}


def schedule_cases():
    rate = np.float64(0.3)
    return [
        schedule_case(schedules.ExponentialDecay, rate, 7, 0.625),
        schedule_case(schedules.ExponentialDecay, rate, 7, 0.625, staircase=True),
        schedule_case(schedules.InverseTimeDecay, rate, 7, 0.625),
        schedule_case(schedules.InverseTimeDecay, rate, 7, 0.625, staircase=True),
        schedule_case(schedules.PolynomialDecay, rate, 20, end_learning_rate=0.0),
        schedule_case(schedules.PolynomialDecay, rate, 20, end_learning_rate=2.0**-7, power=2.5),
        schedule_case(schedules.PolynomialDecay, rate, 7, end_learning_rate=2.0**-7, power=0.5, cycle=True),
        schedule_case(schedules.PiecewiseConstantDecay, [3, 20, 60], [rate, np.float64(0.2), np.float64(0.1), np.float64(0)]),
        schedule_case(schedules.CosineDecay, rate, 30),
        schedule_case(schedules.CosineDecay, np.float64(0.01), 30, alpha=0.25, warmup_target=0.375, warmup_steps=9),
        schedule_case(schedules.CosineDecayRestarts, rate, 10),
        schedule_case(schedules.CosineDecayRestarts, rate, 10, t_mul=1.0, m_mul=0.75),
        schedule_case(schedules.CosineDecayRestarts, rate, 10, t_mul=1.5, m_mul=0.625, alpha=0.125),
    ]


def write_optimizers(folder):
    rng = np.random.default_rng(2)
    start = [grid(rng, *shape) for shape in SHAPES.values()]
    steps = gradients(rng)

    def case(name, optimizer, **kwargs):
        return keras_case(name, optimizer, start, steps, **kwargs)

    cases = rules(case) + options(case) + [
        lars_case("lars", start, steps), lars_case("lars_all", start, steps, 0.2, 0.7, 0.05, 0.1, 1e-3)]
    write(folder, "optimizers.json", {
        "paths": list(SHAPES), "initial_weights": [short(value) for value in start],
        "gradients": [[short(gradient) for gradient in step] for step in steps], "cases": cases,
        "schedules": schedule_cases()})
