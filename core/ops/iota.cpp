// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"

namespace strata {
namespace {

class IotaOp final : public Op {
 public:
  IotaOp(Shape shape, int axis, Dtype dtype) : shape_(std::move(shape)), axis_(axis), dtype_(dtype) {}
  std::string_view name() const override { return "iota"; }
  std::string attributes() const override {
    return "shape=" + shape_.str() + " axis=" + std::to_string(axis_) + " dtype=" + std::string(to_string(dtype_));
  }

  std::vector<TensorSpec> infer(std::span<const TensorSpec>) const override {
    axis();
    if (dtype_ == Dtype::boolean) throw DtypeError("iota: expected a numeric dtype, received bool");
    return {{shape_, dtype_}};
  }

  int axis() const { return normalize_axis(axis_, shape_.rank(), "iota"); }

 private:
  Shape shape_;
  int axis_;
  Dtype dtype_;
};

Prepared prepare(const KernelRequest& request) {
  const Shape& shape = request.outputs[0].shape;
  const int axis = dynamic_cast<const IotaOp&>(request.op).axis();
  const Dim outer = shape.slice(0, axis).elements();
  const Dim inner = shape.slice(axis + 1, shape.rank()).elements();
  return visit_dtype(request.outputs[0].dtype, [&]<class T>(TypeTag<T>) {
    return make_kernel([=, n = shape[axis]](const KernelArgs& args) {
      T* out = args.output<T>();
      for (Dim o = 0; o < outer; ++o) {
        for (Dim i = 0; i < n; ++i, out += inner) std::fill_n(out, inner, static_cast<T>(i));
      }
    });
  });
}

OpExample example(std::string label, Shape shape, int axis, Dtype dtype) {
  const auto build = [=](const std::vector<Tensor>&) { return std::vector<Tensor>{ops::iota(shape, axis, dtype)}; };
  return {std::move(label), {}, build, false};
}

}  // namespace

Tensor ops::iota(const Shape& shape, int axis, Dtype dtype) {
  return apply_one(std::make_shared<IotaOp>(shape, axis, dtype), {});
}

void register_iota(OpRegistry& registry) {
  registry.add({"iota",
                {{"reference", "cpu", prepare}},
                {example("vector", {7}, 0, Dtype::int64), example("middle axis", {2, 3, 4}, 1, Dtype::float32)}});
}

}  // namespace strata
