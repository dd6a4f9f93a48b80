// SPDX-License-Identifier: Apache-2.0
// Internal to convolution: the three ops, and what their kernel candidates share.
#pragma once

#include "core/ops/convolution.h"
#include "core/ops/product.h"
#include "core/ops/window_walk.h"

namespace strata {

/// The attributes of all three.
struct Convolved {
  Window window;
  Dim groups = 1;

  std::string text() const { return windows::text(window) + " groups=" + std::to_string(groups); }
};

/// inputs: x, kernel, and bias (out,) when the epilogue has one.
class ConvolutionOp final : public ProductOp {
 public:
  explicit ConvolutionOp(Convolved convolved, ProductEpilogue epilogue = {})
      : ProductOp(std::move(epilogue)), convolved_(std::move(convolved)) {}
  std::string_view name() const override { return "convolution"; }
  std::string attributes() const override { return convolved_.text() + epilogue().text(); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
  std::shared_ptr<const Op> with_epilogue(ProductEpilogue epilogue) const override {
    return std::make_shared<ConvolutionOp>(convolved_, std::move(epilogue));
  }
  const Convolved& convolved() const { return convolved_; }

 private:
  Convolved convolved_;
};

/// inputs: grad, kernel, and bias (in,) when the epilogue has one.
class ConvolutionBackwardDataOp final : public ProductOp {
 public:
  ConvolutionBackwardDataOp(Convolved convolved, std::vector<Dim> spatial, ProductEpilogue epilogue = {})
      : ProductOp(std::move(epilogue)), convolved_(std::move(convolved)), spatial_(std::move(spatial)) {}
  std::string_view name() const override { return "convolution_backward_data"; }
  std::string attributes() const override;
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
  std::shared_ptr<const Op> with_epilogue(ProductEpilogue epilogue) const override {
    return std::make_shared<ConvolutionBackwardDataOp>(convolved_, spatial_, std::move(epilogue));
  }
  const Convolved& convolved() const { return convolved_; }

 private:
  Convolved convolved_;
  std::vector<Dim> spatial_;
};

/// inputs: x, grad.
class ConvolutionBackwardWeightsOp final : public Op {
 public:
  explicit ConvolutionBackwardWeightsOp(Convolved convolved) : convolved_(std::move(convolved)) {}
  std::string_view name() const override { return "convolution_backward_weights"; }
  std::string attributes() const override { return convolved_.text(); }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  std::vector<Gradient> gradient(const GradientArgs& args) const override;
  const Convolved& convolved() const { return convolved_; }

 private:
  Convolved convolved_;
};

Prepared prepare_convolution_onednn(const KernelRequest& request);
Prepared prepare_convolution_backward_data_onednn(const KernelRequest& request);
Prepared prepare_convolution_backward_weights_onednn(const KernelRequest& request);

Prepared prepare_convolution_reference(const KernelRequest& request);
Prepared prepare_convolution_backward_data_reference(const KernelRequest& request);
Prepared prepare_convolution_backward_weights_reference(const KernelRequest& request);

}  // namespace strata
