// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/variable.h"

#include "core/base/error.h"

namespace strata {
namespace {

thread_local const AutocastScope* this_scope = nullptr;

void copy_between(const Buffer& to, const Buffer& from, std::size_t bytes) {
  Device& device = to.storage->device();
  const auto stream = device.make_stream();
  if (&device == &from.storage->device()) {
    device.copy(to.data(), from.data(), bytes, *stream);
  } else {
    Device& source = from.storage->device();
    std::vector<std::byte> host(bytes);
    const auto source_stream = source.make_stream();
    source.copy_to_host(host.data(), from.data(), bytes, *source_stream);
    source_stream->synchronize();
    device.copy_from_host(to.data(), host.data(), bytes, *stream);
  }
  stream->synchronize();
}

}  // namespace

AutocastScope::AutocastScope(std::optional<Dtype> dtype, Cast cast)
    : dtype_(dtype), cast_(cast), previous_(this_scope) {
  if (dtype_ || previous_ != nullptr) this_scope = this;
}

AutocastScope::~AutocastScope() { this_scope = previous_; }

const AutocastScope* AutocastScope::current() { return this_scope; }

Tensor AutocastScope::read(const Tensor& value) const {
  const bool casts = dtype_ && is_floating(value.dtype()) && value.dtype() != *dtype_;
  return casts ? cast_(value, *dtype_) : value;
}

Variable::Variable(std::string path, const Tensor& value, bool trainable, bool autocast)
    : state_(std::make_shared<State>()) {
  state_->path = std::move(path);
  state_->spec = value.spec();
  state_->trainable = trainable;
  state_->autocast = autocast;
  state_->buffer = {std::make_shared<Storage>(current_device(), value.spec().bytes()), 0};
  assign(value);
}

Tensor Variable::value() const {
  const std::lock_guard lock(state_->mutex);
  std::shared_ptr<Node> node = state_->read.lock();
  if (node == nullptr) {
    node = apply_one(std::make_shared<VariableOp>(state_), {}).node();
    state_->read = node;
  }
  return {std::move(node), 0};
}

Variable::operator Tensor() const {
  const AutocastScope* scope = AutocastScope::current();
  return scope != nullptr && state_->autocast ? scope->read(value()) : value();
}

void Variable::keep_reads() const {
  const std::lock_guard lock(state_->mutex);
  if (const std::shared_ptr<Node> node = state_->read.lock()) {
    Buffer kept{std::make_shared<Storage>(state_->buffer.storage->device(), spec().bytes()), 0};
    copy_between(kept, state_->buffer, spec().bytes());
    node->values() = {std::move(kept)};
  }
  state_->read.reset();
}

void Variable::assign(const Tensor& value) const {
  if (value.dtype() != spec().dtype) {
    throw DtypeError("Variable '" + path() + "': expected " + spec().str() + ", received " + value.spec().str());
  }
  if (value.shape() != shape()) {
    throw ShapeError("Variable '" + path() + "': expected " + spec().str() + ", received " + value.spec().str());
  }
  const Buffer& from = value.eval();  // before keep_reads(): it may read this variable
  keep_reads();
  copy_between(state_->buffer, from, spec().bytes());
}

void Variable::adopt(Buffer place) const {
  copy_between(place, state_->buffer, spec().bytes());
  state_->buffer = std::move(place);
}

}  // namespace strata
