// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "core/base/error.h"
#include "core/training/batch_feed.h"
#include "core/training/checkpoint_reader.h"
#include "core/training/checkpoint_schedule.h"
#include "core/training/memory_source.h"
#include "core/training/provenance.h"
#include "core/training/stop_vote.h"
#include "core/training/trainer.h"

namespace strata {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw ConfigError("fit: " + what);
}

void check(const FitOptions& o) {
  require(o.batch_size >= 1, "expected a batch_size of at least 1, received " + std::to_string(o.batch_size));
  require(o.epochs >= 1, "expected epochs of at least 1, received " + std::to_string(o.epochs));
  require(o.initial_epoch >= 0, "expected an initial_epoch of at least 0, received " + std::to_string(o.initial_epoch));
  require(o.validation_split >= 0.0 && o.validation_split < 1.0,
          "expected a validation_split in [0, 1), received " + std::to_string(o.validation_split));
  require(o.steps_per_epoch >= 0,
          "expected steps_per_epoch of at least 0, received " + std::to_string(o.steps_per_epoch));
  require(o.max_steps >= 0, "expected max_steps of at least 0, received " + std::to_string(o.max_steps));
  require(o.blocks >= 0, "expected blocks of at least 0, received " + std::to_string(o.blocks));
  require(o.bucket_mb >= 0 && o.bucket_mb <= 1e6,
          "expected bucket_mb from 0 to 1000000, received " + std::to_string(o.bucket_mb));
  require(o.verbose >= 0 && o.verbose <= 2, "expected verbose to be 0, 1 or 2, received " + std::to_string(o.verbose));
  require(o.validation_split == 0.0 || o.validation_data.empty(),
          "expected validation_split or validation_data, received both");
  check_checkpoint_options(o.checkpoint, o.resume);
}

/// What of an optimizer's config stays as it is: its rate may have been changed on the way, and is kept elsewhere.
Config fixed_settings(const Config& config) {
  Config fixed = Config::object();
  for (const auto& [name, value] : config.as_object()) {
    const bool changes = name == "learning_rate" && value.is_double();
    if (changes || name == "name") continue;
    Config setting = value;
    if (name == "inner_optimizer") setting.set("config", fixed_settings(value.at("config")));
    fixed.set(name, std::move(setting));
  }
  return fixed;
}

}  // namespace

/// One call of fit.
class FitLoop final : public TrainingControl {
 public:
  FitLoop(Trainer& trainer, const Model& self, CheckedArrays data, CheckedArrays validation, const FitOptions& options,
          const DataUse& use)
      : trainer_(trainer),
        self_(self),
        communicator_(trainer.communicator_),
        data_(std::move(data)),
        validation_(std::move(validation)),
        options_(options),
        use_(use),
        batch_size_(use.drops_remainder ? options.batch_size : std::min(options.batch_size, data_.rows)),
        blocks_(options.blocks),
        bucket_mb_(options.bucket_mb),
        engine_(trainer.engine(StepKind::train, data_.specs, use_of_engine(options.blocks))) {
    const Dim all = batches_of(data_.rows, batch_size_, use.drops_remainder);
    steps_ = options.steps_per_epoch == 0 ? all : options.steps_per_epoch;
    require(steps_ <= all, "expected steps_per_epoch of at most " + std::to_string(all) +
                               ", which is all of the data, received " + std::to_string(steps_));
    samples_ = std::min(data_.rows, steps_ * batch_size_);
    verbose_ = communicator_.rank() == 0 ? options.verbose : 0;
    epoch_ = options.initial_epoch;
    trainer.epochs_ = std::max(trainer.epochs_, options.initial_epoch);
  }

  void stop_training() override { wants_to_stop_ = true; }
  double learning_rate() const override { return trainer_.optimizer_.learning_rate(); }
  void set_learning_rate(double rate) override { trainer_.optimizer_.set_learning_rate(rate); }

  Model model() const override { return self_; }
  std::optional<bool> larger_is_better(const std::string& log) const override {
    const std::string name = log.starts_with("val_") ? log.substr(4) : log;
    if (name == "loss" || name.ends_with("_loss")) return false;
    for (const OutputMetric& metric : trainer_.objective_.metrics) {
      if (metric.name == name) return metric.metric->larger_is_better();
    }
    return {};
  }

  void on_rank_0(const std::string& path, const std::function<void()>& act) override {
    succeed_together(communicator_, path, [&] {
      if (communicator_.rank() == 0) act();
    });
  }

