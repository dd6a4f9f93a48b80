// SPDX-License-Identifier: Apache-2.0
// Any einsum as a batched matrix product: operands whose axes lie in another order are copied into that order first,
// and the product is copied back.
#include <algorithm>

#include "core/ops/einsum_op.h"
#include "core/ops/matmul.h"
#include "core/ops/strided_copy.h"

namespace strata {
namespace {

constexpr std::size_t kAlignment = 64;
std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

Shape shape_in_order(const Shape& shape, const std::string& from, const std::string& to) {
  std::vector<Dim> dims;
  for (const char letter : to) dims.push_back(shape[static_cast<int>(from.find(letter))]);
  return Shape(std::move(dims));
}

/// A copy of a tensor with axes `from` into the order `to`.
StridedCopy reordering(const Shape& shape, const std::string& from, const std::string& to) {
  const std::vector<Dim> source = dense_strides(shape);
  const std::vector<Dim> target = dense_strides(shape_in_order(shape, from, to));
  std::vector<StridedAxis> axes;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::size_t at = from.find(to[i]);
    axes.push_back({shape[static_cast<int>(at)], source[at], target[i]});
  }
  return {std::move(axes), 0, 0, sizeof(float)};
}

/// One tensor of the product: its axes in memory and in the product.
struct Side {
  std::vector<StridedCopy> copy;  // empty when memory has the product's order
  std::size_t bytes = 0;          // of the copy
};

Side side(const Shape& shape, const std::string& from, const std::string& to) {
  if (from == to) return {};
  return {{reordering(shape, from, to)}, aligned(static_cast<std::size_t>(shape.elements()) * sizeof(float))};
}

class ReorderedProduct final : public Kernel {
 public:
  ReorderedProduct(Side a, Side b, Side c, std::shared_ptr<const Kernel> product)
      : a_(std::move(a)), b_(std::move(b)), c_(std::move(c)), product_(std::move(product)) {}

  std::size_t scratch_bytes() const override { return a_.bytes + b_.bytes + c_.bytes + product_->scratch_bytes(); }
  std::shared_ptr<void> make_state() const override { return product_->make_state(); }

  void run(const KernelArgs& args, Stream& stream) const override {
    auto* scratch = static_cast<std::byte*>(args.scratch);
    const void* inputs[2] = {args.inputs[0], args.inputs[1]};
    for (const auto& [from, to] : {std::pair{&a_, &inputs[0]}, std::pair{&b_, &inputs[1]}}) {
      if (from->copy.empty()) continue;
      from->copy[0].run(*to, scratch);
      *to = scratch;
      scratch += from->bytes;
    }
    void* output = c_.copy.empty() ? args.outputs[0] : scratch;
    product_->run({inputs, &output, scratch + c_.bytes, args.state}, stream);
    if (!c_.copy.empty()) c_.copy[0].run(output, args.outputs[0]);
  }

 private:
  Side a_, b_, c_;
  std::shared_ptr<const Kernel> product_;
};

Dim elements(const Shape& shape, const std::string& letters, const std::string& of) {
  return shape_in_order(shape, letters, of).elements();
}

}  // namespace

Prepared prepare_einsum_matmul(const KernelRequest& request) {
  const TensorSpec& a = request.inputs[0];
  const TensorSpec& b = request.inputs[1];
  const TensorSpec& c = request.outputs[0];
  if (c.dtype != Dtype::float32) return "only float32";
  if (a.shape.elements() == 0 || b.shape.elements() == 0) return "an empty operand";
  const EinsumEquation& equation = dynamic_cast<const EinsumOp&>(request.op).equation();
  const EinsumLetters letters = sort_letters(equation);
  const bool transpose_a = equation.a == letters.batch + letters.k + letters.m;
  const bool transpose_b = equation.b == letters.batch + letters.n + letters.k;
  const std::string order_a = transpose_a ? equation.a : letters.batch + letters.m + letters.k;
  const std::string order_b = transpose_b ? equation.b : letters.batch + letters.k + letters.n;
  const std::string order_c = letters.batch + letters.m + letters.n;

  const Dim batch = elements(a.shape, equation.a, letters.batch), m = elements(a.shape, equation.a, letters.m);
  const Dim k = elements(a.shape, equation.a, letters.k), n = elements(b.shape, equation.b, letters.n);
  const TensorSpec specs[2] = {{transpose_a ? Shape{batch, k, m} : Shape{batch, m, k}, a.dtype},
                               {transpose_b ? Shape{batch, n, k} : Shape{batch, k, n}, b.dtype}};
  const TensorSpec product{{batch, m, n}, c.dtype};
  const MatMulOp matmul(transpose_a, transpose_b);
  return std::make_shared<ReorderedProduct>(
      side(a.shape, equation.a, order_a), side(b.shape, equation.b, order_b),
      side(shape_in_order(c.shape, equation.result, order_c), order_c, equation.result),
      choose_kernel({matmul, specs, std::span(&product, 1)}, cpu_device()).kernel);
}

}  // namespace strata
