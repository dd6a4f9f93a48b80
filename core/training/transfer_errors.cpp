// SPDX-License-Identifier: Apache-2.0
#include "core/training/transfer_errors.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <cstring>

#include "core/base/error.h"
#include "core/training/rank_texts.h"

namespace strata {

TransferErrors::TransferErrors(const StepEngine& engine, Communicator& communicator) : own_(engine.rounding_errors()) {
  std::vector<std::uint64_t> layouts;
  std::size_t bytes = 0;
  for (const RoundingErrors& errors : own_) {
    layouts.push_back(errors.layout);
    bytes += errors.values->bytes();
  }
  const std::uint64_t layout = XXH3_64bits(layouts.data(), layouts.size() * sizeof(layouts[0]));
  const Config own = Config::object({{"layout", fmt::format("{:016x}", layout)}, {"elements", bytes / sizeof(float)}});
  Config::List ranks;
  bool any = false;
  for (const std::string& text : allgather_texts(communicator, own.to_json())) {
    ranks.push_back(Config::from_json(text));
    any = any || ranks.back().at("elements").as_int() > 0;
  }
  if (any) layout_ = Config::object({{"bucket_bytes", engine.bucket_bytes()}, {"ranks", ranks}});
}

void TransferErrors::restore(const Tensor& values) const {
  const std::vector<float> all = values.to_vector<float>();
  std::size_t first = 0;
  for (const RoundingErrors& errors : own_) {
    const std::size_t count = errors.values->bytes() / sizeof(float);
    if (count > all.size() - first) throw InternalError("a checkpoint has fewer rounding errors than its layout says");
    std::memcpy(errors.values->data(), all.data() + first, errors.values->bytes());
    first += count;
  }
}

}  // namespace strata
