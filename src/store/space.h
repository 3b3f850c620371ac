// What to say when a file system is full: whether bytes or inodes are short, and where.
#pragma once

#include "base/error.h"

namespace kiln::store {

/// "no space left for PATH (0 B of 1.0 MB free)" or "no inode left for PATH (0 of 16 free)". PATH need not exist: its
/// nearest existing parent is asked.
std::string space_report(const fs::path& path);

/// Adds space_report(path) to an error of kind Errc::no_space; other results pass unchanged.
template <class T>
Result<T> with_space(Result<T> result, const fs::path& path) {
  if (result || result.error().code() != Errc::no_space) return result;
  return std::move(result).context("{}", space_report(path));
}

}  // namespace kiln::store
