// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/ops/ops.h"
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
  visit_dtype(y.spec().dtype, [&]<class T>(TypeTag<T>) {
    for (Dim row = 0; row < y.rows(); ++row) {
      const T* values = reinterpret_cast<const T*>(y.row(row));
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
  void add_weights(const Tensor& weights) {
    add(weights.dtype() == Dtype::float32 ? weights : ops::cast(weights, Dtype::float32), data.specs.weights);
  }

  CheckedArrays data;
};

}  // namespace

CheckedArrays CheckedArrays::rows_between(Dim first, Dim last) const {
  CheckedArrays result{{}, specs, last - first};
  for (const HostArray& array : arrays) result.arrays.push_back(array.rows(first, last));
  return result;
}

void CheckedArrays::add_class_weights(const std::map<std::int64_t, double>& class_weight) {
  if (class_weight.empty()) return;
  if (!specs.weights.empty()) throw ConfigError("You cannot `class_weight` and `sample_weight` at the same time.");
  if (specs.y.size() != 1) {
    throw ConfigError("`class_weight` is only supported for Models with a single output. The model has " +
                      std::to_string(specs.y.size()) + " outputs.");
  }
  const std::vector<std::int64_t> labels = labels_of(arrays.back());
  std::vector<float> weights;
  for (const std::int64_t label : labels) {
    const auto found = class_weight.find(label);
    weights.push_back(found == class_weight.end() ? 1.0F : static_cast<float>(found->second));
  }
  arrays.emplace_back(constant(weights, {rows}));
  specs.weights.push_back({{}, Dtype::float32});
}

CheckedArrays check_arrays(const Functional& model, const Objective* objective, const Arrays& x, const Arrays& y,
                           const Arrays& sample_weight) {
  const auto& inputs = model.inputs();
  const auto names = model.input_names();
  require_count("input", x.tensors(), inputs.size());
  ArrayChecker builder;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    builder.add(fit_input(x.tensors()[i], inputs[i].shape(), names[i]), builder.data.specs.x);
  }
  if (builder.data.rows == 0) throw ConfigError("The data holds no samples: " + shapes_of(x.tensors()));
  if (objective == nullptr) return builder.data;

  const auto& outputs = model.outputs();
  require_count("target", y.tensors(), outputs.size());
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Tensor& target = y.tensors()[k];
    builder.add(ops::cast(target, widened(target.dtype())), builder.data.specs.y);
    if (objective->losses[k]) objective->losses[k]->check_targets(builder.data.arrays.back(), outputs[k].spec());
  }
  if (!sample_weight.empty()) {
    const auto& weights = sample_weight.tensors();
    if (weights.size() != 1) require_count("sample_weight", weights, outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) builder.add_weights(weights[weights.size() == 1 ? 0 : k]);
  }
  return builder.data;
}

}  // namespace strata
