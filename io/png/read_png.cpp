// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "io/input_file.h"
#include "io/png.h"

namespace strata {
namespace {

/// zlib packs no more than this many bytes into one.
constexpr double kLargestRatio = 1032;

/// What libpng's functions get to see. libpng reports errors by longjmp, which runs no destructors: nothing that has
/// any is made between setjmp and it.
struct Source {
  const unsigned char* next;
  std::size_t left;
  char error[200];
};

[[noreturn]] void keep_error(png_structp png, png_const_charp text) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source->error, text, sizeof(source->error) - 1);
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, std::size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->left) png_error(png, "the file is cut short");
  std::memcpy(to, source->next, size);
  source->next += size;
  source->left -= size;
}

class PngReader {
 public:
  PngReader(const std::string& path, const std::vector<unsigned char>& bytes)
      : path_(path), size_(bytes.size()), source_{bytes.data(), bytes.size(), {}} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, keep_error, ignore_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw InternalError("libpng cannot be initialised");
    }
    png_set_read_fn(png_, &source_, read_bytes);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// (height, width, channels) of the picture that read_rows() gives.
  Shape read_header(Dim channels) {
    if (!try_header(static_cast<int>(channels))) fail();
    const double bytes = static_cast<double>(packed_row_) * static_cast<double>(png_get_image_height(png_, info_));
    if (bytes > kLargestRatio * static_cast<double>(size_)) {
      throw IoError(path_, fmt::format("the header says {} x {} pixels, more than {} bytes can hold",
                                       png_get_image_width(png_, info_), png_get_image_height(png_, info_), size_));
    }
    return {Dim{png_get_image_height(png_, info_)}, Dim{png_get_image_width(png_, info_)},
            Dim{png_get_channels(png_, info_)}};
  }

  void read_rows(std::vector<png_bytep>& rows) {
    if (!try_rows(rows.data())) fail();
  }

 private:
  [[noreturn]] void fail() const { throw IoError(path_, fmt::format("the PNG data is damaged: {}", source_.error)); }

  bool try_header(int channels) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_info(png_, info_);
    packed_row_ = png_get_rowbytes(png_, info_);
    png_set_scale_16(png_);
    png_set_expand(png_);
    if (channels == 1 || channels == 3) png_set_strip_alpha(png_);
    // The weights of TensorFlow.
    if (channels == 1) png_set_rgb_to_gray(png_, PNG_ERROR_ACTION_NONE, 0.299, 0.587);
    if (channels >= 3) png_set_gray_to_rgb(png_);
    if (channels == 4) png_set_add_alpha(png_, 255, PNG_FILLER_AFTER);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool try_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  const std::string& path_;
  std::size_t size_;
  Source source_;
  std::size_t packed_row_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

void check_signature(const std::string& path, const std::vector<unsigned char>& bytes) {
  constexpr std::size_t kSignature = 8;
  if (bytes.size() >= kSignature && png_sig_cmp(bytes.data(), 0, kSignature) == 0) return;
  std::string hex;
  for (std::size_t i = 0; i < std::min(bytes.size(), kSignature); ++i) hex += fmt::format("{:02x}", bytes[i]);
  throw IoError(path, "expected a PNG file, which begins with 89504e470d0a1a0a, received " +
                          (hex.empty() ? "an empty file" : hex));
}

}  // namespace

Tensor read_png(const std::string& path, Dim channels) {
  return decode_png(InputFile(path).read_rest(), path, channels).tensor();
}

Pixels decode_png(const std::vector<unsigned char>& bytes, const std::string& path, Dim channels) {
  if (channels != 0 && channels != 1 && channels != 3 && channels != 4) {
    throw ConfigError(fmt::format("read_png: expected 0, 1, 3 or 4 channels, received {}", channels));
  }
  check_signature(path, bytes);
  PngReader reader(path, bytes);
  const Shape shape = reader.read_header(channels);
  Pixels picture{shape, std::vector<unsigned char>(static_cast<std::size_t>(shape.elements()))};
  std::vector<png_bytep> rows;
  for (Dim y = 0; y < shape[0]; ++y) rows.push_back(picture.values.data() + y * shape[1] * shape[2]);
  reader.read_rows(rows);
  return picture;
}

}  // namespace strata
