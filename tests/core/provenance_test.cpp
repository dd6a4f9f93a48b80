// SPDX-License-Identifier: Apache-2.0
#include "core/training/provenance.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "core/base/library_versions.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

TEST(Provenance, IsThatOfAllRanksOnAllRanks) {
  add_library_version("made up", "0.9");
  add_library_version("made up", "1.0");
  std::mutex mutex;
  std::vector<Config> seen;
  testing::run_ranks(3, [&](Communicator& communicator) {
    const Config all = run_provenance(communicator);
    const std::lock_guard<std::mutex> lock(mutex);
    seen.push_back(all);
  });
  EXPECT_EQ(seen[1], seen[0]);
  EXPECT_EQ(seen[2], seen[0]);
  const Config::List& ranks = seen[0].at("ranks").as_list();
  ASSERT_EQ(ranks.size(), 3u);
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  EXPECT_EQ(ranks[2].at("host").as_string(), host.data());
  EXPECT_EQ(ranks[2].at("pid").as_int(), getpid());
  EXPECT_GE(ranks[2].at("threads").as_int(), 1);
  EXPECT_NE(ranks[2].at("processors").as_string(), "");
  EXPECT_NE(seen[0].at("command_line").as_list().at(0).as_string().find("core_test"), std::string::npos);
  EXPECT_NE(seen[0].at("instruction_set").as_string().find("oneDNN"), std::string::npos);
  EXPECT_EQ(seen[0].at("libraries").at("made up").as_string(), "1.0");
  EXPECT_EQ(seen[0].at("started").as_string().size(), std::string("2026-01-01T00:00:00Z").size());
}

TEST(Provenance, WarnsOfThreadsThatShareACore) {
  const auto rank = [](int threads, int processors) {
    return Config::object(
        {{"host", "n1"}, {"threads", threads}, {"processors", "4-5"}, {"processor_count", processors}});
  };
  const Config all = Config::object({{"ranks", Config::List{rank(2, 2), rank(8, 2), rank(1, 0)}}});
  EXPECT_EQ(provenance_warnings(all),
            (std::vector<std::string>{"rank 1 (host n1) has 8 threads for 2 processors (4-5): bind it to as many as it "
                                      "has threads, or set OMP_NUM_THREADS=2"}));
}

}  // namespace
}  // namespace strata
