// SPDX-License-Identifier: Apache-2.0
#include "core/model/subclassed.h"

#include "core/base/error.h"
#include "core/model/input_layer.h"
#include "core/model/variable_set.h"

namespace strata {
namespace {

TensorSpec any_batch(const TensorSpec& spec) {
  return {spec.shape.rank() == 0 ? spec.shape : spec.shape.with(0, None), spec.dtype};
}

}  // namespace

Config SubclassedModel::config() const {
  throw ConfigError("Layers with arguments in `__init__` must override `get_config`. Model " + name() + " of class " +
                    class_name() + " is a subclassed one, whose function is the body of its call(), and does not " +
                    "override config().");
}

std::vector<Variable> SubclassedModel::weights() const {
  std::vector<Variable> inner, result;
  for (const LayerRef& layer : sublayers()) {
    const auto weights = layer.weights();
    inner.insert(inner.end(), weights.begin(), weights.end());
  }
  VariableSet seen(inner.begin(), inner.end());
  for (const Variable& weight : Layer::weights()) {
    if (!seen.contains(weight)) result.push_back(weight);
  }
  for (const Variable& weight : inner) {
    if (seen.erase(weight) > 0) result.push_back(weight);
  }
  return result;
}

SubclassedGraph::SubclassedGraph(std::shared_ptr<Layer> model)
    : Functional(LayerOptions{.name = model->name(), .dtype = model->dtype_policy()}), model_(std::move(model)) {}

void SubclassedGraph::build_specs(const std::vector<TensorSpec>& specs) {
  std::vector<Tensor> inputs;
  for (const TensorSpec& spec : specs) {
    const TensorSpec any = any_batch(spec);
    inputs.push_back(make_input(any.shape, any.dtype, "input_" + std::to_string(inputs.size() + 1)));
  }
  std::vector<Tensor> outputs = LayerRef(model_).call(inputs);
  set_ends(std::move(inputs), std::move(outputs));
}

void SubclassedGraph::prepare_for(const std::vector<TensorSpec>& specs) {
  bool fits = specs.size() == inputs().size();
  for (std::size_t i = 0; fits && i < specs.size(); ++i) fits = any_batch(specs[i]) == inputs()[i].spec();
  if (!fits) build_specs(specs);
}

std::vector<Tensor> SubclassedGraph::call_many(const std::vector<Tensor>& inputs, CallContext& context) {
  return model_->run(inputs, context);
}

const std::vector<LayerRef>& SubclassedGraph::layers() const {
  if (std::vector<LayerRef> now = model_->sublayers(); now != layers_) layers_ = std::move(now);
  return layers_;
}

std::vector<std::string> SubclassedGraph::output_names() const {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < outputs().size(); ++k) names.push_back("output_" + std::to_string(k + 1));
  return names;
}

}  // namespace strata
