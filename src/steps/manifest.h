// The manifest post-processor's file, field for field as Packer writes it: packer-manifest.json.
#pragma once

#include "base/json.h"

namespace kiln::steps {

struct ManifestEntry {
  std::string name, builder_type;
  std::int64_t build_time = 0;  // left out when 0
  std::vector<std::string> files;
  std::string artifact_id, run_uuid;
  Json custom_data;  // null or an object of strings
  bool strip_path = false;
};

/// Adds an entry; truncate starts a new file when the last run was another one (-force). Atomic; mode 0664.
Result<> append_manifest(const fs::path& path, const ManifestEntry& entry, bool truncate);

/// Whether the file holds an entry of this build name, artifact and run.
bool manifest_has(const fs::path& path, const std::string& name, const std::string& artifact_id,
                  const std::string& run_uuid);

}  // namespace kiln::steps
