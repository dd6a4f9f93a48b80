// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

template <class From, class To>
STRATA_SIMD_CLONES void convert(const void* const* inputs, void* output, Dim n) {
  const From* x = static_cast<const From*>(inputs[0]);
  To* out = static_cast<To*>(output);
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) {
    const Widened<From> value = x[i];
    if constexpr (std::is_same_v<To, bool>) out[i] = value != Widened<From>{0};
    else out[i] = static_cast<To>(static_cast<Widened<To>>(value));
  }
}

class CastOp final : public ElementwiseOp {
 public:
  explicit CastOp(Dtype to) : to_(to) {}
  std::string_view name() const override { return "cast"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override { return {{inputs[0].shape, to_}}; }
  std::string attributes() const override { return "dtype=" + std::string(to_string(to_)); }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Dtype from = args.input().dtype();
    if (!is_floating(from) || !is_floating(to_)) return {{}};
    return {{ops::cast(args.grad(), from), {}}};
  }

  ElementwiseLoop loop(std::span<const Dtype> inputs) const override { return cast_loop(inputs[0], to_); }
  bool takes_halves() const override { return true; }

 private:
  Dtype to_;
};

OpExample example(Dtype from, Dtype to, double low, double high) {
  const std::string label = std::string(to_string(from)) + " to " + std::string(to_string(to));
  return {label,
          {{{{5, 13}, from}, low, high}},
          [to](const std::vector<Tensor>& x) { return std::vector<Tensor>{ops::cast(x[0], to)}; },
          is_floating(from) && is_floating(to) && !is_half(from) && !is_half(to)};
}

}  // namespace

ElementwiseLoop cast_loop(Dtype from, Dtype to) {
  return visit_element(from, [&]<class From>(TypeTag<From>) {
    return visit_element(to, []<class To>(TypeTag<To>) -> ElementwiseLoop { return &convert<From, To>; });
  });
}

Tensor ops::cast(const Tensor& x, Dtype dtype) {
  return x.dtype() == dtype ? x : apply_one(std::make_shared<CastOp>(dtype), {x});
}

void register_cast(OpRegistry& registry) {
  OpEntry entry{"cast", elementwise_candidates(), {}};
  entry.examples = {example(Dtype::uint8, Dtype::float32, 0, 256),  example(Dtype::int64, Dtype::int32, -99, 99),
                    example(Dtype::boolean, Dtype::float64, 0, 2),  example(Dtype::int32, Dtype::boolean, -1, 2),
                    example(Dtype::float64, Dtype::float32, -9, 9), example(Dtype::float32, Dtype::int32, -9, 9),
                    example(Dtype::float32, Dtype::boolean, -1, 1), example(Dtype::float32, Dtype::bfloat16, -9, 9),
                    example(Dtype::float16, Dtype::float64, -9, 9), example(Dtype::bfloat16, Dtype::float16, -9, 9),
                    example(Dtype::int32, Dtype::float16, -9, 9)};
  // The test runs this one from float32 and from float64, where it does nothing.
  entry.examples.push_back(example(Dtype::float32, Dtype::float64, -9, 9));
  registry.add(std::move(entry));
}

}  // namespace strata
