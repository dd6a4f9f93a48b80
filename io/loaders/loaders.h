// SPDX-License-Identifier: Apache-2.0
// Datasets in files. Each rank reads the samples of its own part of every batch, ahead of the step that needs them:
//     auto data = loaders::hdf5({"train.h5"}, {.x = {"images"}, .y = {"labels"}}).shuffle().batch(64);
//     model.fit(data, {.epochs = 5});
// Nothing is downloaded. All throw IoError naming the file when one is missing, malformed or cut short, here as far as
// the headers tell, and when a sample is read for the rest; ConfigError for options that do not fit.
#pragma once

#include <string>
#include <vector>

#include "core/training/dataset.h"

namespace strata::loaders {

/// Samples in an IDX file (see read_idx), axis 0 being theirs; with `labels` another one of as many, as y. Plain files
/// are read sample by sample, gzip files as a whole.
Dataset idx(const std::string& images, const std::string& labels = "");

/// Samples in an .npy file of NumPy, as x. Elements bool, uint8, int32, int64, float16, float32 or float64 of this
/// machine's byte order, rows first. Read sample by sample. Dataset::zip puts several side by side.
Dataset npy(const std::string& path);

/// CIFAR-10 in its binary version, such as data_batch_1.bin to data_batch_5.bin: x uint8 (32, 32, 3), red first, y
/// uint8 (1,) in 0..9. Plain files.
Dataset cifar10(const std::vector<std::string>& paths);
/// Likewise CIFAR-100, of which y is the fine label in 0..99, or the coarse one in 0..19.
Dataset cifar100(const std::vector<std::string>& paths, bool coarse_labels = false);

/// Which arrays of HDF5 files are samples, axis 0 being theirs.
struct Hdf5Options {
  std::vector<std::string> x = {};  // paths in the file: "images", "train/images"
  std::vector<std::string> y = {};
  std::vector<std::string> sample_weight = {};
  bool named = false;     // by their last names, for models that take dictionaries; else lists
  Dim chunk_rows = 0;     // samples that are read together; 0 = as they are stored, at least 256 kB
  double cache_mb = 128;  // memory for chunks, half of it for those that a shuffle has open at once
};

/// The rows of all files, one file after the other. Arrays may be contiguous, chunked with any filter that the HDF5
/// library has, or virtual. A shuffle is one in chunks (see SampleOrder); the order depends on chunk_rows and cache_mb.
Dataset hdf5(const std::vector<std::string>& paths, const Hdf5Options& options);

}  // namespace strata::loaders
