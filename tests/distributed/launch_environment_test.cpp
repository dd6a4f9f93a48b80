// SPDX-License-Identifier: Apache-2.0
#include "distributed/launch_environment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "distributed/world.h"

namespace strata {
namespace {

// The variables of launchers, set for one test and as before after it.
class LaunchEnvironmentTest : public ::testing::Test {
 protected:
  LaunchEnvironmentTest() {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMI_SIZE", "PMIX_RANK",
                             "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}) {
      const char* value = std::getenv(name);
      before_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
      unsetenv(name);
    }
  }
  ~LaunchEnvironmentTest() override {
    for (const auto& [name, value] : before_) value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(LaunchEnvironmentTest, IsEmptyWithoutALauncher) { EXPECT_FALSE(launch_environment()); }

TEST_F(LaunchEnvironmentTest, KnowsMpirun) {
  setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  setenv("OMPI_COMM_WORLD_RANK", "3", 1);
  EXPECT_EQ(launch_environment()->ranks, 4);
  EXPECT_EQ(launch_environment()->rank, 3);
  EXPECT_EQ(launch_environment()->variable, "OMPI_COMM_WORLD_SIZE");
}

TEST_F(LaunchEnvironmentTest, KnowsPmi) {
  setenv("PMI_SIZE", "3", 1);
  EXPECT_FALSE(launch_environment());
  setenv("PMI_RANK", "1", 1);
  EXPECT_EQ(launch_environment()->ranks, 3);
  EXPECT_EQ(launch_environment()->rank, 1);
}

TEST_F(LaunchEnvironmentTest, KnowsPmix) {
  setenv("PMIX_RANK", "2", 1);
  EXPECT_EQ(launch_environment()->ranks, 0);
  EXPECT_EQ(launch_environment()->rank, 2);
}

TEST_F(LaunchEnvironmentTest, TellsASlurmStepFromABatchShell) {
  setenv("SLURM_PROCID", "0", 1);
  EXPECT_FALSE(launch_environment());
  setenv("SLURM_STEP_NUM_TASKS", "1", 1);
  EXPECT_FALSE(launch_environment());
  setenv("SLURM_STEP_NUM_TASKS", "8", 1);
  EXPECT_EQ(launch_environment()->ranks, 8);
  EXPECT_EQ(launch_environment()->rank, 0);
}

TEST_F(LaunchEnvironmentTest, RefusesWhatIsNotANumber) {
  setenv("OMPI_COMM_WORLD_RANK", "0", 1);
  for (const char* text : {"", "two", "0", "-3", "4x", "99999999999"}) {
    setenv("OMPI_COMM_WORLD_SIZE", text, 1);
    EXPECT_THROW(launch_environment(), ConfigError) << text;
  }
  setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  EXPECT_EQ(launch_environment()->ranks, 2);
  setenv("OMPI_COMM_WORLD_RANK", "-1", 1);
  EXPECT_THROW(launch_environment(), ConfigError);
}

TEST_F(LaunchEnvironmentTest, AloneTheWorldIsThisProcess) {
  const auto communicator = world();
  EXPECT_EQ(communicator->size(), 1);
  EXPECT_EQ(communicator.get(), world().get());
}

}  // namespace
}  // namespace strata
