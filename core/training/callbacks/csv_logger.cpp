// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/base/config.h"
#include "core/base/error.h"
#include "core/training/callbacks/callbacks.h"

namespace strata::callbacks {
namespace {

/// As Python writes a float.
std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return Config(value).to_json();
}

/// In quotes where the field would not be read back otherwise.
std::string csv_field(const std::string& text, const std::string& separator) {
  if (text.find_first_of("\"\r\n") == std::string::npos && text.find(separator) == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

bool has_a_line(const std::string& filename) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(filename.c_str(), "r"), &std::fclose);
  return file != nullptr && std::fgetc(file.get()) != EOF;
}

}  // namespace

CSVLogger::CSVLogger(std::string filename, const CSVLoggerOptions& options)
    : filename_(std::move(filename)), options_(options) {
  if (options.separator.size() == 1) return;
  throw ConfigError("CSVLogger: expected a separator of one character, received '" + options.separator + "'");
}

void CSVLogger::on_train_begin() {
  keys_.clear();
  text_.clear();
  if (parameters().rank != 0) return;
  header_ = !options_.append || !has_a_line(filename_);
  open();
  std::error_code failed;
  begin_ = options_.append ? static_cast<std::int64_t>(std::filesystem::file_size(filename_, failed)) : 0;
}

void CSVLogger::open() {
  std::FILE* file = std::fopen(filename_.c_str(), "a");
  if (file == nullptr) throw IoError(filename_, std::string("cannot be opened for writing: ") + std::strerror(errno));
  file_.reset(file, [](std::FILE* f) {
    if (f != nullptr) std::fclose(f);
  });
}

void CSVLogger::on_epoch_end(int epoch, Logs& logs) {
  if (file_ == nullptr) return;
  if (keys_.empty()) {
    for (const auto& [name, value] : logs) keys_.push_back(name);
    std::sort(keys_.begin(), keys_.end());
    const bool validates = std::any_of(keys_.begin(), keys_.end(), [](const auto& k) { return k.starts_with("val_"); });
    // Room for the values of later epochs that validate.
    for (std::size_t i = 0, count = keys_.size(); !validates && i < count; ++i) keys_.push_back("val_" + keys_[i]);
    std::vector<std::string> names{"epoch"};
    names.insert(names.end(), keys_.begin(), keys_.end());
    if (header_) write(names);
  }
  std::vector<std::string> fields{std::to_string(epoch)};
  for (const std::string& key : keys_) {
    const double* value = find_log(logs, key);
    fields.push_back(value == nullptr ? "NA" : number_text(*value));
  }
  write(fields);
}

void CSVLogger::write(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    line += (line.empty() ? "" : options_.separator) + csv_field(field, options_.separator);
  }
  put(line + "\r\n");
}

/// What is behind the lines that stay: only once there are new ones, so that a start that is refused loses nothing.
void CSVLogger::cut() {
  std::error_code failed;
  begin_ = std::min(begin_, static_cast<std::int64_t>(std::filesystem::file_size(filename_, failed)));
  std::filesystem::resize_file(filename_, static_cast<std::uintmax_t>(begin_), failed);
  if (failed) throw IoError(filename_, "cannot be shortened: " + failed.message());
}

void CSVLogger::put(const std::string& line) {
  if (text_.empty()) cut();
  const bool written = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size();
  if (!written || std::fflush(file_.get()) != 0) {
    throw IoError(filename_, std::string("cannot be written: ") + std::strerror(errno));
  }
  text_ += line;
}

CallbackState CSVLogger::state() const {
  Config::List keys(keys_.begin(), keys_.end());
  return {"CSVLogger", Config::object({{"keys", keys}, {"text", text_}, {"begin", begin_}}), {}};
}

void CSVLogger::restore_state(const CallbackState& state) {
  if (file_ == nullptr) return;
  keys_.clear();
  for (const Config& key : state.values.at("keys").as_list()) keys_.push_back(key.as_string());
  begin_ = state.values.at("begin").as_int();
  cut();  // lines may have been written after the checkpoint
  header_ = header_ && state.values.at("text").as_string().empty();
  text_.clear();
  if (!state.values.at("text").as_string().empty()) put(state.values.at("text").as_string());
}

void CSVLogger::on_train_end(const Logs&) { file_.reset(); }

}  // namespace strata::callbacks
