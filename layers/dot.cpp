// SPDX-License-Identifier: Apache-2.0
#include "layers/dot.h"

#include "core/base/error.h"
#include "core/ops/einsum.h"
#include "layers/layer_config.h"
#include "layers/merge.h"

namespace strata {
namespace {

void check_count(const std::vector<Tensor>& inputs) {
  if (inputs.size() == 2) return;
  throw ConfigError("A `Dot` layer should be called on a list of 2 inputs. Received: input_shape=" +
                    shapes_text(inputs));
}

void check_batches(const Shape& a, const Shape& b) {
  const char* problem = a.rank() < 2 || b.rank() < 2 ? "rank < 2"
                        : !dims_fit(a[0], b[0])      ? "different batch sizes"
                                                     : nullptr;
  if (problem == nullptr) return;
  throw ShapeError("Cannot do batch_dot on inputs with " + std::string(problem) + ". Received inputs with shapes " +
                   a.str() + " and " + b.str() + ".");
}

void check_axes(const Shape& a, int axis_a, const Shape& b, int axis_b) {
  if (axis_a == 0 || axis_b == 0) {
    throw ConfigError(
        "Cannot perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch dimension to your "
        "inputs using ops::expand_dims(x, 0)");
  }
  if (dims_fit(a[axis_a], b[axis_b])) return;
  const auto text = [](const Shape& shape, int axis) {
    return std::to_string(shape[axis]) + " (at axis " + std::to_string(axis) + ")";
  };
  throw ShapeError("Incompatible input shapes: axis values " + text(a, axis_a) + " != " + text(b, axis_b) +
                   ". Full input shapes: " + a.str() + ", " + b.str());
}

class DotLayer final : public Layer {
 public:
  DotLayer(Axes axes, const layers::DotOptions& options)
      : Layer({options.name, options.trainable, options.dtype}), axes_(std::move(axes)), normalize_(options.normalize) {
    if (axes_.config().is_list() && axes_.given().size() != 2) {
      throw ConfigError("Invalid format for argument `axes`: it should contain two elements. Received: axes=" +
                        axes_.text());
    }
  }

  std::string class_name() const override { return "Dot"; }
  Config config() const override { return Config::object({{"axes", axes_.config()}, {"normalize", normalize_}}); }

  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext&) override {
    check_count(inputs);
    const Tensor &a = inputs[0], &b = inputs[1];
    check_batches(a.shape(), b.shape());
    const int axis_a = normalize_axis(axes_.given().front(), a.rank(), "Dot");
    const int axis_b = normalize_axis(axes_.given().back(), b.rank(), "Dot");
    check_axes(a.shape(), axis_a, b.shape(), axis_b);
    if (!normalize_) return {products(a, axis_a, b, axis_b)};
    return {products(ops::l2_normalize(a, {axis_a}), axis_a, ops::l2_normalize(b, {axis_b}), axis_b)};
  }

 private:
  static Tensor products(const Tensor& a, int axis_a, const Tensor& b, int axis_b) {
    std::string letters_a = "a", letters_b = "a", result = "a";  // the batch; z is what is summed over
    char next = 'b';
    for (int axis = 1; axis < a.rank(); ++axis) letters_a += axis == axis_a ? 'z' : next++;
    for (int axis = 1; axis < b.rank(); ++axis) letters_b += axis == axis_b ? 'z' : next++;
    for (char letter = 'b'; letter < next; ++letter) result += letter;
    const Tensor sums = ops::einsum(letters_a + "," + letters_b + "->" + result, a, b);
    return sums.rank() == 1 ? ops::expand_dims(sums, -1) : sums;
  }

  Axes axes_;
  bool normalize_;
};

LayerRef dot_from_config(const Config& config) {
  const LayerConfig arguments("Dot", config, {"axes", "normalize"});
  const LayerOptions common = arguments.options();
  return layers::Dot(Axes::from_config(arguments.required("axes")),
                     {arguments.flag("normalize", false), common.name, common.trainable, common.dtype});
}

}  // namespace

layers::Dot::Dot(const Axes& axes, const DotOptions& options) : LayerRef(std::make_shared<DotLayer>(axes, options)) {}

Tensor layers::dot(const std::vector<Tensor>& inputs, const Axes& axes, const DotOptions& options) {
  return Dot(axes, options)(inputs);
}

void register_dot(LayerRegistry& registry) {
  const auto example = [](std::string label, const Axes& axes, bool normalize, std::vector<Shape> inputs) {
    const auto make = [axes, normalize](Dtype dtype) {
      return layers::Dot(axes, {.normalize = normalize, .name = "dot", .dtype = dtype});
    };
    return LayerExample{std::move(label), make, std::move(inputs)};
  };
  registry.add(
      {"Dot",
       dot_from_config,
       {example("vectors", 1, false, {{3, 4}, {3, 4}}), example("pair of axes", {2, -1}, false, {{2, 3, 4}, {2, 5, 4}}),
        example("cosine", -1, true, {{2, 3, 4}, {2, 4}})},
       {{R"({"axes": [1, 2, 3]})",
         {},
         "Invalid format for argument `axes`: it should contain two elements. Received: axes=[1, 2, 3]"},
        {R"({"axes": 1})",
         {{None, 3}, {None, 3}, {None, 3}},
         "A `Dot` layer should be called on a list of 2 inputs. Received: input_shape=[(None, 3), (None, 3), (None, "
         "3)]"},
        {R"({"axes": 1})",
         {{None, 3}, {None}},
         "Cannot do batch_dot on inputs with rank < 2. Received inputs with shapes (None, 3) and (None,)."},
        {R"({"axes": 1})",
         {{2, 3}, {4, 3}},
         "Cannot do batch_dot on inputs with different batch sizes. Received inputs with shapes (2, 3) and (4, 3)."},
        {R"({"axes": [0, 1]})",
         {{None, 3}, {None, 3}},
         "Cannot perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch dimension to your "
         "inputs using ops::expand_dims(x, 0)"},
        {R"({"axes": 1})",
         {{None, 3}, {None, 4}},
         "Incompatible input shapes: axis values 3 (at axis 1) != 4 (at axis 1). Full input shapes: (None, 3), "
         "(None, 4)"}}});
}

}  // namespace strata
