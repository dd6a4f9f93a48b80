// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "tests/support/files.h"

namespace strata::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{10};
constexpr std::chrono::seconds kMercy{5};
// A program's own children may hold its pipes open after its end.
constexpr std::chrono::seconds kDrain{2};

void check(int error, const std::string& what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

/// What a program writes to one of its descriptors.
class Capture {
 public:
  Capture() { check(pipe2(ends_.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe2"); }
  ~Capture() {
    close_writer();
    close_reader();
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  bool open() const { return ends_[0] >= 0; }
  void close_writer() { close_end(ends_[1]); }
  void close_reader() { close_end(ends_[0]); }

  void read_some() {
    std::array<char, 16384> piece{};
    const ssize_t got = ::read(ends_[0], piece.data(), piece.size());
    if (got > 0) text_.append(piece.data(), static_cast<std::size_t>(got));
    if (got == 0) close_reader();
  }
  std::string take() { return std::move(text_); }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }

  std::array<int, 2> ends_{-1, -1};
  std::string text_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

pid_t start(const Command& command, const Capture& out, const Capture& err) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = merged_environment(command.environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.writer(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.writer(), STDERR_FILENO);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments.at(0).c_str(), &actions, nullptr, pointers(arguments).data(),
                                pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  check(error, arguments[0]);
  return pid;
}

/// A started program, until its end.
class Running {
 public:
  explicit Running(const Command& command) : begin_(Clock::now()), deadline_(begin_ + command.limit) {
    pid_ = start(command, out_, err_);
    out_.close_writer();
    err_.close_writer();
  }

  Outcome finish() {
    while (!ended_) {
      wait_for_text();
      look_after();
    }
    while ((out_.open() || err_.open()) && Clock::now() < deadline_) wait_for_text();
    outcome_.out = out_.take();
    outcome_.err = err_.take();
    return std::move(outcome_);
  }

 private:
  void wait_for_text() {
    // poll passes over negative descriptors.
    std::array<pollfd, 2> wanted{pollfd{out_.reader(), POLLIN, 0}, pollfd{err_.reader(), POLLIN, 0}};
    if (poll(wanted.data(), wanted.size(), static_cast<int>(kLook.count())) <= 0) return;
    if (wanted[0].revents != 0) out_.read_some();
    if (wanted[1].revents != 0) err_.read_some();
  }

  void look_after() {
    int status = 0;
    const Clock::time_point now = Clock::now();
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      ended_ = true;
      outcome_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
      outcome_.seconds = std::chrono::duration<double>(now - begin_).count();
      deadline_ = now + kDrain;
    } else if (now > deadline_) {
      kill(pid_, outcome_.in_time ? SIGTERM : SIGKILL);
      outcome_.in_time = false;
      deadline_ = now + kMercy;
    }
  }

  Clock::time_point begin_, deadline_;
  Capture out_, err_;
  pid_t pid_ = 0;
  bool ended_ = false;
  Outcome outcome_;
};

std::string mpirun_path() { return STRATA_MPIEXEC; }

/// The launchers of Open MPI and of MPICH have options of their own for the same.
enum class Launcher { open_mpi, hydra };

Launcher launcher() {
  static const Launcher kind = run_process({{mpirun_path(), "--version"}}).out.find("HYDRA") == std::string::npos
                                   ? Launcher::open_mpi
                                   : Launcher::hydra;
  return kind;
}

/// What comes before the program; the output of each rank goes to files under `output`.
std::vector<std::string> launch(int ranks, const std::string& output, OnLostRank on_lost) {
  const std::string count = std::to_string(ranks);
  const bool live = on_lost == OnLostRank::others_live;
  if (launcher() == Launcher::open_mpi) {
    std::vector<std::string> options{"--oversubscribe", "--bind-to", "none", "--output-filename", output + ":nocopy"};
    if (live) options.push_back("--enable-recovery");
    options.insert(options.end(), {"-np", count});
    return options;
  }
  std::vector<std::string> options{"-outfile-pattern", output + "/%r.out", "-errfile-pattern", output + "/%r.err"};
  if (live) options.push_back("-disable-auto-cleanup");
  options.insert(options.end(), {"-np", count});
  // Hydra ends all the same when a process of its own dies by a signal: the rank is a child of a shell.
  if (live) options.insert(options.end(), {"/bin/sh", "-c", R"(trap "" USR1; "$0" "$@"; exit 0)"});
  return options;
}

Command under_mpirun(const std::vector<std::string>& options, const Command& command) {
  Command mpirun{{mpirun_path()}, command.environment, command.limit};
  mpirun.arguments.insert(mpirun.arguments.end(), options.begin(), options.end());
  mpirun.arguments.insert(mpirun.arguments.end(), command.arguments.begin(), command.arguments.end());
  mpirun.environment.try_emplace("OMP_NUM_THREADS", "1");
  if (geteuid() == 0) {
    mpirun.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
    mpirun.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  }
  // Containers often forbid a process to read another's memory.
  mpirun.environment.try_emplace("OMPI_MCA_btl_vader_single_copy_mechanism", "none");
  return mpirun;
}

/// With those of programs after ":".
int all_ranks(int ranks, const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i + 2 < arguments.size(); ++i) {
    if (arguments[i] == ":" && arguments[i + 1] == "-np") ranks += std::stoi(arguments[i + 2]);
  }
  return ranks;
}

/// What the ranks have written, in order.
std::vector<MpiOutcome::Rank> outputs_of_ranks(const std::string& output, int ranks) {
  std::vector<std::string> names;
  if (launcher() == Launcher::open_mpi) {  // one directory a rank, its number with leading zeros
    for (const auto& entry : std::filesystem::directory_iterator(output + "/1")) {
      names.push_back(entry.path().string() + "/std");
    }
    std::sort(names.begin(), names.end());
  } else {
    for (int rank = 0; rank < ranks; ++rank) names.push_back(output + "/" + std::to_string(rank) + ".");
  }
  const auto text = [](const std::string& file) { return std::filesystem::exists(file) ? read_text(file) : ""; };
  std::vector<MpiOutcome::Rank> all;
  for (const std::string& name : names) all.push_back({text(name + "out"), text(name + "err")});
  return all;
}

}  // namespace

std::string Outcome::text() const {
  return fmt::format("{} after {:.2f} s, status {}\n-- standard output:\n{}-- standard error:\n{}",
                     in_time ? "ended" : "stopped at its limit", seconds, status, out, err);
}

std::string MpiOutcome::text() const {
  std::string all = "mpirun " + Outcome::text();
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    all += fmt::format("-- rank {}, standard output:\n{}-- rank {}, standard error:\n{}", r, ranks[r].out, r,
                       ranks[r].err);
  }
  return all;
}

Outcome run_process(const Command& command) { return Running(command).finish(); }

bool have_mpi() { return !mpirun_path().empty(); }

MpiOutcome run_mpi(int ranks, const Command& command, OnLostRank on_lost) {
  const TemporaryDirectory directory;
  const std::string output = directory.path("ranks");
  std::filesystem::create_directories(output + "/1");
  MpiOutcome outcome;
  static_cast<Outcome&>(outcome) = run_process(under_mpirun(launch(ranks, output, on_lost), command));
  outcome.ranks = outputs_of_ranks(output, all_ranks(ranks, command.arguments));
  return outcome;
}

}  // namespace strata::testing
