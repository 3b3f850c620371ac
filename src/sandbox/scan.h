// The first half of collecting: one walk over an upper directory that compares every entry with what lies below it, and
// decides what becomes of it. Changes nothing. Private to the room.
#pragma once

#include <memory>

#include "tree/merged.h"
#include "tree/tree.h"

namespace kiln::sandbox {

/// What becomes of an upper entry.
enum class Fate : std::uint8_t {
  keep,      // part of the layer
  drop,      // equal to what lies below, volatile, or only ours
  whiteout,  // is not there yet: hides what an opaque directory hid
  empty,     // kept without its content
};

struct Node {
  std::string name;
  Fate fate = Fate::keep;
  bool equal = false;  // metadata of a directory, or all of another entry, is as below
  mode_t mode = 0;
  timespec time{};  // of a kept entry, canonical
  std::unique_ptr<tree::Attributes> attributes;
  int group = -1;              // of names that are one inode
  std::vector<Node> children;  // of a directory, sorted by name
};

struct Scan {
  Node root;
  std::vector<std::string> dropped;  // volatile paths
};

/// upper: an open directory that nobody writes to any more. stub: index of the stub layer in `below`, which then is the
/// newest layer, or -1.
Result<Scan> scan_upper(int upper, const tree::Merged& below, int stub, std::int64_t clock,
                        const std::vector<std::string>& keep);

}  // namespace kiln::sandbox
