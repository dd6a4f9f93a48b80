// SPDX-License-Identifier: Apache-2.0
// strata_flight: prints what the flight recorders of a run have left.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/base/error.h"
#include "distributed/flight_page.h"

namespace {

constexpr const char* kDescription =
    "Says where the ranks of a run stand, or stood when it ended: which collective call each rank is in,\n"
    "which ranks have not come to it, which went another way, which failed, and who came late.\n"
    "\n"
    "Start the run with STRATA_FLIGHT_RECORDER=DIRECTORY in the environment of every rank, such as\n"
    "  mpirun -x STRATA_FLIGHT_RECORDER=/tmp/flight -np 4 mnist_mlp --data DIR\n"
    "Each rank then keeps its last 2,000 collective calls in a file there, which is complete even after\n"
    "SIGKILL. This program may be run while the job still runs or hangs. Where ranks of several hosts\n"
    "write to their own disks, copy the files into one directory first. Use a directory for each job.";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kDescription, "strata_flight");
  std::string directory;
  std::size_t last = 10;
  app.add_option("DIRECTORY", directory, "Where the files rank-R.N.flight of all ranks are")->required();
  app.add_option("--last", last, "How many of the last calls the table shows")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const strata::FlightDirectory files = strata::read_flight_directory(directory);
    std::printf("%s", strata::flight_page(files, last).c_str());
    return files.wrong.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
