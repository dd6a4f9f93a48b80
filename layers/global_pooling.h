// SPDX-License-Identifier: Apache-2.0
// The options of the global pooling layers, and the one implementation behind them.
#pragma once

#include "core/model/layer.h"
#include "layers/registry.h"

namespace strata {
namespace layers {

struct GlobalPoolingOptions {
  std::string data_format = {};  // "channels_last" (also ""), "channels_first"
  bool keepdims = false;         // leave spatial axes of size 1
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

enum class GlobalPooling { max, average };

/// A GlobalMaxPooling{rank}D or GlobalAveragePooling{rank}D. Throws ConfigError for arguments that Keras refuses.
LayerRef make_global_pooling(GlobalPooling kind, int rank, const layers::GlobalPoolingOptions& options);
/// The registry's entry, with examples.
LayerEntry global_pooling_entry(GlobalPooling kind, int rank);

}  // namespace strata
