// SPDX-License-Identifier: Apache-2.0
#include "distributed/local/local_communicator.h"

#include <exception>
#include <mutex>
#include <thread>

#include "core/base/error.h"
#include "distributed/local/local_transport.h"
#include "distributed/point_to_point.h"

namespace strata {
namespace {

std::shared_ptr<LocalWorld> make_world(int ranks, const std::vector<int>& hosts) {
  if (ranks < 1) throw ConfigError("expected at least 1 rank, received " + std::to_string(ranks));
  std::vector<int> bounds{0};
  for (const int on_host : hosts.empty() ? std::vector<int>{ranks} : hosts) {
    if (on_host < 1) throw ConfigError("expected at least 1 rank on a host, received " + std::to_string(on_host));
    bounds.push_back(bounds.back() + on_host);
  }
  if (bounds.back() != ranks) {
    throw ConfigError("expected hosts with " + std::to_string(ranks) + " ranks, received " +
                      std::to_string(bounds.back()));
  }
  return std::make_shared<LocalWorld>(std::move(bounds));
}

std::shared_ptr<Communicator> join(const std::shared_ptr<LocalWorld>& world, int rank) {
  return std::make_shared<PointToPointCommunicator>(std::make_unique<LocalTransport>(world, rank));
}

}  // namespace

std::vector<std::shared_ptr<Communicator>> make_local_communicators(int ranks, const std::vector<int>& hosts) {
  const std::shared_ptr<LocalWorld> world = make_world(ranks, hosts);
  std::vector<std::shared_ptr<Communicator>> communicators;
  for (int rank = 0; rank < ranks; ++rank) communicators.push_back(join(world, rank));
  return communicators;
}

void run_local_ranks(int ranks, const std::function<void(const std::shared_ptr<Communicator>&)>& run,
                     const std::vector<int>& hosts) {
  const std::shared_ptr<LocalWorld> world = make_world(ranks, hosts);
  std::mutex mutex;
  std::exception_ptr first;
  const auto run_rank = [&](int rank) {
    // Outlives the handler: the others must not notice the end of this rank before its exception is known.
    std::shared_ptr<Communicator> communicator;
    try {
      communicator = join(world, rank);
      run(communicator);
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
      world->leave(rank, true);
    }
  };
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(run_rank, rank);
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace strata
