// SPDX-License-Identifier: Apache-2.0
#include "core/ops/convolution.h"

#include "core/base/error.h"
#include "core/ops/attributes.h"
#include "core/ops/convolution_op.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

void check_dtypes(const char* op, const TensorSpec& a, const TensorSpec& b) {
  if (is_floating(a.dtype) && a.dtype == b.dtype) return;
  throw DtypeError(std::string(op) + ": expected two operands of one floating dtype, received " + a.str() + " and " +
                   b.str());
}

/// (size..., in / groups, out), as far as known.
void check_kernel(const char* op, const Convolved& convolved, const Shape& kernel) {
  const auto rank = static_cast<int>(convolved.window.size());
  bool fits = kernel.rank() == rank + 2;
  for (int i = 0; fits && i < rank; ++i) {
    fits = dims_fit(kernel[i], convolved.window[static_cast<std::size_t>(i)].size);
  }
  if (fits && (kernel.back() == None || kernel.back() % convolved.groups == 0)) return;
  throw ShapeError(std::string(op) + ": expected a kernel (size..., in / groups, out) for " + convolved.text() +
                   ", received " + kernel.str());
}

void check_channels(const char* op, const Shape& tensor, Dim channels, const Shape& kernel) {
  if (dims_fit(tensor.back(), channels)) return;
  throw ShapeError(std::string(op) + ": expected " + std::to_string(channels) + " channels for a kernel of shape " +
                   kernel.str() + ", received " + tensor.str());
}

void check_groups(const char* op, const Convolved& convolved, const Shape& x) {
  if (convolved.groups >= 1 && (x.back() == None || x.back() % convolved.groups == 0)) return;
  throw ShapeError(std::string(op) + ": expected channels that " + std::to_string(convolved.groups) +
                   " groups divide, received " + x.str());
}

Dim in_channels(const Convolved& convolved, const Shape& kernel) {
  const Dim in = kernel[kernel.rank() - 2];
  return in == None ? None : in * convolved.groups;
}

/// One geometry, which serves as an example of all three ops.
struct Geometry {
  std::string label;
  Shape x, kernel;
  Convolved convolved;

  Shape y() const { return windows::positions_shape("example", convolved.window, x, kernel.back()); }
};

std::vector<Geometry> geometries() {
  const WindowAxis three{.size = 3}, padded{.size = 3, .before = 1, .after = 1};
  return {
      {"one axis", {2, 7, 3}, {3, 3, 2}, {{three}}},
      {"one axis, causal and dilated", {1, 9, 2}, {3, 2, 3}, {{{.size = 3, .dilation = 2, .before = 4}}}},
      {"two axes", {2, 5, 4, 2}, {3, 2, 2, 3}, {{three, {.size = 2}}}},
      {"padded and strided",
       {2, 6, 5, 2},
       {3, 3, 2, 3},
       {{{.size = 3, .stride = 2, .after = 1}, {.size = 3, .stride = 2, .before = 1, .after = 1}}}},
      {"elements left out", {1, 8, 7, 2}, {2, 1, 2, 3}, {{{.size = 2, .stride = 3}, {.size = 1, .stride = 4}}}},
      {"two groups", {2, 4, 5, 4}, {3, 3, 2, 6}, {{padded, padded}, 2}},
      {"a group for each channel", {2, 5, 4, 3}, {3, 3, 1, 6}, {{padded, padded}, 3}},
      {"dilated on one axis", {1, 7, 6, 2}, {3, 2, 2, 2}, {{{.size = 3, .dilation = 3}, {.size = 2, .before = 1}}}},
      {"one channel", {3, 9, 8, 1}, {3, 3, 1, 5}, {{three, three}}},
      {"three axes", {1, 4, 3, 5, 2}, {2, 3, 2, 2, 2}, {{{.size = 2}, padded, {.size = 2, .stride = 2}}}},
      {"many channels", {2, 9, 7, 32}, {3, 3, 32, 48}, {{padded, three}}},
      {"many channels, one tap", {3, 6, 5, 33}, {1, 1, 33, 16}, {{{.stride = 2}, {.stride = 2}}}},
      {"few channels, one tap", {2, 5, 4, 3}, {1, 1, 3, 2}, {{{.stride = 1}, {.stride = 2}}}},
      {"one channel, one tap", {2, 5, 6, 1}, {1, 1, 1, 2}, {{{.stride = 2}, {.stride = 1}}}},
      {"one tap of three axes", {2, 3, 5, 4, 3}, {1, 1, 1, 3, 4}, {{{.stride = 2}, {.stride = 1}, {.stride = 3}}}},
      {"one tap, two groups", {2, 5, 7, 4}, {1, 1, 2, 6}, {{{.stride = 3}, {.stride = 2}}, 2}},
      {"many groups", {2, 8, 6, 32}, {3, 3, 1, 32}, {{padded, {.size = 3, .stride = 2, .after = 1}}, 32}},
  };
}

