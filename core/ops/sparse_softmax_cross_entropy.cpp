// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/softmax.h"

namespace strata {
namespace {

constexpr const char* kName = "sparse_softmax_cross_entropy";

class SparseSoftmaxCrossEntropyOp final : public Op {
 public:
  std::string_view name() const override { return kName; }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    softmax::expect_logits(kName, inputs[0]);
    if (is_floating(inputs[1].dtype) || inputs[1].dtype == Dtype::boolean) {
      throw DtypeError(std::string(kName) + ": expected integer labels, received " + inputs[1].str());
    }
    const Shape rows = inputs[0].shape.slice(0, inputs[0].shape.rank() - 1);
    if (!shapes_fit(inputs[1].shape, rows)) {
      throw ShapeError(std::string(kName) + ": expected labels of shape " + rows.str() + " for logits of shape " +
                       inputs[0].shape.str() + ", received " + inputs[1].shape.str());
    }
    return {{rows, inputs[0].dtype}};
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override {
    const Tensor& logits = args.input(0);
    const Tensor target = ops::one_hot(args.input(1), logits.shape().back(), logits.dtype());
    return {{(ops::softmax(logits) - target) * ops::expand_dims(args.grad(), -1), {}}, {}};
  }
};

/// out[r] = log(sum of exponentials[r]) - shifted[label], with shifted = logits - their row's maximum.
template <class T, class Label>
STRATA_SIMD_CLONES void losses(const T* shifted, const T* exponentials, const Label* labels, T* out, Dim rows, Dim n) {
  for (Dim r = 0; r < rows; ++r) {
    const T log_sum = vector_math::log(reduce_row<SumCombine>(exponentials + r * n, n));
    const auto label = static_cast<Dim>(labels[r]);
    out[r] = label >= 0 && label < n ? log_sum - shifted[r * n + label] : std::numeric_limits<T>::quiet_NaN();
  }
}

template <class T, class Label>
void cross_entropy_kernel(const KernelArgs& args, Dim rows, Dim n) {
  const Dim step = softmax::group_rows(n);
  T* shifted = static_cast<T*>(args.scratch);
  T* exponentials = shifted + softmax::group_elements(rows, n);
  for (Dim r = 0; r < rows; r += step) {
    const Dim count = std::min(step, rows - r);
    softmax::subtract_max(args.input<T>(0) + r * n, shifted, count, n);
    softmax::exponentiate<T>(shifted, exponentials, count * n);
    losses<T, Label>(shifted, exponentials, args.input<Label>(1) + r, args.output<T>() + r, count, n);
  }
}

Prepared prepare(const KernelRequest& request) {
  const Shape& shape = request.inputs[0].shape;
  const Dtype dtype = request.inputs[0].dtype;
  const Dim rows = request.outputs[0].shape.elements();
  const Dim n = shape.back();
  const auto scratch = 2 * static_cast<std::size_t>(softmax::group_elements(rows, n)) * size_of(dtype);
  return visit_dtype(request.inputs[1].dtype, [&]<class Label>(TypeTag<Label>) -> Prepared {
    if constexpr (std::is_floating_point_v<Label> || std::is_same_v<Label, bool>) {
      return "labels are not integers";
    } else {
      return make_kernel(
          [rows, n, dtype](const KernelArgs& args) {
            if (dtype == Dtype::float64) cross_entropy_kernel<double, Label>(args, rows, n);
            else cross_entropy_kernel<float, Label>(args, rows, n);
          },
          scratch);
    }
  });
}

OpExample example(std::string label, Shape logits, Shape labels, Dtype label_dtype) {
  const auto build = [](const std::vector<Tensor>& t) {
    return std::vector<Tensor>{ops::sparse_softmax_cross_entropy(t[0], t[1])};
  };
  const auto classes = static_cast<double>(logits.back());
  return {std::move(label), {{{std::move(logits)}, -5, 5}, {{std::move(labels), label_dtype}, 0, classes}}, build};
}

}  // namespace

Tensor ops::sparse_softmax_cross_entropy(const Tensor& logits, const Tensor& labels) {
  return apply_one(std::make_shared<SparseSoftmaxCrossEntropyOp>(), {logits, labels});
}

void register_sparse_softmax_cross_entropy(OpRegistry& registry) {
  registry.add(
      {kName,
       {{"reference", "cpu", prepare}},
       {example("uint8 labels", {7, 10}, {7}, Dtype::uint8), example("sequences", {2, 3, 4}, {2, 3}, Dtype::int32),
        example("many classes", {3, 2100}, {3}, Dtype::int64)}});
}

}  // namespace strata
