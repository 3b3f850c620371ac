// The store's directory itself: is it ours, on a file system that can hold layers, in a format that we know? Layout:
// docs/formats/store.md.
#pragma once

#include "base/fd.h"

namespace kiln::store {

/// An opened store directory.
struct Home {
  fs::path root;
  Fd dir;            // opened before anything is written, so that syncfs on it reports every later write-back error
  std::string boot;  // the kernel's id of this boot
};

/// Opens the store at root, or makes it. Errors name KILN_STORE.
Result<Home> open_home(const fs::path& root);

/// The reason why a file system with this magic number (statfs) cannot hold a store; empty when it can.
std::string_view unfit_file_system(std::uint64_t magic);

}  // namespace kiln::store
