// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <limits>

#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/rows.h"

namespace strata {
namespace {

class GatherOp final : public Op {
 public:
  std::string_view name() const override { return "gather"; }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    expect_ids("gather", inputs[1]);
    const Shape& x = inputs[0].shape;
    if (x.rank() == 0) throw ShapeError("gather: expected a tensor with rows, received a scalar");
    return {{inputs[1].shape.concat(x.slice(1, x.rank())), inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Shape& x = args.input(0).shape();
    const Tensor& ids = args.input(1);
    const Dim count = ids.shape().is_known() ? ids.shape().elements() : None;
    const Tensor values =
        ids.rank() == 1 ? args.grad() : ops::reshape(args.grad(), Shape{count}.concat(x.slice(1, x.rank())));
    return {{values, ops::reshape(ops::cast(ids, Dtype::int64), {count})}, {}};
  }
};

template <class T>
void gather_rows(const KernelArgs& args, Dtype id_dtype, Dim ids, Dim rows, Dim width) {
  const T missing = std::numeric_limits<T>::has_quiet_NaN ? std::numeric_limits<T>::quiet_NaN() : T{};
  const T* x = args.input<T>(0);
  T* out = args.output<T>();
  const RowPrefetch prefetch(x, rows, static_cast<std::size_t>(width) * sizeof(T), args.inputs[1], id_dtype, ids);
  for (Dim i = 0; i < ids; ++i, out += width) {
    prefetch(i);
    const Dim row = id_at(args.inputs[1], id_dtype, i);
    if (row >= 0 && row < rows) std::copy_n(x + row * width, width, out);
    else std::fill_n(out, width, missing);
  }
}

Prepared prepare(const KernelRequest& request) {
  const Shape& x = request.inputs[0].shape;
  const Dim width = x.slice(1, x.rank()).elements();
  return visit_dtype(request.inputs[0].dtype, [&]<class T>(TypeTag<T>) {
    return make_kernel([=, type = request.inputs[1].dtype, ids = request.inputs[1].shape.elements(),
                        rows = x[0]](const KernelArgs& args) { gather_rows<T>(args, type, ids, rows, width); });
  });
}

OpExample example(std::string label, Shape x, Shape ids, Dtype id_dtype, Dtype dtype = Dtype::float32) {
  const auto build = [](const std::vector<Tensor>& t) { return std::vector<Tensor>{ops::gather(t[0], t[1])}; };
  const auto rows = static_cast<double>(x[0]);
  return {std::move(label),
          {{{std::move(x), dtype}, 0, 100}, {{std::move(ids), id_dtype}, 0, rows}},
          build,
          is_floating(dtype)};
}

}  // namespace

Tensor ops::gather(const Tensor& x, const Tensor& ids) { return apply_one(std::make_shared<GatherOp>(), {x, ids}); }

void register_gather(OpRegistry& registry) {
  registry.add({"gather",
                {{"reference", "cpu", prepare}},
                {example("rows", {5, 3}, {9}, Dtype::int64), example("matrix of ids", {4, 2, 3}, {3, 2}, Dtype::int32),
                 example("elements", {6}, {4}, Dtype::int64), example("one id", {4, 3}, {}, Dtype::int32),
                 example("int32 rows", {4, 3}, {5}, Dtype::int64, Dtype::int32)}});
}

}  // namespace strata
