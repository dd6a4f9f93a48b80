// SPDX-License-Identifier: Apache-2.0
#include "core/program/scan.h"

#include <xxhash.h>

#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/program/autodiff.h"
#include "core/program/block_sum.h"
#include "core/program/program.h"
#include "core/tensor/host_copy.h"

namespace strata {
namespace {

/// A traced body: its outputs as a function of its placeholders. Those of captured tensors come last.
struct Body {
  std::vector<Tensor> carries, inputs, captured;  // placeholders
  std::vector<Tensor> next, outputs;

  std::vector<Tensor> placeholders() const {
    std::vector<Tensor> all = carries;
    all.insert(all.end(), inputs.begin(), inputs.end());
    all.insert(all.end(), captured.begin(), captured.end());
    return all;
  }
  std::vector<Tensor> results() const {
    std::vector<Tensor> all = next;
    all.insert(all.end(), outputs.begin(), outputs.end());
    return all;
  }
};

std::string content_hash(const Tensor& tensor) {
  const std::string bytes = host_copy(tensor.eval(), tensor.spec().bytes());
  return std::to_string(XXH3_64bits(bytes.data(), bytes.size()));
}

/// The graph as text: equal for equal functions, on every rank.
std::string graph_text(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  std::unordered_map<const Node*, std::size_t> number;
  std::string text;
  for (const Tensor& input : inputs) number.emplace(input.node().get(), number.size());
  for (const auto& node : topological_order(outputs)) {
    if (!number.emplace(node.get(), number.size()).second) continue;
    text += std::string(node->op().name()) + "[" + node->op().attributes() + "]";
    if (dynamic_cast<const ConstantOp*>(&node->op()) != nullptr) text += content_hash(Tensor(node, 0));
    for (const Tensor& t : node->inputs()) {
      text += " " + std::to_string(number.at(t.node().get())) + "." + std::to_string(t.index());
    }
    text += ";";
  }
  for (const Tensor& t : outputs) {
    text += " " + std::to_string(number.at(t.node().get())) + "." + std::to_string(t.index());
  }
  return text;
}

Shape stacked(Dim steps, const Shape& slice) { return Shape{steps}.concat(slice); }

// inputs: initial carries, sequences, captured. outputs: final carries, stacked outputs, stacked carries before each
// step.
class ScanOp final : public Op {
 public:
  ScanOp(Body body, bool reverse)
      : body_(std::move(body)), reverse_(reverse), text_(graph_text(body_.placeholders(), body_.results())) {}

  std::string_view name() const override { return "scan"; }
  std::string attributes() const override { return (reverse_ ? "reverse {" : "{") + text_ + "}"; }
  const Body& body() const { return body_; }
  bool reverse() const { return reverse_; }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const Dim steps = inputs[body_.carries.size()].shape[0];
    std::vector<TensorSpec> specs(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(body_.carries.size()));
    for (const Tensor& t : body_.outputs) specs.push_back({stacked(steps, t.shape()), t.dtype()});
    for (std::size_t c = 0; c < body_.carries.size(); ++c) {
      specs.push_back({stacked(steps, inputs[c].shape), inputs[c].dtype});
    }
    return specs;
  }

  std::vector<Gradient> gradient(const GradientArgs& args) const override;

 private:
  Body body_;
  bool reverse_;
  std::string text_;
};

/// The gradient of one scan is a scan the other way: it carries the gradients of the carries, and sums those of the
/// captured tensors.
class BackwardScan {
 public:
  BackwardScan(const ScanOp& op, const GradientArgs& args) : forward_(op.body()), op_(op), args_(args) {}

  std::vector<Gradient> run() {
    trace();
    std::vector<Tensor> inputs = initial_;
    inputs.insert(inputs.end(), sequences_.begin(), sequences_.end());
    inputs.insert(inputs.end(), args_.inputs.end() - static_cast<std::ptrdiff_t>(forward_.captured.size()),
                  args_.inputs.end());
    body_.captured = forward_.captured;
    const auto results = apply_op(std::make_shared<ScanOp>(body_, !op_.reverse()), inputs);
    std::vector<Gradient> gradients(args_.inputs.size());
    for (std::size_t r = 0; r < targets_.size(); ++r) gradients[targets_[r]].values = results[r];
    return gradients;
  }

