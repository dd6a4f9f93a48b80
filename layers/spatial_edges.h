// SPDX-License-Identifier: Apache-2.0
// What zero padding and cropping have in common: both change the ends of spatial axes.
#pragma once

#include "core/model/layer.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

/// Of the layers over two and three axes.
struct SpatialEdgesOptions {
  std::string data_format = {};  // "channels_last" (also ""), "channels_first"
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};
using ZeroPaddingOptions = SpatialEdgesOptions;
using CroppingOptions = SpatialEdgesOptions;

}  // namespace layers

enum class EdgeChange { zero_padding, cropping };

/// A ZeroPadding1D or Cropping1D; `ends` is the numbers at both ends. Only padding has a data_format. Throws
/// ConfigError for arguments that Keras refuses.
LayerRef make_edges_1d(EdgeChange change, const Sizes& ends, const layers::SpatialEdgesOptions& options);
/// The same for 2 or 3 axes.
LayerRef make_edges(EdgeChange change, int rank, const SizePairs& ends, const layers::SpatialEdgesOptions& options);
/// The registry's entry, with examples.
LayerEntry edges_entry(EdgeChange change, int rank);

}  // namespace strata
