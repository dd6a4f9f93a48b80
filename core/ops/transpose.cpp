// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/strided_copy.h"

namespace strata {
namespace {

class TransposeOp final : public Op {
 public:
  explicit TransposeOp(std::vector<int> permutation) : permutation_(std::move(permutation)) {}
  std::string_view name() const override { return "transpose"; }
  std::string attributes() const override { return "permutation=" + list_text(permutation_); }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Shape& from = inputs[0].shape;
    std::vector<int> sorted = permutation_;
    std::sort(sorted.begin(), sorted.end());
    std::vector<int> wanted(static_cast<std::size_t>(from.rank()));
    std::iota(wanted.begin(), wanted.end(), 0);
    if (sorted != wanted) {
      throw ShapeError("transpose: expected a permutation of the axes 0 to " + std::to_string(from.rank() - 1) +
                       " of an input of shape " + from.str() + ", received " + list_text(permutation_));
    }
    std::vector<Dim> dims;
    for (int axis : permutation_) dims.push_back(from[axis]);
    return {{Shape(std::move(dims)), inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    std::vector<int> inverse(permutation_.size());
    for (std::size_t i = 0; i < inverse.size(); ++i)
      inverse[static_cast<std::size_t>(permutation_[i])] = static_cast<int>(i);
    return {{ops::transpose(args.grad(), std::move(inverse)), {}}};
  }

  const std::vector<int>& permutation() const { return permutation_; }

 private:
  std::vector<int> permutation_;
};

Prepared prepare(const KernelRequest& request) {
  const auto& permutation = dynamic_cast<const TransposeOp&>(request.op).permutation();
  const std::vector<Dim> from = dense_strides(request.inputs[0].shape);
  const std::vector<Dim> to = dense_strides(request.outputs[0].shape);
  std::vector<StridedAxis> axes;
  for (std::size_t i = 0; i < to.size(); ++i) {
    axes.push_back(
        {request.outputs[0].shape[static_cast<int>(i)], from[static_cast<std::size_t>(permutation[i])], to[i]});
  }
  return make_kernel([copy = StridedCopy(std::move(axes), 0, 0, size_of(request.inputs[0].dtype))](
                         const KernelArgs& args) { copy.run(args.inputs[0], args.outputs[0]); });
}

OpExample example(std::string label, Shape shape, std::vector<int> permutation, Dtype dtype = Dtype::float32) {
  const auto build = [permutation = std::move(permutation)](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{ops::transpose(x[0], permutation)};
  };
  return {std::move(label), {{{std::move(shape), dtype}, 0, 100}}, build, is_floating(dtype)};
}

}  // namespace

Tensor ops::transpose(const Tensor& x, std::vector<int> permutation) {
  return apply_one(std::make_shared<TransposeOp>(std::move(permutation)), {x});
}

void register_transpose(OpRegistry& registry) {
  registry.add({"transpose",
                {{"reference", "cpu", prepare, true}},
                {example("matrix", {37, 21}, {1, 0}), example("batch of matrices", {2, 17, 18}, {0, 2, 1}),
                 example("rotation", {3, 4, 5}, {2, 0, 1}), example("outer axes", {3, 4, 5}, {1, 0, 2}),
                 example("uint8", {33, 20}, {1, 0}, Dtype::uint8), example("reversal", {2, 3, 4, 5}, {3, 2, 1, 0})}});
}

}  // namespace strata
