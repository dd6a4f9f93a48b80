// SPDX-License-Identifier: Apache-2.0
#include "core/training/local_batch.h"

#include "core/base/error.h"

namespace strata {
namespace {

struct Message {
  std::int64_t rows;  // -1 without a part
  std::uint64_t kind;
  std::int64_t is_new;
};

[[noreturn]] void refuse(Communicator& communicator, std::size_t rank, const std::string& what) {
  throw ConfigError("A batch of all ranks' own samples: " + communicator.describe(static_cast<int>(rank)) + " " + what);
}

}  // namespace

LocalBatch join_local_parts(Communicator& communicator, const LocalPart& own) {
  const Message message{own.error ? -1 : own.rows, own.kind, own.is_new ? 1 : 0};
  std::vector<Message> all(static_cast<std::size_t>(communicator.size()));
  communicator.allgather(&message, all.data(), sizeof message);
  if (own.error) std::rethrow_exception(own.error);
  LocalBatch batch{{0}};
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].rows < 0) refuse(communicator, r, "could not take part; its own error says why.");
    batch.limits.push_back(batch.limits.back() + all[r].rows);
    batch.is_new = batch.is_new || all[r].is_new != 0;
  }
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r].kind == all[0].kind) continue;
    refuse(communicator, r,
           "has other data, or another model or step, than rank 0: only the number of samples may differ.");
  }
  if (batch.limits.back() == 0) throw ConfigError("The data holds no samples, on any rank.");
  return batch;
}

}  // namespace strata
