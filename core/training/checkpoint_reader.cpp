// SPDX-License-Identifier: Apache-2.0
#include "core/training/checkpoint_reader.h"

#include <algorithm>
#include <exception>

#include "core/base/error.h"
#include "core/training/callbacks/monitor.h"
#include "core/training/rank_texts.h"

namespace strata {
namespace {

std::string list_of(const std::vector<std::int64_t>& steps) {
  std::string text;
  for (const std::int64_t step : steps) text += (text.empty() ? "" : ", ") + std::to_string(step);
  return "[" + text + "]";
}

/// The checkpoint is whole, but a rank does not see it as rank 0 does: no reason to go back to one before.
struct NotShared : IoError {
  using IoError::IoError;
};

constexpr char kUnread = '\1';  // before what an IoError said
constexpr const char* kToBeShared = ": the directory has to be one that all ranks see, with the files of all of them";

/// One directory's checkpoints, as rank 0 sees them.
class CheckpointReader {
 public:
  CheckpointReader(const std::string& directory, const RunParts& parts)
      : directory_(directory), parts_(parts), communicator_(parts.trainer.communicator()) {
    Config::List all;
    succeed_together(communicator_, directory, [&] {
      if (!is_first()) return;
      for (const std::int64_t step : checkpoint_store().steps(directory)) all.push_back(step);
    });
    const Config told = Config::from_json(broadcast_text(communicator_, Config(all).to_json()));
    for (const Config& step : told.as_list()) steps_.push_back(step.as_int());
  }

  /// Ascending.
  const std::vector<std::int64_t>& steps() const { return steps_; }

  /// Throws IoError on all ranks when it is damaged.
  LoadedRun load(std::int64_t step, const Config& plan, const ModelDescription& described) const {
    std::string manifest;
    succeed_together(communicator_, directory_, [&] {
      if (is_first()) manifest = checkpoint_store().manifest(directory_, step);
    });
    manifest = broadcast_text(communicator_, manifest);
    std::optional<LoadedRun> run;
    succeed_as_rank_0(
        [&] { run = load_run(*checkpoint_store().open(directory_, step, manifest), parts_, plan, described); });
    succeed_together(communicator_, directory_, [&] { put_in_place(*run, parts_); });
    return std::move(*run);
  }

  /// Those after `step` are no longer what the run goes on with.
  void set_aside_after(std::int64_t step, const std::string& why) const {
    succeed_together(communicator_, directory_, [&] {
      if (!is_first()) return;
      for (const std::int64_t newer : steps_) {
        if (newer > step) checkpoint_store().set_aside(directory_, newer, why);
      }
    });
  }

  /// Throws IoError for ranks that do not see the directory. Where rank 0 finds nothing to continue they do no harm,
  /// unless it is rank 0 that does not see it.
  void require_shared(const std::vector<int>& unseen_by) const {
    if (!steps_.empty()) {
      if (!unseen_by.empty()) refuse(unseen_by[0], "does not see it as " + communicator_.describe(0) + " does");
      return;
    }
    std::vector<std::int64_t> own;
    succeed_together(communicator_, directory_, [&] { own = checkpoint_store().steps(directory_); });
    const std::vector<std::string> all = allgather_texts(communicator_, own.empty() ? "" : list_of(own));
    for (std::size_t r = 0; r < all.size(); ++r) {
      if (all[r].empty()) continue;
      refuse(static_cast<int>(r),
             "finds checkpoints of the steps " + all[r] + " there, " + communicator_.describe(0) + " finds none");
    }
  }

 private:
  bool is_first() const { return communicator_.rank() == 0; }

  [[noreturn]] void refuse(int rank, const std::string& what) const {
    throw NotShared(directory_, communicator_.describe(rank) + " " + what + kToBeShared);
  }

