// SPDX-License-Identifier: Apache-2.0
// The gradient of a scan: a scan the other way, which carries the gradients of the carries. What the forward pass has
// computed it does not compute again: the forward scan gives those values out as well, all steps stacked.
#include <algorithm>
#include <unordered_set>

#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "core/program/scan_op.h"
#include "core/program/step_sum.h"

namespace strata {
namespace {

class BackwardScan {
 public:
  BackwardScan(const ScanOp& op, const GradientArgs& args) : forward_(op.body()), op_(op), args_(args) {}

  std::vector<Gradient> run() {
    differentiate();
    read_forward();
    const std::vector<Tensor> captured = capture(body_);
    std::vector<Tensor> inputs = initial_;
    inputs.insert(inputs.end(), sequences_.begin(), sequences_.end());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    results_ = apply_op(std::make_shared<ScanOp>(body_, !op_.reverse()), inputs);
    std::vector<Gradient> gradients(args_.inputs.size());
    for (const auto& [input, result] : computed_) gradients[input].values = results_[result];
    for (const auto& [input, term] : summed_) {
      gradients[input].values = step_sum(term, [this](const Tensor& operand) { return stacked(operand); });
    }
    return gradients;
  }

 private:
  bool is_captured(const Tensor& t) const {
    return std::any_of(forward_.captured.begin(), forward_.captured.end(), [&](const auto& c) { return c.same_as(t); });
  }
  std::size_t carries() const { return forward_.carries.size(); }
  Tensor grad(std::size_t output) const { return args_.grads[output]; }

  Tensor add_carry(const Tensor& initial) {
    initial_.push_back(initial);
    return body_.carries.emplace_back(placeholder(initial.spec()));
  }
  Tensor add_sequence(const Tensor& values) {
    sequences_.push_back(values);
    const Shape slice = values.shape().slice(1, values.rank());
    return body_.inputs.emplace_back(placeholder({slice, values.dtype()}));
  }

  /// One step backwards, as a function of the tensors of the forward body.
  void differentiate() {
    std::vector<Tensor> targets, seeds, sources;
    std::vector<std::size_t> floating;  // carries
    for (std::size_t c = 0; c < carries(); ++c) {
      if (!is_floating(forward_.next[c].dtype())) continue;
      floating.push_back(c);
      targets.push_back(forward_.next[c]);
      seeds.push_back(add_carry(grad(c) ? grad(c) : ops::zeros_like(args_.outputs[c])));
      sources.push_back(forward_.carries[c]);
    }
    for (std::size_t o = 0; o < forward_.outputs.size(); ++o) {
      if (!grad(carries() + o)) continue;
      targets.push_back(forward_.outputs[o]);
      seeds.push_back(add_sequence(grad(carries() + o)));
    }
    const auto add_sources = [&](const std::vector<Tensor>& tensors, std::size_t first_input) {
      std::vector<std::size_t> inputs;
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (!is_floating(tensors[i].dtype())) continue;
        sources.push_back(tensors[i]);
        inputs.push_back(first_input + i);
      }
      return inputs;
    };
    const auto captured = add_sources(forward_.captured, carries() + forward_.inputs.size());
    const auto inputs = add_sources(forward_.inputs, carries());

    const auto found = gradients(targets, sources, seeds);
    std::size_t at = 0;
    for (const std::size_t c : floating) {
      computed_.emplace_back(c, body_.next.size());
      body_.next.push_back(dense(found[at], sources[at]));
      ++at;
    }
    for (const std::size_t input : captured) add_captured(input, found[at], sources[at]), ++at;
    add_step_inputs(inputs, {found.begin() + static_cast<std::ptrdiff_t>(at), found.end()}, sources.data() + at);
  }

  /// The gradient of what all steps read is a sum over the steps.
  void add_captured(std::size_t input, const Gradient& found, const Tensor& source) {
    if (!found) return;
    const std::vector<Tensor> operands = found.is_rows() ? std::vector<Tensor>() : step_sum_operands(found.values);
    if (operands.empty() ||
        std::any_of(operands.begin(), operands.end(), [&](const auto& t) { return is_captured(t); })) {
      computed_.emplace_back(input, body_.next.size());
      body_.next.push_back(add_carry(ops::zeros_like(args_.inputs[input])) + dense(found, source));
      return;
    }
    summed_.emplace_back(input, found.values);
    operands_.insert(operands_.end(), operands.begin(), operands.end());
  }

