// SPDX-License-Identifier: Apache-2.0
#include "layers/up_sampling.h"

#include <limits>

#include "core/base/error.h"
#include "core/ops/interpolation.h"
#include "core/ops/pooling.h"
#include "layers/layer_config.h"
#include "layers/spatial.h"

namespace strata {
namespace {

std::string class_name_of(int rank) { return "UpSampling" + std::to_string(rank) + "D"; }

std::vector<Dim> checked_size(int rank, const Sizes& size) {
  if (rank > 1) return size.expanded(rank, "size");
  const std::vector<Dim> one = size.expanded(1, "size", std::numeric_limits<Dim>::min());
  if (one[0] <= 0) {
    throw ConfigError("Argument `size` should be a positive integer. Received: size=" + std::to_string(one[0]));
  }
  return one;
}

/// Nothing for "nearest".
std::optional<Interpolation> kind_of(const std::string& name) {
  if (name == "bilinear") return Interpolation::linear;
  if (name == "nearest") return {};
  if (name == "lanczos3") return Interpolation::lanczos3;
  if (name == "lanczos5") return Interpolation::lanczos5;
  if (name == "bicubic") return Interpolation::cubic;
  throw ConfigError(
      "Invalid value for argument `interpolation`. Expected of one ('bilinear', 'nearest', 'lanczos3', 'lanczos5', "
      "'bicubic'). Received: interpolation=" +
      name);
}

class UpSamplingLayer final : public Layer {
 public:
  UpSamplingLayer(int rank, const Sizes& size, const layers::UpSampling2DOptions& options)
      : Layer({options.name, options.trainable, options.dtype}),
        size_(checked_size(rank, size)),
        format_(options.data_format),
        interpolation_(lower_case(options.interpolation)),
        kind_(kind_of(interpolation_)) {
    set_input_spec({{.rank = rank + 2}});
  }

  std::string class_name() const override { return class_name_of(rank()); }

  Config config() const override {
    if (rank() == 1) return Config::object({{"size", size_[0]}});
    Config config = Config::object({{"size", tuple_config(size_)}, {"data_format", format_.name()}});
    if (rank() == 2) config.set("interpolation", interpolation_);
    return config;
  }

  Tensor call(const Tensor& input, CallContext&) override {
    Tensor x = format_.to_channels_last(input);
    if (!kind_) {
      x = ops::upsample(x, size_);
    } else {
      for (int axis = 1; axis <= rank(); ++axis) {
        x = ops::interpolate(x, axis, size_[static_cast<std::size_t>(axis) - 1], *kind_);
      }
    }
    return format_.from_channels_last(x);
  }

 private:
  int rank() const { return static_cast<int>(size_.size()); }

  std::vector<Dim> size_;
  DataFormat format_;
  std::string interpolation_;
  std::optional<Interpolation> kind_;  // none: elements are repeated
};

LayerRef from_config(int rank, const Config& config) {
  std::vector<std::string> names{"size"};
  if (rank > 1) names.emplace_back("data_format");
  if (rank == 2) names.emplace_back("interpolation");
  const LayerConfig arguments(class_name_of(rank), config, names);
  const LayerOptions common = arguments.options();
  const layers::UpSampling2DOptions options{.data_format = arguments.text("data_format", ""),
                                            .interpolation = arguments.text("interpolation", "nearest"),
                                            .name = common.name,
                                            .trainable = common.trainable,
                                            .dtype = common.dtype};
  return make_up_sampling(rank, arguments.has("size") ? Sizes::from_config(arguments.get("size")) : 2, options);
}

}  // namespace

LayerRef make_up_sampling(int rank, const Sizes& size, const layers::UpSampling2DOptions& options) {
  return LayerRef(std::make_shared<UpSamplingLayer>(rank, size, options));
}

LayerEntry up_sampling_entry(int rank) {
  const Shape sample = Shape{3, 4, 2}.slice(0, rank);
  const Shape last = Shape{2}.concat(sample).concat({3}), first = Shape{2, 3}.concat(sample);
  const auto example = [&](std::string label, const Sizes& size, const layers::UpSampling2DOptions& options,
                           const Shape& x) {
    return layer_example(std::move(label), options, x,
                         [=](const layers::UpSampling2DOptions& own) { return make_up_sampling(rank, size, own); });
  };
  LayerEntry entry{class_name_of(rank),
                   [rank](const Config& config) { return from_config(rank, config); },
                   {example("nearest", 2, {}, last)}};
  if (rank > 1) entry.examples.push_back(example("channels first", 3, {.data_format = "channels_first"}, first));
  if (rank == 2) {
    entry.examples.push_back(example("bilinear", {2, 3}, {.interpolation = "bilinear"}, last));
    entry.examples.push_back(example("bicubic", {3, 2}, {.interpolation = "bicubic"}, last));
  }
  return entry;
}

}  // namespace strata
