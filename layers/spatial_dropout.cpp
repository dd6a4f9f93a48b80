// SPDX-License-Identifier: Apache-2.0
#include "layers/spatial_dropout.h"

#include "layers/dropout_mask.h"
#include "layers/spatial.h"

namespace strata {
namespace {

std::string class_name_of(int rank) { return "SpatialDropout" + std::to_string(rank) + "D"; }

class SpatialDropoutLayer final : public RandomLayer {
 public:
  SpatialDropoutLayer(int rank, double rate, const layers::SpatialDropoutOptions& options)
      : RandomLayer("rate", rate, options.seed, {options.name, options.trainable, options.dtype}),
        rank_(rank),
        format_(options.data_format) {
    set_input_spec({{.rank = rank + 2}});
  }

  std::string class_name() const override { return class_name_of(rank_); }
  Config config() const override {
    Config all = RandomLayer::config();
    if (rank_ > 1) all.set("data_format", format_.name());  // Keras knows SpatialDropout1D with channels last only
    return all;
  }

 private:
  Tensor change(const Tensor& input, const RandomKey& key) const override {
    Shape maps = input.shape();
    for (const int axis : format_.spatial_axes(maps.rank())) maps = maps.with(axis, 1);
    return drop_out(input, maps, value(), key);
  }

  int rank_;
  DataFormat format_;
};

LayerRef from_config(int rank, const Config& config) {
  std::vector<std::string> known{"rate", "seed"};
  if (rank > 1) known.emplace_back("data_format");
  const LayerConfig arguments(class_name_of(rank), config, known);
  auto options = random_options<layers::SpatialDropoutOptions>(arguments);
  options.data_format = arguments.text("data_format", "");
  return make_spatial_dropout(rank, arguments.number("rate"), options);
}

}  // namespace

LayerRef make_spatial_dropout(int rank, double rate, const layers::SpatialDropoutOptions& options) {
  return LayerRef(std::make_shared<SpatialDropoutLayer>(rank, rate, options));
}

LayerEntry spatial_dropout_entry(int rank) {
  const Shape sample = Shape{2, 3, 2}.slice(0, rank);
  const auto example = [&](const char* format, const Shape& input) {
    const auto make = [=](Dtype dtype) {
      return make_spatial_dropout(rank, 0.4,
                                  {.data_format = format, .seed = 3, .name = "spatial_dropout", .dtype = dtype});
    };
    return LayerExample{format, make, {input}};
  };
  LayerEntry entry{class_name_of(rank),
                   [rank](const Config& config) { return from_config(rank, config); },
                   {example("channels_last", Shape{3}.concat(sample).concat({4}))}};
  if (rank > 1) entry.examples.push_back(example("channels_first", Shape{3, 4}.concat(sample)));
  return entry;
}

}  // namespace strata
