// SPDX-License-Identifier: Apache-2.0
#include "core/training/block_exchange.h"

#include "core/base/error.h"

namespace strata {
namespace {

std::string list_specs(const std::vector<TensorSpec>& specs) {
  std::string text = std::to_string(specs.size()) + " sums over blocks";
  for (const TensorSpec& spec : specs) text += ", " + spec.str();
  return text;
}

}  // namespace

BlockExchange::BlockExchange(const Program& program, Dim blocks, Device& device, Communicator& communicator)
    : device_(device) {
  const auto own = static_cast<std::size_t>(rank_blocks(blocks, communicator.size(), communicator.rank()).size());
  for (const BlockSumPoint& point : program.block_sums()) {
    Sum sum{point.spec, communicator.allocate(device, own * point.spec.bytes()), {}, nullptr};
    for (std::size_t b = 0; b < own; ++b) sum.partials.push_back(sum.storage->data() + b * point.spec.bytes());
    sum.prepared = communicator.prepare_block_sum(device, {point.spec.dtype, point.spec.shape.elements(), blocks,
                                                           sum.partials, "sums over the batch in layers or losses"});
    sums_.push_back(std::move(sum));
  }
}

void BlockExchange::require_same(const Program& program) const {
  std::vector<TensorSpec> expected, received;
  for (const Sum& sum : sums_) expected.push_back(sum.spec);
  for (const BlockSumPoint& point : program.block_sums()) received.push_back(point.spec);
  if (expected == received) return;
  throw ConfigError(
      "block_sum: expected the same sums in blocks of every size, of shapes that do not depend on the samples, "
      "received " +
      list_specs(expected) + " in one and " + list_specs(received) + " in another");
}

void BlockExchange::put(std::size_t sum, Dim block, const void* value, Stream& stream) {
  void* partial = sums_[sum].partials[static_cast<std::size_t>(block)];
  const std::size_t bytes = sums_[sum].spec.bytes();
  if (value == nullptr) device_.zero(partial, bytes, stream);
  else device_.copy(partial, value, bytes, stream);
}

void BlockExchange::run(std::size_t sum) {
  sums_[sum].prepared->start();
  sums_[sum].prepared->wait();
}

void BlockExchange::take(std::size_t sum, void* value, Stream& stream) const {
  device_.copy(value, sums_[sum].partials[0], sums_[sum].spec.bytes(), stream);
}

}  // namespace strata
