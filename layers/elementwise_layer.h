// SPDX-License-Identifier: Apache-2.0
// What the layers that apply one function to each of their elements have in common.
#pragma once

#include <string>

#include "core/model/layer.h"
#include "layers/activations.h"

namespace strata {

/// y = function(x). No weights; masks pass through.
class ElementwiseLayer final : public Layer {
 public:
  /// `config` holds the class's own arguments.
  ElementwiseLayer(std::string class_name, Config config, Activation::Function function, const LayerOptions& options)
      : Layer(options), class_name_(std::move(class_name)), config_(std::move(config)), function_(std::move(function)) {
    set_supports_masking();
  }

  std::string class_name() const override { return class_name_; }
  Config config() const override { return config_; }
  Tensor call(const Tensor& input, CallContext&) override { return function_(input); }

 private:
  std::string class_name_;
  Config config_;
  Activation::Function function_;
};

}  // namespace strata
