// SPDX-License-Identifier: Apache-2.0
// What the upsampling layers have in common: options, and the implementation behind them.
#pragma once

#include "core/model/layer.h"
#include "layers/registry.h"
#include "layers/sizes.h"

namespace strata {
namespace layers {

struct UpSampling2DOptions {
  std::string data_format = {};  // "channels_last" (also ""), "channels_first"
  /// "nearest" repeats elements; "bilinear", "bicubic", "lanczos3" and "lanczos5" weigh those around by their distance,
  /// see ops::interpolate.
  std::string interpolation = "nearest";
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

struct UpSampling3DOptions {
  std::string data_format = {};  // "channels_last" (also ""), "channels_first"
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

/// An UpSampling{rank}D; the argument `interpolation` is that of rank 2, `data_format` of ranks 2 and 3. Throws
/// ConfigError for arguments that Keras refuses.
LayerRef make_up_sampling(int rank, const Sizes& size, const layers::UpSampling2DOptions& options);
/// The registry's entry, with examples.
LayerEntry up_sampling_entry(int rank);

}  // namespace strata
