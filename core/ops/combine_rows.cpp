// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/simd.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/rows.h"

namespace strata {
namespace {

class CombineRowsOp final : public Op {
 public:
  explicit CombineRowsOp(Dim rows) : rows_(rows) {}
  std::string_view name() const override { return "combine_rows"; }
  std::string attributes() const override { return "rows=" + std::to_string(rows_); }
  Dim rows() const { return rows_; }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const TensorSpec& ids = inputs[0];
    const TensorSpec& values = inputs[1];
    expect_ids("combine_rows", ids);
    if (ids.shape.rank() != 1 || values.shape.rank() < 1 || !shapes_fit(values.shape.slice(0, 1), ids.shape)) {
      throw ShapeError("combine_rows: expected ids of one axis and values with a row for each, received " + ids.str() +
                       " and " + values.str());
    }
    if (!is_floating(values.dtype)) {
      throw DtypeError("combine_rows: expected values of a floating dtype, received " + values.str());
    }
    return {{ids.shape, Dtype::int64}, values, {{}, Dtype::int64}};
  }

 private:
  Dim rows_;
};

/// Where a row stands among the values.
struct Occurrence {
  Dim row, position;
  friend auto operator<=>(const Occurrence&, const Occurrence&) = default;
};

/// The ids that name a row, rows in order and their occurrences in the order of the ids.
Dim sort_occurrences(const void* ids, Dtype dtype, Dim count, Dim rows, Occurrence* sorted) {
  Dim found = 0;
  for (Dim i = 0; i < count; ++i) {
    const Dim row = id_at(ids, dtype, i);
    if (row >= 0 && row < rows) sorted[found++] = {row, i};
  }
  std::sort(sorted, sorted + found);
  return found;
}

// From zero, as scatter_add does: so both give the same bits.
template <class T>
STRATA_SIMD_CLONES void add_row(T* sum, const T* values, Dim width, bool first) {
#pragma GCC ivdep
  for (Dim c = 0; c < width; ++c) sum[c] = (first ? T{} : sum[c]) + values[c];
}

template <class T>
void combine(const KernelArgs& args, Dtype id_dtype, Dim count, Dim rows, Dim width) {
  auto* occurrences = static_cast<Occurrence*>(args.scratch);
  const Dim found = sort_occurrences(args.inputs[0], id_dtype, count, rows, occurrences);
  const T* values = args.input<T>(1);
  auto* ids = args.output<std::int64_t>(0);
  T* sums = args.output<T>(1);
  Dim combined = 0;
  for (Dim i = 0; i < found; ++i) {
    const bool first = i == 0 || occurrences[i].row != occurrences[i - 1].row;
    if (first) ids[combined++] = occurrences[i].row;
    add_row(sums + (combined - 1) * width, values + occurrences[i].position * width, width, first);
  }
  std::fill(ids + combined, ids + count, std::int64_t{-1});
  std::fill(sums + combined * width, sums + count * width, T{});
  *args.output<std::int64_t>(2) = combined;
}

Prepared prepare(const KernelRequest& request) {
  const Dim rows = dynamic_cast<const CombineRowsOp&>(request.op).rows();
  const Shape& values = request.inputs[1].shape;
  const Dim count = values[0];
  const Dim width = values.slice(1, values.rank()).elements();
  const std::size_t scratch = static_cast<std::size_t>(count) * sizeof(Occurrence);
  return visit_dtype(request.inputs[1].dtype, [&]<class T>(TypeTag<T>) -> Prepared {
    if constexpr (std::is_floating_point_v<T>) {
      return make_kernel(
          [=, type = request.inputs[0].dtype](const KernelArgs& args) { combine<T>(args, type, count, rows, width); },
          scratch);
    } else {
      return "not a floating dtype";
    }
  });
}

OpExample example(std::string label, Dim count, Shape row, Dim rows, Dtype id_dtype) {
  // Also ids that are out of range on either side.
  const ExampleInput ids{{{count}, id_dtype}, -1, static_cast<double>(rows) + 1};
  return {std::move(label),
          {ids, {{Shape{count}.concat(row)}}},
          [rows](const std::vector<Tensor>& t) {
            const CombinedRows combined = ops::combine_rows(t[0], t[1], rows);
            return std::vector<Tensor>{combined.ids, combined.values, combined.count};
          },
          false};
}

}  // namespace

CombinedRows ops::combine_rows(const Tensor& ids, const Tensor& values, Dim rows) {
  const auto results = apply_op(std::make_shared<CombineRowsOp>(rows), {ids, values});
  return {results[0], results[1], results[2]};
}

void register_combine_rows(OpRegistry& registry) {
  registry.add({"combine_rows",
                {{"reference", "cpu", prepare}},
                {example("rows", 9, {3}, 4, Dtype::int64), example("more rows than ids", 5, {2, 3}, 40, Dtype::int32),
                 example("elements", 12, {}, 3, Dtype::int64)}});
}

}  // namespace strata
