// SPDX-License-Identifier: Apache-2.0
// Variable: a handle on a tensor that training changes. Copies mean the same variable.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/tensor/node.h"

namespace strata {

/// While it lasts, this thread reads floating variables as tensors of `dtype`, except those that were made without
/// autocast; empty = as they are, which within no other scope is as good as none. Of nested ones the innermost holds.
class AutocastScope {
 public:
  /// Such as ops::cast, which this folder knows nothing of.
  using Cast = Tensor (*)(const Tensor& x, Dtype dtype);
  AutocastScope(std::optional<Dtype> dtype, Cast cast);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;
  /// Null when there is none.
  static const AutocastScope* current();
  /// `value` as this scope reads it.
  Tensor read(const Tensor& value) const;

 private:
  std::optional<Dtype> dtype_;
  Cast cast_;
  const AutocastScope* previous_;
};

/// A named, mutable tensor of known shape. A compiled model moves its bytes into one flat buffer (adopt) and several
/// compiled models may share it. Reading from several threads is safe, changing it while another thread reads is not.
class Variable {
 public:
  Variable() = default;
  /// `path` is "<layer>/<weight>", such as "dense/kernel": not unique, see Layer::named_weights(). `value` must be
  /// computable; its spec becomes the variable's. Without `autocast` it is read as it is in an AutocastScope, too.
  Variable(std::string path, const Tensor& value, bool trainable = true, bool autocast = true);

  explicit operator bool() const { return state_ != nullptr; }
  /// Whether both handles mean the same variable.
  friend bool operator==(const Variable& a, const Variable& b) { return a.state_ == b.state_; }

  const std::string& path() const { return state_->path; }
  const TensorSpec& spec() const { return state_->spec; }
  const Shape& shape() const { return state_->spec.shape; }
  bool trainable() const { return state_->trainable; }

  /// The present value, as an input of ops: a later assign() or training step does not change what is computed from it.
  Tensor value() const;
  /// The same in the dtype of the AutocastScope, if there is one: within a layer's call that of its computations. The
  /// derivative by value() goes through the cast.
  operator Tensor() const;  // NOLINT(google-explicit-constructor): ops take variables as tensors

  /// Overwrites the elements. Throws ShapeError or DtypeError unless the specs are equal.
  void assign(const Tensor& value) const;
  /// Copies the present value into the tensors that value() returned, if any are still in use: to be called before the
  /// elements are changed in place.
  void keep_reads() const;
  /// Where the elements are now.
  const Buffer& buffer() const { return state_->buffer; }
  /// Moves the elements to `place` (of at least spec().bytes()), which the variable then shares.
  void adopt(Buffer place) const;

 private:
  friend class VariableOp;
  struct State {
    std::string path;
    TensorSpec spec;
    bool trainable;
    bool autocast;
    Buffer buffer;
    std::mutex mutex;
    std::weak_ptr<Node> read;  // the node of value(), as long as somebody uses it
  };
  std::shared_ptr<State> state_;
};

/// Reads a variable: a leaf of the graph.
class VariableOp final : public Op {
 public:
  explicit VariableOp(std::shared_ptr<Variable::State> state) : state_(std::move(state)) {}
  std::string_view name() const override { return "variable"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec>) const override { return {state_->spec}; }
  std::string attributes() const override { return state_->path; }
  const Buffer& buffer() const { return state_->buffer; }
  bool reads(const Variable& variable) const { return variable.state_ == state_; }

 private:
  std::shared_ptr<Variable::State> state_;
};

}  // namespace strata
