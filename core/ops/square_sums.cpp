// SPDX-License-Identifier: Apache-2.0
#include "core/ops/square_sums.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/ops/registry.h"

namespace strata {
namespace {

Dim chunks_of(Dim elements) { return (elements + kNormChunk - 1) / kNormChunk; }

class SquareSumsOp final : public Op {
 public:
  std::string_view name() const override { return "square_sums"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const TensorSpec& x = inputs[0];
    if (!is_floating(x.dtype)) throw DtypeError("square_sums: expected a floating dtype, received " + x.str());
    if (x.shape.rank() != 1) throw ShapeError("square_sums: expected one axis, received " + x.str());
    return {{{x.shape.is_known() ? chunks_of(x.shape[0]) : None}, Dtype::float64}};
  }
};

/// Element i goes to partial sum i mod kLanes, whatever the instruction set.
template <class T>
STRATA_SIMD_CLONES double chunk_sum(const T* x, Dim n) {
  constexpr Dim kLanes = 32;
  double lanes[kLanes] = {};
  Dim i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (Dim l = 0; l < kLanes; ++l) {
      const auto value = static_cast<double>(x[i + l]);
      lanes[l] += value * value;
    }
  }
  for (Dim l = 0; i + l < n; ++l) {
    const auto value = static_cast<double>(x[i + l]);
    lanes[l] += value * value;
  }
  for (Dim width = kLanes / 2; width > 0; width /= 2) {
    for (Dim l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

Prepared prepare(const KernelRequest& request) {
  const Dim n = request.inputs[0].shape.elements();
  return visit_dtype(request.inputs[0].dtype, [n]<class T>(TypeTag<T>) -> Prepared {
    if constexpr (std::is_floating_point_v<T>) {
      return make_kernel([n](const KernelArgs& args) {
        const T* x = args.input<T>(0);
        for (Dim c = 0; c < chunks_of(n); ++c) {
          args.output<double>(0)[c] = chunk_sum(x + c * kNormChunk, std::min(kNormChunk, n - c * kNormChunk));
        }
      });
    } else {
      return "not a floating dtype";
    }
  });
}

}  // namespace

Tensor ops::square_sums(const Tensor& x) { return apply_one(std::make_shared<SquareSumsOp>(), {x}); }

void register_square_sums(OpRegistry& registry) {
  const auto build = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{ops::square_sums(x[0])}; };
  registry.add({"square_sums",
                {{"reference", "cpu", prepare}},
                {{"chunks", {{{{2 * kNormChunk + 37}, Dtype::float32}}}, build, false},
                 {"one short chunk", {{{{5}, Dtype::float64}}}, build, false}}});
}

}  // namespace strata
