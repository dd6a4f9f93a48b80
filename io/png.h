// SPDX-License-Identifier: Apache-2.0
// Pictures as PNG files.
#pragma once

#include <string>
#include <vector>

#include "io/pixels.h"

namespace strata {

/// The picture as uint8 (height, width, channels), the numbers as they lie in the file. `channels`: 1
/// grey, 3 red, green and blue, 4 with opacity behind them; 0 = as in the file: also 2 grey and opacity. A palette
/// becomes colours, a transparent colour opacity, fewer bits than 8 are spread over 0 to 255, and 16 become the
/// nearest 8. Throws IoError naming the file when it is missing, no PNG, cut short or damaged; ConfigError for other
/// `channels`. Memory stays in proportion to what is really in the file, whatever its header says. Thread-safe.
Tensor read_png(const std::string& path, Dim channels = 0);

/// The same of a file that has been read; `path` is for messages.
Pixels decode_png(const std::vector<unsigned char>& bytes, const std::string& path, Dim channels = 0);

/// Writes uint8 (height, width, channels) with 1 to 4 channels, as above. The file appears whole, or not at all. Throws
/// ShapeError or DtypeError for another tensor, IoError when the file cannot be written. Every rank that calls it
/// writes.
void write_png(const std::string& path, const Tensor& picture);

}  // namespace strata
