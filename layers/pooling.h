// SPDX-License-Identifier: Apache-2.0
// The options of the pooling layers with windows, and the one implementation behind them.
#pragma once

#include "core/model/layer.h"
#include "core/ops/window.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

struct PoolingOptions {
  Sizes strides = {};             // {} = pool_size
  std::string padding = "valid";  // "valid", "same"; padding counts neither as a maximum nor in an average
  std::string data_format = {};   // "channels_last" (also ""), "channels_first"
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

/// A pooling layer: its class name is `kind` with "{}" replaced by `rank`, and `pool` is what it applies.
struct PoolingKind {
  const char* kind;
  int rank;
  Tensor (*pool)(const Tensor& x, const Window& window);
};

PoolingKind max_pooling(int rank);
PoolingKind average_pooling(int rank);

/// Throws ConfigError for arguments that Keras refuses.
LayerRef make_pooling(const PoolingKind& kind, const Sizes& pool_size, const layers::PoolingOptions& options);
/// The registry's entry, with examples.
LayerEntry pooling_entry(const PoolingKind& kind);

}  // namespace strata
