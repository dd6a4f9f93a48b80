// SPDX-License-Identifier: Apache-2.0
#include "core/training/checkpoint_reader.h"

#include <algorithm>
#include <charconv>
#include <exception>

#include "core/base/error.h"
#include "core/training/callbacks/monitor.h"

namespace strata {
namespace {

/// One directory's checkpoints, as all ranks see them.
class CheckpointReader {
 public:
  CheckpointReader(const std::string& directory, const Functional& model, Trainer& trainer)
      : directory_(directory), model_(model), trainer_(trainer), communicator_(trainer.communicator()) {
    succeed_together(communicator_, directory, [&] { steps_ = checkpoint_store().steps(directory); });
    require_seen_by_all();
  }

  /// Ascending.
  const std::vector<std::int64_t>& steps() const { return steps_; }

  /// Throws IoError on all ranks when it is damaged.
  RunProgress load(std::int64_t step, const Config& plan, const ModelDescription& described) const {
    std::optional<LoadedRun> run;
    succeed_together(communicator_, directory_, [&] {
      const auto saved = checkpoint_store().open(directory_, step, checkpoint_store().manifest(directory_, step));
      run = load_run(*saved, model_, trainer_, plan, described);
      // The arrays are checked by every rank, what lies between them by one.
      for (int shard = communicator_.rank(); shard < saved->shards(); shard += communicator_.size()) {
        saved->verify_shard(shard);
      }
    });
    succeed_together(communicator_, directory_, [&] { put_in_place(*run, model_, trainer_); });
    return std::move(run->progress);
  }

  /// Those after `step` are no longer what the run goes on with.
  void set_aside_after(std::int64_t step, const std::string& why) const {
    succeed_together(communicator_, directory_, [&] {
      if (communicator_.rank() != 0) return;
      for (const std::int64_t newer : steps_) {
        if (newer > step) checkpoint_store().set_aside(directory_, newer, why);
      }
    });
  }

 private:
  void require_seen_by_all() const {
    if (communicator_.size() == 1) return;
    const std::int64_t mine[2] = {static_cast<std::int64_t>(steps_.size()), steps_.empty() ? -1 : steps_.back()};
    std::vector<std::int64_t> all(2 * static_cast<std::size_t>(communicator_.size()));
    communicator_.allgather(mine, all.data(), sizeof(mine));
    for (std::size_t at = 2; at < all.size(); at += 2) {
      if (all[at] == all[0] && all[at + 1] == all[1]) continue;
      throw IoError(directory_, communicator_.describe(static_cast<int>(at / 2)) + " finds " + std::to_string(all[at]) +
                                    " checkpoints, " + communicator_.describe(0) + " finds " + std::to_string(all[0]) +
                                    ": the directory has to be one that all ranks see");
    }
  }

  const std::string& directory_;
  const Functional& model_;
  Trainer& trainer_;
  Communicator& communicator_;
  std::vector<std::int64_t> steps_;
};

std::string list_of(const std::vector<std::int64_t>& steps) {
  std::string text;
  for (const std::int64_t step : steps) text += (text.empty() ? "" : ", ") + std::to_string(step);
  return "[" + text + "]";
}

}  // namespace

ResumePoint resume_point(const std::string& text) {
  if (text == "auto") return {};
  if (text == "never") return {ResumePoint::Kind::none};
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error == std::errc() && end == text.data() + text.size() && step >= 0) return {ResumePoint::Kind::step, step};
  throw ConfigError("expected resume to be \"auto\", \"never\" or a step, received \"" + text + "\"");
}

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

std::optional<RunProgress> continue_run(const std::string& directory, const ResumePoint& point, const Functional& model,
                                        Trainer& trainer, const Config& plan, const ModelDescription& described) {
  const CheckpointReader reader(directory, model, trainer);
  const std::vector<std::int64_t>& steps = reader.steps();
  if (point.kind == ResumePoint::Kind::none) {
    reader.set_aside_after(-1, "superseded");
    return {};
  }
  if (point.kind == ResumePoint::Kind::step) {
    if (std::find(steps.begin(), steps.end(), point.step) == steps.end()) {
      throw ConfigError(directory + ": expected resume to be one of the steps " + list_of(steps) + ", received " +
                        std::to_string(point.step));
    }
    RunProgress run = reader.load(point.step, plan, described);
    reader.set_aside_after(point.step, "superseded");
    return run;
  }
  std::string wrong;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::optional<RunProgress> run;
    std::exception_ptr other;  // on this rank: the others have been told by an IoError
    try {
      run = reader.load(*step, plan, described);
    } catch (const IoError& error) {
      wrong += std::string(error.what()) + ". ";
    } catch (const std::exception&) {
      other = std::current_exception();
    }
    succeed_together(trainer.communicator(), directory, [&] {
      if (other) std::rethrow_exception(other);
    });
    if (!run) continue;
    reader.set_aside_after(*step, "damaged");
    if (!wrong.empty()) {
      print_message(trainer.communicator().rank(),
                    wrong + "Training continues from the checkpoint of step " + std::to_string(*step) + ".");
    }
    return run;
  }
  if (wrong.empty()) return {};
  throw IoError(directory, "none of its checkpoints, of the steps " + list_of(steps) + ", is whole: " + wrong +
                               "Remove them to begin anew.");
}

}  // namespace strata
