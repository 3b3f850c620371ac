// For the harnesses that unpack: the limits that they unpack with, and what must hold afterwards.
#pragma once

#include "fuzz/harness.h"
#include "image/image.h"

namespace kiln::fuzz {

inline image::Limits small_limits() {
  image::Limits limits;
  limits.layer_bytes = 1 << 20;
  limits.entries = 200;
  return limits;
}

/// What was taken in can be written again, and nothing lies beside the tree. Removes it.
inline void must_have_stayed_in(const fs::path& tree, bool was_taken) {
  if (was_taken) must(bool{image::measure_layer(tree)});
  for (const auto& entry : fs::directory_iterator(tree.parent_path())) must(entry.path() == tree);
  must(bool{remove_tree(tree)});
}

}  // namespace kiln::fuzz
