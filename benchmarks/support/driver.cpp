// SPDX-License-Identifier: Apache-2.0
#include "support/driver.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

namespace strata::benchmarks {

int drive(int argc, char** argv, const Driver& driver) {
  CLI::App app(driver.description);
  std::string file;
  driver.add_options(app);
  app.add_option("--json", file, "Also write the result to this file");
  CLI11_PARSE(app, argc, argv);
  try {
    const nlohmann::ordered_json members = driver.run();
    if (members.is_null()) return 0;
    nlohmann::ordered_json result{{"benchmark", driver.name}};
    result.update(members);
    fmt::print("{}\n", result.dump());
    if (!file.empty() && !(std::ofstream(file) << result.dump(2) << "\n")) {
      throw std::runtime_error("cannot write " + file);
    }
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", driver.name, e.what());
    return 1;
  }
}

}  // namespace strata::benchmarks
