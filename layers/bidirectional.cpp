// SPDX-License-Identifier: Apache-2.0
#include "layers/bidirectional.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "layers/gru.h"
#include "layers/lstm.h"
#include "layers/recurrent_layer.h"
#include "layers/registry.h"
#include "layers/simple_rnn.h"

namespace strata {
namespace {

RecurrentLayer& as_recurrent(const LayerRef& layer, const std::string& complaint) {
  auto* recurrent = layer ? dynamic_cast<RecurrentLayer*>(&layer.layer()) : nullptr;
  if (recurrent != nullptr) return *recurrent;
  throw ConfigError(complaint + " Received: " + (layer ? layer.layer().class_name() + " " + layer.name() : "None") +
                    ", where a recurrent layer was expected.");
}

/// A new layer from the config of `layer`, under its name with `prefix`.
LayerRef recreated(const LayerRef& layer, const std::string& prefix, bool flip_direction) {
  Config config = layer.get_config();
  const std::string& name = layer.name();
  config.set("name", prefix + (name.starts_with(prefix) ? name.substr(prefix.size()) : name));
  if (flip_direction) config.set("go_backwards", true);
  return deserialize_layer(layer.layer().class_name(), config);
}

std::string python_bool(bool value) { return value ? "True" : "False"; }

class BidirectionalLayer final : public Layer, public KeepsState, public TakesInitialState, public HasStoredParts {
 public:
  BidirectionalLayer(const LayerRef& layer, const layers::BidirectionalOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), merge_mode_(options.merge_mode) {
    as_recurrent(layer, "Please initialize `Bidirectional` layer with a `keras.layers.Layer` instance.");
    check_merge_mode();
    forward_ = recreated(layer, "forward_", false);
    backward_ = options.backward_layer ? options.backward_layer : recreated(layer, "backward_", true);
    as_recurrent(backward_, "`backward_layer` need to be a `keras.layers.Layer` instance.");
    check_pair();
    track(forward_);
    track(backward_);
    for (RecurrentLayer* each : {&forward(), &backward()}) {
      each->set_zero_output_for_mask(each->options().return_sequences);
    }
    set_supports_masking();
  }

  std::string class_name() const override { return "Bidirectional"; }
  Config config() const override {
    const auto nested = [](const LayerRef& layer) { return serialize_layer(layer.layer()); };
    return Config::object({{"merge_mode", merge_mode_ ? Config(*merge_mode_) : Config()},
                           {"layer", nested(forward_)},
                           {"backward_layer", nested(backward_)}});
  }

  std::vector<StoredPart> stored_parts() const override {
    return {{"backward_layer", backward_}, {"forward_layer", forward_}};
  }

  void build_specs(const std::vector<TensorSpec>& inputs) override {
    forward().ensure_built({inputs[0]});
    backward().ensure_built({inputs[0]});
  }

  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override {
    std::vector<Tensor> states(inputs.begin() + 1, inputs.end());
    if (states.empty()) states = context.initial_state();
    const auto half = states.begin() + static_cast<std::ptrdiff_t>(states.size() / 2);
    const std::vector<Tensor> masks{context.mask()};
    const auto there = forward_.call({inputs[0]}, {.mask = masks, .initial_state = {states.begin(), half}});
    const auto back = backward_.call({inputs[0]}, {.mask = masks, .initial_state = {half, states.end()}});
    const Tensor y = own_dtype(there[0]);
    const Tensor y_rev = in_order_of_time(own_dtype(back[0]));
    std::vector<Tensor> outputs = merged(y, y_rev);
    outputs.insert(outputs.end(), there.begin() + 1, there.end());
    outputs.insert(outputs.end(), back.begin() + 1, back.end());
    return outputs;
  }

  std::vector<Tensor> compute_mask(const std::vector<Tensor>&, const std::vector<Tensor>& masks,
                                   CallContext&) override {
    if (!forward().options().return_sequences || masks.empty()) return {};
    return merge_mode_ ? std::vector<Tensor>{masks[0]} : std::vector<Tensor>{masks[0], masks[0]};
  }

  void reset_state() const override {
    if (!forward().options().stateful) throw ConfigError("Layer must be stateful.");
    forward().reset_state();
    backward().reset_state();
  }

 private:
  RecurrentLayer& forward() const { return static_cast<RecurrentLayer&>(forward_.layer()); }
  RecurrentLayer& backward() const { return static_cast<RecurrentLayer&>(backward_.layer()); }

