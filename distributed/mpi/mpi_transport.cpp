// SPDX-License-Identifier: Apache-2.0
#include "distributed/mpi/mpi_transport.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "distributed/mpi/mpi_error.h"
#include "distributed/mpi/mpi_watchdog.h"

namespace strata {
namespace {

using Clock = Transport::Clock;

// How often a waiting rank looks whether processes of its machine have ended.
constexpr std::chrono::milliseconds kLookInterval{500};

int rank_in(MPI_Comm communicator) {
  int rank = 0;
  check_mpi(MPI_Comm_rank(communicator, &rank), "MPI_Comm_rank");
  return rank;
}

// Waits for a nonblocking collective call of all ranks.
void wait_for(MPI_Request& request, Clock::duration deadline, int rank, const char* call) {
  const Clock::time_point begin = Clock::now();
  int done = 0;
  while (true) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), call, rank);
    if (done != 0) return;
    if (Clock::now() - begin > deadline) {
      const double seconds = std::chrono::duration<double>(deadline).count();
      throw CommError(rank, -1, "start",
                      fmt::format("rank {} waited {:.1f} s for the other ranks to join its communicator ({}). One may "
                                  "have died or be late.",
                                  rank, seconds, call));
    }
    sched_yield();
  }
}

/// The same; where it fails, `memory` is left to MPI, which may still write there.
template <class T>
void complete(MPI_Request& request, Clock::duration deadline, int rank, const char* call, std::unique_ptr<T>& memory) {
  try {
    wait_for(request, deadline, rank, call);
  } catch (...) {
    static_cast<void>(memory.release());
    throw;
  }
}

std::vector<RankIdentity> gather_identities(MPI_Comm communicator, Clock::duration deadline, int rank) {
  int size = 0;
  check_mpi(MPI_Comm_size(communicator, &size), "MPI_Comm_size", rank);
  constexpr int bytes = sizeof(RankIdentity);
  auto all = std::make_unique<std::vector<RankIdentity>>(static_cast<std::size_t>(size));
  (*all)[static_cast<std::size_t>(rank)] = own_identity();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all->data(), bytes, MPI_BYTE, communicator, &request),
            "MPI_Iallgather", rank);
  complete(request, deadline, rank, "MPI_Iallgather", all);
  return std::move(*all);
}

