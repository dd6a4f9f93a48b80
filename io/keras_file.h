// SPDX-License-Identifier: Apache-2.0
// Model files in Keras' HDF5 layout.
#pragma once

#include "core/training/model_file.h"

namespace strata {

/// The layout that tf.keras and Keras 3 call "h5": attributes model_config and training_config, groups model_weights
/// and optimizer_weights. A file of weights alone has at its root what is in model_weights otherwise, or the groups of
/// Keras 3's own layout: each variable of a layer is an array "vars/0", "vars/1", ... where the layer lies.
const ModelFileFormat& keras_hdf5_format();

namespace detail {

inline const bool keras_files_are_known = (set_model_file_format(&keras_hdf5_format()), true);

}  // namespace detail
}  // namespace strata
