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

/// Which arrays of an .npz file are samples.
struct NpzOptions {
  std::vector<std::string> x = {};
  std::vector<std::string> y = {};
  std::vector<std::string> sample_weight = {};
  bool named = false;  // by their names, for models that take dictionaries; else lists
};

/// Samples in an .npz file. Arrays of numpy.savez are read sample by sample, those of numpy.savez_compressed as a
/// whole.
Dataset npz(const std::string& path, const NpzOptions& options);

/// How a CSV file becomes samples.
struct CsvOptions {
  std::vector<std::string> x = {};  // columns; empty = all that are not in y and sample_weight
  std::vector<std::string> y = {};
  std::vector<std::string> sample_weight = {};
  bool named = false;  // each column of x by its name, as (); else all of them as one array (columns,)
  char delimiter = ',';
  bool header = true;                          // the first line has the names of the columns,
  std::vector<std::string> column_names = {};  // else they have these; empty = "0", "1", ...
  Dtype y_dtype = Dtype::float32;
  std::vector<std::string> y_classes = {};  // texts of y, which becomes their number, int32
};

/// Records of a CSV file (RFC 4180): x and sample_weight float32; y and sample_weight () of one column, (columns,) of
/// several. Every rank goes through the file once, to find its records, and keeps 8 bytes for each.
Dataset csv(const std::string& path, const CsvOptions& options = {});

/// How a directory of pictures becomes samples. Names and defaults are those of Keras.
struct ImageDirectoryOptions {
  std::string labels = "inferred";  // from the names of the directories; "none"
  std::string label_mode = "int";   // int32 (); "categorical" float32 (classes,); "binary" float32 (1,); "none"
  std::vector<std::string> class_names = {};  // directories, in this order; empty = all, by name
  std::string color_mode = "rgb";             // (h, w, 3); "rgba" 4, "grayscale" 1
  Dim height = 256;
  Dim width = 256;
  std::string interpolation = "bilinear";  // or "nearest"
  bool crop_to_aspect_ratio = false;       // else pictures of another shape are distorted
};

/// PNG and JPEG files, told by their first bytes, in the order of Keras' image_dataset_from_directory without
/// shuffling: class by class, in each by directory and name. x is float32 (height, width, channels), 0 to 255, as Keras
/// on TensorFlow gives it. A rank that looks for the files sees all of them, and reads those of its samples. Throws
/// ConfigError with Keras' text for options that do not fit the directory.
Dataset image_dataset_from_directory(const std::string& directory, const ImageDirectoryOptions& options = {});

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