  void save_run(const std::string& directory, int keep) override {
    auto& writer = writers_[directory];
    if (!writer) {
      const CheckpointOptions options{.directory = directory, .keep = keep};
      writer = std::make_unique<CheckpointWriter>(communicator_, options);
    }
    writer->start(trainer_.iterations_, snapshot(writer->place()));
    writer->finish();
  }

  bool resume_run(const std::string& directory) override { return resume(directory, {}); }

  void remove_runs(const std::string& directory) override {
    on_rank_0(directory, [&] { checkpoint_store().remove_all(directory); });
  }

  History run() {
    require_equal(communicator_, describe(), "plan");
    TrainingParameters parameters{
        options_.batch_size,  options_.epochs,     steps_, samples_, validation_.rows, verbose_,
        validation_.rows > 0, communicator_.rank()};
    for (const auto& callback : options_.callbacks) callback->attach(this, parameters);
    tell([](Callback& callback) { callback.on_train_begin(); });
    if (!options_.checkpoint.directory.empty()) begin_checkpoints();
    restore_callbacks();
    announce();
    Logs logs;
    while (!is_over()) logs = run_epoch();
    if (checkpoints_) checkpoints_->end(trainer_.iterations_);
    trainer_.state_->finalize_variable_values(trainer_.optimizer_);
    tell([&](Callback& callback) { callback.on_train_end(logs); });
    for (const auto& callback : options_.callbacks) callback->attach(nullptr, parameters);
    return history_;
  }

 private:
  /// What must be equal on all ranks before training begins.
  std::string describe() {
    engine_->prepare(batch_size_);
    return "program " + std::to_string(engine_->hash(batch_size_)) + ", weights " +
           std::to_string(hash_weights(trainer_.model_->weights())) + ", " + std::to_string(data_.rows) + " samples, " +
           std::to_string(validation_.rows) + " validation samples, batch_size " + std::to_string(options_.batch_size) +
           ", epochs " + std::to_string(options_.initial_epoch) + " to " + std::to_string(options_.epochs) +
           ", steps_per_epoch " + std::to_string(steps_) + ", bucket_mb " + std::to_string(options_.bucket_mb) +
           ", max_steps " + std::to_string(options_.max_steps) + ", shuffle " + std::to_string(options_.shuffle) +
           ", order " + order_of(data_, feed_options(), trainer_.session_.seed()).describe() + ", checkpoints " +
           std::string(options_.checkpoint.directory.empty() ? "nowhere" : "somewhere") + " in up to " +
           std::to_string(options_.checkpoint.most_shards) + " files every " +
           std::to_string(options_.checkpoint.every_steps) + " steps, resume " + options_.resume + ", seed " +
           std::to_string(trainer_.session_.seed()) + ", nan_policy " +
           std::to_string(static_cast<int>(options_.nan_policy)) + ", callbacks " +
           std::to_string(options_.callbacks.size()) + ", optimizer " + trainer_.optimizer_.describe();
  }

  /// What the bits of this run depend on besides the model and the data's values.
  Config plan(bool with_blocks) const {
    Config plan = Config::object({{"samples", data_.rows},
                                  {"batch_size", options_.batch_size},
                                  {"steps_per_epoch", steps_},
                                  {"shuffle", options_.shuffle},
                                  {"order", order_of(data_, feed_options(), trainer_.session_.seed()).describe()},
                                  {"compress_transfer", options_.compress_transfer},
                                  {"seed", std::to_string(trainer_.session_.seed())},
                                  {"nan_policy", static_cast<int>(options_.nan_policy)},
                                  {"optimizer", trainer_.optimizer_->class_name()}});
    if (with_blocks) plan.set("blocks", engine_->blocks());
    // Null where there are none: so are those of checkpoints that do not know them.
    Config weights = Config::object();
    for (const auto& [label, weight] : options_.class_weight) weights.set(std::to_string(label), weight);
    plan.set("class_weight", options_.class_weight.empty() ? Config() : weights);
    plan.set("sample weights", data_.specs.weights.empty() ? Config() : Config(true));
    for (const auto& [name, value] : fixed_settings(trainer_.optimizer_.get_config()).as_object()) {
      plan.set("the optimizer's " + name, value);
    }
    return plan;
  }

