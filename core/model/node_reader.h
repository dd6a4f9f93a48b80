// SPDX-License-Identifier: Apache-2.0
// Internal: the calls of layers in the config of a functional model.
#pragma once

#include <functional>
#include <optional>

#include "core/model/layer_op.h"

namespace strata {

/// Where a tensor of a config comes from.
struct TensorHistory {
  std::string layer;
  int call = 0;
  int output = 0;
};

/// `["dense", 0, 0]`, `["dense", 0, 0, {...}]`; empty for anything else.
std::optional<TensorHistory> list_history(const Config& value);
/// Keras 3's `{"class_name": "__keras_tensor__", "config": {"keras_history": ["dense", 0, 0], ...}}`; empty for
/// anything else.
std::optional<TensorHistory> keras_tensor_history(const Config& value);

/// The values of an object in the order in which Keras goes through a dictionary: by key.
Config::List values_by_name(const Config& object);
/// Whether an inbound node is in Keras 3's form, {"args", "kwargs"}.
bool is_keras3_node(const Config& node);

/// Gives the tensor of a history; an empty handle when the call that makes it has not been read yet.
using TensorLookup = std::function<Tensor(const TensorHistory&)>;

/// The arguments of one inbound node of `layer`: a list of `[layer, call, output, keyword arguments]`, or an object of
/// them for a model whose inputs have names, as tf.keras 2 writes it, or {"args", "kwargs"} as Keras 3 does. Empty when
/// a tensor is not there yet. Throws ConfigError for anything else.
std::optional<CallArguments> read_node(const Config& node, const Layer& layer, const TensorLookup& lookup);

}  // namespace strata
