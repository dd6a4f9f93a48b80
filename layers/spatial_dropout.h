// SPDX-License-Identifier: Apache-2.0
// The options of the layers that drop out whole feature maps, and the one implementation behind them.
#pragma once

#include "layers/random_layer.h"
#include "layers/registry.h"

namespace strata {
namespace layers {

struct SpatialDropoutOptions {
  std::string data_format = {};  // "channels_last" (also ""), "channels_first"
  /// Instead of the session's seed.
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

/// SpatialDropout<rank>D. Throws ConfigError for arguments that Keras refuses.
LayerRef make_spatial_dropout(int rank, double rate, const layers::SpatialDropoutOptions& options);
/// The registry's entry, with examples.
LayerEntry spatial_dropout_entry(int rank);

}  // namespace strata
