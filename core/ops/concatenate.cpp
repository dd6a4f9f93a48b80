// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/strided_copy.h"

namespace strata {
namespace {

class ConcatenateOp final : public Op {
 public:
  explicit ConcatenateOp(int axis) : axis_(axis) {}
  std::string_view name() const override { return "concatenate"; }
  std::string attributes() const override { return "axis=" + std::to_string(axis_); }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    if (inputs.empty()) throw ShapeError("concatenate: expected at least one tensor, received none");
    Shape result = inputs[0].shape;
    const int at = axis(result.rank());
    for (const TensorSpec& input : inputs.subspan(1)) {
      if (input.dtype != inputs[0].dtype) {
        throw DtypeError("concatenate: expected tensors of one dtype, received " + inputs[0].str() + " and " +
                         input.str());
      }
      if (input.shape.rank() != result.rank() || !shapes_fit(input.shape.with(at, None), result.with(at, None))) {
        throw ShapeError("concatenate: expected shapes that are equal except along axis " + std::to_string(at) +
                         ", received " + inputs[0].shape.str() + " and " + input.shape.str());
      }
      for (int i = 0; i < result.rank(); ++i) {
        if (i == at)
          result = result.with(i, result[i] == None || input.shape[i] == None ? None : result[i] + input.shape[i]);
        else if (result[i] == None) result = result.with(i, input.shape[i]);
      }
    }
    return {{result, inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const auto rank = static_cast<std::size_t>(args.input().rank());
    const auto at = static_cast<std::size_t>(axis(args.input().rank()));
    std::vector<Gradient> result;
    Dim position = 0;
    for (const Tensor& input : args.inputs) {
      std::vector<Dim> begin(rank, 0);
      std::vector<Dim> end(rank, None);
      const Dim size = input.shape()[static_cast<int>(at)];
      begin[at] = position;
      // A size that is not known while the model is defined is known in every program.
      end[at] = size == None ? None : position + size;
      position += size == None ? 0 : size;
      result.push_back({ops::slice(args.grad(), begin, end), {}});
    }
    return result;
  }

  int axis(int rank) const { return normalize_axis(axis_, rank, "concatenate"); }

 private:
  int axis_;
};

Prepared prepare(const KernelRequest& request) {
  const TensorSpec& output = request.outputs[0];
  const auto at = static_cast<std::size_t>(dynamic_cast<const ConcatenateOp&>(request.op).axis(output.shape.rank()));
  const std::vector<Dim> to = dense_strides(output.shape);
  std::vector<StridedCopy> copies;
  Dim position = 0;
  for (const TensorSpec& input : request.inputs) {
    const std::vector<Dim> from = dense_strides(input.shape);
    std::vector<StridedAxis> axes;
    for (std::size_t i = 0; i < to.size(); ++i) axes.push_back({input.shape[static_cast<int>(i)], from[i], to[i]});
    copies.emplace_back(std::move(axes), 0, position * to[at], size_of(output.dtype));
    position += input.shape[static_cast<int>(at)];
  }
  return make_kernel([copies = std::move(copies)](const KernelArgs& args) {
    for (std::size_t i = 0; i < copies.size(); ++i) copies[i].run(args.inputs[i], args.outputs[0]);
  });
}

OpExample example(std::string label, const std::vector<Shape>& shapes, int axis, Dtype dtype = Dtype::float32) {
  const auto build = [axis](const std::vector<Tensor>& x) { return std::vector<Tensor>{ops::concatenate(x, axis)}; };
  OpExample result{std::move(label), {}, build, is_floating(dtype)};
  for (const Shape& shape : shapes) result.inputs.push_back({{shape, dtype}, 0, 100});
  return result;
}

}  // namespace

Tensor ops::concatenate(const std::vector<Tensor>& inputs, int axis) {
  return apply_one(std::make_shared<ConcatenateOp>(axis), inputs);
}

void register_concatenate(OpRegistry& registry) {
  registry.add({"concatenate",
                {{"reference", "cpu", prepare, true}},
                {example("last axis", {{3, 4}, {3, 2}, {3, 1}}, -1), example("first axis", {{2, 3}, {4, 3}}, 0),
                 example("middle", {{2, 1, 3}, {2, 0, 3}, {2, 2, 3}}, 1), example("one", {{2, 3}}, 0),
                 example("int64", {{2}, {3}}, 0, Dtype::int64)}});
}

}  // namespace strata
