// SPDX-License-Identifier: Apache-2.0
// The guide's layer of one's own, as examples/custom_dense.cpp shows it.
#pragma once

#include "core/model/layer.h"
#include "core/ops/ops.h"

namespace strata::testing {

/// build makes the weights, call computes, config says what the constructor was given.
class CustomDense : public Layer {
 public:
  explicit CustomDense(Dim units = 32) : units_(units) {}
  std::string class_name() const override { return "CustomDense"; }
  void build(const Shape& input) override {
    w_ = add_weight("w", {input.back(), units_}, {.initializer = "random_normal"});
    b_ = add_weight("b", {units_}, {.initializer = "random_normal"});
  }
  Tensor call(const Tensor& inputs, CallContext&) override { return ops::matmul(inputs, w_) + b_; }
  Config config() const override { return Config::object({{"units", units_}}); }

 private:
  Dim units_;
  Variable w_, b_;
};

}  // namespace strata::testing
