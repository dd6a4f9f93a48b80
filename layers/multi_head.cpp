// SPDX-License-Identifier: Apache-2.0
#include "layers/multi_head.h"

#include <cmath>

#include "core/base/error.h"
#include "core/ops/einsum.h"
#include "layers/attention_masks.h"
#include "layers/axis_fans.h"
#include "layers/dropout_mask.h"
#include "layers/layer_config.h"
#include "layers/seeded_key.h"

namespace strata {
namespace {

/// "abc,cde->abde": a tensor of `rank` axes, the last `bound` of which are summed over, gets `added` new ones.
std::string projection_equation(int rank, int bound, int added) {
  std::string letters;
  for (int i = 0; i < rank + added; ++i) letters += static_cast<char>('a' + i);
  const auto free = static_cast<std::size_t>(rank - bound);
  const std::string all = letters.substr(0, static_cast<std::size_t>(rank));
  return all + "," + letters.substr(free) + "->" + letters.substr(0, free) +
         letters.substr(static_cast<std::size_t>(rank));
}

Dim product(const Shape& shape) { return shape.is_known() ? shape.elements() : None; }

/// The lowest number that softmax makes 0 of beside others, as Keras' fused attention has it: a row without any key
/// becomes uniform.
constexpr double kLowest = -0.7 * 3.38953e38;

}  // namespace

MultiHeadLayer::MultiHeadLayer(MultiHeadOptions shared, const LayerOptions& options)
    : Layer(options), shared_(std::move(shared)) {
  if (shared_.sliding_window && *shared_.sliding_window < 1) {
    throw ConfigError("`sliding_window` must be `None` or a positive integer. Received: sliding_window=" +
                      std::to_string(*shared_.sliding_window));
  }
  set_supports_masking();
}

void MultiHeadLayer::check_shapes(const Shape&, const Shape& value, const Shape& key) {
  const auto steps = [](const Shape& shape) { return shape.slice(1, shape.rank() - 1); };
  if (shapes_fit(steps(value), steps(key))) return;
  throw ShapeError("All dimensions of `value` and `key`, except the last one, must be equal. Received: value_shape=" +
                   value.str() + " and key_shape=" + key.str());
}

MultiHeadLayer::Projection MultiHeadLayer::add_projection(const std::string& weight, const Shape& input, int bound_axes,
                                                          const Shape& output) {
  const Shape bound = input.slice(input.rank() - bound_axes, input.rank());
  Projection projection{.equation = projection_equation(input.rank(), bound_axes, output.rank())};
  projection.kernel = add_weight(weight + "/kernel", bound.concat(output),
                                 {.initializer = with_fans(shared_.kernel_initializer, product(bound), product(output)),
                                  .regularizer = shared_.kernel_regularizer,
                                  .constraint = shared_.kernel_constraint});
  if (!shared_.use_bias) return projection;
  projection.bias = add_weight(weight + "/bias", output,
                               {.initializer = shared_.bias_initializer,
                                .regularizer = shared_.bias_regularizer,
                                .constraint = shared_.bias_constraint});
  return projection;
}

void MultiHeadLayer::build_many(const std::vector<Shape>& inputs) {
  if (inputs.size() != 2 && inputs.size() != 3) {
    throw ConfigError(class_name() + " layer accepts inputs list of length 2 or 3, namely [query, value] or " +
                      "[query, value, key]. Received length: " + std::to_string(inputs.size()) + ".");
  }
  const Shape &query = inputs[0], &value = inputs[1], &key = inputs.back();
  for (const Shape* shape : {&query, &value, &key}) {
    if (shape->rank() < 3) {
      throw ShapeError(class_name() + ": expected inputs of rank 3 or more, received shape " + shape->str());
    }
  }
  check_shapes(query, value, key);
  const Sizes to = sizes(query);
  scale_ = 1.0 / std::sqrt(static_cast<double>(to.query.back()));
  query_ = add_projection("query", query, 1, to.query);
  key_ = add_projection("key", key, 1, to.key);
  const Shape heads{to.query[0], to.value.back()};
  if (shared_.use_gate) gate_ = add_projection("gate", query, 1, heads);
  value_ = add_projection("value", value, 1, to.value);
  output_ = add_projection("attention_output", query.slice(0, query.rank() - 1).concat(heads), 2, to.output);
}

// Keras 3 divides by the batch size, as for every activity regularizer.
void MultiHeadLayer::penalise(const Tensor& output, CallContext& context) const {
  if (!shared_.activity_regularizer) return;
  const Tensor penalty = shared_.activity_regularizer(output);
  const Dim batch = output.shape()[0];
  context.add_loss(batch > 0 ? penalty / static_cast<double>(batch) : penalty);
}

Tensor MultiHeadLayer::project(const Tensor& x, const Projection& projection, CallContext& context) const {
  const Tensor bias = projection.bias ? Tensor(projection.bias) : Tensor();
  Tensor projected = ops::einsum(projection.equation, x, projection.kernel, bias);
  if (!(projection.kernel == gate_.kernel)) penalise(projected, context);
  return projected;
}

Tensor MultiHeadLayer::score_mask(const Tensor& query, const Tensor& value, CallContext& context) const {
  Tensor mask = context.attention_mask();
  if (const Tensor& own = context.mask(0)) mask = both_masks(mask, ops::expand_dims(own, -1));
  for (const std::size_t i : {1, 2}) {
    if (const Tensor& own = context.mask(i)) mask = both_masks(mask, ops::expand_dims(own, -2));
  }
  const Dim queries = query.shape()[1], keys = value.shape()[1];
  if (context.use_causal_mask()) mask = both_masks(mask, causal_mask(queries, keys));
  if (shared_.sliding_window) {
    mask = both_masks(mask, sliding_window_mask(queries, keys, *shared_.sliding_window));
  }
  if (!mask) return mask;
  // One of lower rank than the scores holds for all heads.
  const int rank = query.rank() + attended_axes();
  while (mask.rank() < rank) mask = ops::expand_dims(mask, mask.rank() - 2 * attended_axes());
  return ops::cast(mask, Dtype::boolean);
}

/// Over the last attended axes.
Tensor MultiHeadLayer::softmax(Tensor scores, const Tensor& mask, bool zero_where_masked) const {
  const int axes = attended_axes();
  const double hidden = zero_where_masked ? large_negative(scores.dtype()) : kLowest;
  if (mask) scores = ops::select(mask, scores, scalar(hidden, scores.dtype()));
  const Shape shape = scores.shape();
  if (axes > 1) {
    const Shape rows = shape.slice(0, shape.rank() - axes);
    scores = ops::reshape(scores, rows.concat({product(shape.slice(rows.rank(), shape.rank()))}));
  }
  Tensor weights = ops::softmax(scores);
  if (axes > 1) weights = ops::reshape(weights, shape);
  return mask && zero_where_masked ? ops::select(mask, weights, scalar(0, weights.dtype())) : weights;
}

// Keras' fused path scales and takes the softmax in float32.
Tensor MultiHeadLayer::wide_scores(const Tensor& query, const Tensor& key) const {
  return ops::cast(compare(query, key), Dtype::float32) * scale_;
}

std::vector<Tensor> MultiHeadLayer::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  const Tensor mask = score_mask(inputs[0], inputs[1], context);
  const Tensor query = project(inputs[0], query_, context), key = project(inputs.back(), key_, context);
  const Tensor value = project(inputs[1], value_, context);
  // Keras takes a fused path where nothing needs the weights; it differs for queries that may not look at any key.
  const bool fused = shared_.dropout == 0.0 && !context.return_attention_scores() && query.rank() == 4;
  const Tensor weights = fused && is_half(query.dtype())
                             ? ops::cast(softmax(wide_scores(query, key), mask, false), query.dtype())
                             : softmax(compare(query * scale_, key), mask, !fused);
  Tensor kept = weights;
  if (context.training() && shared_.dropout > 0.0) {
    kept = drop_out(weights, weights.shape(), shared_.dropout, seeded_key(context, shared_.seed));
  }
  Tensor attended = combine(kept, value);
  if (shared_.use_gate) {
    const Tensor gate = ops::sigmoid(project(inputs[0], gate_, context));
    penalise(gate, context);
    attended = attended * gate;
  }
  const Tensor output = project(attended, output_, context);
  if (context.return_attention_scores()) return {output, weights};
  return {output};
}

