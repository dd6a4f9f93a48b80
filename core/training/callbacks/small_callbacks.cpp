// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/base/config.h"
#include "core/base/error.h"
#include "core/training/callbacks/callbacks.h"

namespace strata::callbacks {

void TerminateOnNaN::on_train_batch_end(Dim batch, const Logs& logs) {
  const double* loss = find_log(logs, "loss");
  if (loss == nullptr || std::isfinite(*loss)) return;
  if (raise_error_) {
    throw ConfigError("NaN or Inf loss encountered at batch " + std::to_string(batch) +
                      ". Loss value: " + std::to_string(*loss) + ". Terminating training immediately.");
  }
  print_message(parameters().rank, "Batch " + std::to_string(batch) + ": Invalid loss, terminating training");
  control().stop_training();
}

void LambdaCallback::on_epoch_begin(int epoch) {
  if (functions_.on_epoch_begin) functions_.on_epoch_begin(epoch);
}
void LambdaCallback::on_epoch_end(int epoch, Logs& logs) {
  if (functions_.on_epoch_end) functions_.on_epoch_end(epoch, logs);
}
void LambdaCallback::on_train_begin() {
  if (functions_.on_train_begin) functions_.on_train_begin();
}
void LambdaCallback::on_train_end(const Logs& logs) {
  if (functions_.on_train_end) functions_.on_train_end(logs);
}
void LambdaCallback::on_train_batch_begin(Dim batch) {
  if (functions_.on_train_batch_begin) functions_.on_train_batch_begin(batch);
}
void LambdaCallback::on_train_batch_end(Dim batch, const Logs& logs) {
  if (functions_.on_train_batch_end) functions_.on_train_batch_end(batch, logs);
}

}  // namespace strata::callbacks
