// SPDX-License-Identifier: Apache-2.0
#include "distributed/rank_identity.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace strata {
namespace {

template <std::size_t n>
std::array<char, n> fixed(const std::string& text) {
  std::array<char, n> chars{};
  std::copy_n(text.begin(), std::min(text.size(), n - 1), chars.begin());
  return chars;
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

// A dead process whose parent has not asked for its status yet.
bool is_zombie(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return false;
  // "pid (name) state ...", where the name may hold anything.
  const std::size_t end = line.rfind(')');
  return end != std::string::npos && end + 2 < line.size() && (line[end + 2] == 'Z' || line[end + 2] == 'X');
}

/// Processes of one kernel that know each other by their pids.
bool see_each_other(const RankIdentity& a, const RankIdentity& b) {
  return a.machine[0] != '\0' && a.pid_namespace != 0 && a.machine == b.machine && a.pid_namespace == b.pid_namespace;
}

}  // namespace

RankIdentity own_identity() {
  RankIdentity identity;
  identity.host = fixed<64>(host_name());
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  identity.machine = fixed<64>(boot);
  struct stat info {};
  if (stat("/proc/self/ns/pid", &info) == 0) identity.pid_namespace = info.st_ino;
  identity.pid = getpid();
  return identity;
}

std::string describe_rank(int rank, const RankIdentity& identity) {
  return fmt::format("rank {} (host {}, pid {})", rank, identity.host.data(), identity.pid);
}

bool share_a_host(const RankIdentity& a, const RankIdentity& b) { return a.host == b.host && see_each_other(a, b); }

bool has_ended(const RankIdentity& identity, const RankIdentity& own) {
  if (!see_each_other(identity, own)) return false;
  if (kill(static_cast<pid_t>(identity.pid), 0) != 0) return errno == ESRCH;
  return is_zombie(identity.pid);
}

}  // namespace strata
