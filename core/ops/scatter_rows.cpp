// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/ops/rows.h"

namespace strata {
namespace {

class ScatterRowsOp final : public Op {
 public:
  std::string_view name() const override { return "scatter_rows"; }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const auto& [x, ids, values] = std::tie(inputs[0], inputs[1], inputs[2]);
    expect_ids("scatter_rows", ids);
    const bool fits = x.shape.rank() > 0 && ids.shape.rank() == 1 && x.dtype == values.dtype &&
                      shapes_fit(values.shape, ids.shape.concat(x.shape.slice(1, x.shape.rank())));
    if (!fits) {
      throw ShapeError("scatter_rows: expected ids of one axis and values with a row of " + x.str() +
                       " for each, received " + ids.str() + " and " + values.str());
    }
    return {x};
  }
};

class ScatterRowsKernel final : public Kernel {
 public:
  explicit ScatterRowsKernel(const KernelRequest& request)
      : bytes_(request.inputs[0].bytes()),
        rows_(request.inputs[0].shape[0]),
        row_bytes_(rows_ == 0 ? 0 : bytes_ / static_cast<std::size_t>(rows_)),
        ids_(request.inputs[1].shape[0]),
        id_dtype_(request.inputs[1].dtype) {}

  void run(const KernelArgs& args, Stream&) const override {
    auto* out = args.output<std::byte>();
    if (out != args.inputs[0]) std::copy_n(args.input<std::byte>(0), bytes_, out);
    const auto* values = args.input<std::byte>(2);
    for (Dim i = 0; i < ids_; ++i, values += row_bytes_) {
      const Dim row = id_at(args.inputs[1], id_dtype_, i);
      if (row >= 0 && row < rows_) std::copy_n(values, row_bytes_, out + static_cast<std::size_t>(row) * row_bytes_);
    }
  }
  bool may_overwrite(int input, int) const override { return input == 0; }

 private:
  std::size_t bytes_;
  Dim rows_;
  std::size_t row_bytes_;
  Dim ids_;
  Dtype id_dtype_;
};

Prepared prepare(const KernelRequest& request) { return std::make_shared<ScatterRowsKernel>(request); }

OpExample example(std::string label, Shape x, Dim count, Dtype id_dtype) {
  const Shape values = Shape{count}.concat(x.slice(1, x.rank()));
  const ExampleInput ids{{{count}, id_dtype}, -1, static_cast<double>(x[0]) + 1};
  return {std::move(label),
          {{{std::move(x)}}, ids, {{values}}},
          [](const std::vector<Tensor>& t) { return std::vector<Tensor>{ops::scatter_rows(t[0], t[1], t[2])}; },
          false};
}

}  // namespace

Tensor ops::scatter_rows(const Tensor& x, const Tensor& ids, const Tensor& values) {
  return apply_one(std::make_shared<ScatterRowsOp>(), {x, ids, values});
}

void register_scatter_rows(OpRegistry& registry) {
  registry.add({"scatter_rows",
                {{"reference", "cpu", prepare, true}},
                {example("rows", {5, 3}, 4, Dtype::int64), example("higher rank", {4, 2, 3}, 7, Dtype::int32),
                 example("elements", {9}, 2, Dtype::int64)}});
}

}  // namespace strata
