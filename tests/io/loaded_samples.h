// SPDX-License-Identifier: Apache-2.0
// What the samples of a dataset hold, for tests.
#pragma once

#include <numeric>
#include <vector>

#include "core/training/dataset.h"

namespace strata::testing {

/// The elements of one array of samples, as they come.
template <class T>
std::vector<T> elements_of(const SampleSource& source, std::size_t array, const std::vector<Dim>& rows) {
  std::vector<SampleRef> samples;
  for (const Dim row : rows) samples.push_back({row, row, 0});
  const auto arrays = source.specs().all();
  std::vector<T> values(rows.size() * static_cast<std::size_t>(arrays[array].row.shape.elements()));
  std::vector<std::byte*> to(arrays.size(), nullptr);
  to[array] = reinterpret_cast<std::byte*>(values.data());
  source.read(samples, to);
  return values;
}

/// Those of all samples, in order.
template <class T>
std::vector<T> elements_of(const Dataset& data, std::size_t array) {
  const SampleSourceRef source = data.source();
  std::vector<Dim> rows(static_cast<std::size_t>(source->rows()));
  std::iota(rows.begin(), rows.end(), 0);
  return elements_of<T>(*source, array, rows);
}

}  // namespace strata::testing
