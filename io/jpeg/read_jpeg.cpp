// SPDX-License-Identifier: Apache-2.0
#include <cstdio>  // jpeglib.h needs it

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <vector>

#include "core/base/error.h"
#include "io/input_file.h"
#include "io/jpeg.h"

namespace strata {
namespace {

/// A byte holds the codes of at most 8 blocks of 8 x 8 pixels, and colours may be stored at half the resolution.
constexpr double kMostPixelsPerByte = 8 * 64 * 4;

/// A scan of a few bytes may go through the whole picture. Encoders make about ten.
constexpr int kMostScans = 100;

/// What libjpeg's functions get to see. It reports errors by longjmp, which runs no destructors: nothing that has any
/// is made between setjmp and it.
struct Errors {
  jpeg_error_mgr base;  // first: libjpeg knows this part
  std::jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void keep_error(j_common_ptr jpeg) {
  auto* errors = reinterpret_cast<Errors*>(jpeg->err);
  jpeg->err->format_message(jpeg, errors->text);
  std::longjmp(errors->back, 1);
}

/// Of warnings one is an error here: the file ended, and grey was put for what is missing.
void keep_warning(j_common_ptr jpeg, int level) {
  if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF) keep_error(jpeg);
}

/// libjpeg calls it for every row of blocks, also while it gathers all scans of a progressive picture.
void limit_scans(j_common_ptr jpeg) {
  auto* reader = reinterpret_cast<j_decompress_ptr>(jpeg);
  if (reader->input_scan_number <= kMostScans) return;
  auto* errors = reinterpret_cast<Errors*>(jpeg->err);
  std::snprintf(errors->text, sizeof errors->text, "it has more than %d scans", kMostScans);
  std::longjmp(errors->back, 1);
}

class JpegReader {
 public:
  JpegReader(const std::string& path, const std::vector<unsigned char>& bytes) : path_(path), bytes_(bytes) {
    jpeg_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = keep_error;
    errors_.base.emit_message = keep_warning;
    if (!try_create()) fail();
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  /// (height, width, channels) of what read_rows() gives: four channels are CMYK.
  Shape read_header(Dim channels) {
    if (!try_header(static_cast<int>(channels))) fail();
    const double pixels = static_cast<double>(jpeg_.image_width) * jpeg_.image_height;
    if (pixels > kMostPixelsPerByte * static_cast<double>(bytes_.size())) {
      throw IoError(path_, fmt::format("the header says {} x {} pixels, more than {} bytes can hold", jpeg_.image_width,
                                       jpeg_.image_height, bytes_.size()));
    }
    if (!try_start()) fail();
    return {Dim{jpeg_.output_height}, Dim{jpeg_.output_width}, Dim{jpeg_.output_components}};
  }
  void read_rows(std::vector<JSAMPROW>& rows) {
    if (!try_rows(rows.data())) fail();
  }
  bool inverted() const { return jpeg_.saw_Adobe_marker != 0; }

 private:
  [[noreturn]] void fail() const { throw IoError(path_, fmt::format("the JPEG data is damaged: {}", errors_.text)); }

  bool try_create() {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_mem_src(&jpeg_, bytes_.data(), bytes_.size());
    progress_.progress_monitor = limit_scans;
    jpeg_.progress = &progress_;
    return true;
  }
  bool try_header(int channels) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_read_header(&jpeg_, TRUE);
    const bool cmyk = jpeg_.num_components == 4;
    const bool grey = channels == 1 || (channels == 0 && jpeg_.num_components == 1);
    jpeg_.out_color_space = cmyk ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_.dct_method = JDCT_IFAST;  // as TensorFlow does
    return true;
  }
  bool try_start() {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_start_decompress(&jpeg_);
    return true;
  }
  bool try_rows(JSAMPARRAY rows) {
    if (setjmp(errors_.back) != 0) return false;
    while (jpeg_.output_scanline < jpeg_.output_height) {
      jpeg_read_scanlines(&jpeg_, rows + jpeg_.output_scanline, jpeg_.output_height - jpeg_.output_scanline);
    }
    jpeg_finish_decompress(&jpeg_);
    return true;
  }

  const std::string& path_;
  const std::vector<unsigned char>& bytes_;
  Errors errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct jpeg_{};
};

/// Adobe's programs store 255 - ink.
std::vector<unsigned char> colours_of_cmyk(const std::vector<unsigned char>& cmyk, bool inverted) {
  std::vector<unsigned char> colours;
  colours.reserve(cmyk.size() / 4 * 3);
  for (std::size_t at = 0; at < cmyk.size(); at += 4) {
    const int k = inverted ? cmyk[at + 3] : 255 - cmyk[at + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int ink = inverted ? cmyk[at + c] : 255 - cmyk[at + c];
      colours.push_back(static_cast<unsigned char>(k * ink / 255));
    }
  }
  return colours;
}

}  // namespace

Tensor read_jpeg(const std::string& path, Dim channels) {
  return decode_jpeg(InputFile(path).read_rest(), path, channels).tensor();
}

Pixels decode_jpeg(const std::vector<unsigned char>& bytes, const std::string& path, Dim channels) {
  if (channels != 0 && channels != 1 && channels != 3) {
    throw ConfigError(fmt::format("read_jpeg: expected 0, 1 or 3 channels, received {}", channels));
  }
  if (bytes.size() < 3 || bytes[0] != 0xFF || bytes[1] != 0xD8 || bytes[2] != 0xFF) {
    throw IoError(path, "expected a JPEG file, which begins with ffd8ff");
  }
  JpegReader reader(path, bytes);
  const Shape shape = reader.read_header(channels);
  if (shape[2] == 4 && channels == 1) {
    throw IoError(path, "expected grey or colours, which become grey, received CMYK");
  }
  Pixels picture{shape, std::vector<unsigned char>(static_cast<std::size_t>(shape.elements()))};
  std::vector<JSAMPROW> rows;
  for (Dim y = 0; y < shape[0]; ++y) rows.push_back(picture.values.data() + y * shape[1] * shape[2]);
  reader.read_rows(rows);
  if (shape[2] != 4) return picture;
  return {shape.with(2, 3), colours_of_cmyk(picture.values, reader.inverted())};
}

}  // namespace strata
