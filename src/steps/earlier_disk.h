// Block maps of disks that were written before, so that the next disk under the same name changes few of its blocks.
#pragma once

#include "steps/job.h"

namespace kiln::steps {

struct EarlierDisk {
  Digest seed;            // of its ids
  std::string block_map;  // image::Disk::block_map
  std::string id;         // of the artifact
  bool is_same = false;   // it was made from the same tree: laid out after itself it comes out as it was
};

/// Of the disk that was written as output from a tree with this origin (see artifact_origin), else of the last one that
/// was written as output; nothing when there is none, when the store has lost it, or when none is wanted.
Result<std::optional<EarlierDisk>> earlier_disk(Context& context, const fs::path& output, const std::string& origin);

/// Its seed alone, which costs little; empty when there is none.
Result<Digest> earlier_seed(Context& context, const fs::path& output);

/// Remembers both.
Result<> keep_disk(store::Store& store, const fs::path& output, const std::string& origin, const EarlierDisk& disk);

}  // namespace kiln::steps
