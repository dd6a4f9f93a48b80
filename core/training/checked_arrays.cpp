// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/training/batch_loader.h"
#include "core/training/checked_source.h"
#include "core/training/named_entries.h"
#include "core/training/trainer.h"

namespace strata {
namespace {

std::string shapes_of(const std::vector<Tensor>& tensors) {
  std::string text;
  for (const Tensor& t : tensors) text += (text.empty() ? "" : ", ") + t.shape().str();
  return "[" + text + "]";
}

/// A row per sample where the model expects a last axis of size 1: (n,) becomes (n, 1).
Tensor fit_input(const Tensor& x, const Shape& expected, const std::string& name) {
  if (x.rank() == expected.rank() - 1 && expected.back() == 1) return ops::expand_dims(x, -1);
  if (x.rank() != expected.rank()) {
    throw ShapeError("Error when checking input: expected " + name + " to have " + std::to_string(expected.rank()) +
                     " dimensions, but got array with shape " + x.shape().str());
  }
  for (int axis = 1; axis < x.rank(); ++axis) {
    if (dims_fit(x.shape()[axis], expected[axis])) continue;
    throw ShapeError("Error when checking input: expected " + name + " to have shape " +
                     expected.slice(1, expected.rank()).str() + " but got array with shape " +
                     x.shape().slice(1, x.rank()).str());
  }
  return x;
}

/// Targets are checked on the host, which does not read halves. A view is read anew, since it may have changed.
Tensor widened_targets(const Tensor& targets) {
  if (!is_half(targets.dtype())) return targets;
  const bool is_view = dynamic_cast<const HostViewOp*>(&targets.node()->op()) != nullptr;
  const Tensor read = is_view ? apply_one(targets.node()->shared_op(), {}) : targets;
  return ops::cast(read, widened(targets.dtype()));
}

void require_count(const std::string& what, const std::vector<Tensor>& arrays, std::size_t expected) {
  if (arrays.size() == expected) return;
  throw ConfigError("Error when checking model " + what +
                    ": the list of arrays that you are passing to your model is "
                    "not the size the model expected. Expected to see " +
                    std::to_string(expected) + " array(s), but instead got " + std::to_string(arrays.size()) + ": " +
                    shapes_of(arrays));
}

/// The class of every sample: the label, or the place of the largest target.
std::vector<std::int64_t> labels_of(const HostArray& y) {
  std::vector<std::int64_t> labels;
  const Dim width = y.row_shape().elements();
  std::vector<std::byte> space;
  visit_dtype(y.spec().dtype, [&]<class T>(TypeTag<T>) {
    for (Dim row = 0; row < y.rows(); ++row) {
      const T* values = y.values_of_row<T>(row, space);
      const auto label =
          width == 1 ? std::llround(static_cast<double>(values[0])) : std::max_element(values, values + width) - values;
      labels.push_back(label);
    }
  });
  return labels;
}

class ArrayChecker {
 public:
  void add(const Tensor& tensor, std::vector<TensorSpec>& specs) {
    HostArray array(tensor);
    if (!data.arrays.empty() && array.rows() != data.rows) {
      throw ConfigError("All arrays should have the same number of samples. Found " + std::to_string(data.rows) +
                        " and " + std::to_string(array.rows()) + ".");
    }
    data.rows = array.rows();
    specs.push_back({array.row_shape(), array.spec().dtype});
    data.arrays.push_back(std::move(array));
  }
  void add_weights(const Tensor& weights) { add(weights, data.specs.weights); }
  /// Stands for targets that no loss and no metric reads.
  void add_unread_targets() { add(ops::full({data.rows}, 0.0), data.specs.y); }

  CheckedArrays data;
};

bool reads_targets(const Objective& objective, std::size_t output) {
  return objective.losses[output] || std::any_of(objective.metrics.begin(), objective.metrics.end(),
                                                 [&](const OutputMetric& metric) { return metric.output == output; });
}

/// A tensor an output, by order or by name; an empty handle where nothing reads it and nothing was given.
std::vector<Tensor> targets_of(const Arrays& y, const std::vector<std::string>& outputs, const Objective& objective) {
  require_known_entries("target", y.names(), outputs);
  std::vector<std::size_t> read;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (reads_targets(objective, k)) read.push_back(k);
  }
  std::vector<Tensor> targets(outputs.size());
  const auto& given = y.tensors();
  if (y.is_named()) {
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (const Tensor* target = y.find(outputs[k])) targets[k] = *target;
    }
    for (const std::size_t k : read) targets[k] = y.at(outputs[k], outputs);
  } else if (given.size() == read.size() && given.size() != outputs.size()) {
    for (std::size_t i = 0; i < read.size(); ++i) targets[read[i]] = given[i];
  } else {
    require_count("target", given, outputs.size());
    std::copy(given.begin(), given.end(), targets.begin());
  }
  return targets;
}

