// SPDX-License-Identifier: Apache-2.0
// Connectionist temporal classification: the forward variables of Graves et al. (2006), section 4.1, in logarithms. Its
// gradient is that of the recursion.
#include <limits>

#include "core/base/error.h"
#include "core/program/scan.h"
#include "core/training/losses/formula.h"

namespace strata {
namespace {

constexpr double kNever = -1e30;  // the logarithm of a probability of 0, kept finite so that gradients are numbers

/// log sum exp over the last axis.
Tensor log_sum_exp(const Tensor& x) {
  const Tensor largest = ops::stop_gradient(ops::max(x, {-1}, true));
  return ops::squeeze(largest, {-1}) + ops::log(ops::sum(ops::exp(x - largest), {-1}));
}

/// (n, states) moved `by` states towards the end.
Tensor moved(const Tensor& x, Dim by, double fill) {
  const Tensor kept = ops::slice(x, {0, 0}, {None, x.shape()[1] - by});
  return ops::pad(kept, {0, by}, {0, 0}, fill);
}

/// Labels (n, length) with a blank before, between and after: (n, 2 length + 1).
Tensor with_blanks(const Tensor& labels) {
  const Tensor pairs = ops::stack({ops::zeros_like(labels), labels}, 2);
  const Tensor flat = ops::reshape(pairs, {labels.shape()[0], 2 * labels.shape()[1]});
  return ops::pad(flat, {0, 0}, {0, 1});
}

class CtcLoss final : public LossFunction {
 public:
  explicit CtcLoss(losses::LossOptions options) : options_(std::move(options)) {}
  std::string class_name() const override { return "CTC"; }
  std::string name() const override { return options_.name.empty() ? "ctc" : options_.name; }
  Reduction reduction() const override { return options_.reduction; }

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    check_shapes(y_true.shape(), y_pred.shape());
    const Tensor labels = ops::cast(y_true, Dtype::int64);
    const Tensor states = with_blanks(labels);
    const Tensor last = last_values(states, state_probabilities(states, y_pred));
    const Tensor loss = -log_sum_exp(ops::select(final_states(labels, states), last, scalar(kNever, last.dtype())));
    const Tensor impossible = ops::greater(loss, scalar(-kNever / 2.0, loss.dtype()));
    return ops::select(impossible, scalar(std::numeric_limits<double>::infinity(), loss.dtype()), loss);
  }

  void check_targets(const HostArray& y_true, const TensorSpec& y_pred) const override {
    check_shapes(y_true.spec().shape, y_pred.shape);
    check_labels(class_name(), y_true, y_pred.shape.back());
  }

 private:
  static void check_shapes(const Shape& y_true, const Shape& y_pred) {
    if (y_true.rank() != 2) {
      throw ShapeError(
          "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer "
          "format. Received: y_true.shape=" +
          y_true.str());
    }
    if (y_pred.rank() != 3) {
      throw ShapeError(
          "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. "
          "Received: y_pred.shape=" +
          y_pred.str());
    }
  }

  /// log p of each state at each time, (time, n, states): one 1 a column of the product makes it exact.
  static Tensor state_probabilities(const Tensor& states, const Tensor& logits) {
    const Tensor columns = ops::one_hot(states, logits.shape().back(), logits.dtype());
    return ops::transpose(ops::matmul(ops::log_softmax(logits), columns, false, true), {1, 0, 2});
  }

  /// The forward variables after the last time step, (n, states).
  static Tensor last_values(const Tensor& states, const Tensor& log_p) {
    const Tensor zero = ops::zeros_like(states);
    const Tensor repeats = ops::equal(states, moved(states, 2, 0.0));
    const Tensor skips = ops::logical_not(ops::logical_or(ops::equal(states, zero), repeats));
    const Tensor never = scalar(kNever, log_p.dtype());
    const auto body = [&](const std::vector<Tensor>& carries, const std::vector<Tensor>& inputs) {
      const Tensor& before = carries[0];
      const Tensor skipping = ops::select(skips, moved(before, 2, kNever), never);
      const Tensor ways = ops::stack({before, moved(before, 1, kNever), skipping}, 2);
      return ScanStep{{log_sum_exp(ways) + inputs[0]}, {}};
    };
    // Before the first step the only place to come from is one that leads to state 0 or 1.
    const Tensor first = ops::equal(ops::iota(states.shape(), 1), zero);
    return scan(body, {ops::select(first, scalar(0.0, log_p.dtype()), never)}, {log_p}).carries[0];
  }

  /// Where a complete spelling ends: at the last label or the blank behind it.
  static Tensor final_states(const Tensor& labels, const Tensor& states) {
    const Tensor counted = ops::cast(ops::not_equal(labels, ops::zeros_like(labels)), Dtype::int64);
    const Tensor end = ops::sum(counted, {-1}, true) * 2.0;
    const Tensor place = ops::iota(states.shape(), 1);
    return ops::logical_or(ops::equal(place, end), ops::equal(place, end - 1.0));
  }

  losses::LossOptions options_;
};

}  // namespace

Loss losses::CTC(const LossOptions& options) { return {std::make_shared<CtcLoss>(options)}; }

void register_ctc(LossTable& table) { add_loss(table, "CTC", {}, losses::CTC); }

}  // namespace strata
