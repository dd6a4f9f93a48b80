// SPDX-License-Identifier: Apache-2.0
#include "core/ops/reduction.h"

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

std::vector<int> normalized(const std::vector<int>& axes, int rank, const char* name) {
  std::vector<int> result;
  for (int axis : axes) result.push_back(normalize_axis(axis, rank, name));
  if (axes.empty()) {
    for (int i = 0; i < rank; ++i) result.push_back(i);
  }
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
    throw ShapeError(std::string(name) + ": expected every axis once, received axes " + list_text(axes));
  }
  return result;
}

bool contains(const std::vector<int>& axes, int axis) { return std::binary_search(axes.begin(), axes.end(), axis); }

Shape reduced_shape(const Shape& shape, const std::vector<int>& axes, bool keepdims) {
  std::vector<Dim> dims;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!contains(axes, i)) dims.push_back(shape[i]);
    else if (keepdims) dims.push_back(1);
  }
  return Shape(std::move(dims));
}

class ReductionOp final : public Op {
 public:
  ReductionOp(const ReductionRule& rule, std::vector<int> axes, bool keepdims)
      : rule_(rule), axes_(std::move(axes)), keepdims_(keepdims) {}
  std::string_view name() const override { return rule_.name; }
  std::string attributes() const override {
    return "axes=" + list_text(axes_) + " keepdims=" + (keepdims_ ? "1" : "0");
  }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    if (rule_.pass(widened(inputs[0].dtype)) == nullptr) {
      throw DtypeError(std::string(rule_.name) + ": expected " + rule_.takes + ", received " + inputs[0].str());
    }
    return {{reduced_shape(inputs[0].shape, axes(inputs[0].shape.rank()), keepdims_), inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor& x = args.input();
    const std::vector<int> reduced = axes(x.rank());
    const Shape kept = reduced_shape(x.shape(), reduced, true);
    const Tensor output = ops::reshape(args.output(), kept);
    const Tensor grad = ops::reshape(args.grad(), kept);
    return {{broadcast_like(rule_.gradient({x, output, grad, reduced}), x), {}}};
  }

  std::vector<int> axes(int rank) const { return normalized(axes_, rank, rule_.name.data()); }
  const ReductionRule& rule() const { return rule_; }

 private:
  const ReductionRule& rule_;
  std::vector<int> axes_;
  bool keepdims_;
};

// Any set of axes is reduced by passes over (outer, n, inner), from the innermost run of reduced axes to the outermost.
class ReductionKernel final : public Kernel {
 public:
  ReductionKernel(const ReductionRule& rule, const TensorSpec& input, const std::vector<int>& axes)
      : dtype_(input.dtype), pass_(rule.pass(input.dtype)) {
    Dim outer = 1;
    Dim inner = 1;
    for (Dim d : input.shape) outer *= d;
    for (int i = input.shape.rank(); i-- > 0;) {
      const Dim size = input.shape[i];
      if (outer == 0) break;
      outer /= size;
      if (!contains(axes, i)) {
        inner *= size;
      } else if (i + 1 < input.shape.rank() && contains(axes, i + 1)) {
        passes_.back().n *= size;
        passes_.back().outer = outer;
      } else {
        passes_.push_back({outer, size, inner});
      }
      if (contains(axes, i)) count_ *= size;
    }
    if (input.shape.elements() == 0) plan_empty(input.shape, axes);
    if (passes_.empty()) passes_.push_back({input.shape.elements(), 1, 1});
    divide_ = rule.divide;
  }

  std::size_t scratch_bytes() const override {
    std::size_t bytes = 0;
    for (std::size_t p = 0; p + 1 < passes_.size(); ++p) bytes += result_bytes(p);
    return bytes;
  }

  void run(const KernelArgs& args, Stream&) const override {
    const void* from = args.inputs[0];
    auto* place = static_cast<std::byte*>(args.scratch);
    for (std::size_t p = 0; p < passes_.size(); ++p) {
      const Pass& pass = passes_[p];
      void* to = p + 1 == passes_.size() ? args.outputs[0] : place;
      pass_(from, to, pass.outer, pass.n, pass.inner);
      from = to;
      place += result_bytes(p);
    }
    if (divide_) divide(args);
  }

 private:
  struct Pass {
    Dim outer;
    Dim n;
    Dim inner;
  };

  /// Nothing to read: every result is that of combining no element.
  void plan_empty(const Shape& shape, const std::vector<int>& axes) {
    passes_ = {{reduced_shape(shape, axes, false).elements(), 0, 1}};
    count_ = 0;
  }

  std::size_t result_bytes(std::size_t p) const {
    const std::size_t bytes = static_cast<std::size_t>(passes_[p].outer * passes_[p].inner) * size_of(dtype_);
    return (bytes + 63) / 64 * 64;
  }

  void divide(const KernelArgs& args) const {
    const Dim n = passes_.back().outer * passes_.back().inner;
    if (dtype_ == Dtype::float32) divide(args.output<float>(), n);
    else divide(args.output<double>(), n);
  }
  template <class T>
  void divide(T* values, Dim n) const {
    for (Dim i = 0; i < n; ++i) values[i] /= static_cast<T>(count_);
  }

  Dtype dtype_;
  ReductionPass pass_;
  std::vector<Pass> passes_;
  Dim count_ = 1;
  bool divide_ = false;
};

Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const ReductionOp&>(request.op);
  return std::make_shared<ReductionKernel>(op.rule(), request.inputs[0], op.axes(request.inputs[0].shape.rank()));
}

}  // namespace

Tensor reduce(const ReductionRule& rule, const Tensor& x, std::vector<int> axes, bool keepdims) {
  return apply_one(std::make_shared<ReductionOp>(rule, std::move(axes), keepdims), {x});
}

Tensor broadcast_like(const Tensor& x, const Tensor& like) {
  if (like.shape().is_known()) return ops::broadcast_to(x, like.shape());
  return ops::add(x, ops::zeros_like(like));
}

Tensor reduced_count(const Tensor& x, const std::vector<int>& axes) {
  Dim count = 1;
  for (int axis : axes) {
    if (x.shape()[axis] == None) return ops::sum(ops::ones_like(x), axes, true);
    count *= x.shape()[axis];
  }
  return scalar(static_cast<double>(count), x.dtype());
}

OpEntry reduction_entry(const ReductionRule& rule) {
  const auto example = [&rule](std::string label, const Shape& shape, std::vector<int> axes, bool keepdims = false,
                               Dtype dtype = Dtype::float32) {
    const auto build = [&rule, axes = std::move(axes), keepdims](const std::vector<Tensor>& x) {
      return std::vector<Tensor>{reduce(rule, x[0], axes, keepdims)};
    };
    return OpExample{std::move(label), {{{shape, dtype}, -9, 9}}, build, is_floating(dtype)};
  };
  OpEntry entry{std::string(rule.name), {{"reference", "cpu", prepare}}, {}};
  entry.examples = {example("all axes", {3, 4, 5}, {}),
                    example("last axis", {7, 45}, {-1}),
                    example("first axis", {19, 10}, {0}),
                    example("first axis, wide", {6, 150}, {0}),
                    example("middle, kept", {2, 5, 3}, {1}, true),
                    example("outer and inner", {3, 4, 5}, {0, 2}),
                    example("size one", {1, 4}, {0}),
                    example("long row", {5003}, {}),
                    example("scalar", {}, {}),
                    example("many rows", {600, 3}, {0})};
  if (rule.pass(Dtype::int32) != nullptr) entry.examples.push_back(example("int32", {4, 50}, {1}, false, Dtype::int32));
  return entry;
}

}  // namespace strata
