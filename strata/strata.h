// SPDX-License-Identifier: Apache-2.0
// Everything a program that trains needs.
#pragma once

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/sequential.h"
#include "core/model/session.h"
#include "core/model/stored_parts.h"
#include "core/model/subclassed.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "core/training/batches.h"
#include "core/training/callbacks/callbacks.h"
#include "core/training/custom_loop.h"
#include "core/training/model.h"
#include "core/training/timeline.h"
#include "core/training/to_categorical.h"
#include "core/training/transforms.h"
#include "distributed/world.h"
#include "io/checkpoints.h"
#include "io/datasets/cifar10.h"
#include "io/datasets/mnist.h"
#include "io/jpeg.h"
#include "io/keras_file.h"
#include "io/loaders/loaders.h"
#include "io/npz.h"
#include "io/plots/plot_model.h"
#include "io/png.h"
#include "layers/applications/applications.h"
#include "layers/layers.h"
#include "layers/registry.h"

namespace strata::detail {

// Lets fit find the ranks that the launcher started, without core knowing of MPI.
inline const bool world_is_known = (Session::set_world_factory(&world), true);

}  // namespace strata::detail