  void check_merge_mode() const {
    constexpr std::array<std::string_view, 4> kModes = {"sum", "mul", "ave", "concat"};
    if (!merge_mode_ || std::find(kModes.begin(), kModes.end(), *merge_mode_) != kModes.end()) return;
    throw ConfigError("Invalid merge mode. Received: " + *merge_mode_ +
                      R"(. Merge mode should be one of {"sum", "mul", "ave", "concat", None})");
  }

  void check_pair() const {
    const RecurrentOptions& f = forward().options();
    const RecurrentOptions& b = backward().options();
    if (f.go_backwards == b.go_backwards) {
      throw ConfigError(
          "Forward layer and backward layer should have different `go_backwards` value. Received: "
          "forward_layer.go_backwards " +
          python_bool(f.go_backwards) + ", backward_layer.go_backwards=" + python_bool(b.go_backwards));
    }
    const auto require_same = [](const std::string& what, bool one, bool other) {
      if (one == other) return;
      throw ConfigError("Forward layer and backward layer are expected to have the same value for attribute \"" + what +
                        "\", got \"" + python_bool(one) + "\" for forward layer and \"" + python_bool(other) +
                        "\" for backward layer");
    };
    require_same("stateful", f.stateful, b.stateful);
    require_same("return_sequences", f.return_sequences, b.return_sequences);
    require_same("return_state", f.return_state, b.return_state);
  }

  Tensor own_dtype(const Tensor& x) const { return x.dtype() == compute_dtype() ? x : ops::cast(x, compute_dtype()); }
  Tensor in_order_of_time(const Tensor& y_rev) const {
    return forward().options().return_sequences ? ops::flip(y_rev, {1}) : y_rev;
  }

  std::vector<Tensor> merged(const Tensor& y, const Tensor& y_rev) const {
    if (!merge_mode_) return {y, y_rev};
    if (*merge_mode_ == "concat") return {ops::concatenate({y, y_rev}, -1)};
    if (*merge_mode_ == "mul") return {y * y_rev};
    const Tensor sum = y + y_rev;
    return {*merge_mode_ == "sum" ? sum : sum / 2.0};
  }

  std::optional<std::string> merge_mode_;
  LayerRef forward_, backward_;
};

LayerRef bidirectional_from_config(const Config& config) {
  const LayerConfig arguments("Bidirectional", config, {"merge_mode", "layer", "backward_layer"});
  const LayerOptions common = arguments.options();
  layers::BidirectionalOptions options{.name = common.name, .trainable = common.trainable, .dtype = common.dtype};
  if (config.contains("merge_mode")) {
    options.merge_mode = arguments.has("merge_mode") ? std::optional(arguments.text("merge_mode", "")) : std::nullopt;
  }
  if (arguments.has("backward_layer")) options.backward_layer = arguments.layer("backward_layer");
  return layers::Bidirectional(arguments.layer("layer"), options);
}

}  // namespace

layers::Bidirectional::Bidirectional(const LayerRef& layer, const BidirectionalOptions& options)
    : RecurrentRef(std::make_shared<BidirectionalLayer>(layer, options)) {}

void register_bidirectional(LayerRegistry& registry) {
  using layers::Bidirectional;
  using layers::GRU;
  using layers::LSTM;
  using layers::SimpleRNN;
  registry.add({"Bidirectional",
                bidirectional_from_config,
                {{"concat, sequences",
                  [](Dtype dtype) {
                    return Bidirectional(GRU(2, {.return_sequences = true, .name = "gru", .dtype = dtype}),
                                         {.name = "bidirectional", .dtype = dtype});
                  },
                  {{2, 3, 4}}},
                 {"both outputs, states",
                  [](Dtype dtype) {
                    return Bidirectional(LSTM(2, {.return_state = true, .name = "lstm", .dtype = dtype}),
                                         {.merge_mode = {}, .name = "bidirectional_both", .dtype = dtype});
                  },
                  {{2, 3, 3}}},
                 {"own backward layer",
                  [](Dtype dtype) {
                    return Bidirectional(
                        SimpleRNN(3, {.name = "one", .dtype = dtype}),
                        {.merge_mode = "ave",
                         .backward_layer = GRU(3, {.go_backwards = true, .name = "other", .dtype = dtype}),
                         .name = "bidirectional_own",
                         .dtype = dtype});
                  },
                  {{2, 3, 3}, {2, 3}, {2, 3}}}}});
}

}  // namespace strata