  void begin_checkpoints() {
    provenance_ = run_provenance(communicator_);
    for (const std::string& warning : provenance_warnings(provenance_)) warn(warning);
    const std::string& directory = options_.checkpoint.directory;
    const std::vector<int> unseen_by = ranks_without(directory, communicator_);
    resume(directory, resume_point(options_.resume), unseen_by);
    for (const int rank : unseen_by) {  // where there is nothing to continue yet: else that was an error
      warn(communicator_.describe(rank) + " does not see the checkpoint directory " + directory +
           " of rank 0: no checkpoint can be continued before its files are in one place");
    }
    checkpoints_.emplace(communicator_, options_.checkpoint, trainer_.iterations_,
                         [this](const ShardPlace& place) { return snapshot(place); });
  }

  void warn(const std::string& text) const {
    if (communicator_.rank() == 0) std::fprintf(stderr, "Warning: %s\n", text.c_str());
  }

  bool resume(const std::string& directory, const ResumePoint& point, const std::vector<int>& unseen_by = {}) {
    std::optional<LoadedRun> run =
        continue_run(directory, point, parts(), plan(options_.blocks > 0), described(), unseen_by);
    if (!run) return false;
    continue_engine(*run);
    saved_ = std::move(run->progress);
    epoch_ = saved_.epoch;
    step_ = saved_.step;
    stop_ = saved_.stopped;
    left_out_ = saved_.left_out;
    history_ = saved_.history;
    history_.resumed_steps = history_.steps;
    return true;
  }

  /// On another number of ranks the bits need the blocks that the run began with, and where transfers are compressed
  /// the buckets, whose size is measured.
  void continue_engine(const LoadedRun& run) {
    const Dim blocks = run.progress.plan.at("blocks").as_int();
    const bool other_blocks = blocks != engine_->blocks();
    bool other_buckets = false;
    if (!run.transfers.is_null() && options_.bucket_mb == 0) {
      const auto bytes = run.transfers.at("bucket_bytes").as_int();
      other_buckets = bytes != static_cast<std::int64_t>(engine_->bucket_bytes());
      bucket_mb_ = static_cast<double>(bytes) / 1e6;
    }
    if (other_blocks) blocks_ = blocks;
    if (other_blocks || other_buckets) use_other_engine();
    if (!options_.compress_transfer) return;
    const TransferErrors transfers(*engine_, communicator_);
    if (transfers.layout() != run.transfers) {
      warn(
          "the ranks are spread over hosts in another way than when the checkpoint was made, or bucket_mb is another: "
          "what compressed transfers have rounded away and not yet made good is left out, once");
    } else if (run.transfer_errors) {
      transfers.restore(run.transfer_errors);
    }
  }

  /// What a checkpoint holds besides the progress.
  RunParts parts() const { return {self_.graph(), trainer_, engine_->layer_states()}; }

  /// Collective where transfers are compressed.
  RunSnapshot snapshot(const ShardPlace& place) const {
    RunProgress run{.plan = plan(true),
                    .epoch = epoch_,
                    .step = step_,
                    .stopped = stop_,
                    .learning_rate = learning_rate(),
                    .left_out = left_out_,
                    .history = history_,
                    .callbacks = states_of(options_.callbacks)};
    if (step_ > 0 && running_) {
      run.totals = running_->totals();
      run.samples = running_->samples();
    }
    std::optional<TransferErrors> transfers;
    if (options_.compress_transfer) transfers.emplace(*engine_, communicator_);
    return take_snapshot(parts(), transfers ? &*transfers : nullptr, run, described(), provenance(), place);
  }

  /// That of this start, with its speed so far.
  Config provenance() const {
    Config all = provenance_;
    const double samples = static_cast<double>(history_.timed_steps) * static_cast<double>(batch_size_);
    if (history_.training_seconds > 0) all.set("samples_per_second", samples / history_.training_seconds);
    return all;
  }

  const ModelDescription& described() const {
    if (!described_) described_ = describe_model(self_, trainer_);
    return *described_;
  }

  /// When this run continues another.
  void restore_callbacks() {
    if (!saved_.plan.is_object()) return;
    if (!trainer_.optimizer_.follows_schedule()) set_learning_rate(saved_.learning_rate);
    restore_states(options_.callbacks, saved_.callbacks);
  }

  /// Whether the run ends after the present batch or epoch.
  bool stopped() const { return stop_ || (options_.max_steps > 0 && trainer_.iterations_ >= options_.max_steps); }

