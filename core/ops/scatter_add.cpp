// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/simd.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/rows.h"

namespace strata {
namespace {

class ScatterAddOp final : public Op {
 public:
  explicit ScatterAddOp(Dim rows) : rows_(rows) {}
  std::string_view name() const override { return "scatter_add"; }
  std::string attributes() const override { return "rows=" + std::to_string(rows_); }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Shape& ids = inputs[0].shape;
    const Shape& updates = inputs[1].shape;
    expect_ids("scatter_add", inputs[0]);
    if (inputs[1].dtype == Dtype::boolean) {
      throw DtypeError("scatter_add: expected updates of a numeric dtype, received " + inputs[1].str());
    }
    if (updates.rank() < ids.rank() || !shapes_fit(updates.slice(0, ids.rank()), ids)) {
      throw ShapeError("scatter_add: expected updates whose shape begins with that of ids " + ids.str() +
                       ", received " + updates.str());
    }
    return {{Shape{rows_}.concat(updates.slice(ids.rank(), updates.rank())), inputs[1].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor& ids = args.input(0);
    const auto bound = [&](Dim n) { return scalar(static_cast<double>(n), ids.dtype()); };
    Tensor used = ops::greater_equal(ids, bound(0));
    if (rows_ != None) used = ops::logical_and(used, ops::less(ids, bound(rows_)));
    for (int i = ids.rank(); i < args.input(1).rank(); ++i) used = ops::expand_dims(used, -1);
    return {{}, {ops::select(used, ops::gather(args.grad(), ids), scalar(0, args.grad().dtype())), {}}};
  }

 private:
  Dim rows_;
};

template <class T>
STRATA_SIMD_CLONES void add_rows(const KernelArgs& args, Dtype id_dtype, Dim ids, Dim rows, Dim width) {
  const T* updates = args.input<T>(1);
  T* out = args.output<T>();
  std::fill_n(out, rows * width, T{});
  for (Dim i = 0; i < ids; ++i, updates += width) {
    const Dim row = id_at(args.inputs[0], id_dtype, i);
    if (row < 0 || row >= rows) continue;
    T* sum = out + row * width;
#pragma GCC ivdep
    for (Dim c = 0; c < width; ++c) sum[c] = static_cast<T>(sum[c] + updates[c]);
  }
}

Prepared prepare(const KernelRequest& request) {
  const Shape& out = request.outputs[0].shape;
  const Dim width = out.slice(1, out.rank()).elements();
  return visit_dtype(request.inputs[1].dtype, [&]<class T>(TypeTag<T>) -> Prepared {
    if constexpr (std::is_same_v<T, bool>) {
      return "not a numeric dtype";
    } else {
      return make_kernel([=, type = request.inputs[0].dtype, ids = request.inputs[0].shape.elements(),
                          rows = out[0]](const KernelArgs& args) { add_rows<T>(args, type, ids, rows, width); });
    }
  });
}

OpExample example(std::string label, Shape ids, Shape updates, Dim rows, Dtype id_dtype) {
  const auto build = [rows](const std::vector<Tensor>& t) {
    return std::vector<Tensor>{ops::scatter_add(t[0], t[1], rows)};
  };
  // Also ids that are out of range on either side.
  const ExampleInput drawn{{std::move(ids), id_dtype}, -1, static_cast<double>(rows) + 1};
  return {std::move(label), {drawn, {{std::move(updates)}}}, build};
}

}  // namespace

Tensor ops::scatter_add(const Tensor& ids, const Tensor& updates, Dim rows) {
  return apply_one(std::make_shared<ScatterAddOp>(rows), {ids, updates});
}

void register_scatter_add(OpRegistry& registry) {
  registry.add(
      {"scatter_add",
       {{"reference", "cpu", prepare}},
       {example("rows", {9}, {9, 3}, 4, Dtype::int64), example("matrix of ids", {3, 2}, {3, 2, 5}, 7, Dtype::int32),
        example("elements", {12}, {12}, 3, Dtype::int64)}});
}

}  // namespace strata
