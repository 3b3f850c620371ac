// For the tests of this room: a store in a directory of its own, layers made of one file, and children to kill.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"

namespace kiln::store {

class StoreTest : public testing::Test {
 protected:
  Store open() {
    auto opened = Store::open(root);
    if (!opened) ADD_FAILURE() << opened.error().text();
    return std::move(opened).take();
  }

  /// Adds a layer holding the file "f" with this text; its id is the digest of the text.
  static Result<Layer> add(Store& store, const std::string& text) {
    const Scratch scratch = TRY(store.scratch("step"));
    TRY(make_dirs(scratch.path() / "upper"));
    TRY(write_file_quick(scratch.path() / "upper/f", text));
    Layer layer;
    layer.id = sha256(text);
    layer.tar_bytes = text.size();
    layer.entries = 1;
    return store.add_layer(scratch.path() / "upper", layer, "label of " + text.substr(0, 9));
  }

  static Result<Blob> add_blob(Store& store, std::string_view text) {
    auto writer = TRY(store.new_blob());
    TRY(writer.write(text));
    return store.commit(std::move(writer));
  }

  /// Files and directories below a directory of the store.
  std::size_t count(const fs::path& below) const {
    const fs::recursive_directory_iterator entries(root / below, fs::directory_options::skip_permission_denied);
    return static_cast<std::size_t>(std::distance(entries, fs::recursive_directory_iterator()));
  }

  /// Makes an object look as if an earlier boot had written it.
  void age_boot(const fs::path& meta, const std::string& boot = "another-boot") const {
    auto value = parse_json(read_file(root / meta).take()).take();
    value["boot"] = boot;
    ASSERT_TRUE(write_file_quick(root / meta, render_json(value)));
    fs::remove(root / "boot");  // as the first opening in a boot finds it
  }

  /// Makes a file look unused for this long.
  void age_use(const fs::path& file, std::int64_t seconds) const {
    const timespec then{unix_now() - seconds, 0};
    const timespec times[2] = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root / file).c_str(), times, 0), 0) << file;
  }

  TempDir dir = TempDir::create(testing::TempDir(), "store").take();
  fs::path root = dir.path() / "store";
};

/// Runs f in a forked child; yields its pid. The child never returns from here.
template <class F>
pid_t start_child(F&& f) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(f());
  return pid;
}

/// Waits; the exit code, or 128 + signal.
inline int end_of(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace kiln::store
