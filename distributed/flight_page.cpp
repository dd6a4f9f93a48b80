// SPDX-License-Identifier: Apache-2.0
#include "distributed/flight_page.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <optional>
#include <set>

namespace strata {
namespace {

using State = FlightEntry::State;

std::string clock_time(std::int64_t ns) {
  const std::time_t seconds = ns / 1'000'000'000;
  return fmt::format("{:%H:%M:%S}.{:06}", fmt::gmtime(seconds), ns % 1'000'000'000 / 1000);
}

std::string day_and_time(std::int64_t ns) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::time_t{ns / 1'000'000'000}));
}

/// "rank 3", "ranks 0, 1 and 4".
std::string name_ranks(const std::vector<int>& ranks) {
  if (ranks.size() == 1) return fmt::format("rank {}", ranks[0]);
  return fmt::format("ranks {} and {}", fmt::join(ranks.begin(), ranks.end() - 1, ", "), ranks.back());
}

std::string verb(const std::vector<int>& ranks, const char* one, const char* many) {
  return name_ranks(ranks) + (ranks.size() == 1 ? one : many);
}

std::string name_bytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  if (bytes >= 1000) return fmt::format("{:.1f} KB", value / 1e3);
  return fmt::format("{} B", bytes);
}

std::string name_position(const CallStamp& stamp) {
  if (stamp.epoch < 0 && stamp.step < 0) return "outside of steps";
  if (stamp.step < 0) return fmt::format("epoch {}, evaluation", stamp.epoch);
  return stamp.epoch < 0 ? fmt::format("step {}", stamp.step)
                         : fmt::format("epoch {}, step {}", stamp.epoch, stamp.step);
}

std::string_view name_call(const FlightEntry& entry) {
  return entry.name.empty() ? to_string(entry.stamp.kind) : std::string_view(entry.name);
}

/// "#12 block sum 3 (the gradients of dense_kernel) (400.0 KB; epoch 0, step 3)".
std::string name_entry(const FlightEntry& entry) {
  return fmt::format("#{} {} ({}; {})", entry.stamp.number, name_call(entry), name_bytes(entry.stamp.bytes),
                     name_position(entry.stamp));
}

/// The files of one communicator.
class Group {
 public:
  explicit Group(std::vector<const FlightFile*> files) : files_(std::move(files)) {
    std::sort(files_.begin(), files_.end(), [](const auto* a, const auto* b) { return a->rank < b->rank; });
    const RankIdentity own = own_identity();
    for (const FlightFile* file : files_) {
      opened_ = std::max(opened_, file->opened);
      for (const FlightEntry& entry : file->entries) known_.insert(entry.stamp.number);
      if (file->closed == 0 && has_ended(file->identity, own)) ended_.insert(file->rank);
    }
  }

  std::int64_t opened() const { return opened_; }

  std::string page(std::size_t last) {
    text_ = fmt::format("Communicator {} of {} ranks, opened {}\n", files_[0]->communicator, files_[0]->size,
                        day_and_time(opened_));
    say_missing_files();
    for (const FlightFile* file : files_) say_rank(*file);
    text_ += "\nWho waits for whom\n";
    const std::size_t before = text_.size();
    say_divergence();
    say_waits();
    say_errors();
    if (text_.size() == before) text_ += "  Nobody waits: all ranks have come to the end of all that any has begun.\n";
    say_table(last);
    return text_;
  }

 private:
  template <class... Arguments>
  void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text_ += fmt::format(format, std::forward<Arguments>(arguments)...);
  }

  void say_missing_files() {
    std::vector<int> missing;
    for (int r = 0; r < files_[0]->size; ++r) {
      if (std::none_of(files_.begin(), files_.end(), [&](const auto* f) { return f->rank == r; })) missing.push_back(r);
    }
    if (!missing.empty()) say("  There is no file of {}.\n", name_ranks(missing));
  }

  /// What a rank is in: what it began first and has not done. Null when that is nothing.
  static const FlightEntry* blocked_in(const FlightFile& file) {
    const auto found = std::find_if(file.entries.begin(), file.entries.end(),
                                    [](const FlightEntry& entry) { return entry.state != State::done; });
    return found == file.entries.end() ? nullptr : &*found;
  }

  /// Whether the process ended and nothing of the communicator says why: it was killed, or crashed.
  bool killed(const FlightFile& file) const { return file.failed == 0 && ended_.contains(file.rank); }

  std::string last_word(const FlightFile& file) const {
    std::string word = where(file);
    if (file.closed != 0) word += fmt::format(" It closed the communicator in order at {}.", clock_time(file.closed));
    if (killed(file)) word += " Its process has ended.";
    return word;
  }

  static std::string where(const FlightFile& file) {
    if (file.entries.empty()) return "has begun nothing.";
    const FlightEntry& last = file.entries.back();
    const FlightEntry* entry = blocked_in(file);
    if (entry == nullptr) {
      return fmt::format("has done {} at {} and begun nothing since.", name_entry(last), clock_time(last.ended));
    }
    const std::string more =
        entry == &last ? "" : fmt::format(", and has begun later ones up to #{}", last.stamp.number);
    if (entry->state == State::started) {
      return fmt::format("is in {} since {}{}.", name_entry(*entry), clock_time(entry->started), more);
    }
    return fmt::format("failed at {} in {}{}.", clock_time(entry->ended), name_entry(*entry), more);
  }

  void say_rank(const FlightFile& file) { say("  {} {}\n", describe_rank(file.rank, file.identity), last_word(file)); }

