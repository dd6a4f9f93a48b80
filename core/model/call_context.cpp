// SPDX-License-Identifier: Apache-2.0
#include "core/model/call_context.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/model/session.h"

namespace strata {
namespace {

thread_local CallContext* this_context = nullptr;

std::string text(Combine combine) {
  switch (combine) {
    case Combine::mean: return "mean";
    case Combine::sum: return "sum";
    case Combine::rows: break;
  }
  return "rows";
}

}  // namespace

RandomKey CallContext::random_key() { return {trace_.random_state, hash_name(path_ + ":" + std::to_string(draws_++))}; }

const Tensor& CallContext::mask(std::size_t i) const {
  static const Tensor none;
  return i < options_.mask.size() ? options_.mask[i] : none;
}

Config CallContext::argument(const std::string& name, Config otherwise) const {
  asked_.insert(name);
  const Config& given = options_.arguments;
  if (given.is_null() || !given.contains(name)) return otherwise;
  return given.at(name);
}

void CallContext::check_arguments(const std::string& layer) const {
  if (options_.arguments.is_null()) return;
  for (const auto& [name, value] : options_.arguments.as_object()) {
    if (asked_.contains(name)) continue;
    std::string text = "Layer '" + layer + "': call() got an unexpected keyword argument '";
    throw ConfigError(text.append(name).append("'"));
  }
}

void CallContext::set_input_masks(const std::vector<Tensor>& masks) {
  std::vector<Tensor>& own = options_.mask;
  if (own.size() < masks.size()) own.resize(masks.size());
  for (std::size_t i = 0; i < masks.size(); ++i) {
    if (!own[i]) own[i] = masks[i];
  }
}

void CallContext::update(const Variable& variable, const Tensor& value, Combine combine) {
  const std::string what = "update of '" + variable.path() + "': expected ";
  const std::string specs = variable.spec().str() + ", received " + value.spec().str();
  if (value.dtype() != variable.spec().dtype) throw DtypeError(what + specs);
  if (!shapes_fit(value.shape(), variable.shape())) throw ShapeError(what + specs);
  const auto earlier = std::find_if(trace_.updates.begin(), trace_.updates.end(),
                                    [&](const StateUpdate& update) { return update.variable == variable; });
  if (earlier == trace_.updates.end()) {
    trace_.updates.push_back({variable, value, combine});
    return;
  }
  if (earlier->combine != combine) {
    throw ConfigError(what + "the same Combine for all updates in a step, received both " +
                      text(std::min(earlier->combine, combine)) + " and " + text(std::max(earlier->combine, combine)));
  }
  earlier->value = value;
}

Tensor CallContext::value(const Variable& variable) const {
  for (const StateUpdate& update : trace_.updates) {
    if (update.variable == variable) return update.value;
  }
  return variable.value();
}

Tensor CallContext::rows_of_batch(const Variable& variable, Dim samples) const {
  const Tensor all = value(variable);
  return trace_.first_row ? ops::gather(all, ops::iota({samples}, 0) + trace_.first_row) : all;
}

void CallContext::update_rows_of_batch(const Variable& variable, const Tensor& rows) {
  if (!trace_.first_row) return update(variable, rows, Combine::rows);
  const Tensor ids = ops::iota({rows.shape()[0]}, 0) + trace_.first_row;
  update(variable, ops::scatter_add(ids, rows, variable.shape()[0]), Combine::rows);
}

void CallContext::add_loss(const Tensor& loss, Combine combine) {
  if (loss.rank() != 0) throw ShapeError("add_loss: expected a scalar, received " + loss.spec().str());
  trace_.losses.push_back({ops::cast(loss, widened(loss.dtype())), combine});
}

CallContext CallContext::nested(const std::string& name, const CallOptions& options) {
  const std::string call = name + "#" + std::to_string(calls_[name]++);
  const bool training = options.training.value_or(training_);
  return {trace_, path_.empty() ? call : path_ + "/" + call, training, options};
}

CallContext* CallContext::current() { return this_context; }

CallScope::CallScope(CallContext* context) : previous_(this_context) { this_context = context; }
CallScope::~CallScope() { this_context = previous_; }

}  // namespace strata
