// SPDX-License-Identifier: Apache-2.0
#include "core/training/step_program.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "core/training/loss_sum.h"

namespace strata {
namespace {

Tensor block_placeholder(const TensorSpec& row, Dim rows, const std::string& label) {
  return placeholder({Shape{rows}.concat(row.shape), row.dtype}, label);
}

/// Traces one step; the parts of StepProgram are filled in the order of the program's outputs.
class StepTracer {
 public:
  StepTracer(StepKind kind, Functional& model, const Objective& objective, const DataSpecs& data, Dim rows)
      : kind_(kind), model_(model), objective_(objective), rows_(rows) {
    for (const TensorSpec& spec : data.x) x_.push_back(add_input(block_placeholder(spec, rows, "x")));
    for (const TensorSpec& spec : data.y) y_.push_back(add_input(block_placeholder(spec, rows, "y")));
    for (const TensorSpec& spec : data.weights) {
      weights_.push_back(ops::cast(add_input(block_placeholder(spec, rows, "sample_weight")), Dtype::float32));
    }
    step_.random_state = static_cast<int>(inputs_.size());
    trace_.random_state = add_input(placeholder({{3}, Dtype::int64}, "random_state"));
    step_.batch_samples = static_cast<int>(inputs_.size());
    batch_samples_ = add_input(placeholder({{}, Dtype::float64}, "batch_samples"));
    step_.block_samples = static_cast<int>(inputs_.size());
    block_samples_ = add_input(placeholder({{}, Dtype::float64}, "block_samples"));
    step_.loss_scale = static_cast<int>(inputs_.size());
    loss_scale_ = add_input(placeholder({{}, Dtype::float64}, "loss_scale"));
    step_.first_row = static_cast<int>(inputs_.size());
    trace_.first_row = add_input(placeholder({{}, Dtype::int64}, "first_row"));
    trace_.training = kind == StepKind::train;
  }

  StepProgram run(const std::vector<Variable>& variables, const RowChoice& by_rows, Device& device) {
    forward();
    std::vector<Tensor> sums;
    if (kind_ != StepKind::predict) sums = trace_sums();
    if (kind_ == StepKind::train) trace_gradients(variables, by_rows);
    step_.first_sum = static_cast<int>(outputs_.size());
    outputs_.insert(outputs_.end(), sums.begin(), sums.end());
    step_.first_state = static_cast<int>(outputs_.size());
    trace_states();
    step_.first_prediction = static_cast<int>(outputs_.size());
    if (kind_ == StepKind::predict) outputs_.insert(outputs_.end(), predictions_.begin(), predictions_.end());
    step_.program = Program::compile(inputs_, outputs_, device);
    return std::move(step_);
  }

 private:
  Tensor add_input(Tensor tensor) {
    inputs_.push_back(tensor);
    return tensor;
  }

  void forward() {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const Dtype wanted = model_.inputs()[i].dtype();
      inputs.push_back(x_[i].dtype() == wanted ? x_[i] : ops::cast(x_[i], wanted));
    }
    CallContext context(trace_, "", trace_.training);
    predictions_ = model_.run(inputs, context);
    masks_ = context.output_masks();
    masks_.resize(predictions_.size());
    const auto names = model_.output_names();
    for (std::size_t k = 0; k < predictions_.size(); ++k) require_rows(predictions_[k], "output '" + names[k] + "'");
  }

  /// Everything that is cut into blocks has the samples on axis 0.
  void require_rows(const Tensor& tensor, const std::string& what) const {
    if (tensor.rank() > 0 && tensor.shape()[0] == rows_) return;
    throw ShapeError("Expected one row a sample: axis 0 of " + what + " must be " + std::to_string(rows_) +
                     " for a block of so many samples, received shape " + tensor.shape().str());
  }

  std::vector<Tensor> trace_sums() {
    for (Tensor& prediction : predictions_) prediction = widened(prediction);
    for (std::size_t k = 0; k < predictions_.size(); ++k) {
      if (objective_.losses[k]) trace_loss(k);
    }
    add_weight_penalties();
    for (const auto& [loss, combine] : trace_.losses) {
      const Tensor& samples = combine == Combine::mean ? block_samples_ : batch_samples_;
      const Tensor in_block = loss * ops::cast(samples, loss.dtype());
      add_to_total(in_block / ops::cast(batch_samples_, loss.dtype()));
      add_sum({.name = "", .weight = 1.0}, ops::cast(in_block, Dtype::float64));
    }
    for (const OutputMetric& metric : objective_.metrics) trace_metric(metric);
    return std::move(sums_);
  }

