// SPDX-License-Identifier: Apache-2.0
// The command line of a driver, and its result as a line of JSON.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace strata::benchmarks {

struct Driver {
  std::string name;
  std::string description;
  /// Adds what the driver takes beside --json.
  std::function<void(CLI::App& app)> add_options;
  /// Verifies, times, prints a table; the members of the result, without "benchmark". Null on ranks that leave the
  /// result to another.
  std::function<nlohmann::ordered_json()> run;
};

/// Runs it; prints the result as a line and writes it to the file that --json names. Errors go to standard error, in
/// one line. Returns the exit status.
int drive(int argc, char** argv, const Driver& driver);

}  // namespace strata::benchmarks