/// A tensor an output, or none at all; an empty handle where every sample counts alike.
std::vector<Tensor> sample_weights_of(const Arrays& sample_weight, const std::vector<std::string>& outputs) {
  if (sample_weight.empty()) return {};
  require_known_entries("sample_weight", sample_weight.names(), outputs);
  const auto& weights = sample_weight.tensors();
  const bool shared = !sample_weight.is_named() && weights.size() == 1;
  if (!shared && !sample_weight.is_named()) require_count("sample_weight", weights, outputs.size());
  std::vector<Tensor> selected(outputs.size());
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!sample_weight.is_named()) selected[k] = weights[shared ? 0 : k];
    else if (const Tensor* named = sample_weight.find(outputs[k])) selected[k] = *named;
  }
  return selected;
}

}  // namespace

CheckedArrays CheckedArrays::rows_between(Dim first, Dim last) const {
  CheckedArrays result{{}, specs, last - first, source, prefetch};
  for (const HostArray& array : arrays) result.arrays.push_back(array.rows(first, last));
  return result;
}

CheckedArrays CheckedArrays::batched(Dim batch_size, const DataUse& use) const {
  if (!use.drops_remainder) return *this;
  return rows_between(0, batches_of(rows, batch_size, true) * batch_size);
}

void require_class_weights_fit(const DataSpecs& specs) {
  if (!specs.weights.empty()) throw ConfigError("You cannot `class_weight` and `sample_weight` at the same time.");
  if (specs.y.size() == 1) return;
  throw ConfigError("`class_weight` is only supported for Models with a single output. The model has " +
                    std::to_string(specs.y.size()) + " outputs.");
}

std::vector<float> class_weights_of(const HostArray& y, const std::map<std::int64_t, double>& class_weight) {
  std::vector<float> weights;
  for (const std::int64_t label : labels_of(y)) {
    const auto found = class_weight.find(label);
    weights.push_back(found == class_weight.end() ? 1.0F : static_cast<float>(found->second));
  }
  return weights;
}

void CheckedArrays::add_class_weights(const std::map<std::int64_t, double>& class_weight) {
  if (class_weight.empty()) return;
  require_class_weights_fit(specs);
  specs.weights.push_back({{}, Dtype::float32});
  if (source != nullptr) source = with_class_weights(source, class_weight);
  else arrays.emplace_back(constant(class_weights_of(arrays.back(), class_weight), {rows}));
}

SelectedArrays select_arrays(const Functional& model, const Objective* objective, const Samples& samples) {
  SelectedArrays selected{samples.x.in_order(model.input_names()), {}, {}};
  require_count("input", selected.x, model.inputs().size());
  if (objective == nullptr) return selected;
  selected.y = targets_of(samples.y, model.output_names(), *objective);
  selected.weights = sample_weights_of(samples.sample_weight, model.output_names());
  return selected;
}

CheckedArrays check_selected(const Functional& model, const Objective* objective, const SelectedArrays& selected,
                             bool may_be_empty) {
  const auto& inputs = model.inputs();
  const auto names = model.input_names();
  ArrayChecker builder;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    builder.add(fit_input(selected.x[i], inputs[i].shape(), names[i]), builder.data.specs.x);
  }
  if (builder.data.rows == 0 && !may_be_empty) throw ConfigError("The data holds no samples: " + shapes_of(selected.x));
  if (objective == nullptr) return builder.data;

  const auto& outputs = model.outputs();
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!selected.y[k]) {
      builder.add_unread_targets();
      continue;
    }
    builder.add(widened_targets(selected.y[k]), builder.data.specs.y);
    if (objective->losses[k]) objective->losses[k]->check_targets(builder.data.arrays.back(), outputs[k].spec());
  }
  const Tensor ones = ops::full({builder.data.rows}, 1.0);
  for (const Tensor& weights : selected.weights) builder.add_weights(weights ? weights : ones);
  return builder.data;
}

CheckedArrays check_arrays(const Functional& model, const Objective* objective, const Samples& samples,
                           bool may_be_empty) {
  if (samples.source != nullptr) return check_source(model, objective, samples);
  return check_selected(model, objective, select_arrays(model, objective, samples), may_be_empty);
}

}  // namespace strata
