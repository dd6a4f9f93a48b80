// SPDX-License-Identifier: Apache-2.0
// What launchers make of a program that is told to stop: a stand-in for training, of which nothing but the signals, the
// time that saving takes and the exit codes is left.
//   mpi_signals DIRECTORY SAVE_SECONDS [LINGER_SECONDS]
// Each rank writes what happens to it to DIRECTORY/rank.N, one line each: seconds since 1970, then "start HOST",
// "signal NUMBER", "saving", "saved", "exit", and "alive" ten times a second, so that the last line is not far from its
// death. A signal on any rank makes all of them save, which takes SAVE_SECONDS, and exit with 85 together; rank 0 exits
// LINGER_SECONDS after the others.
#include <fmt/format.h>
#include <mpi.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

namespace {

constexpr int kSignals[] = {SIGTERM, SIGUSR1, SIGINT};
constexpr auto kBeat = std::chrono::milliseconds(100);
std::atomic<int> last_signal = 0;

class Log {
 public:
  Log(const std::string& directory, int rank)
      : file_(std::fopen(fmt::format("{}/rank.{}", directory, rank).c_str(), "a"), &std::fclose) {
    if (!file_) std::abort();
  }
  void operator()(const std::string& event) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    fmt::print(file_.get(), "{:.2f} {}\n", std::chrono::duration<double>(now).count(), event);
    std::fflush(file_.get());
  }
  /// The signal that came since the last time, or 0.
  int signal() {
    const int received = last_signal.exchange(0);
    if (received != 0) (*this)(fmt::format("signal {}", received));
    return received;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// Lives for so long, and says so.
void live(Log& log, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kBeat);
    log.signal();
    log("alive");
  }
}

/// Returns when any rank has received a signal.
void train(Log& log) {
  int told = 0;
  while (told == 0) {
    std::this_thread::sleep_for(kBeat);
    const int own = log.signal();
    MPI_Allreduce(&own, &told, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: mpi_signals DIRECTORY SAVE_SECONDS [LINGER_SECONDS]\n", stderr);
    return 2;
  }
  struct sigaction action {};
  action.sa_handler = [](int number) { last_signal = number; };
  action.sa_flags = SA_RESTART;
  for (const int number : kSignals) sigaction(number, &action, nullptr);
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  Log log(argv[1], rank);
  char host[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  MPI_Get_processor_name(host, &length);
  log(fmt::format("start {}", host));
  train(log);
  log("saving");
  live(log, std::atof(argv[2]));
  MPI_Barrier(MPI_COMM_WORLD);
  log("saved");
  MPI_Finalize();
  if (rank == 0 && argc > 3) live(log, std::atof(argv[3]));
  log("exit");
  return 85;
}
