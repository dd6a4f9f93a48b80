// SPDX-License-Identifier: Apache-2.0
// StackedRNNCells: cells on top of each other, as one cell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/layer.h"

namespace strata::layers {

struct StackedRNNCellsOptions {
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

/// In each step a cell reads the output of the one before it. The states are those of all cells, in order.
class StackedRNNCells : public LayerRef {
 public:
  /// Throws ConfigError for a layer that is no cell, and for no cells.
  explicit StackedRNNCells(const std::vector<LayerRef>& cells, const StackedRNNCellsOptions& options = {});
};

}  // namespace strata::layers
