// Fixtures of the image room's tests: trees and tars made by hand, and foreign tools asked for their opinion.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "image/image.h"
#include "image/tar_header.h"

namespace kiln::image {

/// A tar written member by member; nothing is checked, so hostile ones can be made too.
struct TarMaker {
  std::string text;
  TarMaker& add(const TarMember& member, std::string_view content = {}) {
    TarMember sized = member;
    if (!content.empty()) sized.size = content.size();
    text += render_tar_header(sized);
    text += content;
    text.append(tar_padding(content.size()), '\0');
    return *this;
  }
  TarMaker& file(const std::string& path, std::string_view content = {}) {
    return add({.path = path, .mode = 0644}, content);
  }
  TarMaker& dir(const std::string& path) { return add({.path = path, .type = TarType::directory, .mode = 0755}); }
  TarMaker& symlink(const std::string& path, const std::string& target) {
    return add({.path = path, .type = TarType::symlink, .mode = 0777, .link = target});
  }
  TarMaker& hard_link(const std::string& path, const std::string& target) {
    return add({.path = path, .type = TarType::hard_link, .mode = 0644, .link = target});
  }
  std::string end() const { return text + std::string(2 * kTarBlock, '\0'); }
};

/// Changes a field of the last header written and makes its checksum right again.
template <class F>
std::string patched(std::string tar, F&& change, std::size_t header_at = 0) {
  UstarHeader header;
  std::copy_n(tar.data() + header_at, sizeof header, reinterpret_cast<char*>(&header));
  change(header);
  const std::string sum = fmt::format("{:06o}", tar_checksum(header));
  std::copy(sum.begin(), sum.end(), header.checksum);
  std::copy_n(reinterpret_cast<const char*>(&header), sizeof header, tar.data() + header_at);
  return tar;
}

class ImageTest : public testing::Test {
 protected:
  TempDir dir = TempDir::create(testing::TempDir(), "image").take();
  Cancel cancel;

  /// A new empty directory.
  fs::path fresh(const std::string& name) {
    fs::path path = dir.path() / name;
    EXPECT_TRUE(make_dirs(path));
    ::chmod(path.c_str(), 0755);
    return path;
  }
  fs::path put(const std::string& name, std::string_view text) {
    fs::path path = dir.path() / name;
    EXPECT_TRUE(make_dirs(path.parent_path()));
    EXPECT_TRUE(write_file_quick(path, text));
    return path;
  }
  Result<UnpackedLayer> unpack(std::string_view stream, const fs::path& tree, const Limits& limits = {}) {
    StringSource in(stream);
    return unpack_layer(in, tree, limits, cancel);
  }
  /// What a foreign tool prints; its exit code at the end when that is not 0.
  std::string run(std::vector<std::string> argv) {
    std::string output;
    const std::map<std::string, std::string> env = {
        {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"TZ", "UTC"}, {"LC_ALL", "C"}, {"HOME", dir.path().string()}};
    auto done = run_process({.argv = std::move(argv), .env = env, .cwd = dir.path()}, cancel,
                            [&output](std::string_view line, bool) { output.append(line) += '\n'; });
    if (!done) return done.error().text();
    return done->exit_code == 0 ? output : fmt::format("{}exit code {}\n", output, done->exit_code);
  }
  static bool has_tool(const std::string& name) { return fs::exists("/usr/bin/" + name); }
};

inline void set_mtime(const fs::path& path, std::int64_t seconds) {
  const timespec time{static_cast<time_t>(seconds), 123};
  const timespec times[2] = {time, time};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

/// Sets every time below a directory, which golden listings need.
inline void set_mtimes(const fs::path& root, std::int64_t seconds) {
  for (const auto& entry : fs::recursive_directory_iterator(root)) set_mtime(entry.path(), seconds);
  set_mtime(root, seconds);
}

}  // namespace kiln::image