 private:
  std::size_t carries() const { return forward_.carries.size(); }

  Tensor carry(const Tensor& initial) {
    initial_.push_back(initial);
    return body_.carries.emplace_back(placeholder(initial.spec()));
  }
  Tensor sequence(const Tensor& values) {
    sequences_.push_back(values);
    const Shape slice = values.shape().slice(1, values.rank());
    return body_.inputs.emplace_back(placeholder({slice, values.dtype()}));
  }
  Tensor grad(std::size_t output) const { return args_.grads[output]; }

  // The forward body's own placeholders stand for its carries and inputs of the step.
  void read_forward_step() {
    for (std::size_t i = 0; i < forward_.inputs.size(); ++i) {
      sequences_.push_back(args_.inputs[carries() + i]);
      body_.inputs.push_back(forward_.inputs[i]);
    }
    for (std::size_t c = 0; c < carries(); ++c) {
      sequences_.push_back(args_.outputs[carries() + forward_.outputs.size() + c]);
      body_.inputs.push_back(forward_.carries[c]);
    }
  }

  void trace() {
    read_forward_step();
    std::vector<Tensor> targets, seeds, sources;
    for (std::size_t c = 0; c < carries(); ++c) {
      if (!is_floating(forward_.next[c].dtype())) continue;
      targets.push_back(forward_.next[c]);
      seeds.push_back(carry(grad(c) ? grad(c) : ops::zeros_like(args_.outputs[c])));
      sources.push_back(forward_.carries[c]);
      targets_.push_back(c);
    }
    const std::size_t floating_carries = targets.size();
    for (std::size_t o = 0; o < forward_.outputs.size(); ++o) {
      if (!grad(carries() + o)) continue;
      targets.push_back(forward_.outputs[o]);
      seeds.push_back(sequence(grad(carries() + o)));
    }
    const auto add_sources = [&](const std::vector<Tensor>& tensors) {
      for (const Tensor& t : tensors) {
        if (is_floating(t.dtype())) sources.push_back(t);
      }
    };
    add_sources(forward_.captured);
    add_sources(forward_.inputs);
    const auto found = gradients(targets, sources, seeds);
    std::size_t at = 0;
    for (std::size_t c = 0; c < floating_carries; ++c, ++at) {
      Tensor next = dense(found[at], sources[at]);
      const Tensor saved = grad(carries() + forward_.outputs.size() + targets_[c]);
      if (saved) next = next + sequence(saved);
      body_.next.push_back(next);
    }
    for (std::size_t k = 0; k < forward_.captured.size(); ++k) {
      if (!is_floating(forward_.captured[k].dtype())) continue;
      const std::size_t input = carries() + forward_.inputs.size() + k;
      body_.next.push_back(carry(ops::zeros_like(args_.inputs[input])) + dense(found[at], sources[at]));
      targets_.push_back(input);
      ++at;
    }
    for (std::size_t i = 0; i < forward_.inputs.size(); ++i) {
      if (!is_floating(forward_.inputs[i].dtype())) continue;
      body_.outputs.push_back(dense(found[at], sources[at]));
      targets_.push_back(carries() + i);
      ++at;
    }
  }

  const Body& forward_;
  const ScanOp& op_;
  const GradientArgs& args_;
  Body body_;
  std::vector<Tensor> initial_, sequences_;
  std::vector<std::size_t> targets_;  // the input that result r of the backward scan is the gradient of
};

std::vector<Gradient> ScanOp::gradient(const GradientArgs& args) const { return BackwardScan(*this, args).run(); }

/// Runs the compiled body step by step. Carries pass through the stacked carries, so nothing is copied but the first.
class ScanKernel final : public Kernel {
 public:
  ScanKernel(const ScanOp& op, std::span<const TensorSpec> inputs)
      : program_(Program::compile(op.body().placeholders(), op.body().results(), cpu_device())),
        carries_(op.body().carries.size()),
        sequences_(op.body().inputs.size()),
        outputs_(op.body().outputs.size()),
        steps_(inputs[carries_].shape[0]),
        reverse_(op.reverse()) {}

