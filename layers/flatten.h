// SPDX-License-Identifier: Apache-2.0
// Flatten: one axis for each sample.
#pragma once

#include <optional>
#include <string>

#include "core/model/layer.h"

namespace strata::layers {

struct FlattenOptions {
  std::string data_format = {};  // "channels_last" (also when empty), or "channels_first"
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// Input (batch, d1, ..., dn); output (batch, d1 * ... * dn), row-major, unknown where a dimension is. (batch,) becomes
/// (batch, 1). With "channels_first" d1, the channels, are moved to the end first. Throws ConfigError for another
/// format.
class Flatten : public LayerRef {
 public:
  explicit Flatten(const FlattenOptions& options = {});
};

}  // namespace strata::layers
