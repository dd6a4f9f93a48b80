// SPDX-License-Identifier: Apache-2.0
// Internal to Trainer: a progress bar over data, which counts its samples or, for a Dataset, its steps.
#pragma once

#include "core/training/dataset.h"
#include "core/training/progress_bar.h"

namespace strata {

/// How data was given to fit, evaluate or predict.
struct DataUse {
  bool counts_steps = false;
  bool drops_remainder = false;  // of batches
  SampleSourceRef source = {};   // instead of arrays
  PrefetchOptions prefetch = {};
};

/// Not thread-safe.
class SampleProgress {
 public:
  SampleProgress(Dim samples, Dim batch_size, int verbose, bool counts_steps)
      : samples_(samples), unit_(counts_steps ? batch_size : 1), bar_(options(verbose, counts_steps)) {}

  /// `done` samples are; the last ones are left to finish().
  void update(Dim done, const Logs& logs) {
    if (done < samples_) bar_.update(units(done), logs);
  }
  void finish(const Logs& logs, Dim done) { bar_.finish(logs, units(done)); }
  void finish(const Logs& logs) { finish(logs, samples_); }

 private:
  Dim units(Dim samples) const { return (samples + unit_ - 1) / unit_; }
  ProgressBar::Options options(int verbose, bool counts_steps) const {
    ProgressBar::Options options;
    options.target = units(samples_);
    if (counts_steps) options.unit = "step";
    options.verbose = verbose;
    options.dynamic = stdout_is_terminal();
    return options;
  }

  Dim samples_;
  Dim unit_;  // samples
  ProgressBar bar_;
};

}  // namespace strata
