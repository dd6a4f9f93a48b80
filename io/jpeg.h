// SPDX-License-Identifier: Apache-2.0
// Pictures in JPEG files.
#pragma once

#include <string>
#include <vector>

#include "io/pixels.h"

namespace strata {

/// The picture as uint8 (height, width, channels), as TensorFlow decodes it. `channels`: 1 grey, 3 red, green and blue;
/// 0 = 1 for a grey picture, 3 for others. CMYK becomes colours. Throws IoError naming the file when it is missing, no
/// JPEG, cut short or damaged; ConfigError for other `channels`. Memory stays in proportion to what is really in the
/// file, whatever its header says. Thread-safe.
Tensor read_jpeg(const std::string& path, Dim channels = 0);

/// The same of a file that has been read; `path` is for messages.
Pixels decode_jpeg(const std::vector<unsigned char>& bytes, const std::string& path, Dim channels = 0);

}  // namespace strata