/// MPI_Comm_dup would wait without a limit.
MPI_Comm duplicated(MPI_Comm communicator, Clock::duration deadline, int rank) {
  auto copy = std::make_unique<MPI_Comm>(MPI_COMM_NULL);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Comm_idup(communicator, copy.get(), &request), "MPI_Comm_idup", rank);
  complete(request, deadline, rank, "MPI_Comm_idup", copy);
  check_mpi(MPI_Comm_set_errhandler(*copy, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler", rank);
  return *copy;
}

/// Of some of the ranks alone. It cannot be polled; but they have just met, and only a death keeps one from coming.
MPI_Comm made_of(const std::vector<int>& members, MPI_Comm communicator, Clock::duration deadline, int rank) {
  const MpiWatchdog watchdog("MPI_Comm_create_group", rank, deadline, "a rank of the part has died.");
  MPI_Group all = MPI_GROUP_NULL, some = MPI_GROUP_NULL;
  MPI_Comm made = MPI_COMM_NULL;
  check_mpi(MPI_Comm_group(communicator, &all), "MPI_Comm_group", rank);
  check_mpi(MPI_Group_incl(all, static_cast<int>(members.size()), members.data(), &some), "MPI_Group_incl", rank);
  check_mpi(MPI_Comm_create_group(communicator, some, 0, &made), "MPI_Comm_create_group", rank);
  MPI_Group_free(&some);
  MPI_Group_free(&all);
  check_mpi(MPI_Comm_set_errhandler(made, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler", rank);
  return made;
}

[[noreturn]] void refuse_thread() {
  throw ConfigError(
      "MPI was initialised so that only the thread that initialised it may call it (MPI_THREAD_SINGLE or FUNNELED), "
      "and "
      "this is another thread. Train on that thread, or initialise MPI with MPI_THREAD_SERIALIZED.");
}

/// The only thread that may call MPI, which must be this one; none when any may.
std::thread::id thread_for_mpi() {
  int level = MPI_THREAD_SINGLE;
  check_mpi(MPI_Query_thread(&level), "MPI_Query_thread");
  if (level >= MPI_THREAD_SERIALIZED) return {};
  int is_main = 0;
  check_mpi(MPI_Is_thread_main(&is_main), "MPI_Is_thread_main");
  if (is_main == 0) refuse_thread();
  return std::this_thread::get_id();
}

bool threads_may_call(bool ours) {
  int level = MPI_THREAD_SINGLE;
  check_mpi(MPI_Query_thread(&level), "MPI_Query_thread");
  return level >= (ours ? MPI_THREAD_SERIALIZED : MPI_THREAD_MULTIPLE);
}

/// One for the process: MPI may be at a level at which its threads take turns.
std::mutex& mpi_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

std::unique_ptr<MpiTransport> MpiTransport::duplicate(MPI_Comm communicator, Clock::duration deadline, bool ours) {
  const std::lock_guard lock(mpi_mutex());
  const std::thread::id only_thread = thread_for_mpi();
  int joins_two_groups = 0;
  check_mpi(MPI_Comm_test_inter(communicator, &joins_two_groups), "MPI_Comm_test_inter");
  if (joins_two_groups != 0) {
    throw ConfigError("make_mpi_communicator: expected an intracommunicator, received an intercommunicator");
  }
  const int rank = rank_in(communicator);
  MPI_Comm own = duplicated(communicator, deadline, rank);
  std::vector<RankIdentity> identities = gather_identities(own, deadline, rank);
  std::vector<int> members(identities.size());
  std::iota(members.begin(), members.end(), 0);
  std::unique_ptr<MpiTransport> transport(
      new MpiTransport(own, deadline, rank, std::move(members), std::move(identities)));
  transport->only_thread_ = only_thread;
  transport->has_threads_ = threads_may_call(ours);
  return transport;
}

MpiTransport::MpiTransport(MPI_Comm communicator, Clock::duration deadline, int rank, std::vector<int> members,
                           std::vector<RankIdentity> identities)
    : communicator_(communicator),
      deadline_(deadline),
      rank_(rank),
      members_(std::move(members)),
      identities_(std::move(identities)),
      hosts_(runs_of_ranks(static_cast<int>(identities_.size()), [this](int r) {
        const auto place = static_cast<std::size_t>(r);
        return share_a_host(identities_[place - 1], identities_[place]);
      })) {}

std::mutex* MpiTransport::mutex() { return has_threads_ ? &mpi_mutex() : nullptr; }

void MpiTransport::require_thread() const {
  if (only_thread_ != std::thread::id() && only_thread_ != std::this_thread::get_id()) refuse_thread();
}

MpiTransport::~MpiTransport() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].used) cancel(static_cast<Request>(i));
  }
}

std::string MpiTransport::describe(int rank) const {
  return describe_rank(rank, identities_[static_cast<std::size_t>(rank)]);
}

void MpiTransport::reserve(int requests) {
  const auto wanted = static_cast<std::size_t>(requests);
  slots_.reserve(wanted);
  free_.reserve(wanted);
  while (slots_.size() < wanted) {
    free_.push_back(static_cast<Request>(slots_.size()));
    slots_.emplace_back();
  }
}

Transport::Request MpiTransport::new_slot(bool receiving, std::size_t bytes, int peer) {
  if (bytes > kMaxMessageBytes) {
    throw InternalError(
        fmt::format("a message of at most {} bytes was expected, received {}", kMaxMessageBytes, bytes));
  }
  if (free_.empty()) reserve(static_cast<int>(slots_.size()) + 1);
  const Request request = free_.back();
  free_.pop_back();
  slot(request) = {MPI_REQUEST_NULL, true, receiving, peer, static_cast<int>(bytes)};
  return request;
}