  void announce() const {
    if (verbose_ == 0) return;
    const auto print = [this](const char* verb, Dim samples) {
      const Dim steps = (samples + batch_size_ - 1) / batch_size_;
      if (use_.counts_steps) std::printf("%s for %lld steps", verb, static_cast<long long>(steps));
      else std::printf("%s on %lld samples", verb, static_cast<long long>(samples));
    };
    print("Train", samples_);
    if (validation_.rows > 0) print(", validate", validation_.rows);
    std::printf("\n");
    if (history_.resumed_steps > 0) announce_resumption();
    if (options_.compress_transfer && communicator_.size() > 1) {
      std::printf("Gradients travel between hosts as bfloat16: the bits depend on which ranks share a host\n");
    }
    std::fflush(stdout);
  }

  void announce_resumption() const {
    const auto before = static_cast<long long>(history_.resumed_steps);
    if (is_over()) std::printf("Nothing is left to do after %lld steps\n", before);
    else
      std::printf("Continue after %lld steps, at step %d of epoch %d\n", before, static_cast<int>(step_) + 1,
                  epoch_ + 1);
  }

  /// An epoch that was stopped in its middle still has its end before it.
  bool is_over() const { return step_ == 0 && (epoch_ >= options_.epochs || stopped()); }

  /// What of epoch_ is still to be done.
  Logs run_epoch() {
    const int epoch = epoch_;
    tell([&](Callback& callback) { callback.on_epoch_begin(epoch); });
    if (verbose_ > 0 && options_.epochs > 1) std::printf("Epoch %d/%d\n", epoch + 1, options_.epochs);
    SampleProgress bar(samples_, batch_size_, verbose_, use_.counts_steps);
    begin_logs();
    const int number = trainer_.epochs_ - 1;
    if (!feed_) feed_.emplace(data_, feed_options(), trainer_.session_.seed(), engine_->blocks(), communicator_);
    while (step_ < steps_ && !stopped()) run_step(number, bar);
    Logs logs = running_->logs();
    trainer_.name_results(logs);
    if (validation_.rows > 0) validate(logs);
    bar.finish(logs, done_);
    if (verbose_ > 0 && left_out_ > 0) {
      std::printf("%lld of %lld steps left out: their gradients were not finite\n", static_cast<long long>(left_out_),
                  static_cast<long long>(step_));
    }
    left_out_ = 0;
    epoch_ = epoch + 1;
    step_ = 0;
    tell([&](Callback& callback) { callback.on_epoch_end(epoch, logs); });
    history_.append(epoch, logs);
    for (const auto& callback : options_.callbacks) callback->between_steps();
    if (checkpoints_) checkpoints_->after_epoch(trainer_.iterations_);
    return logs;
  }

  /// Those of a new epoch, or of the one in whose middle this run continues.
  void begin_logs() {
    running_.emplace(engine_->sum_specs());
    if (step_ == 0) {
      ++trainer_.epochs_;
      return;
    }
    restore_callbacks();
    running_->restore(saved_.totals, saved_.samples);
    done_ = std::min(step_ * batch_size_, data_.rows);
  }

  /// `number` counts the epochs since compile.
  void run_step(int number, SampleProgress& bar) {
    const Dim step = step_;
    for (const auto& callback : options_.callbacks) callback->on_train_batch_begin(step);
    history_.blocks = engine_->blocks();
    const auto start = std::chrono::steady_clock::now();
    Batch batch = feed_->batch(number, step);
    batch.epoch = epoch_;
    batch.epoch_step = step;
    const auto ready = std::chrono::steady_clock::now();
    const bool counts = trainer_.train_batch(*engine_, batch, options_.nan_policy);
    const auto end = std::chrono::steady_clock::now();
    ++history_.steps;
    if (history_.first_step == std::chrono::steady_clock::time_point()) {
      history_.first_step = end;
    } else {
      ++history_.timed_steps;
      history_.training_seconds += std::chrono::duration<double>(end - start).count();
      history_.data_seconds += std::chrono::duration<double>(ready - start).count();
    }
    done_ = step * batch_size_ + batch.size;
    if (counts) running_->add(engine_->sums(), batch.size);
    else ++left_out_;
    const Logs& logs = running_->logs();
    bar.update(done_, logs);
    step_ = step + 1;
    tell([&](Callback& callback) { callback.on_train_batch_end(step, logs); });
    for (const auto& callback : options_.callbacks) callback->between_steps();
    if (checkpoints_) checkpoints_->after_step(trainer_.iterations_, stopped());
  }

