// SPDX-License-Identifier: Apache-2.0
#include "layers/einsum_dense.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/base/error.h"
#include "core/ops/einsum.h"
#include "layers/axis_fans.h"
#include "layers/layer_config.h"
#include "layers/registry.h"

namespace strata {
namespace {

/// An equation's letters without its "...".
struct Letters {
  std::string input, kernel, output;
  bool elided_left = false;
};

bool only_letters(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
}

bool remove(std::string& text, bool from_front) {
  const std::string dots = "...";
  if (text.size() < dots.size() || (from_front ? !text.starts_with(dots) : !text.ends_with(dots))) return false;
  text.erase(from_front ? 0 : text.size() - dots.size(), dots.size());
  return true;
}

Letters split(const std::string& equation) {
  const std::size_t comma = equation.find(','), arrow = equation.find("->");
  if (comma != std::string::npos && arrow != std::string::npos && comma < arrow) {
    Letters letters{equation.substr(0, comma), equation.substr(comma + 1, arrow - comma - 1),
                    equation.substr(arrow + 2)};
    letters.elided_left = remove(letters.input, true);
    const bool elided = letters.elided_left || remove(letters.input, false);
    const bool same = !elided || remove(letters.output, letters.elided_left);
    const bool enough = !elided || letters.elided_left || letters.input.size() >= 2;
    if (same && enough && only_letters(letters.input) && only_letters(letters.kernel) && only_letters(letters.output)) {
      return letters;
    }
  }
  throw ConfigError("Invalid einsum equation '" + equation + "'. Equations must be in the form [X],[Y]->[Z], " +
                    "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]....");
}

std::string size_text(Dim size) { return size == None ? "None" : std::to_string(size); }

/// What an equation means for one input shape.
class Analysis {
 public:
  Analysis(const std::string& equation, const std::string& bias_axes, const Shape& input, const Shape& output)
      : letters_(split(equation)), elided_(input.rank() - static_cast<int>(letters_.input.size())) {
    if (elided_ < 0) {
      throw ShapeError("EinsumDense: expected an input of at least " + std::to_string(letters_.input.size()) +
                       " axes for the equation '" + equation + "', received shape " + input.str());
    }
    size_output(input, output);
    size_letters(input);
    size_kernel();
    if (!bias_axes.empty()) size_bias(bias_axes);
  }

  Shape kernel, bias;
  Dim fan_in = 1, fan_out = 1;

 private:
  void size_output(const Shape& input, const Shape& given) {
    output_ = {input[0]};
    if (letters_.elided_left) {
      for (int i = 1; i < elided_; ++i) output_.push_back(input[i]);
    }
    output_.insert(output_.end(), given.begin(), given.end());
    first_output_ = letters_.elided_left ? elided_ : 0;
    if (output_.size() - static_cast<std::size_t>(first_output_) == letters_.output.size()) return;
    throw ShapeError("EinsumDense: expected an output_shape with the sizes of '" + letters_.output +
                     "' except the batch, received " + given.str());
  }

  Dim output_size(std::size_t letter) const { return output_[letter + static_cast<std::size_t>(first_output_)]; }

  void size_letters(const Shape& input) {
    const int first = letters_.elided_left ? elided_ : 0;
    for (std::size_t i = 0; i < letters_.input.size(); ++i) {
      inputs_[letters_.input[i]] = input[first + static_cast<int>(i)];
    }
    for (std::size_t i = 0; i < letters_.output.size(); ++i) {
      const char letter = letters_.output[i];
      const auto given = inputs_.find(letter);
      if (given != inputs_.end() && output_size(i) != None && output_size(i) != given->second) {
        throw ShapeError(std::string("Input shape and output shape do not match at shared dimension '") + letter +
                         "'. Input shape is " + size_text(given->second) + ", and output shape is " +
                         size_text(output_size(i)) + ".");
      }
      if (given == inputs_.end() && letters_.kernel.find(letter) == std::string::npos) {
        throw ConfigError(std::string("Dimension '") + letter + "' was specified in the output '" + letters_.output +
                          "' but has no corresponding dim in the input spec '" + letters_.input + "' or weight spec '" +
                          letters_.output + "'");
      }
    }
  }

  void size_kernel() {
    std::vector<Dim> sizes;
    for (const char letter : letters_.kernel) {
      const std::size_t at = letters_.output.find(letter);
      if (at != std::string::npos) {
        fan_out *= sizes.emplace_back(output_size(at));
      } else if (inputs_.contains(letter)) {
        fan_in *= sizes.emplace_back(inputs_.at(letter));
      } else {
        throw ConfigError(std::string("Weight dimension '") + letter + "' did not have a match in either the input " +
                          "spec '" + letters_.input + "' or the output spec '" + letters_.output +
                          "'. For this layer, the weight must be fully specified.");
      }
    }
    kernel = Shape(std::move(sizes));
  }

  void size_bias(const std::string& axes) {
    std::size_t first = letters_.output.size();
    for (const char letter : axes) {
      const std::size_t at = letters_.output.find(letter);
      if (at == std::string::npos) {
        throw ConfigError(std::string("Bias dimension '") + letter + "' was requested, but is not part of the output " +
                          "spec '" + letters_.output + "'");
      }
      first = std::min(first, at);
    }
    std::vector<Dim> sizes;
    for (std::size_t i = first; i < letters_.output.size(); ++i) {
      sizes.push_back(axes.find(letters_.output[i]) == std::string::npos ? 1 : output_size(i));
    }
    if (!letters_.elided_left) sizes.insert(sizes.end(), static_cast<std::size_t>(elided_), 1);
    bias = Shape(std::move(sizes));
  }

