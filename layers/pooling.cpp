// SPDX-License-Identifier: Apache-2.0
#include "layers/pooling.h"

#include "core/base/error.h"
#include "core/ops/pooling.h"
#include "layers/layer_config.h"
#include "layers/spatial.h"

namespace strata {
namespace {

std::string class_name_of(const PoolingKind& kind) {
  std::string name = kind.kind;
  return name.replace(name.find("{}"), 2, std::to_string(kind.rank));
}

std::string mode_of(const std::string& padding) {
  if (padding == "valid" || padding == "same") return padding;
  throw ConfigError("Argument `padding` must be either 'valid' or 'same'. Received: padding=" + padding);
}

class PoolingLayer final : public Layer {
 public:
  PoolingLayer(const PoolingKind& kind, const Sizes& pool_size, const layers::PoolingOptions& options)
      : Layer({options.name, options.trainable, options.dtype}),
        kind_(kind),
        pool_size_(pool_size.expanded(kind.rank, "pool_size")),
        strides_((options.strides.empty() ? pool_size : options.strides).expanded(kind.rank, "strides")),
        padding_(mode_of(options.padding)),
        format_(options.data_format) {
    set_input_spec({{.rank = kind.rank + 2}});
  }

  std::string class_name() const override { return class_name_of(kind_); }
  Config config() const override {
    return Config::object({{"pool_size", tuple_config(pool_size_)},
                           {"padding", padding_},
                           {"strides", tuple_config(strides_)},
                           {"data_format", format_.name()}});
  }

  Tensor call(const Tensor& input, CallContext&) override {
    const std::vector<Dim> spatial = format_.spatial(input.shape());
    const Window window = padded_window(pool_size_, strides_, std::vector<Dim>(spatial.size(), 1), padding_, spatial);
    if (!has_positions(window, spatial)) {
      throw ShapeError("Computed output size would be zero or negative. Received: `inputs.shape=" +
                       array_text(input.shape().dims()) + "`, `pool_size=" + array_text(pool_size_) +
                       "`, `strides=" + tuple_text(strides_) + "`, `padding=" + padding_ + "`." + layer_suffix(name()));
    }
    return format_.from_channels_last(kind_.pool(format_.to_channels_last(input), window));
  }

 private:
  PoolingKind kind_;
  std::vector<Dim> pool_size_, strides_;
  std::string padding_;
  DataFormat format_;
};

LayerRef from_config(const PoolingKind& kind, const Config& config) {
  const LayerConfig arguments(class_name_of(kind), config, {"pool_size", "padding", "strides", "data_format"});
  const LayerOptions common = arguments.options();
  const layers::PoolingOptions options{.strides = Sizes::from_config(arguments.get("strides")),
                                       .padding = arguments.text("padding", "valid"),
                                       .data_format = arguments.text("data_format", ""),
                                       .name = common.name,
                                       .trainable = common.trainable,
                                       .dtype = common.dtype};
  return make_pooling(kind, arguments.has("pool_size") ? Sizes::from_config(arguments.get("pool_size")) : 2, options);
}

}  // namespace

PoolingKind max_pooling(int rank) { return {"MaxPooling{}D", rank, ops::max_pool}; }
PoolingKind average_pooling(int rank) { return {"AveragePooling{}D", rank, ops::average_pool}; }

LayerRef make_pooling(const PoolingKind& kind, const Sizes& pool_size, const layers::PoolingOptions& options) {
  return LayerRef(std::make_shared<PoolingLayer>(kind, pool_size, options));
}

LayerEntry pooling_entry(const PoolingKind& kind) {
  const Shape sample = Shape{5, 4, 3}.slice(0, kind.rank);
  const Shape last = Shape{2}.concat(sample).concat({3}), first = Shape{2, 3}.concat(sample);
  const auto example = [&](std::string label, const Sizes& size, const layers::PoolingOptions& options,
                           const Shape& x) {
    return layer_example(std::move(label), options, x,
                         [=](const layers::PoolingOptions& own) { return make_pooling(kind, size, own); });
  };
  return {class_name_of(kind),
          [kind](const Config& config) { return from_config(kind, config); },
          {example("default strides", 2, {}, last),
           example("overlapping, same", 3, {.strides = 2, .padding = "same"}, last),
           example("channels first", 2, {.strides = 1, .data_format = "channels_first"}, first)}};
}

}  // namespace strata
