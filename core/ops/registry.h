// SPDX-License-Identifier: Apache-2.0
// Every op, by name: its kernel candidates and the examples that the conformance test runs. CMake collects the files of
// this folder that define register_<stem>(OpRegistry&); nothing is listed by hand.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/ops/kernel.h"

namespace strata {

/// How the conformance test fills one input of an example.
struct ExampleInput {
  TensorSpec spec;
  double low = -1.0;  // values are drawn uniformly from [low, high); integers from low to high - 1
  double high = 1.0;
};

/// One case of the conformance test. Floating inputs marked float32 are also run as float64, where numeric gradients
/// are taken.
struct OpExample {
  std::string label;
  std::vector<ExampleInput> inputs;
  std::function<std::vector<Tensor>(const std::vector<Tensor>&)> build;
  bool differentiable = true;
};

struct OpEntry {
  std::string name;
  std::vector<Candidate> candidates;  // best first, reference last
  std::vector<OpExample> examples;
};

/// Read-only after construction; thread-safe.
class OpRegistry {
 public:
  static const OpRegistry& instance();

  void add(OpEntry entry);
  /// Throws InternalError for an unknown name.
  const OpEntry& at(std::string_view name) const;
  const std::map<std::string, OpEntry, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, OpEntry, std::less<>> entries_;
};

}  // namespace strata
