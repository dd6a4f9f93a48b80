// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"

#include "core/base/error.h"
#include "core/ops/elementwise_kernel.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

const char* describe(Types types) {
  switch (types) {
    case Types::any: return "any dtype";
    case Types::numeric: return "a numeric dtype";
    case Types::floating: return "a floating dtype";
    case Types::boolean: return "bool";
  }
  return "";
}

/// An op that applies one rule.
class RuleOp final : public ElementwiseOp {
 public:
  explicit RuleOp(const ElementwiseRule& rule) : rule_(rule) {}
  std::string_view name() const override { return rule_.name; }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const std::size_t first = rule_.select ? 1 : 0;
    const std::string name(rule_.name);
    if (rule_.select && inputs[0].dtype != Dtype::boolean) {
      throw DtypeError(name + ": expected a bool condition, received " + inputs[0].str());
    }
    const Dtype dtype = inputs[first].dtype;
    if (rule_.loop(widened(dtype)) == nullptr) {
      throw DtypeError(name + ": expected " + describe(rule_.types) + ", received " + inputs[first].str());
    }
    Shape shape = inputs[0].shape;
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      if (i > first && inputs[i].dtype != dtype) {
        throw DtypeError(name + ": operands must have one dtype, received " + inputs[first].str() + " and " +
                         inputs[i].str());
      }
      shape = broadcast_shapes(shape, inputs[i].shape, name.c_str());
    }
    return {{shape, rule_.predicate ? Dtype::boolean : dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    std::vector<Gradient> result(args.inputs.size());
    if (rule_.gradient == nullptr) return result;
    std::vector<Tensor> grads = rule_.gradient(args);
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (grads[i]) result[i].values = sum_to_shape(grads[i], args.inputs[i].shape());
    }
    return result;
  }

  ElementwiseLoop loop(std::span<const Dtype> inputs) const override {
    return rule_.loop(inputs[rule_.select ? 1 : 0]);
  }

 private:
  const ElementwiseRule& rule_;
};

Prepared prepare_single(const KernelRequest& request) {
  const auto& op = dynamic_cast<const ElementwiseOp&>(request.op);
  ElementwiseChain chain;
  std::vector<int> operands;
  for (const TensorSpec& input : request.inputs) {
    operands.push_back(chain.inputs++);
    chain.dtypes.push_back(input.dtype);
  }
  chain.outputs.push_back(append_step(chain, op, std::string(op.name()), operands, request.outputs[0].dtype));
  return make_elementwise_kernel(std::move(chain), request.inputs, request.outputs[0].shape);
}

}  // namespace

Tensor elementwise(const ElementwiseRule& rule, std::vector<Tensor> inputs) {
  return apply_one(std::make_shared<RuleOp>(rule), std::move(inputs));
}

std::vector<Candidate> elementwise_candidates() { return {{"reference", "cpu", prepare_single, true}}; }

OpEntry elementwise_entry(const ElementwiseRule& rule, double low, double high) {
  const Dtype dtype = rule.types == Types::boolean ? Dtype::boolean : Dtype::float32;
  const auto build = [&rule](const std::vector<Tensor>& inputs) {
    return std::vector<Tensor>{elementwise(rule, inputs)};
  };
  const auto example = [&](std::string label, const Shape& first, const Shape& second) {
    OpExample result{std::move(label), {}, build, rule.gradient != nullptr};
    for (int i = 0; i < rule.arity; ++i) {
      const bool condition = rule.select && i == 0;
      result.inputs.push_back({{i == 0 ? first : second, condition ? Dtype::boolean : dtype}, low, high});
      if (condition) result.inputs.back().low = 0, result.inputs.back().high = 2;
    }
    return result;
  };
  OpEntry entry{std::string(rule.name), elementwise_candidates(), {example("same shape", {3, 5}, {3, 5})}};
  entry.examples.push_back(example("longer than a chunk", {2051}, {2051}));
  if (rule.arity > 1) {
    entry.examples.push_back(example("rows", {4, 3}, {3}));
    entry.examples.push_back(example("columns", {4, 3}, {4, 1}));
    entry.examples.push_back(example("scalar", {4, 3}, {}));
    entry.examples.push_back(example("both ways", {2, 1, 3}, {4, 1}));
  }
  return entry;
}

Tensor sum_to_shape(const Tensor& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;  // also where both have unknown dimensions
  const int extra = gradient.rank() - shape.rank();
  std::vector<int> axes;
  for (int i = 0; i < gradient.rank(); ++i) {
    if (i < extra || (shape[i - extra] == 1 && gradient.shape()[i] != 1)) axes.push_back(i);
  }
  if (axes.empty()) return gradient;
  if (static_cast<int>(axes.size()) == extra) return ops::sum(gradient, axes);
  const Tensor summed = ops::sum(gradient, axes, true);
  return extra > 0 ? ops::reshape(summed, shape) : summed;
}

}  // namespace strata
