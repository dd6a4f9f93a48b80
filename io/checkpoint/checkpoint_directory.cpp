// SPDX-License-Identifier: Apache-2.0
#include "io/checkpoint/checkpoint_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/base/error.h"
#include "io/checkpoint/manifest.h"
#include "io/checkpoints.h"

namespace strata {
namespace {

const std::string kPrefix = "step-";
const std::string kMark = "/.seen-by-all-ranks";
constexpr std::size_t kDigits = 8;  // at least

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

/// Whether the name is of a checkpoint that was set aside.
bool is_set_aside(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot != std::string::npos && step_of_name(name.substr(0, dot)).has_value();
}

}  // namespace

std::string checkpoint_path(const std::string& directory, std::int64_t step) {
  return fmt::format("{}/{}{:0{}}", directory, kPrefix, step, kDigits);
}

std::optional<std::int64_t> step_of_name(const std::string& name) {
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + kDigits) return {};
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size() || step < 0) return {};
  return fmt::format("{}{:0{}}", kPrefix, step, kDigits) == name ? std::optional(step) : std::nullopt;
}

void write_whole_file(FileSystem& files, const std::string& directory, const std::string& name,
                      const std::function<void(OutputFile&)>& write) {
  const std::string path = directory + "/" + name, unfinished = path + ".part";
  try {
    const auto file = files.create(unfinished);
    write(*file);
    file->synchronize();
    file->close();
    files.rename(unfinished, path);
  } catch (...) {
    try {
      files.remove(unfinished);  // it may be what fills the disk
    } catch (const IoError&) {
      // The first error is the one to tell of.
    }
    throw;
  }
  files.synchronize_directory(directory);
}

void make_directory_on_disk(FileSystem& files, const std::string& path) {
  if (path.empty() || path == "/" || files.exists(path)) return files.make_directory(path);
  const std::string parent = parent_of(path);
  if (parent != ".") make_directory_on_disk(files, parent);
  files.make_directory(path);
  files.synchronize_directory(parent);
}

std::unique_ptr<CheckpointShard> CheckpointDirectory::make_shard() const { return make_shard_file(files_); }

void CheckpointDirectory::commit(const std::string& directory, std::int64_t step, const Config& description,
                                 const std::vector<StateTensor>& tensors, const std::vector<Config>& shards,
                                 int keep) const {
  const std::string path = checkpoint_path(directory, step);
  // What an earlier run has left half written under this name.
  for (const std::string& name : files_.list(path)) {
    const auto is_it = [&](const Config& shard) { return shard.at("file").as_string() == name; };
    if (std::none_of(shards.begin(), shards.end(), is_it)) files_.remove(path + "/" + name);
  }
  const std::string text = manifest_text(step, description, tensors, shards);
  write_whole_file(files_, path, kManifestName, [&](OutputFile& file) { file.append(std::as_bytes(std::span(text))); });
  files_.synchronize_directory(directory);
  prune(directory, keep);
}

std::vector<std::int64_t> CheckpointDirectory::steps(const std::string& directory) const {
  std::vector<std::int64_t> found;
  for (const std::string& name : files_.list(directory)) {
    const auto step = step_of_name(name);
    if (step && files_.exists(directory + "/" + name + "/" + kManifestName)) found.push_back(*step);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string CheckpointDirectory::manifest(const std::string& directory, std::int64_t step) const {
  const std::string path = checkpoint_path(directory, step) + "/" + kManifestName;
  std::string text(files_.size(path), '\0');
  files_.read(path, 0, std::as_writable_bytes(std::span(text)));
  return text;
}

std::unique_ptr<SavedCheckpoint> CheckpointDirectory::open(const std::string& directory, std::int64_t step,
                                                           const std::string& manifest) const {
  return open_checkpoint(files_, checkpoint_path(directory, step), manifest);
}

std::string CheckpointDirectory::set_aside(const std::string& directory, std::int64_t step,
                                           const std::string& why) const {
  const std::string path = checkpoint_path(directory, step);
  std::string name = path + "." + why;
  for (int i = 2; files_.exists(name); ++i) name = fmt::format("{}.{}-{}", path, why, i);
  files_.rename(path, name);
  files_.synchronize_directory(directory);
  return name;
}

/// Its manifest first, so that what is left, if this is cut short, is no complete checkpoint.
void CheckpointDirectory::remove_checkpoint(const std::string& path) const {
  if (files_.exists(path + "/" + kManifestName)) {
    files_.remove(path + "/" + kManifestName);
    files_.synchronize_directory(path);
  }
  for (const std::string& name : files_.list(path)) files_.remove(path + "/" + name);
  files_.remove(path);
}

void CheckpointDirectory::prune(const std::string& directory, int keep) const {
  const std::vector<std::int64_t> complete = steps(directory);
  if (complete.empty()) return;  // where the disk does not say yet what was just written
  const auto kept = complete.end() - std::min<std::ptrdiff_t>(keep, std::ssize(complete));
  for (const std::string& name : files_.list(directory)) {
    const auto step = step_of_name(name);
    // One that is newer than all complete ones is not finished yet.
    if (!step || *step > complete.back() || std::find(kept, complete.end(), *step) != complete.end()) continue;
    remove_checkpoint(directory + "/" + name);
  }
}

void CheckpointDirectory::put_mark(const std::string& directory) const {
  make_directory_on_disk(files_, directory);
  files_.create(directory + kMark)->close();
}
bool CheckpointDirectory::finds_mark(const std::string& directory) const { return files_.exists(directory + kMark); }
void CheckpointDirectory::take_mark(const std::string& directory) const { files_.remove(directory + kMark); }

void CheckpointDirectory::remove_all(const std::string& directory) const {
  for (const std::string& name : files_.list(directory)) {
    if (step_of_name(name) || is_set_aside(name)) remove_checkpoint(directory + "/" + name);
  }
  if (files_.exists(directory) && files_.list(directory).empty()) files_.remove(directory);
}

const CheckpointStore& checkpoint_files() {
  static const CheckpointDirectory store(disk());
  return store;
}

}  // namespace strata