  /// A file that cannot be read by rank 0 is damaged; one that cannot be read by others alone they do not see.
  void succeed_as_rank_0(const std::function<void()>& act) const {
    std::exception_ptr failure;
    std::string told;
    try {
      act();
    } catch (const IoError& failed) {
      failure = std::current_exception();
      told = kUnread + std::string(failed.what());
    } catch (const std::exception& failed) {
      failure = std::current_exception();
      told = failed.what();
    }
    const std::vector<std::string> all = allgather_texts(communicator_, told);
    const auto first = std::find_if(all.begin(), all.end(), [](const std::string& text) { return !text.empty(); });
    if (first == all.end()) return;
    const bool unread = std::all_of(all.begin(), all.end(),
                                    [](const std::string& text) { return text.empty() || text.starts_with(kUnread); });
    const int rank = static_cast<int>(first - all.begin());
    const std::string error = first->substr(first->starts_with(kUnread) ? 1 : 0);
    if (unread && rank > 0) refuse(rank, "does not see it as " + communicator_.describe(0) + " does: " + error);
    if (failure) std::rethrow_exception(failure);
    throw IoError(directory_, "rank " + std::to_string(rank) + " cannot go on with it: " + error);
  }

  const std::string& directory_;
  const RunParts& parts_;
  Communicator& communicator_;
  std::vector<std::int64_t> steps_;
};

}  // namespace

std::vector<int> ranks_without(const std::string& directory, Communicator& communicator) {
  const bool first = communicator.rank() == 0;
  succeed_together(communicator, directory, [&] {
    if (first) checkpoint_store().put_mark(directory);
  });
  char mine = 0;
  succeed_together(communicator, directory, [&] { mine = checkpoint_store().finds_mark(directory) ? 1 : 0; });
  std::vector<char> all(static_cast<std::size_t>(communicator.size()), mine);
  if (communicator.size() > 1) communicator.allgather(&mine, all.data(), 1);
  succeed_together(communicator, directory, [&] {
    if (first) checkpoint_store().take_mark(directory);
  });
  std::vector<int> without;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank] == 0) without.push_back(static_cast<int>(rank));
  }
  return without;
}

std::optional<LoadedRun> continue_run(const std::string& directory, const ResumePoint& point, const RunParts& parts,
                                      const Config& plan, const ModelDescription& described,
                                      const std::vector<int>& unseen_by) {
  Communicator& communicator = parts.trainer.communicator();
  const CheckpointReader reader(directory, parts);
  const std::vector<std::int64_t>& steps = reader.steps();
  if (point.kind == ResumePoint::Kind::none) {
    reader.set_aside_after(-1, "superseded");
    return {};
  }
  reader.require_shared(unseen_by);
  if (point.kind == ResumePoint::Kind::step) {
    if (std::find(steps.begin(), steps.end(), point.step) == steps.end()) {
      throw ConfigError(directory + ": expected resume to be one of the steps " + list_of(steps) + ", received " +
                        std::to_string(point.step));
    }
    LoadedRun run = reader.load(point.step, plan, described);
    reader.set_aside_after(point.step, "superseded");
    return run;
  }
  std::string wrong;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::optional<LoadedRun> run;
    std::exception_ptr other;  // on this rank: the others have been told by an IoError
    try {
      run = reader.load(*step, plan, described);
    } catch (const NotShared&) {
      throw;
    } catch (const IoError& error) {
      wrong += std::string(error.what()) + ". ";
    } catch (const std::exception&) {
      other = std::current_exception();
    }
    succeed_together(communicator, directory, [&] {
      if (other) std::rethrow_exception(other);
    });
    if (!run) continue;
    reader.set_aside_after(*step, "damaged");
    if (!wrong.empty()) {
      print_message(communicator.rank(),
                    wrong + "Training continues from the checkpoint of step " + std::to_string(*step) + ".");
    }
    return run;
  }
  if (wrong.empty()) return {};
  throw IoError(directory, "none of its checkpoints, of the steps " + list_of(steps) + ", is whole: " + wrong +
                               "Remove them to begin anew.");
}

}  // namespace strata
