// Small trees on disk for tests: files, links, whiteouts by path, removed at the end.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"

namespace kiln {

/// The value, or a failed test with the error's text.
template <class T>
T must(Result<T> result, const char* what = "") {
  if (!result) {
    ADD_FAILURE() << what << result.error().text();
    if constexpr (!std::is_void_v<T>) return T{};
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).take();
}

/// A directory that tests fill by paths; removed at the end.
class Tree {
 public:
  Tree() : dir_(must_dir()) {}
  fs::path path(const std::string& below = "") const { return below.empty() ? dir_.path() : dir_.path() / below; }
  Tree& dir(const std::string& name, mode_t mode = 0755) {
    must(make_dirs(path(name)));
    ::chmod(path(name).c_str(), mode);
    return *this;
  }
  Tree& file(const std::string& name, std::string_view text, mode_t mode = 0644) {
    must(make_dirs(path(name).parent_path()));
    must(write_file_quick(path(name), text, mode));
    return *this;
  }
  Tree& link(const std::string& name, const std::string& text) {
    must(make_dirs(path(name).parent_path()));
    EXPECT_EQ(::symlink(text.c_str(), path(name).c_str()), 0);
    return *this;
  }
  Tree& whiteout(const std::string& name) {
    must(make_dirs(path(name).parent_path()));
    EXPECT_EQ(::mknod(path(name).c_str(), S_IFCHR, makedev(0, 0)), 0);
    return *this;
  }
  Tree& opaque(const std::string& name) {
    dir(name);
    EXPECT_EQ(::setxattr(path(name).c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
    return *this;
  }

 private:
  static TempDir must_dir() {
    auto made = TempDir::create(fs::temp_directory_path(), "kiln-tree-test");
    if (!made) std::abort();
    return std::move(made).take();
  }
  TempDir dir_;
};

}  // namespace kiln