  Letters letters_;
  int elided_;
  std::vector<Dim> output_;  // of the result, without the axes elided on the right
  int first_output_ = 0;     // where the letters of the result begin in it
  std::map<char, Dim> inputs_;
};

class EinsumDenseLayer final : public Layer {
 public:
  EinsumDenseLayer(std::string equation, Shape output_shape, const layers::EinsumDenseOptions& options)
      : Layer({options.name, options.trainable, options.dtype, options.activity_regularizer}),
        equation_(std::move(equation)),
        output_shape_(std::move(output_shape)),
        options_(options) {}

  std::string class_name() const override { return "EinsumDense"; }

  Config config() const override {
    return Config::object({{"output_shape", output_shape_},
                           {"equation", equation_},
                           {"activation", options_.activation.config()},
                           {"bias_axes", options_.bias_axes.empty() ? Config() : Config(options_.bias_axes)},
                           {"kernel_initializer", options_.kernel_initializer.config()},
                           {"bias_initializer", options_.bias_initializer.config()},
                           {"kernel_regularizer", options_.kernel_regularizer.config()},
                           {"bias_regularizer", options_.bias_regularizer.config()},
                           {"activity_regularizer", options_.activity_regularizer.config()},
                           {"kernel_constraint", options_.kernel_constraint.config()},
                           {"bias_constraint", options_.bias_constraint.config()}});
  }

  void build(const Shape& input) override {
    const Analysis analysis(equation_, options_.bias_axes, input, output_shape_);
    set_input_spec({{.rank = input.rank()}});
    kernel_ = add_weight("kernel", analysis.kernel,
                         {.initializer = with_fans(options_.kernel_initializer, analysis.fan_in, analysis.fan_out),
                          .regularizer = options_.kernel_regularizer,
                          .constraint = options_.kernel_constraint});
    if (options_.bias_axes.empty()) return;
    bias_ = add_weight("bias", analysis.bias,
                       {.initializer = options_.bias_initializer,
                        .regularizer = options_.bias_regularizer,
                        .constraint = options_.bias_constraint});
  }

  Tensor call(const Tensor& input, CallContext&) override {
    const Tensor x = ops::cast(input, compute_dtype());
    return options_.activation(ops::einsum(equation_, x, kernel_, bias_ ? Tensor(bias_) : Tensor()));
  }

 private:
  std::string equation_;
  Shape output_shape_;
  layers::EinsumDenseOptions options_;
  Variable kernel_;
  Variable bias_;
};

LayerRef einsum_dense_from_config(const Config& config) {
  const LayerConfig arguments(
      "EinsumDense", config,
      {"equation", "output_shape", "activation", "bias_axes", "kernel_initializer", "bias_initializer",
       "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"});
  const LayerOptions common = arguments.options();
  const layers::EinsumDenseOptions options{
      .activation = strata::Activation::from_config(arguments.get("activation")),
      .bias_axes = arguments.text("bias_axes", ""),
      .kernel_initializer = arguments.initializer("kernel_initializer", "glorot_uniform"),
      .bias_initializer = arguments.initializer("bias_initializer", "zeros"),
      .kernel_regularizer = arguments.regularizer("kernel_regularizer"),
      .bias_regularizer = arguments.regularizer("bias_regularizer"),
      .activity_regularizer = arguments.regularizer("activity_regularizer"),
      .kernel_constraint = arguments.constraint("kernel_constraint"),
      .bias_constraint = arguments.constraint("bias_constraint"),
      .name = common.name,
      .trainable = common.trainable,
      .dtype = common.dtype};
  const Config& shape = arguments.get("output_shape");
  return layers::EinsumDense(arguments.text("equation", ""), shape.is_int() ? Shape{shape.as_int()} : shape.as_shape(),
                             options);
}

}  // namespace

layers::EinsumDense::EinsumDense(std::string equation, Shape output_shape, const EinsumDenseOptions& options)
    : LayerRef(std::make_shared<EinsumDenseLayer>(std::move(equation), std::move(output_shape), options)) {}

void register_einsum_dense(LayerRegistry& registry) {
  using layers::EinsumDense;
  const auto example = [](const std::string& label, const std::string& equation, const Shape& output,
                          const std::string& bias_axes, const Shape& input) {
    const auto make = [=](Dtype dtype) {
      return EinsumDense(equation, output, {.bias_axes = bias_axes, .name = "einsum_dense", .dtype = dtype});
    };
    return LayerExample{label, make, {input}};
  };
  registry.add({"EinsumDense",
                einsum_dense_from_config,
                {example("heads", "abc,cde->abde", {None, 2, 3}, "de", {2, 3, 5}),
                 example("elided on the left", "...x,xy->...y", {4}, "y", {2, 3, 5}),
                 example("elided on the right", "ab...,bc->ac...", {4}, "c", {2, 3, 5}),
                 example("no bias", "abc,cd->abd", {None, 4}, "", {2, 3, 5})}});
}

}  // namespace strata
