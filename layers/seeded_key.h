// SPDX-License-Identifier: Apache-2.0
// Keys of random draws for layers that take a seed of their own.
#pragma once

#include <optional>

#include "core/model/call_context.h"

namespace strata {

/// A key for the next draw of this call; `seed` takes the place of the session's.
inline RandomKey seeded_key(CallContext& context, std::optional<std::int64_t> seed) {
  RandomKey key = context.random_key();
  if (seed) key.state = ops::concatenate({constant<std::int64_t>({*seed}, {1}), ops::slice(key.state, {1}, {3})}, 0);
  return key;
}

}  // namespace strata