  /// The first call that is not the same on all ranks.
  void say_divergence() {
    for (const std::uint64_t s : known_) {
      std::vector<std::pair<const FlightEntry*, std::vector<int>>> ways;
      for (const FlightFile* file : files_) {
        const FlightEntry* entry = file->find(s);
        if (entry == nullptr) continue;
        const auto same =
            std::find_if(ways.begin(), ways.end(), [&](const auto& way) { return way.first->stamp == entry->stamp; });
        (same == ways.end() ? ways.emplace_back(entry, std::vector<int>{}) : *same).second.push_back(file->rank);
      }
      if (ways.size() < 2) continue;
      say("  Ranks went different ways at #{}:\n", s);
      for (const auto& [entry, ranks] : ways) say_ranks(ranks, " was in ", " were in ", name_entry(*entry));
      return;
    }
  }

  void say_waits() {
    constexpr int kMost = 5;  // later ones say nothing new
    int said = 0;
    for (const std::uint64_t s : known_) {
      if (said == kMost) return;
      said += say_wait(s) ? 1 : 0;
    }
  }

  /// One call that not all ranks have done. Returns whether it is one.
  bool say_wait(std::uint64_t s) {
    std::vector<int> waiting, failed, dead, done;
    std::vector<const FlightFile*> absent;
    const FlightEntry* any = nullptr;
    for (const FlightFile* file : files_) {
      const FlightEntry* entry = file->find(s);
      if (entry == nullptr) {
        if (file->entries.empty() || file->entries.back().stamp.number < s) absent.push_back(file);
        continue;
      }
      any = entry;
      auto& ranks = entry->state == State::done     ? done
                    : entry->state == State::failed ? failed
                    : killed(*file)                 ? dead
                                                    : waiting;
      ranks.push_back(file->rank);
    }
    if (waiting.empty() && failed.empty() && dead.empty() && (absent.empty() || done.empty())) return false;
    say("  {}:\n", name_entry(*any));
    say_ranks(waiting, " is in it", " are in it");
    say_ranks(failed, " waited in it and failed", " waited in it and failed");
    say_ranks(dead, " was in it when its process ended", " were in it when their processes ended");
    say_ranks(done, " has done its part", " have done their parts");
    for (const FlightFile* file : absent) {
      say("    rank {} has not come to it: it {}\n", file->rank, last_word(*file));
    }
    return true;
  }

  void say_ranks(const std::vector<int>& ranks, const char* one, const char* many, const std::string& what = {}) {
    if (!ranks.empty()) say("    {}{}.\n", verb(ranks, one, many), what);
  }

  void say_errors() {
    for (const FlightFile* file : files_) {
      if (killed(*file)) {
        say("  rank {} was killed, crashed or left early: its process has ended, without an error here and without "
            "closing the communicator.\n",
            file->rank);
      }
      if (file->failed != 0) say("  rank {} failed at {}: {}\n", file->rank, clock_time(file->failed), file->error);
    }
  }

  void say_table(std::size_t last) {
    last = std::min(last, known_.size());
    if (last == 0) return;
    say("\nThe last {} calls: when the first rank came, and how much later others did{}\n", last,
        one_machine() ? "" : " (by the clocks of several hosts, which are not corrected)");
    say("  {:>8} {:>15} {:>12} {:>10} {:>6} {:>6}  {}\n", "number", "first came", "last came", "bytes", "epoch", "step",
        "what; the ranks that came last, or never");
    std::for_each(std::prev(known_.end(), static_cast<std::ptrdiff_t>(last)), known_.end(),
                  [&](std::uint64_t s) { say_row(s); });
  }

  bool one_machine() const {
    return std::all_of(files_.begin(), files_.end(),
                       [&](const auto* f) { return f->identity.machine == files_[0]->identity.machine; });
  }

  void say_row(std::uint64_t s) {
    std::vector<std::pair<std::int64_t, int>> came;  // when, who
    std::vector<int> never;
    const FlightEntry* any = nullptr;
    for (const FlightFile* file : files_) {
      if (const FlightEntry* entry = file->find(s)) {
        came.emplace_back(entry->started, file->rank);
        any = entry;
      } else if (file->entries.empty() || file->entries.back().stamp.number < s) {
        never.push_back(file->rank);
      }
    }
    std::sort(came.begin(), came.end());
    const std::int64_t from = came.front().first;
    const auto later = [&](std::int64_t when) {
      return fmt::format("+{:.3f} ms", static_cast<double>(when - from) / 1e6);
    };
    say("  {:>8} {:>15} {:>12} {:>10} {:>6} {:>6}  {}", s, clock_time(from), later(came.back().first),
        name_bytes(any->stamp.bytes), any->stamp.epoch, any->stamp.step, name_call(*any));
    // Those of the later half of the spread.
    std::string late;
    for (const auto& [when, rank] : came) {
      if (when - from > (came.back().first - from) / 2) late += fmt::format(" {} ({})", rank, later(when));
    }
    if (!late.empty()) say("; late:{}", late);
    if (!never.empty()) say("; never: {}", fmt::join(never, ", "));
    text_ += "\n";
  }

  std::vector<const FlightFile*> files_;  // by rank
  std::int64_t opened_ = 0;
  std::set<std::uint64_t> known_;  // numbers of calls that some rank still has
  std::set<int> ended_;            // whose processes have ended without closing the communicator
  std::string text_;
};

}  // namespace

std::string flight_page(const FlightDirectory& directory, std::size_t last) {
  std::map<std::uint64_t, std::vector<const FlightFile*>> by_group;
  for (const FlightFile& file : directory.files) by_group[file.group].push_back(&file);
  std::vector<Group> groups;
  for (auto& [key, files] : by_group) groups.emplace_back(std::move(files));
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.opened() < b.opened(); });
  std::string text;
  for (const std::string& wrong : directory.wrong) text += "Not read: " + wrong + "\n";
  for (Group& group : groups) text += (text.empty() ? "" : "\n") + group.page(last);
  return text;
}

}  // namespace strata
