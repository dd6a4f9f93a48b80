// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "core/base/quoted_list.h"
#include "io/input_file.h"
#include "io/jpeg.h"
#include "io/loaders/loaders.h"
#include "io/loaders/resize.h"
#include "io/png.h"

namespace strata::loaders {
namespace {

namespace fs = std::filesystem;

struct ImageFile {
  std::string path;
  std::int32_t label;
};

bool is_picture(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.ends_with(".png") || name.ends_with(".jpg") || name.ends_with(".jpeg");
}

/// By directory, then by name, as Keras sorts what os.walk finds.
std::vector<std::string> pictures_below(const fs::path& directory) {
  std::vector<std::pair<std::string, std::string>> found;
  for (auto entry = fs::recursive_directory_iterator(directory); entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename();
    if (!entry->is_directory() && is_picture(name)) found.emplace_back(entry->path().parent_path(), name);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (const auto& [parent, name] : found) paths.push_back((fs::path(parent) / name).string());
  return paths;
}

std::vector<std::string> classes_of(const fs::path& directory, const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (entry.is_directory() && !name.starts_with('.')) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  if (wanted.empty()) return names;
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw ConfigError(
        "The `class_names` passed did not match the names of the subdirectories of the target directory. "
        "Expected: " +
        quoted_list(names) + " (or a subset of it), but received: class_names=" + quoted_list(wanted));
  }
  return wanted;
}

void check_choice(const std::string& what, const std::string& value, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  throw ConfigError("image_dataset_from_directory: expected " + what + " to be one of " + quoted_list(known) +
                    ", received '" + value + "'");
}

void check(const ImageDirectoryOptions& options) {
  check_choice("labels", options.labels, {"inferred", "none"});
  check_choice("label_mode", options.label_mode, {"int", "categorical", "binary", "none"});
  check_choice("color_mode", options.color_mode, {"rgb", "rgba", "grayscale"});
  check_choice("interpolation", options.interpolation, {"bilinear", "nearest"});
  if (options.height >= 1 && options.width >= 1) return;
  throw ConfigError("image_dataset_from_directory: expected a height and a width of at least 1, received " +
                    std::to_string(options.height) + " and " + std::to_string(options.width));
}

class ImageDirectory final : public SampleSource {
 public:
  ImageDirectory(std::string directory, const ImageDirectoryOptions& options)
      : directory_(std::move(directory)), options_(options) {
    check(options);
    labelled_ = options.labels == "inferred" && options.label_mode != "none";
    channels_ = options.color_mode == "rgb" ? 3 : options.color_mode == "rgba" ? 4 : 1;
    find_files();
    specs_.x.push_back({{{options.height, options.width, channels_}, Dtype::float32}, ""});
    if (!labelled_) return;
    if (options.label_mode == "int") specs_.y.push_back({{{}, Dtype::int32}, ""});
    else specs_.y.push_back({{{options.label_mode == "binary" ? 1 : classes_}, Dtype::float32}, ""});
  }

  Dim rows() const override { return static_cast<Dim>(files_.size()); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return directory_; }
  std::int64_t bytes_read() const override { return bytes_read_.load(std::memory_order_relaxed); }

  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const ImageFile& file = files_[static_cast<std::size_t>(samples[i].row)];
      if (to[0] != nullptr) read_picture(file.path, reinterpret_cast<float*>(to[0] + i * specs_.x[0].row.bytes()));
      if (labelled_ && to[1] != nullptr) write_label(file.label, to[1] + i * specs_.y[0].row.bytes());
    }
  }

 private:
  void find_files() {
    std::error_code failed;
    if (!fs::is_directory(directory_, failed)) throw IoError(directory_, "expected a directory of pictures");
    try {
      // Keras takes the directories of classes also where labels are not wanted, and none where there are none.
      const bool inferred = options_.labels == "inferred";
      const auto classes = inferred ? classes_of(directory_, options_.class_names) : std::vector<std::string>{""};
      classes_ = static_cast<Dim>(classes.size());
      for (std::size_t c = 0; c < classes.size(); ++c) {
        for (const std::string& path : pictures_below(fs::path(directory_) / classes[c])) {
          files_.push_back({path, static_cast<std::int32_t>(c)});
        }
      }
      if (labelled_ && options_.label_mode == "binary" && classes.size() != 2) {
        throw ConfigError(
            "When passing `label_mode=\"binary\"`, there must be exactly 2 class_names. Received: class_names=" +
            quoted_list(classes));
      }
    } catch (const fs::filesystem_error& error) {
      throw IoError(directory_, std::string("cannot be looked through: ") + error.what());
    }
    if (files_.empty()) {
      throw ConfigError("No images found in directory " + directory_ + ". Allowed formats: ('.jpeg', '.jpg', '.png')");
    }
  }

  void read_picture(const std::string& path, float* to) const {
    const Pixels decoded = decode(path);
    const Shape& shape = decoded.shape;
    Picture picture{decoded.values.data(), shape[0], shape[1], shape[2], shape[1] * shape[2]};
    if (options_.crop_to_aspect_ratio) picture = cropped_to(picture, options_.height, options_.width);
    if (options_.interpolation == "nearest") resize_nearest(picture, options_.height, options_.width, to);
    else resize_bilinear(picture, options_.height, options_.width, to);
  }

  Pixels decode(const std::string& path) const {
    const std::vector<unsigned char> bytes = InputFile(path).read_rest();
    bytes_read_.fetch_add(static_cast<std::int64_t>(bytes.size()), std::memory_order_relaxed);
    if (bytes.empty() || bytes[0] != 0xFF) return decode_png(bytes, path, channels_);
    if (channels_ == 4) throw IoError(path, "expected a PNG file for color_mode \"rgba\", received a JPEG file");
    return decode_jpeg(bytes, path, channels_);
  }

  void write_label(std::int32_t label, std::byte* to) const {
    if (options_.label_mode == "int") {
      std::memcpy(to, &label, sizeof label);
      return;
    }
    auto* values = reinterpret_cast<float*>(to);
    if (options_.label_mode == "binary") {
      *values = static_cast<float>(label);
      return;
    }
    std::fill_n(values, classes_, 0.0F);
    values[label] = 1.0F;
  }

  std::string directory_;
  ImageDirectoryOptions options_;
  bool labelled_ = false;
  Dim channels_ = 3;
  Dim classes_ = 0;
  std::vector<ImageFile> files_;
  SampleSpecs specs_;
  mutable std::atomic<std::int64_t> bytes_read_{0};
};

}  // namespace

Dataset image_dataset_from_directory(const std::string& directory, const ImageDirectoryOptions& options) {
  return Dataset::from_source(std::make_shared<ImageDirectory>(directory, options));
}

}  // namespace strata::loaders