std::vector<Tensor> MultiHeadLayer::compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>&,
                                                 CallContext& context) {
  return {context.mask(0), score_mask(inputs[0], inputs[1], context)};
}

std::vector<StoredPart> MultiHeadLayer::stored_parts() const {
  std::vector<StoredPart> parts;
  const auto add = [&](const std::string& attribute_name, const std::string& layer, const Projection& projection) {
    if (!projection.kernel) return;
    std::vector<Variable> weights{projection.kernel};
    if (projection.bias) weights.push_back(projection.bias);
    parts.push_back({attribute_name, {}, layer, std::move(weights)});
  };
  add(attribute("key"), "key", key_);
  add(attribute("output"), "attention_output", output_);
  add(attribute("query"), "query", query_);
  add(attribute("value"), "value", value_);
  add("_gate_dense", "gate", gate_);
  return parts;
}

Config::Object MultiHeadLayer::shared_config() const {
  return {{"dropout", shared_.dropout},
          {"use_bias", shared_.use_bias},
          {"use_gate", shared_.use_gate},
          {"sliding_window", shared_.sliding_window ? Config(*shared_.sliding_window) : Config()},
          {"kernel_initializer", shared_.kernel_initializer.config()},
          {"bias_initializer", shared_.bias_initializer.config()},
          {"kernel_regularizer", shared_.kernel_regularizer.config()},
          {"bias_regularizer", shared_.bias_regularizer.config()},
          {"activity_regularizer", shared_.activity_regularizer.config()},
          {"kernel_constraint", shared_.kernel_constraint.config()},
          {"bias_constraint", shared_.bias_constraint.config()},
          {"seed", shared_.seed ? Config(*shared_.seed) : Config()}};
}

MultiHeadOptions multi_head_options(const LayerConfig& config) {
  MultiHeadOptions options{.dropout = config.number("dropout", 0.0),
                           .use_bias = config.flag("use_bias", true),
                           .kernel_initializer = config.initializer("kernel_initializer", "glorot_uniform"),
                           .bias_initializer = config.initializer("bias_initializer", "zeros"),
                           .kernel_regularizer = config.regularizer("kernel_regularizer"),
                           .bias_regularizer = config.regularizer("bias_regularizer"),
                           .activity_regularizer = config.regularizer("activity_regularizer"),
                           .kernel_constraint = config.constraint("kernel_constraint"),
                           .bias_constraint = config.constraint("bias_constraint"),
                           .use_gate = config.flag("use_gate", false)};
  if (config.has("sliding_window")) options.sliding_window = config.integer("sliding_window");
  if (config.has("seed")) options.seed = config.integer("seed");
  return options;
}

std::vector<std::string> multi_head_arguments(std::vector<std::string> own) {
  own.insert(own.end(),
             {"dropout", "use_bias", "use_gate", "sliding_window", "flash_attention", "kernel_initializer",
              "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
              "bias_constraint", "seed", "query_shape", "key_shape", "value_shape", "softmax_robust_masking"});
  return own;
}

}  // namespace strata