  std::shared_ptr<void> make_state() const override { return std::make_shared<RunState>(program_); }

  void run(const KernelArgs& args, Stream& stream) const override {
    auto& state = *static_cast<RunState*>(args.state);
    const std::size_t captured = program_->inputs().size() - carries_ - sequences_;
    for (std::size_t k = 0; k < captured; ++k) {
      state.bind_input(static_cast<int>(carries_ + sequences_ + k), args.inputs[carries_ + sequences_ + k]);
    }
    for (std::size_t c = 0; c < carries_; ++c) {
      std::memcpy(steps_ > 0 ? saved(args, c, at(0)) : args.output<std::byte>(static_cast<int>(c)),
                  args.input<std::byte>(static_cast<int>(c)), program_->inputs()[c].bytes());
    }
    for (Dim i = 0; i < steps_; ++i) {
      bind_step(args, state, i);
      state.run(stream);
    }
  }

 private:
  /// The place in the sequences of the step that runs i-th.
  Dim at(Dim i) const { return reverse_ ? steps_ - 1 - i : i; }

  std::byte* saved(const KernelArgs& args, std::size_t c, Dim t) const {
    return args.output<std::byte>(static_cast<int>(carries_ + outputs_ + c)) +
           static_cast<std::size_t>(t) * program_->inputs()[c].bytes();
  }

  void bind_step(const KernelArgs& args, RunState& state, Dim i) const {
    const auto t = static_cast<std::size_t>(at(i));
    for (std::size_t c = 0; c < carries_; ++c) {
      state.bind_input(static_cast<int>(c), saved(args, c, at(i)));
      const bool last = i + 1 == steps_;
      state.bind_output(static_cast<int>(c),
                        last ? args.output<std::byte>(static_cast<int>(c)) : saved(args, c, at(i + 1)));
    }
    for (std::size_t s = carries_; s < carries_ + sequences_; ++s) {
      state.bind_input(static_cast<int>(s),
                       args.input<std::byte>(static_cast<int>(s)) + t * program_->inputs()[s].bytes());
    }
    for (std::size_t o = carries_; o < carries_ + outputs_; ++o) {
      state.bind_output(static_cast<int>(o),
                        args.output<std::byte>(static_cast<int>(o)) + t * program_->outputs()[o].bytes());
    }
  }

  std::shared_ptr<const Program> program_;
  std::size_t carries_, sequences_, outputs_;
  Dim steps_;
  bool reverse_;
};

/// Replaces the tensors from outside that the body's results depend on by placeholders; returns them.
class Capture {
 public:
  explicit Capture(const Body& body) {
    for (const Tensor& t : body.placeholders()) inside_.insert(t.node().get());
  }

  std::vector<Tensor> run(Body& body) {
    const auto results = body.results();
    const auto order = topological_order(results);
    for (const auto& node : order) {
      for (const Tensor& input : node->inputs()) {
        if (inside_.contains(input.node().get())) inside_.insert(node.get());
      }
    }
    for (const auto& node : order) {
      if (inside_.contains(node.get()) && !node->inputs().empty()) rebuild(node);
    }
    for (Tensor& t : body.next) t = replaced(t);
    for (Tensor& t : body.outputs) t = replaced(t);
    body.captured = placeholders_;
    return captured_;
  }

 private:
  void rebuild(const std::shared_ptr<Node>& node) {
    if (is_block_sum(node->op())) throw ConfigError("scan: a sum over blocks cannot be taken inside a loop");
    std::vector<Tensor> inputs;
    for (const Tensor& input : node->inputs()) inputs.push_back(replaced(input));
    const auto outputs = apply_op(node->shared_op(), std::move(inputs));
    for (std::size_t i = 0; i < outputs.size(); ++i) replacement_[node.get()].push_back(outputs[i]);
  }

