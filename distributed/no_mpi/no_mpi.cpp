// SPDX-License-Identifier: Apache-2.0
// The world of a build without MPI.
#include <fmt/format.h>

#include "core/base/error.h"
#include "distributed/launch_environment.h"
#include "distributed/world.h"

namespace strata {

std::shared_ptr<Communicator> world() {
  static const std::shared_ptr<Communicator> only = [] {
    const auto launch = launch_environment();
    if (launch && launch->ranks > 1) {
      throw ConfigError(
          fmt::format("a launcher started {} ranks ({}), but this Strata was built without MPI: expected one "
                      "rank. Build it with -DSTRATA_MPI=ON and an MPI library, or start one process.",
                      launch->ranks, launch->variable));
    }
    return std::shared_ptr<Communicator>(make_single_communicator());
  }();
  return only;
}

void shutdown_world(bool /*failed*/) {}

}  // namespace strata