Transport::Request MpiTransport::isend(const void* data, std::size_t bytes, int peer, int tag) {
  require_thread();
  const Request request = new_slot(false, bytes, peer);
  check_mpi(MPI_Isend(data, slot(request).bytes, MPI_BYTE, member(peer), tag, communicator_, &slot(request).request),
            "MPI_Isend", rank_, peer);
  return request;
}

Transport::Request MpiTransport::irecv(void* data, std::size_t bytes, int peer, int tag) {
  require_thread();
  const Request request = new_slot(true, bytes, peer);
  check_mpi(MPI_Irecv(data, slot(request).bytes, MPI_BYTE, member(peer), tag, communicator_, &slot(request).request),
            "MPI_Irecv", rank_, peer);
  return request;
}

bool MpiTransport::test(Request request) {
  Slot& s = slot(request);
  int done = 0;
  MPI_Status status;
  check_mpi(MPI_Test(&s.request, &done, &status), s.receiving ? "MPI_Irecv" : "MPI_Isend", rank_, s.peer);
  if (done == 0) return false;
  if (s.receiving) check_length(s, status);
  s.used = false;
  free_.push_back(request);
  return true;
}

void MpiTransport::check_length(const Slot& s, const MPI_Status& status) const {
  int received = 0;
  check_mpi(MPI_Get_count(&status, MPI_BYTE, &received), "MPI_Get_count", rank_, s.peer);
  if (received == s.bytes) return;
  throw CommError(rank_, s.peer, "receive",
                  fmt::format("rank {} expected a message of {} bytes from {}, received {} bytes", rank_, s.bytes,
                              describe(s.peer), received));
}

int MpiTransport::probe(int tag) {
  int found = 0;
  MPI_Status status;
  check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, tag, communicator_, &found, &status), "MPI_Iprobe", rank_);
  if (found == 0) return -1;
  return static_cast<int>(std::find(members_.begin(), members_.end(), status.MPI_SOURCE) - members_.begin());
}

void MpiTransport::cancel(Request request) noexcept {
  Slot& s = slot(request);
  // After an error there is nobody to tell of another one. A send cannot be called back; MPI forgets its request. When
  // a program finalises MPI before its models go, there is nothing left to forget.
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized == 0 && s.request != MPI_REQUEST_NULL) {
    if (s.receiving) MPI_Cancel(&s.request);
    MPI_Request_free(&s.request);
  }
  s.used = false;
  free_.push_back(request);
}

int MpiTransport::lost_rank(int /*peer*/) {
  const Clock::time_point now = Clock::now();
  if (lost_ >= 0 || now < next_look_) return lost_;
  next_look_ = now + kLookInterval;
  const RankIdentity& own = identities_[static_cast<std::size_t>(rank_)];
  for (int rank = 0; rank < size(); ++rank) {
    if (rank != rank_ && has_ended(identities_[static_cast<std::size_t>(rank)], own)) lost_ = rank;
  }
  return lost_;
}

// A duplicate for each colour, which can be polled. In one of those there are ranks of other colours, which know
// nothing of a split of this one.
std::unique_ptr<Transport> MpiTransport::split(int /*color*/, std::span<const int> ranks) {
  require_thread();
  std::vector<RankIdentity> identities;
  std::vector<int> members;
  int own = 0;
  for (const int rank : ranks) {
    if (rank == rank_) own = static_cast<int>(members.size());
    members.push_back(member(rank));
    identities.push_back(identities_[static_cast<std::size_t>(rank)]);
  }
  int all = 0;
  check_mpi(MPI_Comm_size(communicator_, &all), "MPI_Comm_size", rank_);
  const bool has_others = static_cast<std::size_t>(all) != members_.size();
  MPI_Comm part =
      has_others ? made_of(members, communicator_, deadline_, rank_) : duplicated(communicator_, deadline_, rank_);
  if (has_others) std::iota(members.begin(), members.end(), 0);
  std::unique_ptr<MpiTransport> transport(
      new MpiTransport(part, deadline_, own, std::move(members), std::move(identities)));
  transport->only_thread_ = only_thread_;
  transport->has_threads_ = has_threads_;
  return transport;
}

}  // namespace strata
