// SPDX-License-Identifier: Apache-2.0
#include "core/model/call_context.h"

#include "core/base/error.h"
#include "core/model/session.h"

namespace strata {
namespace {

thread_local CallContext* this_context = nullptr;

}  // namespace

RandomKey CallContext::random_key() {
  return {trace_.random_state, hash_name(path_ + ":" + std::to_string(draws_++))};
}

void CallContext::update(const Variable& variable, const Tensor& value, Combine combine) {
  const std::string what = "update of '" + variable.path() + "': expected " + variable.spec().str() + ", received " +
                           value.spec().str();
  if (value.dtype() != variable.spec().dtype) throw DtypeError(what);
  if (!shapes_fit(value.shape(), variable.shape())) throw ShapeError(what);
  trace_.updates.push_back({variable, value, combine});
}

void CallContext::add_loss(const Tensor& loss) {
  if (loss.rank() != 0) throw ShapeError("add_loss: expected a scalar, received " + loss.spec().str());
  trace_.losses.push_back(loss);
}

CallContext CallContext::nested(const std::string& name, const CallOptions& options) {
  const std::string call = name + "#" + std::to_string(calls_[name]++);
  return {trace_, path_.empty() ? call : path_ + "/" + call, options.training.value_or(training_)};
}

CallContext* CallContext::current() { return this_context; }

CallScope::CallScope(CallContext* context) : previous_(this_context) { this_context = context; }
CallScope::~CallScope() { this_context = previous_; }

}  // namespace strata
