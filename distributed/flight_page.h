// SPDX-License-Identifier: Apache-2.0
// Merges the flight recorders' files of all ranks into a page that says who waits for whom.
#pragma once

#include <string>

#include "distributed/flight_file.h"

namespace strata {

/// For each communicator: where each rank stands, who waits for whom, where ranks went different ways, which failed,
/// and the last `last` collective calls with the times of arrival. Looks whether the processes of this machine still
/// live.
std::string flight_page(const FlightDirectory& directory, std::size_t last);

}  // namespace strata
