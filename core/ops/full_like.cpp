// SPDX-License-Identifier: Apache-2.0
// Constants of another tensor's shape. The input tells the shape alone, which may be unknown while a graph is built.
#include <algorithm>

#include "core/ops/attributes.h"
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

template <class T, int Value>
void fill_loop(const void* const*, void* output, Dim n) {
  std::fill_n(static_cast<T*>(output), n, static_cast<T>(static_cast<Widened<T>>(Value)));
}

/// Value is 0 or 1: a loop has no other place for it.
template <int Value>
class FullLikeOp final : public ElementwiseOp {
 public:
  std::string_view name() const override { return "full_like"; }
  std::string attributes() const override { return "value=" + std::to_string(Value); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override { return {inputs[0]}; }
  ElementwiseLoop loop(std::span<const Dtype> inputs) const override {
    return visit_element(inputs[0], []<class T>(TypeTag<T>) -> ElementwiseLoop { return &fill_loop<T, Value>; });
  }
  bool takes_halves() const override { return true; }
};

template <int Value>
Tensor full_like(const Tensor& x) {
  return apply_one(std::make_shared<FullLikeOp<Value>>(), {x});
}

}  // namespace

Tensor ops::zeros_like(const Tensor& x) { return x.shape().is_known() ? zeros(x.shape(), x.dtype()) : full_like<0>(x); }

Tensor ops::ones_like(const Tensor& x) { return x.shape().is_known() ? ones(x.shape(), x.dtype()) : full_like<1>(x); }

void register_full_like(OpRegistry& registry) {
  const auto build = [](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{full_like<0>(x[0]), full_like<1>(x[0])};
  };
  registry.add({"full_like",
                elementwise_candidates(),
                {{"float32", {{{{3, 700}}}}, build, false}, {"bool", {{{{3}, Dtype::boolean}, 0, 2}}, build, false}}});
}

}  // namespace strata
