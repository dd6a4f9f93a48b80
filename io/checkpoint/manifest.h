// SPDX-License-Identifier: Apache-2.0
// Internal: the file that says what a checkpoint is made of. Whoever has it whole can tell whether the rest is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/training/checkpoint_store.h"

namespace strata {

/// Where elements [first, first + count) of a tensor are.
struct ManifestPiece {
  std::size_t tensor = 0;
  Dim first = 0;
  Dim count = 0;
  std::string array;         // in the HDF5 file
  std::uint64_t offset = 0;  // of its bytes in that file
  std::string checksum;      // of these bytes
};

struct ManifestShard {
  std::string file;  // its name in the checkpoint's directory
  std::uint64_t bytes = 0;
  std::string checksum;  // of the whole file
  std::vector<ManifestPiece> pieces;
};

struct Manifest {
  std::int64_t step = 0;
  Config description;
  std::vector<StateTensor> tensors;
  std::vector<ManifestShard> shards;
};

inline constexpr int kManifestVersion = 1;

Config shard_config(const ManifestShard& shard);
/// JSON whose last member is a checksum of all bytes before it. `shards` are shard_config()s.
std::string manifest_text(std::int64_t step, const Config& description, const std::vector<StateTensor>& tensors,
                          const std::vector<Config>& shards);
/// Checks every byte, and that the pieces of each tensor are all of it, once. Throws IoError naming `path` for a
/// manifest that is damaged, ConfigError for one of a later version.
Manifest read_manifest(const std::string& path, const std::string& text);

}  // namespace strata
