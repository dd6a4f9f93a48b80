// SPDX-License-Identifier: Apache-2.0
#include "layers/spatial_edges.h"

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/ops/ops.h"
#include "layers/layer_config.h"
#include "layers/spatial.h"

namespace strata {
namespace {

std::string class_name_of(EdgeChange change, int rank) {
  return (change == EdgeChange::cropping ? "Cropping" : "ZeroPadding") + std::to_string(rank) + "D";
}

std::string argument_of(EdgeChange change) { return change == EdgeChange::cropping ? "cropping" : "padding"; }

/// Numbers at both ends of each axis.
using Ends = std::vector<std::vector<Dim>>;

Ends checked_ends(EdgeChange change, int rank, const SizePairs& given) {
  const std::string argument = argument_of(change);
  if (given.is_one_number()) {
    if (given.number() < 0) {
      throw ConfigError("`" + argument + "` cannot be negative. Received: " + argument + "=" + given.text() + ".");
    }
    return Ends(static_cast<std::size_t>(rank), {given.number(), given.number()});
  }
  if (given.pairs().size() != static_cast<std::size_t>(rank)) {
    throw ConfigError("`" + argument + "` should have " + (rank == 2 ? "two" : std::to_string(rank)) +
                      " elements. Received: " + argument + "=" + given.text() + ".");
  }
  constexpr const char* kEntries[] = {"1st entry of ", "2nd entry of ", "3rd entry of "};
  Ends ends;
  for (const Sizes& pair : given.pairs()) ends.push_back(pair.expanded(2, kEntries[ends.size()] + argument, 0));
  return ends;
}

class EdgesLayer final : public Layer {
 public:
  EdgesLayer(EdgeChange change, Ends ends, const layers::SpatialEdgesOptions& options)
      : Layer({options.name, options.trainable, options.dtype}),
        change_(change),
        ends_(std::move(ends)),
        format_(options.data_format) {
    set_input_spec({{.rank = rank() + 2}});
  }

  std::string class_name() const override { return class_name_of(change_, rank()); }

  Config config() const override {
    Config::List pairs;
    for (const std::vector<Dim>& pair : ends_) pairs.push_back(tuple_config(pair));
    Config config = Config::object({{argument_of(change_), rank() == 1 ? pairs[0] : Config(pairs)}});
    // tf.keras' ZeroPadding1D has no data_format either, and refuses one: as it should what is not the usual one.
    const bool unsaid = ConfigDialectScope::current() == ConfigDialect::keras2 && format_.name() == "channels_last";
    const bool without = class_name() == "Cropping1D" || (rank() == 1 && unsaid);
    return without ? config : config.set("data_format", format_.name());
  }

  Tensor call(const Tensor& input, CallContext&) override {
    return change_ == EdgeChange::cropping ? cropped(input) : padded(input);
  }

 private:
  int rank() const { return static_cast<int>(ends_.size()); }

  Tensor padded(const Tensor& input) const {
    std::vector<Dim> before(static_cast<std::size_t>(input.rank()), 0), after = before;
    auto axis = static_cast<std::size_t>(format_.first_spatial_axis());
    for (const std::vector<Dim>& pair : ends_) {
      before[axis] = pair[0];
      after[axis++] = pair[1];
    }
    return ops::pad(input, before, after);
  }

  Tensor cropped(const Tensor& input) const {
    std::vector<Dim> begin(static_cast<std::size_t>(input.rank()), 0);
    std::vector<Dim> end(input.shape().begin(), input.shape().end());
    auto axis = static_cast<std::size_t>(format_.first_spatial_axis());
    for (const std::vector<Dim>& pair : ends_) {
      // What is not known while the model is being defined is known in every program.
      if (end[axis] != None) {
        if (pair[0] + pair[1] >= end[axis]) fail(input.shape());
        end[axis] -= pair[1];
      }
      begin[axis++] = pair[0];
    }
    return ops::slice(input, begin, end);
  }

  [[noreturn]] void fail(const Shape& input) const {
    std::string text;
    for (const std::vector<Dim>& pair : ends_) text += (text.empty() ? "" : ", ") + tuple_text(pair);
    if (rank() > 1) text = "(" + text + ")";
    throw ShapeError(
        (rank() == 1 ? "`cropping` parameter of `Cropping1D` layer must be smaller than the input length."
                     : std::string("Values in `cropping` argument should be smaller than the corresponding spatial "
                                   "dimension of the input.")) +
        " Received: input_shape=" + input.str() + ", cropping=" + text + layer_suffix(name()));
  }

  EdgeChange change_;
  Ends ends_;
  DataFormat format_;
};

LayerRef from_config(EdgeChange change, int rank, const Config& config) {
  const std::string argument = argument_of(change);
  std::vector<std::string> names{argument};
  if (change == EdgeChange::zero_padding || rank > 1) names.emplace_back("data_format");
  const LayerConfig arguments(class_name_of(change, rank), config, names);
  const LayerOptions common = arguments.options();
  const layers::SpatialEdgesOptions options{.data_format = arguments.text("data_format", ""),
                                            .name = common.name,
                                            .trainable = common.trainable,
                                            .dtype = common.dtype};
  const Dim otherwise = change == EdgeChange::cropping && rank == 2 ? 0 : 1;
  const Config given = arguments.has(argument) ? arguments.get(argument) : Config(otherwise);
  if (rank == 1) return make_edges_1d(change, Sizes::from_config(given), options);
  return make_edges(change, rank, SizePairs::from_config(given), options);
}

}  // namespace

LayerRef make_edges_1d(EdgeChange change, const Sizes& ends, const layers::SpatialEdgesOptions& options) {
  const Ends checked{ends.expanded(2, argument_of(change), 0)};
  return LayerRef(std::make_shared<EdgesLayer>(change, checked, options));
}

LayerRef make_edges(EdgeChange change, int rank, const SizePairs& ends, const layers::SpatialEdgesOptions& options) {
  return LayerRef(std::make_shared<EdgesLayer>(change, checked_ends(change, rank, ends), options));
}

LayerEntry edges_entry(EdgeChange change, int rank) {
  const Shape sample = Shape{5, 4, 6}.slice(0, rank);
  const Shape last = Shape{2}.concat(sample).concat({3}), first = Shape{2, 3}.concat(sample);
  const auto example = [=](std::string label, const std::string& format, const Shape& x) {
    const auto make = [=](Dtype dtype) {
      const layers::SpatialEdgesOptions options{.data_format = format, .name = "edges", .dtype = dtype};
      if (rank == 1) return make_edges_1d(change, {1, 2}, options);
      if (rank == 2) return make_edges(change, rank, {{1, 2}, {0, 3}}, options);
      return make_edges(change, rank, {{1, 2}, {0, 3}, {2, 0}}, options);
    };
    return LayerExample{std::move(label), make, {x}};
  };
  LayerEntry entry{class_name_of(change, rank),
                   [=](const Config& config) { return from_config(change, rank, config); },
                   {example("different ends", "", last)}};
  if (entry.class_name != "Cropping1D") entry.examples.push_back(example("channels first", "channels_first", first));
  return entry;
}

}  // namespace strata
