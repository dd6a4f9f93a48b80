// SPDX-License-Identifier: Apache-2.0
#include "layers/merge.h"

#include <algorithm>

#include "core/base/error.h"
#include "layers/layer_config.h"

namespace strata {
namespace {

void check_batches(const std::vector<Tensor>& inputs, const std::string& layer) {
  Dim batch = None;
  for (const Tensor& input : inputs) {
    const Dim own = input.shape()[0];
    if (!dims_fit(batch, own)) {
      throw ShapeError("Can not merge tensors with different batch sizes. Got tensors with shapes : " +
                       shapes_text(inputs) + " (layer: " + layer + ")");
    }
    if (own != None) batch = own;
  }
}

/// Checks that the samples broadcast, naming the two shapes that do not.
void check_samples(const std::vector<Tensor>& inputs, const std::string& layer) {
  Shape merged = inputs[0].shape().slice(1, inputs[0].rank());
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    Shape next = inputs[i].shape().slice(1, inputs[i].rank());
    if (merged.rank() < next.rank()) std::swap(merged, next);
    for (int k = 1; k <= next.rank(); ++k) {
      const Dim a = merged[merged.rank() - k];
      const Dim b = next[next.rank() - k];
      if (dims_fit(a, b) || a == 1 || b == 1) continue;
      throw ShapeError("Operands could not be broadcast together with shapes " + merged.str() + " " + next.str() +
                       ". Received inputs of shapes " + shapes_text(inputs) + " (layer: " + layer + ")");
    }
    merged = broadcast_shapes(merged, next, "merge");
  }
}

}  // namespace

std::string shapes_text(const std::vector<Tensor>& tensors) {
  std::string text = "[";
  for (std::size_t i = 0; i < tensors.size(); ++i) text += (i > 0 ? ", " : "") + tensors[i].shape().str();
  return text + "]";
}

std::vector<Tensor> MergeLayer::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  check_batches(inputs, name());
  check_samples(inputs, name());
  int rank = 0;
  for (const Tensor& input : inputs) rank = std::max(rank, input.rank());
  std::vector<Tensor> aligned = inputs;
  std::vector<Tensor> masks(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (context.mask(i) && inputs[i].rank() == rank) masks[i] = ops::expand_dims(context.mask(i), -1);
    while (aligned[i].rank() < rank) aligned[i] = ops::expand_dims(aligned[i], 1);
  }
  return {merge(aligned, masks)};
}

std::vector<Tensor> MergeLayer::compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                             CallContext&) {
  const auto given = std::count_if(masks.begin(), masks.end(), [](const Tensor& mask) { return bool(mask); });
  if (static_cast<std::size_t>(given) < inputs.size()) return {};
  Tensor any = masks[0];
  for (std::size_t i = 1; i < inputs.size(); ++i) any = ops::logical_or(any, masks[i]);
  return {any};
}

LayerEntry merge_entry(const std::string& class_name, const std::function<LayerRef(const LayerOptions&)>& make) {
  const auto example = [make](Dtype dtype) { return make({.name = "merge", .dtype = dtype}); };
  return {class_name,
          [class_name, make](const Config& config) { return make(LayerConfig(class_name, config, {}).options()); },
          {{"equal shapes", example, {{3, 4}, {3, 4}, {3, 4}}},
           {"broadcast", example, {{2, 3, 4}, {2, 1, 4}}},
           {"different ranks", example, {{2, 3, 4}, {2, 4}}}},
          {{"{}",
            {{None, 9, 9, 64}, {None, 7, 7, 64}},
            "Operands could not be broadcast together with shapes (9, 9, 64) (7, 7, 64). Received inputs of shapes "
            "[(None, 9, 9, 64), (None, 7, 7, 64)] (layer: layer)"},
           {"{}",
            {{16, 2}, {8, 2}},
            "Can not merge tensors with different batch sizes. Got tensors with shapes : [(16, 2), (8, 2)] (layer: "
            "layer)"}}};
}

}  // namespace strata