/// One example for each geometry. `inputs` gives the shapes of its inputs, `build` applies the op to them.
std::vector<OpExample> examples(std::vector<Shape> (*inputs)(const Geometry&),
                                Tensor (*build)(const Geometry&, const Tensor&, const Tensor&)) {
  std::vector<OpExample> all;
  for (const Geometry& geometry : geometries()) {
    OpExample example{geometry.label, {}, [=](const std::vector<Tensor>& x) {
                        return std::vector<Tensor>{build(geometry, x[0], x[1])};
                      }};
    for (const Shape& shape : inputs(geometry)) example.inputs.push_back({{shape}});
    all.push_back(std::move(example));
  }
  return all;
}

/// A bias and an activation as fusion attaches them.
void add_fused(std::vector<OpExample>& examples, const ProductOp& op, const Shape& a, const Shape& b, Dim channels) {
  for (const auto activation : {&ops::relu, &ops::tanh}) {
    const auto build = [plain = op.with_epilogue({}), activation](const std::vector<Tensor>& x) {
      const ProductEpilogue epilogue{true, activation(x[0]).node()->shared_op()};
      return apply_op(dynamic_cast<const ProductOp&>(*plain).with_epilogue(epilogue), x);
    };
    const std::string label = activation == &ops::relu ? "bias and relu" : "bias and tanh";
    examples.push_back({label, {{{a}}, {{b}}, {{{channels}}}}, build, false});
  }
}

}  // namespace

std::vector<TensorSpec> ConvolutionOp::infer(std::span<const TensorSpec> inputs) const {
  constexpr const char* kName = "convolution";
  const Shape& x = inputs[0].shape;
  const Shape& kernel = inputs[1].shape;
  check_dtypes(kName, inputs[0], inputs[1]);
  windows::check(kName, convolved_.window, x);
  check_groups(kName, convolved_, x);
  check_kernel(kName, convolved_, kernel);
  check_channels(kName, x, in_channels(convolved_, kernel), kernel);
  return {{windows::positions_shape(kName, convolved_.window, x, kernel.back()), inputs[0].dtype}};
}

std::vector<Gradient> ConvolutionOp::gradient(const GradientArgs& args) const {
  require_no_epilogue();
  const auto& [window, groups] = convolved_;
  const Tensor& x = args.input(0);
  return {
      {ops::convolution_backward_data(args.grad(), args.input(1), window, windows::spatial_of(x.shape()), groups), {}},
      {ops::convolution_backward_weights(x, args.grad(), window, groups), {}}};
}

std::string ConvolutionBackwardDataOp::attributes() const {
  return convolved_.text() + " spatial=" + list_text(spatial_) + epilogue().text();
}

std::vector<TensorSpec> ConvolutionBackwardDataOp::infer(std::span<const TensorSpec> inputs) const {
  constexpr const char* kName = "convolution_backward_data";
  const Shape& grad = inputs[0].shape;
  const Shape& kernel = inputs[1].shape;
  check_dtypes(kName, inputs[0], inputs[1]);
  windows::check(kName, convolved_.window, grad);
  check_groups(kName, convolved_, grad);
  check_kernel(kName, convolved_, kernel);
  check_channels(kName, grad, kernel.back(), kernel);
  windows::check_positions(kName, convolved_.window, grad, spatial_);
  return {{windows::with_spatial(grad[0], spatial_, in_channels(convolved_, kernel)), inputs[0].dtype}};
}

// Linear in both: <v, result> = <convolution(v, kernel), grad>.
std::vector<Gradient> ConvolutionBackwardDataOp::gradient(const GradientArgs& args) const {
  require_no_epilogue();
  const auto& [window, groups] = convolved_;
  return {{ops::convolution(args.grad(), args.input(1), window, groups), {}},
          {ops::convolution_backward_weights(args.grad(), args.input(0), window, groups), {}}};
}

