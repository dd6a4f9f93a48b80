// SPDX-License-Identifier: Apache-2.0
#include "io/plots/graphviz.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "core/base/error.h"

namespace strata {
namespace {

/// A file without a name: unlike a pipe it takes any text at once, whether or not the program reads it.
class Scratch {
 public:
  explicit Scratch(const std::string& purpose) : file_(std::tmpfile(), &std::fclose) {
    if (!file_) throw IoError(purpose, fmt::format("cannot make a temporary file: {}", std::strerror(errno)));
  }

  int descriptor() const { return fileno(file_.get()); }
  bool write(const std::string& text) {
    const bool whole = std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size();
    const bool flushed = std::fflush(file_.get()) == 0;
    std::rewind(file_.get());
    return whole && flushed;
  }
  /// At most so much of what was written into it.
  std::string read(std::size_t most) {
    std::string text(most, '\0');
    std::rewind(file_.get());
    text.resize(std::fread(text.data(), 1, most, file_.get()));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// Starts a program found on PATH. Throws IoError naming `path` when that fails.
pid_t start(std::vector<std::string> arguments, const Scratch& in, const Scratch& err, const std::string& path) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, err.descriptor(), STDERR_FILENO);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  throw IoError(path,
                fmt::format("cannot draw the model: the program '{}' cannot be started: {}. Install Graphviz "
                            "(Debian's package graphviz), or give a path that ends with .dot, which works without.",
                            arguments[0], std::strerror(error)));
}

/// The status as waitpid has it; empty when the limit was over, after which the program is gone as well.
std::optional<int> wait_for(pid_t pid, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    if (std::chrono::steady_clock::now() >= end) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return {};
}

/// What the status says went wrong; empty = nothing.
std::string complaint(const std::optional<int>& status, std::chrono::milliseconds limit) {
  if (!status) {
    return fmt::format("did not end within {} s", std::chrono::duration<double>(limit).count());
  }
  if (WIFSIGNALED(*status)) return fmt::format("was ended by signal {}", WTERMSIG(*status));
  if (WEXITSTATUS(*status) != 0) return fmt::format("failed with status {}", WEXITSTATUS(*status));
  return {};
}

}  // namespace

void draw_with_graphviz(const std::string& text, const std::string& path, const std::string& format,
                        std::chrono::milliseconds limit) {
  Scratch in(path), err(path);
  if (!in.write(text)) throw IoError(path, fmt::format("cannot write a temporary file: {}", std::strerror(errno)));
  const std::string unfinished = path + ".unfinished";
  const std::optional<int> status = wait_for(start({"dot", "-T" + format, "-o", unfinished}, in, err, path), limit);
  std::string wrong = complaint(status, limit);
  std::error_code error;
  if (wrong.empty()) {
    std::filesystem::rename(unfinished, path, error);
    if (!error) return;
    wrong = "wrote nothing that can be put there: " + error.message();
  }
  std::filesystem::remove(unfinished, error);
  const std::string said = err.read(2000);
  throw IoError(path, fmt::format("cannot draw the model: Graphviz' program 'dot' {}{}", wrong,
                                  said.empty() ? "." : ". It said: " + said));
}

}  // namespace strata
