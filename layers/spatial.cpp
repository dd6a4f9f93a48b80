// SPDX-License-Identifier: Apache-2.0
#include "layers/spatial.h"

#include <algorithm>
#include <cctype>

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

DataFormat::DataFormat(const std::string& name) : name_(name.empty() ? "channels_last" : lower_case(name)) {
  first_ = name_ == "channels_first";
  if (first_ || name_ == "channels_last") return;
  throw ConfigError(
      "The `data_format` argument must be one of {'channels_first', 'channels_last'}. Received: data_format=" + name_);
}

std::vector<Dim> DataFormat::spatial(const Shape& shape) const {
  const Shape dims = shape.slice(first_spatial_axis(), shape.rank() - (first_ ? 0 : 1));
  return {dims.begin(), dims.end()};
}

std::vector<int> DataFormat::spatial_axes(int rank) const {
  std::vector<int> axes;
  for (int i = 0; i < rank - 2; ++i) axes.push_back(first_spatial_axis() + i);
  return axes;
}

Tensor DataFormat::to_channels_last(const Tensor& x) const {
  if (!first_) return x;
  std::vector<int> permutation{0};
  for (int axis = 2; axis < x.rank(); ++axis) permutation.push_back(axis);
  permutation.push_back(1);
  return ops::transpose(x, std::move(permutation));
}

Tensor DataFormat::from_channels_last(const Tensor& x) const {
  if (!first_) return x;
  std::vector<int> permutation{0, x.rank() - 1};
  for (int axis = 1; axis < x.rank() - 1; ++axis) permutation.push_back(axis);
  return ops::transpose(x, std::move(permutation));
}

std::string padding_mode(const std::string& name, bool allow_causal) {
  std::string mode = lower_case(name);
  if (mode == "valid" || mode == "same" || (allow_causal && mode == "causal")) return mode;
  throw ConfigError(std::string("The `padding` argument must be a list/tuple or one of ") +
                    (allow_causal ? "{'valid', 'same', 'causal'}" : "{'valid', 'same'}") + ". Received: " + mode);
}

Window padded_window(const std::vector<Dim>& size, const std::vector<Dim>& strides, const std::vector<Dim>& dilation,
                     const std::string& mode, const std::vector<Dim>& spatial) {
  Window window;
  for (std::size_t i = 0; i < size.size(); ++i) {
    WindowAxis axis{.size = size[i], .stride = strides[i], .dilation = dilation[i]};
    if (mode == "same") axis = same_padded(axis, spatial[i]);
    if (mode == "causal") axis.before = axis.span() - 1;
    window.push_back(axis);
  }
  return window;
}

std::string layer_suffix(const std::string& name) { return " (layer: " + name + ")"; }

bool has_positions(const Window& window, const std::vector<Dim>& spatial) {
  return std::equal(window.begin(), window.end(), spatial.begin(), spatial.end(),
                    [](const WindowAxis& axis, Dim n) { return axis.positions(n) != 0; });
}

Config tuple_config(const std::vector<Dim>& values) {
  Config::List list;
  for (const Dim value : values) list.push_back(value);
  return list;
}

}  // namespace strata