  Tensor replaced(const Tensor& tensor) {
    const Node* node = tensor.node().get();
    if (const auto found = replacement_.find(node); found != replacement_.end()) {
      return found->second[static_cast<std::size_t>(tensor.index())];
    }
    if (inside_.contains(node)) return tensor;
    for (std::size_t k = 0; k < captured_.size(); ++k) {
      if (captured_[k].same_as(tensor)) return placeholders_[k];
    }
    captured_.push_back(tensor);
    return placeholders_.emplace_back(placeholder(tensor.spec()));
  }

  std::unordered_set<const Node*> inside_;
  std::unordered_map<const Node*, std::vector<Tensor>> replacement_;
  std::vector<Tensor> captured_, placeholders_;
};

void require_same_spec(const Tensor& next, const Tensor& before) {
  if (next.dtype() != before.dtype()) {
    throw DtypeError("scan: expected a next carry of " + before.spec().str() + ", received " + next.spec().str());
  }
  if (!shapes_fit(next.shape(), before.shape())) {
    throw ShapeError("scan: expected a next carry of " + before.spec().str() + ", received " + next.spec().str());
  }
}

}  // namespace

ScanResult scan(const ScanBody& body, const std::vector<Tensor>& initial, const std::vector<Tensor>& sequences,
                bool reverse) {
  if (sequences.empty()) throw ConfigError("scan: expected at least one sequence, received none");
  Body traced;
  for (const Tensor& t : initial) traced.carries.push_back(placeholder(t.spec()));
  for (const Tensor& t : sequences) {
    if (t.rank() == 0 || !dims_fit(t.shape()[0], sequences[0].shape()[0])) {
      throw ShapeError("scan: expected sequences of one length along axis 0, received " + sequences[0].shape().str() +
                       " and " + t.shape().str());
    }
    traced.inputs.push_back(placeholder({t.shape().slice(1, t.rank()), t.dtype()}));
  }
  ScanStep step = body(traced.carries, traced.inputs);
  if (step.carries.size() != initial.size()) {
    throw ConfigError("scan: expected " + std::to_string(initial.size()) + " next carries, received " +
                      std::to_string(step.carries.size()));
  }
  for (std::size_t c = 0; c < initial.size(); ++c) require_same_spec(step.carries[c], traced.carries[c]);
  traced.next = std::move(step.carries);
  traced.outputs = std::move(step.outputs);
  const std::size_t outputs = traced.outputs.size();
  const std::vector<Tensor> captured = Capture(traced).run(traced);

  std::vector<Tensor> inputs = initial;
  inputs.insert(inputs.end(), sequences.begin(), sequences.end());
  inputs.insert(inputs.end(), captured.begin(), captured.end());
  const auto results = apply_op(std::make_shared<ScanOp>(std::move(traced), reverse), std::move(inputs));
  const auto split = results.begin() + static_cast<std::ptrdiff_t>(initial.size());
  return {{results.begin(), split}, {split, split + static_cast<std::ptrdiff_t>(outputs)}};
}

void register_scan(OpRegistry& registry) {
  const auto prepare = [](const KernelRequest& request) -> Prepared {
    return std::make_shared<ScanKernel>(dynamic_cast<const ScanOp&>(request.op), request.inputs);
  };
  const auto input = [](const Shape& shape) { return ExampleInput{{shape, Dtype::float32}}; };
  // h' = tanh(x w + h u), every h an output: a simple recurrent network.
  const auto example = [&](const std::string& label, bool reverse) {
    const auto build = [reverse](const std::vector<Tensor>& x) {
      const auto result = scan(
          [&](const std::vector<Tensor>& h, const std::vector<Tensor>& in) -> ScanStep {
            const Tensor next = ops::tanh(ops::matmul(in[0], x[2]) + ops::matmul(h[0], x[3]));
            return {{next}, {next * 2.0}};
          },
          {x[0]}, {x[1]}, reverse);
      return std::vector<Tensor>{result.carries[0], result.outputs[0]};
    };
    return OpExample{label, {input({2, 3}), input({4, 2, 5}), input({5, 3}), input({3, 3})}, build};
  };
  registry.add({"scan", {{"reference", "cpu", prepare}}, {example("forward", false), example("reverse", true)}});
}

}  // namespace strata
