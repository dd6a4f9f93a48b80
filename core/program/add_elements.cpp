// SPDX-License-Identifier: Apache-2.0
#include "core/program/add_elements.h"

#include "core/base/simd.h"
#include "core/base/thread_environment.h"

namespace strata {
namespace {

template <class T>
STRATA_SIMD_CLONES void add_to(T* __restrict to, const T* __restrict from, Dim count) {
  for (Dim i = 0; i < count; ++i) to[i] = static_cast<T>(Widened<T>{to[i]} + Widened<T>{from[i]});
}

}  // namespace

void add_elements(Dtype dtype, void* to, const void* from, Dim count) {
  const ThreadEnvironment environment;
  visit_element(dtype, [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_floating_point_v<Widened<T>>) add_to(static_cast<T*>(to), static_cast<const T*>(from), count);
  });
}

}  // namespace strata
