// SPDX-License-Identifier: Apache-2.0
// A child process that answers lines with lines: how benchmarks interleave with programs in other languages.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace strata::benchmarks {

/// Ends the child when destroyed. Throws std::runtime_error when the child cannot be started or ends early.
class Child {
 public:
  explicit Child(const std::vector<std::string>& command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Reads one line, without its newline.
  std::string read_line();
  void expect(const std::string& line);
  /// Writes one line and reads one.
  std::string ask(const std::string& line);

 private:
  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace strata::benchmarks
