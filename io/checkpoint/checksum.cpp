// SPDX-License-Identifier: Apache-2.0
#include "io/checkpoint/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace strata {
namespace {

std::string digits(XXH64_hash_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace

std::string checksum(std::span<const std::byte> bytes) { return digits(XXH3_64bits(bytes.data(), bytes.size())); }

struct RunningChecksum::State {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> xxh3{XXH3_createState(), &XXH3_freeState};
};

RunningChecksum::RunningChecksum() : state_(std::make_unique<State>()) { XXH3_64bits_reset(state_->xxh3.get()); }
RunningChecksum::~RunningChecksum() = default;

void RunningChecksum::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(state_->xxh3.get(), bytes.data(), bytes.size());
}

std::string RunningChecksum::text() const { return digits(XXH3_64bits_digest(state_->xxh3.get())); }

}  // namespace strata