  void trace_loss(std::size_t k) {
    const double share = objective_.loss_weights[k];
    const LossSum loss = sum_loss(*objective_.losses[k], y_[k], predictions_[k], weights_of(k), masks_[k]);
    SumSpec spec{.name = predictions_.size() > 1 ? model_.output_names()[k] + "_loss" : "loss", .weight = share};
    const Tensor sum = ops::cast(loss.sum, Dtype::float64);
    if (!loss.divides) {
      spec.kind = SumSpec::Kind::plain;
      add_to_total(loss.sum * share);
      add_sum(spec, sum);
    } else if (loss.count) {
      spec.kind = SumSpec::Kind::quotient;
      const Tensor all = ops::cast(ops::block_sum(loss.count), loss.sum.dtype());
      add_to_total(safe_quotient(loss.sum, all) * share);
      add_sum(spec, ops::stack({sum, loss.count}));
    } else {
      spec.positions = rows_ > 0 ? loss.values / rows_ : 1;
      const double part = share / static_cast<double>(spec.positions);
      add_to_total(loss.sum * part / ops::cast(batch_samples_, loss.sum.dtype()));
      add_sum(spec, sum);
    }
  }

  void trace_metric(const OutputMetric& metric) {
    const std::size_t k = metric.output;
    const Tensor state =
        metric.metric->update({y_[k], predictions_[k], metric.weighted ? weights_of(k) : Tensor(), masks_[k]});
    const std::vector<double> empty(static_cast<std::size_t>(state.shape().elements()), 0.0);
    metric.metric->result(empty);  // throws when there is no single value to show
    const std::shared_ptr<const MetricFunction> held(metric.metric.function());
    add_sum({.name = metric.name, .kind = SumSpec::Kind::metric, .metric = held}, state);
  }

  void add_sum(SumSpec spec, const Tensor& sums) {
    spec.first = step_.sums.empty() ? 0 : step_.sums.back().first + step_.sums.back().count;
    spec.count = static_cast<std::size_t>(sums.shape().elements());
    step_.sums.push_back(std::move(spec));
    sums_.push_back(sums);
  }

  Tensor weights_of(std::size_t k) const { return weights_.empty() ? Tensor() : weights_[k]; }

  /// Every block takes its share of the penalties, by its samples, so that a step has them once. Their gradients come
  /// with the update, once for all blocks.
  void add_weight_penalties() {
    const auto trained = model_.trainable_weights();
    for (const WeightRule& rule : model_.weight_rules()) {
      const bool counts = rule.regularizer && std::find(trained.begin(), trained.end(), rule.variable) != trained.end();
      if (counts) trace_.losses.push_back({rule.regularizer(ops::stop_gradient(rule.variable.value())), Combine::mean});
    }
  }

  void add_to_total(const Tensor& part) { total_ = total_ ? total_ + ops::cast(part, total_.dtype()) : part; }

  // The last variable's gradient comes first: programs compute outputs in order, and backward meets the last layer
  // first, so that its gradient can be on the way to other ranks while those before it are computed.
  void trace_gradients(const std::vector<Variable>& variables, const RowChoice& by_rows) {
    if (!total_) throw ConfigError("There is no loss to train with: give compile() one, or add_loss() in a layer.");
    const Tensor total = objective_.scales_loss ? total_ * ops::cast(loss_scale_, total_.dtype()) : total_;
    std::vector<Tensor> sources;
    for (const Variable& variable : variables) sources.push_back(variable.value());
    const auto grads = gradients({total}, sources);
    step_.gradients.resize(grads.size());
    for (std::size_t i = grads.size(); i-- > 0;) {
      GradientOutput& gradient = step_.gradients[i];
      gradient.first = static_cast<int>(outputs_.size());
      gradient.ids = grads[i].is_rows() ? grads[i].ids.shape()[0] : 0;
      gradient.by_rows = grads[i].is_rows() && by_rows && by_rows(i, gradient.ids);
      if (gradient.by_rows) {
        const CombinedRows rows = ops::combine_rows(grads[i].ids, grads[i].values, sources[i].shape()[0]);
        outputs_.insert(outputs_.end(), {rows.ids, rows.values, rows.count});
      } else {
        outputs_.push_back(dense(grads[i], sources[i]));
      }
    }
  }

  void trace_states() {
    for (const StateUpdate& update : trace_.updates) {
      Tensor value = update.value;
      if (!is_floating(value.dtype())) {
        throw DtypeError("State '" + update.variable.path() +
                         "': expected a floating dtype, which can be summed over "
                         "blocks, received " +
                         value.spec().str());
      }
      if (update.combine == Combine::mean) value = value * ops::cast(block_samples_ / batch_samples_, value.dtype());
      outputs_.push_back(value);
      step_.states.push_back({update.variable, update.combine});
    }
  }

  StepKind kind_;
  Functional& model_;
  const Objective& objective_;
  Dim rows_;
  StepProgram step_;
  Trace trace_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<Tensor> x_, y_, weights_, predictions_, masks_, sums_;
  Tensor batch_samples_, block_samples_, loss_scale_, total_;
};

}  // namespace

StepProgram compile_step(StepKind kind, Functional& model, const Objective& objective, const DataSpecs& data, Dim rows,
                         const std::vector<Variable>& variables, Device& device, const RowChoice& by_rows) {
  const DeviceScope scope(device);
  return StepTracer(kind, model, objective, data, rows).run(variables, by_rows, device);
}

}  // namespace strata