  FeedOptions feed_options() const {
    return {batch_size_, steps_, options_.shuffle, trainer_.epochs_ - 1 + options_.epochs - epoch_};
  }

  void validate(Logs& logs) {
    for (const auto& callback : options_.callbacks) callback->on_test_begin();
    const Logs scores = trainer_.run_evaluation(validation_, options_.batch_size, blocks_, nullptr);
    for (const auto& callback : options_.callbacks) callback->on_test_end(scores);
    for (const auto& [name, value] : scores) logs.emplace_back("val_" + name, value);
  }

  /// Calls every callback; then all ranks learn whether one of them wants to stop, so that all stop at the same step.
  template <class F>
  void tell(const F& event) {
    if (options_.callbacks.empty()) return;
    for (const auto& callback : options_.callbacks) event(*callback);
    stop_ = stop_ || any_wants_to_stop();
  }

  bool any_wants_to_stop() {
    if (communicator_.size() == 1) return wants_to_stop_;
    if (!vote_) vote_.emplace(communicator_, 1, "which ranks want to stop");
    return vote_->count({wants_to_stop_})[0] > 0;
  }

  /// Over blocks_, in buckets of bucket_mb_.
  void use_other_engine() {
    engine_ = trainer_.engine(StepKind::train, data_.specs, use_of_engine(blocks_));
    engine_->prepare(batch_size_);
    feed_.reset();
  }

  Trainer::EngineUse use_of_engine(Dim blocks) const {
    return {blocks, bucket_mb_, options_.compress_transfer, options_.nan_policy != NanPolicy::ignore};
  }

  Trainer& trainer_;
  const Model& self_;
  Communicator& communicator_;
  CheckedArrays data_;
  CheckedArrays validation_;
  const FitOptions& options_;
  DataUse use_;
  Dim batch_size_;
  Dim blocks_;        // 0 = one a rank
  double bucket_mb_;  // 0 = as measured
  std::shared_ptr<StepEngine> engine_;
  std::optional<BatchFeed> feed_;
  Dim steps_ = 0;
  Dim samples_ = 0;
  int verbose_ = 0;
  int epoch_ = 0;                       // the next step's
  Dim step_ = 0;                        // the next one of that epoch
  std::optional<RunningLogs> running_;  // of that epoch
  RunProgress saved_;                   // where this run continues another
  bool stop_ = false;                   // agreed by all ranks
  bool wants_to_stop_ = false;          // this rank's callbacks
  Dim done_ = 0;                        // samples of this epoch
  Dim left_out_ = 0;                    // steps of this epoch, by the nan_policy
  std::optional<RankVotes> vote_;
  History history_;
  std::map<std::string, std::unique_ptr<CheckpointWriter>> writers_;  // of callbacks, by directory
  std::optional<CheckpointSchedule> checkpoints_;
  Config provenance_ = Config::object();
  mutable std::optional<ModelDescription> described_;  // once it was asked for
};

CheckedArrays Trainer::checked(const Objective* objective, const Samples& samples) {
  build_for(samples.source == nullptr ? samples.x : empty_arrays(samples.source->specs()).x);
  return check_arrays(*model_, objective, samples);
}

History Trainer::fit(const Model& self, const Arrays& x, const Arrays& y, const FitOptions& options,
                     const DataUse& use) {
  check(options);
  require_compiled();
  // What a last, smaller batch would hold is left out after the shuffle: other samples every epoch.
  CheckedArrays data = checked(&objective_, {x, y, options.sample_weight, use.source, use.prefetch});
  CheckedArrays validation;
  if (!options.validation_data.empty()) {
    validation = check_arrays(*model_, &objective_, options.validation_data);
  } else if (options.validation_split > 0.0) {
    const Dim kept = static_cast<Dim>(static_cast<double>(data.rows) * (1.0 - options.validation_split));
    if (kept == 0 || kept == data.rows) {
      throw ConfigError("Training data contains " + std::to_string(data.rows) +
                        " samples, which is not sufficient to split it into a validation and training set as "
                        "specified by `validation_split=" +
                        std::to_string(options.validation_split) + "`.");
    }
    validation = data.rows_between(kept, data.rows);
    data = data.rows_between(0, kept);
  }
  data.add_class_weights(options.class_weight);
  return FitLoop(*this, self, std::move(data), std::move(validation), options, use).run();
}

}  // namespace strata
