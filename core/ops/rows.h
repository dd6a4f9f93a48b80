// SPDX-License-Identifier: Apache-2.0
// What gather and scatter_add share: ids that name rows.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace strata {

/// Throws DtypeError unless ids are int32 or int64.
inline void expect_ids(const char* op, const TensorSpec& ids) {
  if (ids.dtype == Dtype::int32 || ids.dtype == Dtype::int64) return;
  throw DtypeError(std::string(op) + ": expected ids of dtype int32 or int64, received " + ids.str());
}

/// Id i of an int32 or int64 array.
inline Dim id_at(const void* ids, Dtype dtype, Dim i) {
  return dtype == Dtype::int32 ? static_cast<const std::int32_t*>(ids)[i] : static_cast<const std::int64_t*>(ids)[i];
}

}  // namespace strata