  /// Called once all carries are known: outputs come after them.
  void add_step_inputs(const std::vector<std::size_t>& inputs, const std::vector<Gradient>& found,
                       const Tensor* sources) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (found[i]) computed_.emplace_back(inputs[i], add_output(dense(found[i], sources[i])));
    }
  }

  /// The number of the result.
  std::size_t add_output(const Tensor& output) {
    for (std::size_t o = 0; o < body_.outputs.size(); ++o) {
      if (body_.outputs[o].same_as(output)) return body_.next.size() + o;
    }
    body_.outputs.push_back(output);
    return body_.next.size() + body_.outputs.size() - 1;
  }

  /// Lets the forward scan give out what the steps backwards read of it, and replaces that by what is given.
  void read_forward() {
    const NodeSet forward_nodes = nodes_below(forward_.results());
    for (const Tensor& operand : operands_) {
      if (!forward_nodes.contains(operand.node().get()) || operand.node()->op().is_view()) {
        operand_results_[key(operand)] = add_output(operand);
      }
    }
    std::vector<Tensor> roots = body_.results();
    roots.insert(roots.end(), operands_.begin(), operands_.end());
    find_read(roots, forward_nodes);
    give_out();
    TensorMap replacements = outside_;
    for (const Tensor& t : read_) replacements[key(t)] = add_sequence(stacks_.at(key(t)));
    if (body_.inputs.empty()) add_sequence(args_.inputs[carries()]);  // for the number of steps
    const std::vector<Tensor> results = substituted(body_.results(), replacements);
    const auto split = results.begin() + static_cast<std::ptrdiff_t>(body_.next.size());
    body_.next.assign(results.begin(), split);
    body_.outputs.assign(split, results.end());
  }

  /// The tensors of the forward body that `roots` read. A view is not kept, but what it is a view of.
  void find_read(std::vector<Tensor> open, const NodeSet& forward_nodes) {
    for (std::size_t i = 0; i < forward_.captured.size(); ++i) {
      outside_[key(forward_.captured[i])] = args_.inputs[carries() + forward_.inputs.size() + i];
    }
    std::unordered_set<const Node*> visited;
    while (!open.empty()) {
      const Tensor t = open.back();
      open.pop_back();
      if (outside_.contains(key(t))) continue;
      if (forward_nodes.contains(t.node().get()) && !t.node()->op().is_view()) {
        if (stacks_.try_emplace(key(t)).second) read_.push_back(t);
      } else if (visited.insert(t.node().get()).second) {
        open.insert(open.end(), t.node()->inputs().begin(), t.node()->inputs().end());
      }
    }
  }

  void give_out() {
    const auto place = [](const std::vector<Tensor>& among, const Tensor& t) {
      std::size_t i = 0;
      while (i < among.size() && !among[i].same_as(t)) ++i;
      return i;
    };
    ScanGraph extended = forward_;
    std::vector<Tensor> kept;
    for (const Tensor& t : read_) {
      const std::size_t input = place(forward_.inputs, t), output = place(forward_.outputs, t);
      if (input < forward_.inputs.size()) stacks_[key(t)] = args_.inputs[carries() + input];
      else if (output < forward_.outputs.size()) stacks_[key(t)] = args_.outputs[carries() + output];
      else kept.push_back(t);
    }
    if (kept.empty()) return;
    extended.outputs.insert(extended.outputs.end(), kept.begin(), kept.end());
    const auto outputs = apply_op(std::make_shared<ScanOp>(std::move(extended), op_.reverse(), &op_), args_.inputs);
    for (std::size_t k = 0; k < kept.size(); ++k) {
      stacks_[key(kept[k])] = outputs[args_.outputs.size() + k];
    }
  }

  /// All values of an operand of a sum over the steps.
  Tensor stacked(const Tensor& operand) const {
    if (const auto result = operand_results_.find(key(operand)); result != operand_results_.end()) {
      return results_[result->second];
    }
    return stacks_.at(key(operand));
  }

  const ScanGraph& forward_;
  const ScanOp& op_;
  const GradientArgs& args_;
  ScanGraph body_;
  std::vector<Tensor> initial_, sequences_;
  std::vector<std::pair<std::size_t, std::size_t>> computed_;  // the input, and the result that is its gradient
  std::vector<std::pair<std::size_t, Tensor>> summed_;         // the input, and a step's term of its gradient
  std::vector<Tensor> operands_;                               // of those terms
  std::map<TensorKey, std::size_t> operand_results_;           // those that the backward body computes
  std::vector<Tensor> read_;                                   // what it reads of the forward body
  TensorMap stacks_, outside_;                                 // the values of that, and of what is captured
  std::vector<Tensor> results_;
};

}  // namespace

std::vector<Gradient> ScanOp::gradient(const GradientArgs& args) const { return BackwardScan(*this, args).run(); }

}  // namespace strata
