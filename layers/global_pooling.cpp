// SPDX-License-Identifier: Apache-2.0
#include "layers/global_pooling.h"

#include "core/ops/ops.h"
#include "layers/layer_config.h"
#include "layers/spatial.h"

namespace strata {
namespace {

std::string class_name_of(GlobalPooling kind, int rank) {
  return std::string("Global") + (kind == GlobalPooling::max ? "Max" : "Average") + "Pooling" + std::to_string(rank) +
         "D";
}

class GlobalPoolingLayer final : public Layer {
 public:
  GlobalPoolingLayer(GlobalPooling kind, int rank, const layers::GlobalPoolingOptions& options)
      : Layer({options.name, options.trainable, options.dtype}),
        kind_(kind),
        rank_(rank),
        format_(options.data_format),
        keepdims_(options.keepdims) {
    set_input_spec({{.rank = rank + 2}});
    set_supports_masking(takes_mask());
  }

  std::string class_name() const override { return class_name_of(kind_, rank_); }
  Config config() const override { return Config::object({{"data_format", format_.name()}, {"keepdims", keepdims_}}); }

  Tensor call(const Tensor& input, CallContext& context) override {
    const std::vector<int> axes = format_.spatial_axes(input.rank());
    if (kind_ == GlobalPooling::max) return ops::max(input, axes, keepdims_);
    if (takes_mask() && context.mask()) return masked_mean(input, context.mask(), axes);
    return ops::mean(input, axes, keepdims_);
  }

  /// The time axis is gone, and its mask with it.
  std::vector<Tensor> compute_mask(const std::vector<Tensor>&, const std::vector<Tensor>&, CallContext&) override {
    return {};
  }

 private:
  bool takes_mask() const { return kind_ == GlobalPooling::average && rank_ == 1; }

  /// The mean over the steps that count; NaN where none does, as in Keras.
  Tensor masked_mean(const Tensor& input, const Tensor& mask, const std::vector<int>& axes) const {
    const Tensor counts = ops::cast(ops::expand_dims(mask, format_.channels_first() ? 1 : 2), Dtype::boolean);
    const Tensor kept = ops::select(counts, input, scalar(0, input.dtype()));
    return ops::sum(kept, axes, keepdims_) / ops::sum(ops::cast(counts, input.dtype()), axes, keepdims_);
  }

  GlobalPooling kind_;
  int rank_;
  DataFormat format_;
  bool keepdims_;
};

LayerRef from_config(GlobalPooling kind, int rank, const Config& config) {
  const LayerConfig arguments(class_name_of(kind, rank), config, {"data_format", "keepdims"});
  const LayerOptions common = arguments.options();
  return make_global_pooling(kind, rank,
                             {.data_format = arguments.text("data_format", ""),
                              .keepdims = arguments.flag("keepdims", false),
                              .name = common.name,
                              .trainable = common.trainable,
                              .dtype = common.dtype});
}

}  // namespace

LayerRef make_global_pooling(GlobalPooling kind, int rank, const layers::GlobalPoolingOptions& options) {
  return LayerRef(std::make_shared<GlobalPoolingLayer>(kind, rank, options));
}

LayerEntry global_pooling_entry(GlobalPooling kind, int rank) {
  const Shape sample = Shape{4, 3, 2}.slice(0, rank);
  const Shape last = Shape{2}.concat(sample).concat({3}), first = Shape{2, 3}.concat(sample);
  const auto example = [&](std::string label, const layers::GlobalPoolingOptions& options, const Shape& x) {
    return layer_example(std::move(label), options, x,
                         [=](const layers::GlobalPoolingOptions& own) { return make_global_pooling(kind, rank, own); });
  };
  return {class_name_of(kind, rank),
          [=](const Config& config) { return from_config(kind, rank, config); },
          {example("vectors", {}, last), example("kept axes", {.keepdims = true}, last),
           example("channels first", {.data_format = "channels_first", .keepdims = true}, first)}};
}

}  // namespace strata
