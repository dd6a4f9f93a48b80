// SPDX-License-Identifier: Apache-2.0
// The acyclic graph behind Tensor: a Node is one application of an Op. Edges point only backwards.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// The derivative with respect to one tensor: dense, or by rows (`values[i]` belongs to row `ids[i]`; repeated ids add
/// up).
struct Gradient {
  Tensor values;
  Tensor ids;  // int64 [n]; empty when dense

  explicit operator bool() const { return static_cast<bool>(values); }
  bool is_rows() const { return static_cast<bool>(ids); }
};

/// What an op's gradient rule sees. `grads[i]` is empty when output i does not contribute.
struct GradientArgs {
  const std::vector<Tensor>& inputs;
  const std::vector<Tensor>& outputs;
  const std::vector<Tensor>& grads;

  const Tensor& input(int i = 0) const { return inputs[static_cast<std::size_t>(i)]; }
  const Tensor& output(int i = 0) const { return outputs[static_cast<std::size_t>(i)]; }
  const Tensor& grad(int i = 0) const { return grads[static_cast<std::size_t>(i)]; }
};

/// A pure function on tensors. Immutable and shared between threads.
class Op {
 public:
  virtual ~Op() = default;
  /// The name in the op registry, such as "matmul".
  virtual std::string_view name() const = 0;
  /// Shapes and dtypes of the outputs. Throws ShapeError or DtypeError beginning with the op's name.
  virtual std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const = 0;
  /// Every attribute as text, such as "axes=[0] keepdims=1". Two ops of one name and equal attributes are the same
  /// function.
  virtual std::string attributes() const { return {}; }
  /// d(sum of grads * outputs)/d(inputs), one entry an input, in public ops; an empty entry where there is none.
  virtual std::vector<Gradient> gradient(const GradientArgs& args) const;
  /// Whether output 0 has the very bytes of input 0, under another shape.
  virtual bool is_view() const { return false; }
  /// Whether a node of this op is symbolic even when its inputs are not (placeholders).
  virtual bool is_source() const { return false; }
};

class Node {
 public:
  Node(std::shared_ptr<const Op> op, std::vector<Tensor> inputs, std::vector<TensorSpec> outputs);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const Op& op() const { return *op_; }
  const std::shared_ptr<const Op>& shared_op() const { return op_; }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }
  bool is_symbolic() const { return symbolic_; }
  /// The layer in whose call this node was made, "" outside of layers.
  const std::string& scope() const { return scope_; }

  /// The computed outputs; empty before evaluation.
  std::vector<Buffer>& values() { return values_; }

 private:
  std::shared_ptr<const Op> op_;
  std::vector<Tensor> inputs_;
  std::vector<TensorSpec> outputs_;
  std::vector<Buffer> values_;
  std::string scope_;
  bool symbolic_ = false;
};

/// Applies an op: checks the inputs at once, computes nothing. Errors name the op and the layer being called.
std::vector<Tensor> apply_op(std::shared_ptr<const Op> op, std::vector<Tensor> inputs);
/// The same for an op with one output.
Tensor apply_one(std::shared_ptr<const Op> op, std::vector<Tensor> inputs);

/// Names the layer being called, for error messages and timelines, until the end of the scope. Per thread.
class LayerScope {
 public:
  explicit LayerScope(std::string name);
  ~LayerScope();
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;
  static const std::string& current();

 private:
  std::string previous_;
};

/// Every node that `roots` depend on, inputs before users, in a deterministic order; iterative. With `uncomputed_only`
/// the walk stops at nodes that have values.
std::vector<std::shared_ptr<Node>> topological_order(std::span<const Tensor> roots, bool uncomputed_only = false);

/// Leaves of the graph.
class PlaceholderOp final : public Op {
 public:
  PlaceholderOp(TensorSpec spec, std::string label) : spec_(std::move(spec)), label_(std::move(label)) {}
  std::string_view name() const override { return "placeholder"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec>) const override { return {spec_}; }
  std::string attributes() const override { return label_; }
  bool is_source() const override { return true; }

 private:
  TensorSpec spec_;
  std::string label_;
};

class ConstantOp final : public Op {
 public:
  ConstantOp(Buffer buffer, TensorSpec spec) : buffer_(std::move(buffer)), spec_(std::move(spec)) {}
  std::string_view name() const override { return "constant"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec>) const override { return {spec_}; }
  const Buffer& buffer() const { return buffer_; }

 private:
  Buffer buffer_;
  TensorSpec spec_;
};

}  // namespace strata
