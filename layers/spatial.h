// SPDX-License-Identifier: Apache-2.0
// What layers over spatial axes have in common: the order of axes, padding modes, and configs of tuples.
#pragma once

#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/ops/window.h"
#include "core/tensor/tensor.h"

namespace strata {

/// "channels_last": (batch, spatial..., channels), or "channels_first": (batch, channels, spatial...).
class DataFormat {
 public:
  /// "" = "channels_last". Throws ConfigError for another name.
  explicit DataFormat(const std::string& name);

  const std::string& name() const { return name_; }
  bool channels_first() const { return first_; }
  /// Of a tensor with `rank` axes.
  int channel_axis(int rank) const { return first_ ? 1 : rank - 1; }
  int first_spatial_axis() const { return first_ ? 2 : 1; }
  std::vector<Dim> spatial(const Shape& shape) const;
  std::vector<int> spatial_axes(int rank) const;

  /// x with its channels moved to the end, and back.
  Tensor to_channels_last(const Tensor& x) const;
  Tensor from_channels_last(const Tensor& x) const;

 private:
  std::string name_;
  bool first_;
};

/// Keras takes most names of options in either case.
std::string lower_case(std::string text);

/// The name in lower case. Throws ConfigError unless "valid", "same", or with `allow_causal` "causal".
std::string padding_mode(const std::string& name, bool allow_causal);

/// Windows over `spatial` elements (None = unknown) with the padding of `mode`: "valid" none, "same" as
/// same_padded(), "causal" all before, so that no position sees what comes after it.
Window padded_window(const std::vector<Dim>& size, const std::vector<Dim>& strides, const std::vector<Dim>& dilation,
                     const std::string& mode, const std::vector<Dim>& spatial);

/// " (layer: conv2d)": the end of a message in Keras' words, which do not name the layer.
std::string layer_suffix(const std::string& name);

/// Whether the windows have a position on each axis, as far as known.
bool has_positions(const Window& window, const std::vector<Dim>& spatial);

/// A list of numbers, as Keras writes a tuple.
Config tuple_config(const std::vector<Dim>& values);

}  // namespace strata