std::vector<TensorSpec> ConvolutionBackwardWeightsOp::infer(std::span<const TensorSpec> inputs) const {
  constexpr const char* kName = "convolution_backward_weights";
  const Shape& x = inputs[0].shape;
  const Shape& grad = inputs[1].shape;
  check_dtypes(kName, inputs[0], inputs[1]);
  windows::check(kName, convolved_.window, x);
  windows::check(kName, convolved_.window, grad);
  check_groups(kName, convolved_, x);
  check_groups(kName, convolved_, grad);
  windows::check_positions(kName, convolved_.window, grad, windows::spatial_of(x));
  std::vector<Dim> dims;
  for (const WindowAxis& axis : convolved_.window) dims.push_back(axis.size);
  dims.push_back(x.back() == None ? None : x.back() / convolved_.groups);
  dims.push_back(grad.back());
  return {{Shape(std::move(dims)), inputs[0].dtype}};
}

// Linear in both: <w, result> = <convolution(x, w), grad>.
std::vector<Gradient> ConvolutionBackwardWeightsOp::gradient(const GradientArgs& args) const {
  const auto& [window, groups] = convolved_;
  const Tensor& x = args.input(0);
  return {
      {ops::convolution_backward_data(args.input(1), args.grad(), window, windows::spatial_of(x.shape()), groups), {}},
      {ops::convolution(x, args.grad(), window, groups), {}}};
}

Tensor ops::convolution(const Tensor& x, const Tensor& kernel, const Window& window, Dim groups) {
  return apply_one(std::make_shared<ConvolutionOp>(Convolved{window, groups}), {x, kernel});
}

Tensor ops::convolution_backward_data(const Tensor& grad, const Tensor& kernel, const Window& window,
                                      const std::vector<Dim>& spatial, Dim groups) {
  return apply_one(std::make_shared<ConvolutionBackwardDataOp>(Convolved{window, groups}, spatial), {grad, kernel});
}

Tensor ops::convolution_backward_weights(const Tensor& x, const Tensor& grad, const Window& window, Dim groups) {
  return apply_one(std::make_shared<ConvolutionBackwardWeightsOp>(Convolved{window, groups}), {x, grad});
}

void register_convolution(OpRegistry& registry) {
  const Convolved fused{{{.size = 3, .stride = 2, .before = 1}, {.size = 2}}};
  auto forward = examples(
      [](const Geometry& g) {
        return std::vector<Shape>{g.x, g.kernel};
      },
      [](const Geometry& g, const Tensor& x, const Tensor& kernel) {
        return ops::convolution(x, kernel, g.convolved.window, g.convolved.groups);
      });
  add_fused(forward, ConvolutionOp(fused), {2, 6, 5, 3}, {3, 2, 3, 5}, 5);
  registry.add({"convolution",
                {{"onednn", "cpu", prepare_convolution_onednn}, {"reference", "cpu", prepare_convolution_reference}},
                std::move(forward)});

  auto data = examples(
      [](const Geometry& g) {
        return std::vector<Shape>{g.y(), g.kernel};
      },
      [](const Geometry& g, const Tensor& grad, const Tensor& kernel) {
        const auto& [window, groups] = g.convolved;
        return ops::convolution_backward_data(grad, kernel, window, windows::spatial_of(g.x), groups);
      });
  add_fused(data, ConvolutionBackwardDataOp(fused, {6, 5}), {2, 3, 4, 5}, {3, 2, 3, 5}, 3);
  registry.add({"convolution_backward_data",
                {{"onednn", "cpu", prepare_convolution_backward_data_onednn},
                 {"reference", "cpu", prepare_convolution_backward_data_reference}},
                std::move(data)});

  registry.add({"convolution_backward_weights",
                {{"onednn", "cpu", prepare_convolution_backward_weights_onednn},
                 {"reference", "cpu", prepare_convolution_backward_weights_reference}},
                examples(
                    [](const Geometry& g) {
                      return std::vector<Shape>{g.x, g.y()};
                    },
                    [](const Geometry& g, const Tensor& x, const Tensor& grad) {
                      return ops::convolution_backward_weights(x, grad, g.convolved.window, g.convolved.groups);
                    })});
}

}  // namespace strata
